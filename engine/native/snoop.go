package native

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/internal/tick"
	"parley/mixer"
)

// Direction is a set of the two ways that a call's audio goes.
type Direction uint8

// What the caller says, and what he hears.
const (
	In Direction = 1 << iota
	Out
)

// Snoop makes a leg of the audio of another one: what it says is what that one says,
// hears, or both, before anything is whispered, and silence while that is muted. What it
// hears is whispered: heard as if the other had said it, laid over what he hears, or both.
// So it is of no bridge, until one admits it, and costs no port. Its frames come two ticks
// later (see frames), at the rate of the other. over is called, once, when the other is
// closed, or its EndSnoops is called, and must not wait. Errors are those of NewLeg, and ErrClosed.
func (s *Switch) Snoop(id engine.LegID, on *Leg, spy, whisper Direction, over func()) (*Leg, error) {
	f := codec.L16(on.format.Rate)
	n := frame(f.Rate)
	t := &tap{
		on: on, spy: spy, whisper: whisper, over: over, encoder: f.Encoder(), decoder: f.Decoder(),
		heard: newFrames(n), said: newFrames(n), missing: mended,
		conceal: codec.NewConcealer(f.Rate), gap: make([]int16, n), mix: mixer.New(n),
	}
	l, err := s.NewLeg(id, t, f)
	if err != nil {
		return nil, err
	}
	l.SetMediaLost(0)
	if !on.tap(t) {
		_ = l.Close()
		return nil, fmt.Errorf("%w: call %s", ErrClosed, on.id)
	}
	return l, nil
}

// tap is where one leg is snooped on by another, whose Port it is.
type tap struct {
	on           *Leg
	spy, whisper Direction
	over         func()
	heard, said  *frames // of the one snooped on, and of the other

	// The snoop's own.
	n       uint64 // tick
	now     int64
	taken   bool // its frame
	begun   bool // there was one ever
	arrived atomic.Int64
	encoder codec.Encoder
	decoder codec.Decoder

	// The own of the one snooped on.
	into     *numbered // of this tick; nil: nobody listens, or there is no room
	word     []int16   // what is whispered in this tick; nil is nothing
	missing  int       // ticks of whispering
	conceal  *codec.Concealer
	gap      []int16
	mix      *mixer.Mix
	limiters [3]mixer.Limiter // of what is heard, of what is whispered in, and out
}

// Turn implements Turner.
func (t *tap) Turn(n uint64) { t.n, t.taken = n, false }

// Drain implements Port.
func (t *tap) Drain(now int64) { t.now = now }

// Take implements Port: there is one frame in each tick.
func (t *tap) Take(dst []byte) (n int, lost bool) {
	if t.taken || t.spy == 0 {
		return 0, false
	}
	t.taken = true
	f := t.heard.take(t.n - apart)
	if f == nil {
		return 0, t.begun
	}
	t.begun = true
	t.arrived.Store(t.now)
	n, _ = t.encoder.Encode(dst, f.pcm) // linear: it fits
	return n, false
}

// Send implements Port.
func (t *tap) Send(payload []byte, _ uint32, _ bool) {
	if t.whisper == 0 {
		return
	}
	if f := t.said.open(t.n); f != nil {
		n, _ := t.decoder.Decode(f.pcm, payload)
		clear(f.pcm[n:])
		f.quiet = !slices.ContainsFunc(f.pcm, func(x int16) bool { return x != 0 })
		t.said.close()
	}
}

// Digit implements Port: a snoop has no keys.
func (t *tap) Digit() (byte, bool) { return 0, false }

// LastArrival implements Port.
func (t *tap) LastArrival() int64 { return t.arrived.Load() }

// Report implements Port.
func (t *tap) Report(int64) {}

// Close implements Port. What was whispered last is on its way.
func (t *tap) Close() error {
	time.AfterFunc(depth*tick.Period, func() { t.on.untap(t) })
	return nil
}

// mended is for how many ticks what is whispered is concealed where it is missing: by
// then that is silence.
const mended = 5

// begin begins a tick with what the caller says, faded where it begins or ends to be
// heard.
func (t *tap) begin(n uint64, pcm []int16, was, is bool) {
	if t.into = nil; t.spy == 0 {
		return
	}
	if t.into = t.heard.open(n); t.into != nil {
		copy(t.into.pcm, pcm)
		ramp(t.into.pcm, was && t.spy&In != 0, is && t.spy&In != 0)
	}
}

// hear adds what the caller hears.
func (t *tap) hear(pcm []int16) {
	if t.into != nil && t.spy&Out != 0 {
		t.lay(t.into.pcm, pcm, &t.limiters[0])
	}
}

// end hands over what was said and heard.
func (t *tap) end() {
	if t.into != nil {
		t.heard.close()
		t.into = nil
	}
}

// listen fetches what is whispered.
func (t *tap) listen(n uint64) {
	if t.word = nil; t.whisper == 0 {
		return
	}
	f := t.said.take(n - apart)
	if f == nil {
		if t.missing < mended {
			t.missing++
			t.conceal.Lost(t.gap)
			t.word = t.gap
		}
		return
	}
	t.conceal.Good(f.pcm)
	if !f.quiet || t.missing > 0 {
		t.word = f.pcm
	}
	t.missing = 0
}

// lay adds src to dst.
func (t *tap) lay(dst, src []int16, l *mixer.Limiter) {
	t.mix.Reset()
	t.mix.Add(dst)
	t.mix.Add(src)
	t.mix.All(dst, l)
}

// tap has a leg snooped on; false: it is closed.
func (l *Leg) tap(t *tap) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.gone {
		l.taps.Store(new(append(slices.Clone(l.tapped()), t)))
	}
	return !l.gone
}

// untap ends that.
func (l *Leg) untap(t *tap) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taps.Store(new(slices.DeleteFunc(slices.Clone(l.tapped()), func(o *tap) bool { return o == t })))
}

// EndSnoops tells all who snoop on a leg that it is over.
func (l *Leg) EndSnoops() {
	l.mu.Lock()
	taps := l.tapped()
	l.taps.Store(nil)
	l.mu.Unlock()
	for _, t := range taps {
		t.over()
	}
}

// tapped lists who snoops on a leg; nobody changes the list.
func (l *Leg) tapped() []*tap {
	if list := l.taps.Load(); list != nil {
		return *list
	}
	return nil
}

// snooped is what a leg's owner keeps of those who snoop on it.
type snooped struct {
	taps  []*tap // as of this tick
	muted bool   // the room has him muted, as of the last tick
	plain bool   // what he says could be heard in the last tick
	in    bool   // something is whispered as if he said it, in this tick
	out   bool   // something is whispered to him
}

// confide gives what a caller says to those who snoop on him, and lays over it what
// they whisper as if he said it.
func (l *Leg) confide(n uint64) {
	v := &l.voice
	o := &v.snooped
	o.in, o.out = false, false
	was := o.plain
	o.plain = v.live && !v.held && !o.muted
	for _, t := range o.taps {
		t.begin(n, v.pcm, was, o.plain)
		t.listen(n)
	}
	for _, t := range o.taps {
		if t.word == nil {
			continue
		}
		o.in, o.out = o.in || t.whisper&In != 0, o.out || t.whisper&Out != 0
		if t.whisper&In != 0 {
			t.lay(v.pcm, t.word, &t.limiters[1])
		}
	}
}

// overheard gives what a caller hears to those who snoop on him.
func (l *Leg) overheard(pcm []int16) {
	for _, t := range l.voice.snooped.taps {
		t.hear(pcm)
	}
}

// whispered lays over what a caller hears what is whispered to him.
func (l *Leg) whispered(pcm []int16) {
	for _, t := range l.voice.snooped.taps {
		if t.word != nil && t.whisper&Out != 0 {
			t.lay(pcm, t.word, &t.limiters[2])
		}
	}
}
