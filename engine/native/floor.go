package native

import (
	"parley/engine"
	"parley/mixer"
)

// How the floor goes from one to another, in frames of 20 ms. Speech is a frame
// at mixer.DefaultThreshold: the pauses between words neither count nor weigh.
const (
	floorMean  = 15  // frames of speech that a loudness is the mean of: 300 ms
	floorBegin = 10  // of speech, until one has a floor that is free: a cough is shorter
	floorTake  = 50  // of speech, all of it louder, until it is taken from one who talks
	floorMore  = 3   // dB: what is louder
	floorRest  = 100 // frames without a word, until it is nobody's
)

// bid is what a member has said since he began to talk; zero, while he does not.
type bid struct {
	mean   float32 // dBov, of the last frames of speech
	spoken int     // frames of speech
	louder int     // of them, those since which he is louder than the holder
}

// hear takes the next frame of one who talks: its level as it came, and as it
// is in the mix.
func (b *bid) hear(said, mixed, holder float32) {
	if said < mixer.DefaultThreshold {
		return
	}
	b.spoken++
	b.mean += (mixed - b.mean) / float32(min(b.spoken, floorMean))
	b.louder++
	if b.mean < holder+floorMore {
		b.louder = 0
	}
}

// floor is whose word it is in a room: his who began, until he has been silent
// while another talks, or another has been louder for long, or nobody has said
// anything for a while. In each tick: begin, hear for everybody, end.
type floor struct {
	holder engine.MemberID // 0 = nobody
	mean   float32         // dBov: how loud he is
	idle   int             // ticks that he has not talked
	told   engine.MemberID // as the courier knows it

	seen, talked bool // in this tick: the holder is there, and talks
	best         engine.MemberID
	most         float32
}

func (f *floor) begin() { f.seen, f.talked, f.best = false, false, 0 }

// hear takes the tick of a member. talks says whether he does, and is heard.
func (f *floor) hear(m engine.MemberID, b *bid, talks bool, said, mixed float32) {
	f.seen = f.seen || m == f.holder
	if !talks {
		*b = bid{}
		return
	}
	b.hear(said, mixed, f.mean)
	if m == f.holder {
		f.talked, f.mean, b.louder = true, b.mean, 0
		return
	}
	wins := b.louder >= floorTake
	if f.holder == 0 || f.idle > 0 {
		wins = b.spoken >= floorBegin
	}
	if wins && (f.best == 0 || b.mean > f.most) {
		f.best, f.most = m, b.mean
	}
}

// end is whose the floor is after the tick.
func (f *floor) end() engine.MemberID {
	switch {
	case f.best != 0:
		f.holder, f.mean, f.idle = f.best, f.most, 0
	case !f.seen:
		f.holder, f.idle = 0, 0
	case f.talked:
		f.idle = 0
	default:
		if f.idle++; f.idle > floorRest {
			f.holder, f.idle = 0, 0
		}
	}
	return f.holder
}

// hear has the floor follow the tick of a seat. What a gate has kept out is no
// speech.
func (st *seat) hear(f *floor) {
	v := &st.leg.voice
	said := v.said
	if !v.spoke {
		said = silence
	}
	f.hear(st.member, &v.bid, v.mouth && st.leg.talking.Load(), said, v.mixed())
}

// tellFloor tells whose the floor is, once all who are here are known as members.
func (b *Bridge) tellFloor(number uint64) {
	f := &b.mine.floor
	if m := f.end(); m != f.told && b.mine.acked == number && b.sw.tell(note{kind: noteFloor, bridge: b, member: m}) {
		f.told = m
	}
}
