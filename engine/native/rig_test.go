package native

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
	"parley/internal/tick"
	"parley/sound"
)

// line is a Port in memory: a caller who speaks in packets and notes what he
// hears. Only the test's goroutine, which also runs the ticks, uses it.
type line struct {
	t      testing.TB
	format codec.Format
	ptime  int                   // ms of a packet
	speak  func(n int) []int16   // the caller's n-th 20 ms; nil is a caller who sends nothing
	lose   func(packet int) bool // which packets get lost

	drains  int
	spoken  []int16  // not yet in a packet
	packets int      // made so far
	queue   [][]byte // on the way; nil is one that was lost
	arrived int64
	pressed []byte
	shut    bool
	burst   func()        // called by Take
	encoder codec.Encoder // of what he says; nil makes a new one for each packet
	listen  func([]byte)  // decodes what he hears; nil decodes each packet by itself

	heard   []int16  // all that came, decoded
	stamps  []uint32 // of all that came
	markers []int    // indices of packets with the marker
	last    []byte   // the last payload, not copied
	stats   Health
}

func (p *line) Drain(now int64) {
	if p.shut {
		p.t.Error("Drain after Close")
	}
	p.drains++
	if p.speak == nil {
		return
	}
	p.spoken = append(p.spoken, p.speak(p.drains-1)...)
	size := int(p.format.Rate) * p.ptime / 1000
	for len(p.spoken) >= size {
		packet := p.encode(p.spoken[:size])
		if p.lose != nil && p.lose(p.packets) {
			packet = nil
		}
		p.packets++
		p.spoken = p.spoken[size:]
		p.queue = append(p.queue, packet)
		p.arrived = now
	}
}

func (p *line) encode(pcm []int16) []byte {
	if p.encoder == nil {
		return encode(p.t, p.format, pcm)
	}
	b := make([]byte, 2*len(pcm))
	n, err := p.encoder.Encode(b, pcm)
	if err != nil {
		p.t.Fatal(err)
	}
	return b[:n]
}

func encode(t testing.TB, f codec.Format, pcm []int16) []byte {
	b := make([]byte, 2*len(pcm))
	n, err := f.Encoder().Encode(b, pcm)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

// Take keeps packets of other lengths than 20 ms back until enough are there,
// as a jitter buffer would.
func (p *line) Take(dst []byte) (n int, lost bool) {
	if p.burst != nil {
		p.burst()
	}
	if len(p.queue) == 0 || p.ptime > 20 && p.drains <= p.ptime/20 {
		return 0, false
	}
	packet := p.queue[0]
	p.queue = p.queue[1:]
	return copy(dst, packet), packet == nil
}

// Peek is what comes after a packet that was lost.
func (p *line) Peek(dst []byte) int {
	if len(p.queue) == 0 {
		return 0
	}
	return copy(dst, p.queue[0])
}

func (p *line) Send(payload []byte, ts uint32, marker bool) {
	if p.shut {
		p.t.Error("Send after Close")
	}
	if marker {
		p.markers = append(p.markers, len(p.stamps))
	}
	if p.listen != nil {
		p.listen(payload)
	} else {
		pcm := make([]int16, maxFrame)
		n, err := p.format.Decoder().Decode(pcm, payload)
		if err != nil {
			p.t.Error(err)
		}
		p.heard = append(p.heard, pcm[:n]...)
	}
	p.stamps = append(p.stamps, ts)
	p.last = payload
}

func (p *line) Digit() (byte, bool) {
	if len(p.pressed) == 0 {
		return 0, false
	}
	d := p.pressed[0]
	p.pressed = p.pressed[1:]
	return d, true
}

func (p *line) LastArrival() int64 { return p.arrived }
func (p *line) Report(int64)       {}
func (p *line) Health() Health     { return p.stats }
func (p *line) Close() error       { p.shut = true; return nil }

// caller is a call as an adapter makes it of a leg.
type caller struct {
	*Leg
	*line
	sink *sink
}

func (c *caller) Release(engine.Outcome) {}
func (c *caller) Close() error           { return c.Leg.Close() }

// sink notes facts.
type sink struct {
	mu    sync.Mutex
	facts []engine.Fact
}

func (s *sink) Post(f engine.Fact) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts = append(s.facts, f)
}

// take returns what came since it was last called.
func (s *sink) take() []engine.Fact {
	s.mu.Lock()
	defer s.mu.Unlock()
	facts := s.facts
	s.facts = nil
	return facts
}

// want fails the test unless exactly these facts came.
func (s *sink) want(t testing.TB, want ...engine.Fact) {
	t.Helper()
	got := s.take()
	if fmt.Sprint(got) != fmt.Sprint(want) || !slices.EqualFunc(got, want, func(a, b engine.Fact) bool {
		return fmt.Sprintf("%T", a) == fmt.Sprintf("%T", b)
	}) {
		t.Errorf("facts %+v, want %+v", got, want)
	}
}

// shelf is sounds by name.
type shelf map[string]*sound.Clip

var errNoSound = errors.New("no such sound")

func (s shelf) Load(spec, _ string) (*sound.Clip, error) {
	if spec == "panic" {
		panic("a broken sound")
	}
	if c := s[spec]; c != nil {
		return c, nil
	}
	return nil, errNoSound
}

// rig is a switch whose time stands still between steps.
type rig struct {
	testing.TB
	sw     *Switch
	clock  *tick.Manual
	sounds shelf
	op     engine.OpID
}

// inBubble runs a test with a rig in a synctest bubble, where the switch's own
// goroutines can be waited for.
func inBubble(t *testing.T, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		defer r.sw.Close()
		test(r)
	})
}

func newRig(t testing.TB, o Options) *rig {
	r := &rig{TB: t, clock: &tick.Manual{}, sounds: shelf{}}
	o.Sounds = r.sounds
	if o.Clock == nil {
		o.Clock = r.clock
	}
	var err error
	if r.sw, err = New(o); err != nil {
		t.Fatal(err)
	}
	return r
}

// call makes a leg of a caller who says what speak returns.
func (r *rig) call(id engine.LegID, f codec.Format, speak func(int) []int16) *caller {
	r.Helper()
	c := &caller{line: &line{t: r, format: f, ptime: 20, speak: speak}, sink: &sink{}}
	var err error
	if c.Leg, err = r.sw.NewLeg(id, c.line, f); err != nil {
		r.Fatal(err)
	}
	c.Attach(c.sink)
	return c
}

// hall is a bridge with its facts.
type hall struct {
	*Bridge
	*sink
}

func (r *rig) hall() hall {
	r.Helper()
	h := hall{sink: &sink{}}
	b, err := r.sw.Bridge(engine.Place{}, "3001", "i", h.sink)
	if err != nil {
		r.Fatal(err)
	}
	h.Bridge = b.(*Bridge)
	return h
}

// run goes on by n ticks: first sounds are loaded, in the end facts are posted.
func (r *rig) run(n int) {
	synctest.Wait()
	for range n {
		r.clock.Step()
		synctest.Wait()
	}
}

// seat admits a caller and waits until he hears and is heard in full.
func (r *rig) seat(h hall, m engine.MemberID, c *caller, st engine.MemberState) {
	r.Helper()
	r.op++
	h.Admit(r.op, m, c, st)
	r.run(2)
	for _, f := range h.take() {
		if f == (engine.Joined{Op: r.op, Member: m}) {
			return
		}
	}
	r.Fatalf("member %d did not join", m)
}

// tone is a caller who sings a sine, its phase going on from frame to frame.
func tone(rate codec.Rate, freq, level float64) func(int) []int16 {
	n := frame(rate)
	return func(i int) []int16 {
		return audiotest.Tone(int(rate), freq, level, n, 2*math.Pi*math.Mod(freq*float64(i*n)/float64(rate), 1))
	}
}

// mute is a caller who sends silence.
func mute(rate codec.Rate) func(int) []int16 {
	quiet := make([]int16, frame(rate))
	return func(int) []int16 { return quiet }
}

// since is what a caller has heard from a moment on.
func (p *line) since(mark int) []int16 { return p.heard[mark:] }

func l16() codec.Format { return codec.L16(8000) }

func clip(rate codec.Rate, pcm []int16) *sound.Clip { return sound.FromPCM(pcm, rate) }
