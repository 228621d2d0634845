package native

import (
	"math"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/mixer"
)

const (
	silence = mixer.Silence
	takes   = 16 // packets per tick at most: 20 ms in packets of 2.5 ms, and some to spare
	keys    = 4  // digits told per tick at most
)

// voice is what a leg's owner keeps from tick to tick.
type voice struct {
	decoder codec.Decoder
	encoder codec.Encoder
	relay   codec.Relay // the encoder, if its decoder remembers; else nil
	lent    *lent       // the encoder, if it came from a stock; it may have none
	strange bool        // that has not been told yet whose it is
	waited  int         // ticks that it has been waited for
	hearing hearing     // the decoder, if it came from a stock
	conceal *codec.Concealer
	meter   mixer.Meter
	step    uint32 // RTP clock per tick

	first  uint64 // tick that ts counts from
	last   uint64 // tick that was done last
	live   bool   // not closed, as of this tick
	held   bool   // as of this tick
	sent   bool   // the tick before sent something
	broken bool   // it panicked

	// What the caller says.
	fifo    []int16 // decoded and not yet used; its capacity grows by room alone
	ptime   int     // samples of the last packet
	pcm     []int16 // this tick's frame
	left    leftovers
	steady  int     // ticks in which the pace must not change again
	dry     bool    // nothing is coming: silence, not loss
	said    float32 // dBov, of pcm
	turns   int     // of pcm, where it is loud: changes of sign
	exact   bool    // the pace changes by single samples only
	behind  bool    // the fifo has more than it should, and no Pacer says so
	noise   codec.Noise
	taping  *tape
	digit   byte          // popped and not yet told; 0 is none
	pressed time.Duration // that it was held; 0 is unknown
	arrival int64         // the last packet, as of the tick heard
	heard   uint64
	lost    bool // told that nothing is heard any more
	trust   trust
	snooped snooped

	// Its place in a room; see seat.
	mouth, ear       bool  // is in the others' mix, hears a mix: as of the last tick
	spoke            bool  // is in the mix of this tick
	shared           bool  // the last tick gave it the mix that all share
	alike            int   // ticks that nothing has told it apart from other listeners
	resting          int   // ticks that it has had nothing to hear
	code             *code // whose payloads its decoder follows; nil is its own encoder's
	told             bool  // the last word on talking
	bid              bid   // for the floor
	gate             mixer.Gate
	open             bool // the gate let the last frame through
	shut             int  // ticks since it let one through
	before           lead // what it did not
	ceiling          mixer.Ceiling
	leveller         mixer.Leveller
	evener           mixer.Gain
	evenDB           float64
	talk, listen     mixer.Gain
	talkDB, listenDB engine.Decibels
	limiter, over    mixer.Limiter // of its own mix, and of a prompt over it
	playing          *prompt
	alias            uint32 // a name of ours
	ssrc, named      uint32 // what its phone calls it, what others do
}

func newVoice(f codec.Format) voice {
	n := frame(f.Rate)
	block := make([]int16, n+waiting(n, n))
	v := voice{
		step:  uint32(f.Clock / 50),
		pcm:   block[:n:n],
		fifo:  block[n:n],
		ptime: n,
		dry:   true,
		alias: aliasOf(),
		trust: trust{claim: silence, rest: silence, apart: true},
	}
	if !f.Pooled() {
		v.encoder = f.Encoder()
		v.relay, _ = v.encoder.(codec.Relay)
		v.decodes(f.Decoder(), newWake(f.Rate))
	}
	return v
}

// begin is the first half of a leg's tick: it fetches what the caller says. It
// is false when this tick, or a later one, has been done.
func (l *Leg) begin(s *scratch, now int64, n uint64) bool {
	v := &l.voice
	if n <= v.last {
		return false
	}
	if v.first == 0 {
		v.first, v.heard = n, n
	}
	v.last = n
	v.live = !l.closed.Load()
	v.held = l.held.Load()
	v.spoke = false
	v.snooped.taps = l.tapped()
	if l.turner != nil {
		l.turner.Turn(n)
	}
	if v.live {
		if l.batcher != nil {
			l.batcher.Batch(s.outbox)
		}
		l.port.Drain(now)
	}
	silent := l.pull(s)
	l.confide(n)
	l.measure(silent && !v.snooped.in)
	if v.live {
		l.capture()
		l.keys()
		l.watch(n)
	}
	return true
}

// end is the last act of a leg's tick.
func (l *Leg) end(now int64) {
	for _, t := range l.voice.snooped.taps {
		t.end()
	}
	l.port.Report(now)
}

// pull fills pcm with the next 20 ms, whatever the length of packets, and says
// whether it is all silence. When packets stop coming one frame of concealment
// follows, which the mix fades out.
func (l *Leg) pull(s *scratch) (silent bool) {
	v := &l.voice
	if had := len(v.fifo); v.live {
		if l.fetch(s, len(v.pcm)); len(v.fifo) > had {
			v.left.note(had)
		}
	}
	if l.unheard.Load() {
		v.fifo, v.dry = v.fifo[:0], true
	}
	if len(v.fifo) >= len(v.pcm) {
		use := l.pace(s)
		codec.Warp(v.pcm, v.fifo[:use])
		v.fifo = v.fifo[:copy(v.fifo, v.fifo[use:])]
		v.dry = false
		return false
	}
	got := copy(v.pcm, v.fifo)
	v.fifo = v.fifo[:0]
	rest := v.pcm[got:]
	if v.dry {
		return l.hush(rest) && got == 0
	}
	v.lose(rest)
	v.dry = true
	return false
}

// fetch decodes packets until there are so many samples, or no packets.
func (l *Leg) fetch(s *scratch, samples int) {
	for range takes {
		if len(l.voice.fifo) >= samples {
			return
		}
		n, lost := l.port.Take(s.packet[:])
		if n == 0 && !lost {
			return
		}
		l.decode(s, n)
	}
}

// decode puts one packet's audio into the fifo; n == 0 is a packet that is
// missing, as is one that cannot be decoded.
func (l *Leg) decode(s *scratch, n int) {
	v := &l.voice
	dst := s.decoded[:l.format.Rate.Samples(codec.MaxFrame)]
	if n > 0 {
		if l.sayer != nil {
			if l.spared(s.packet[:n]) || l.unwanted() || !l.hears() {
				l.skip(s, s.packet[:n])
				return
			}
			l.prime(s)
		}
		m, err := v.decoder.Decode(dst, s.packet[:n])
		if err == nil && m > 0 {
			v.ptime = m
			if v.trust.row > ringing {
				v.trust.doubt(v.meter.Level(dst[:m]))
			}
			v.conceal.Good(dst[:m])
			v.add(dst[:m])
			if v.trust.check {
				v.trust.check = false
				l.unhear() // the next one to be checked may have it in this very tick
			}
			return
		}
		l.sw.totals.undecodable.Add(1)
	}
	dst = dst[:v.room(v.ptime)]
	if n == 0 && l.recover(s, dst) {
		v.conceal.Good(dst)
	} else {
		v.lose(dst)
	}
	v.add(dst)
}

// recover finds what a lost packet said in the one after it.
func (l *Leg) recover(s *scratch, dst []int16) bool {
	if l.peeker == nil {
		return false
	}
	n := l.peeker.Peek(s.packet[:])
	if n == 0 || l.unwanted() || l.voice.trust.skipped && l.format.Tells(s.packet[:n]) != codec.ToldNothing || !l.hears() {
		return false
	}
	l.prime(s)
	r, ok := l.voice.decoder.(codec.Recoverer)
	return ok && r.Recover(dst, s.packet[:n]) == len(dst)
}

// measure tells voice from silence.
func (l *Leg) measure(silent bool) {
	v := &l.voice
	v.said, v.turns = silence, 0
	if !silent {
		v.said = v.meter.Level(v.pcm)
	}
	if v.said == silence && v.trust.skipped {
		v.said = v.trust.claim
	}
	if v.said > howlLevel {
		v.turns = v.meter.Crossings(v.pcm)
	}
	speech := v.said
	if v.dry && !v.snooped.in { // his phone's noise, if anything
		speech = silence
	}
	talking, _ := v.meter.Talking(speech)
	l.level.Store(math.Float64bits(float64(v.said)))
	l.talking.Store(talking && v.live)
}

// capture records.
func (l *Leg) capture() {
	v := &l.voice
	if want := l.tape.Load(); want != v.taping {
		v.taping = want
	}
	t := v.taping
	if t == nil {
		return
	}
	if !t.done {
		t.add(v.pcm, l.talking.Load())
	}
	if t.done && l.sw.tell(note{kind: noteTape, leg: l, tape: t}) {
		l.tape.CompareAndSwap(t, nil)
		v.taping = nil
	}
}

// keys tells what was pressed, once there is somebody to tell.
func (l *Leg) keys() {
	v := &l.voice
	for range keys {
		if !l.attached.Load() {
			return
		}
		if v.digit == 0 {
			v.digit, _ = l.port.Digit()
			if v.pressed = 0; l.presser != nil && v.digit != 0 {
				v.pressed = l.presser.Pressed()
			}
		}
		if v.digit == 0 || !l.sw.tell(note{kind: noteDigit, leg: l, digit: v.digit, pressed: v.pressed}) {
			return
		}
		v.digit = 0
	}
}

// watch gives the leg up when nothing has come for too long. It compares
// arrivals with each other only and counts ticks, so a clock that is set does
// no harm.
func (l *Leg) watch(n uint64) {
	v := &l.voice
	if at := l.port.LastArrival(); at != v.arrival || v.held {
		v.arrival, v.heard = at, n
	}
	if n-v.heard > l.patience.Load() {
		l.giveUp()
	}
}

// giveUp tells, once, that the leg is gone.
func (l *Leg) giveUp() {
	v := &l.voice
	if !v.lost && l.attached.Load() {
		v.lost = l.sw.tell(note{kind: noteGone, leg: l})
	}
}

// alone is the second half of the tick of a leg in no room: it hears its prompt
// or silence.
func (l *Leg) alone(s *scratch, now int64, n uint64) {
	v := &l.voice
	v.trust.gated, v.trust.shut, v.trust.apart, v.snooped.muted = false, false, true, false
	if l.crediter != nil {
		l.crediter.Credit(nil) // a prompt is nobody
	}
	out := s.out[:len(v.pcm)]
	switch {
	case l.rests(v.snooped.out):
		l.still(s, n)
	case l.equip():
		l.prompting(out)
		l.overheard(out)
		l.whispered(out)
		l.say(s, out, n)
	default:
		v.sent = false
	}
	l.end(now)
}

// say encodes a frame for this leg only, and sends it.
func (l *Leg) say(s *scratch, pcm []int16, n uint64) {
	v := &l.voice
	v.own(n)
	if v.held {
		v.sent = false
		return
	}
	size, err := v.encoder.Encode(s.payload[:], pcm)
	if err != nil { // cannot be: NewLeg tried it
		return
	}
	l.send(s.payload[:size], n)
}

// send sends the payload of tick n, unless it says nothing.
func (l *Leg) send(payload []byte, n uint64) {
	v := &l.voice
	if l.format.Silent(payload) {
		v.sent = false
		return
	}
	l.port.Send(payload, uint32(n-v.first)*v.step, !v.sent)
	v.sent = true
}

// ramp fades a frame from silence or full to silence or full, in a straight line.
func ramp(pcm []int16, from, to bool) {
	if from == to {
		if !from {
			clear(pcm)
		}
		return
	}
	n := int32(len(pcm))
	for i := range pcm {
		k := int32(i) + 1
		if from {
			k = n - k
		}
		pcm[i] = int16(int32(pcm[i]) * k / n)
	}
}
