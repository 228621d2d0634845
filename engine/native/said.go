package native

import (
	"parley/codec"
	"parley/mixer"
)

// Sayer is what a Port may offer besides, when its packets can say how loud they
// are (RFC 6464).
type Sayer interface {
	// Said is what the packet that Take gave last says of itself, in -dBov; ok is
	// false where it says nothing.
	Said() (level uint8, ok bool)
	// Back copies the payload that came k packets before that one to dst; n is 0
	// where it is not here any more.
	Back(dst []byte, k int) (n int)
}

const (
	// inaudible is the least level, in -dBov, that no gate lets through, however
	// wide it is open.
	inaudible = 1 - mixer.GateNone

	believed = 10  // packets in a row that say so, and are decoded nevertheless
	doubted  = 50  // of what follows, one in so many is decoded: one a second
	familiar = 500 // packets in a row, from where on that is enough of one in rarely,
	rarely   = 150 // where decoding takes long
	excess   = 12  // dB that a packet may be louder than it says
	lowest   = -65 // dBov: nobody speaks as low
	ringing  = 2   // packets that may have what was said before them
	primers  = 4   // packets before one that a decoder needs to be as if it had had all
)

// spares says whether the decoder of a format makes of silence what its sender
// has measured. That of G.722 makes noise of it, that of A-law a tone of 1 in
// 32768: what a gate has before it when it opens would be another.
func spares(f codec.Format) bool { return f.Name == "PCMU" || f.Name == "L16" || f.Name == "opus" }

// trust is what a leg's owner keeps of what packets say of themselves: of their
// level in a header, or of a pause in the payload.
type trust struct {
	gated   bool    // what no gate lets through is not heard, as of the last tick
	apart   bool    // it is in no room, as of the last tick
	shut    bool    // nor is what he says, as of the last tick: the gate is closed
	liar    bool    // a packet was louder than it said: no level is believed any more
	deaf    bool    // a pause opened the gate: none is believed until a voice opens it
	pause   bool    // the last packet told a pause, and no level
	row     int     // packets that said one or the other
	still   int     // packets that told digital silence
	skipped bool    // the last packet was not decoded
	check   bool    // the last packet is decoded only to see whether it is what it says
	claim   float32 // its level, dBov
	rest    float32 // dBov: of the last pause that was decoded
}

// spared, of a leg with a Sayer, says whether a packet need not be decoded: it says that it is silence,
// or a pause, which is kept out of the mix anyhow, and what said so before was. Nothing is
// louder for what a packet says of itself.
func (l *Leg) spared(payload []byte) bool {
	v, t := &l.voice, &l.voice.trust
	told := l.format.Tells(payload)
	v.hearing.weigh(payload)
	level, said := l.sayer.Said()
	said = said && level >= inaudible && !t.liar
	t.pause = !said && told == codec.ToldPause
	t.still++
	t.check = false
	switch {
	case told == codec.ToldSilence:
		t.row++
		t.claim = silence
		if t.still > ringing { // a fact, to gates and recordings too
			return true
		}
	case said:
		t.row, t.still = t.row+1, 0
		t.claim = -float32(level)
	case t.pause && !t.deaf:
		t.row, t.still = t.row+1, 0
		t.claim = t.rest
	default:
		t.row, t.still = 0, 0
		return false
	}
	kept := t.gated
	if t.pause {
		kept = t.shut
	}
	if !kept || v.taping != nil || len(v.snooped.taps) > 0 || t.row <= believed {
		return false
	}
	t.check = t.row%l.doubts() == 0
	return !t.check
}

// doubts is how many packets apart those are that are decoded though they say that
// they are silence. Who is caught is not believed again before he is known to
// talk, so of a voice that is never said to be one more is missed only once.
func (l *Leg) doubts() int {
	if l.voice.trust.row > familiar && l.format.Pooled() {
		return rarely
	}
	return doubted
}

// skip puts silence in the place of a packet that is not decoded.
func (l *Leg) skip(s *scratch, payload []byte) {
	v := &l.voice
	if n := l.format.Lasts(payload); n > 0 {
		v.ptime = n
	}
	quiet := s.decoded[:v.room(v.ptime)]
	clear(quiet)
	v.silent(quiet)
	v.add(quiet)
	v.trust.skipped = true
	l.unhear()
}

// prime has a decoder that remembers hear the last of what was skipped. What it
// makes of that is what led up to what comes now.
func (l *Leg) prime(s *scratch) {
	v, t := &l.voice, &l.voice.trust
	if !t.skipped {
		return
	}
	t.skipped = false
	if !l.format.Pooled() { // it does not remember
		return
	}
	dst, past := s.decoded[:l.format.Rate.Samples(codec.MaxFrame)], s.past[:0]
	for k := primers; k > 0; k-- {
		if n := l.sayer.Back(s.payload[:], k); n > 0 {
			m, _ := v.decoder.Decode(dst, s.payload[:n]) // what is no audio was counted, or is not heard
			past = latest(past, dst[:m])
		}
	}
	v.relive(past)
}

// latest adds to what is kept, as much as it has room for: the oldest is forgotten.
func latest(kept, pcm []int16) []int16 {
	pcm = pcm[max(0, len(pcm)-cap(kept)):]
	over := max(0, len(kept)+len(pcm)-cap(kept))
	kept = kept[:copy(kept, kept[over:])]
	return append(kept, pcm...)
}

// relive puts what came last, decoded belatedly, in the place of the silence that
// was there instead: not yet used, or kept for when the gate opens.
func (v *voice) relive(past []int16) {
	n := min(len(past), len(v.fifo))
	copy(v.fifo[len(v.fifo)-n:], past[len(past)-n:])
	past = past[:len(past)-n]
	for i, kept := range v.before.pcm {
		rest := len(past) - len(kept)
		if rest < 0 {
			return
		}
		copy(kept, past[rest:])
		v.before.levels[i] = v.meter.Level(kept)
		past = past[:rest]
	}
}

// doubt compares what a packet said, after others that said so, with what it was.
func (t *trust) doubt(level float32) {
	if t.pause {
		t.rest = level
		return
	}
	t.liar = t.liar || level > lowest && level > excess+t.claim
}

// judge takes whether more is heard of a tick than what no gate lets through.
func (t *trust) judge(open bool) {
	if open && t.shut {
		t.deaf = t.pause && t.row > believed
	}
	t.shut = t.gated && !open
}
