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
	excess   = 12  // dB that a packet may be louder than it says
	lowest   = -65 // dBov: nobody speaks as low
	ringing  = 2   // packets that may have what was said before them
	primers  = 4   // packets before one that a decoder needs to be as if it had had all
)

// spares says whether the decoder of a format makes of silence what its sender
// has measured. That of G.722 makes noise of it, that of A-law a tone of 1 in
// 32768: what a gate has before it when it opens would be another.
func spares(f codec.Format) bool { return f.Name == "PCMU" || f.Name == "L16" || f.Name == "opus" }

// trust is what a leg's owner keeps of what packets say of themselves.
type trust struct {
	gated   bool  // what no gate lets through is not heard, as of the last tick
	liar    bool  // a packet was louder than it said: nothing is believed any more
	row     int   // packets that said that they are inaudible
	skipped bool  // the last packet was not decoded
	claim   uint8 // its level, -dBov
}

// spared, of a leg with a Sayer, says whether a packet need not be decoded: it says that it is silence,
// which is kept out of the mix anyhow, and what said so before was. Nothing is
// louder for what a packet says of itself.
func (l *Leg) spared() bool {
	t := &l.voice.trust
	if t.liar {
		return false
	}
	level, ok := l.sayer.Said()
	if !ok || level < inaudible {
		t.row = 0
		return false
	}
	t.claim = level
	t.row++
	return t.gated && l.voice.taping == nil && t.row > believed && t.row%doubted != 0
}

// skip puts silence in the place of a packet that is not decoded.
func (l *Leg) skip(s *scratch, room []int16) {
	v := &l.voice
	quiet := s.decoded[:min(v.ptime, len(room))]
	clear(quiet)
	v.conceal.Good(quiet)
	v.fifo = v.fifo[:len(v.fifo)+copy(room, quiet)]
	v.trust.skipped = true
}

// prime has a decoder that remembers hear the last of what was skipped.
func (l *Leg) prime(s *scratch, dst []int16) {
	t := &l.voice.trust
	if !t.skipped {
		return
	}
	t.skipped = false
	if l.format.Name != "opus" { // it does not remember
		return
	}
	for k := primers; k > 0; k-- {
		if n := l.sayer.Back(s.payload[:], k); n > 0 {
			_, _ = l.voice.decoder.Decode(dst, s.payload[:n]) // what is no audio was counted, or is not heard
		}
	}
}

// doubt compares what a packet said, after others that said so, with what it was.
func (t *trust) doubt(m *mixer.Meter, pcm []int16) {
	level := m.Level(pcm)
	t.liar = t.liar || level > lowest && level > excess-float32(t.claim)
}
