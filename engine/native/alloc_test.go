package native

import (
	"fmt"
	"testing"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
)

func TestBridge_TickAllocatesNothing(t *testing.T) {
	r := newRig(t, Options{})
	defer r.sw.Close()
	b := crowd(r, 100, 3, codec.PCMU())
	wide := &quietPort{payload: encode(t, codec.L16(16000), tone(16000, 400, -20)(0))}
	l, err := r.sw.NewLeg("wide", wide, codec.L16(16000))
	if err != nil {
		t.Fatal(err)
	}
	b.Admit(0, 1000, &caller{Leg: l}, engine.MemberState{})
	r.sounds["music"] = clip(8000, audiotest.Tone(8000, 1000, -20, 8000, 0))
	b.seats[50].leg.Play(1, engine.Media{Items: []string{"music"}, Loop: true})
	b.Play(1, engine.Media{Items: []string{"music"}, Loop: true}, engine.Audience{Except: 7})
	b.tapings = append(b.tapings, tapeNobodyWrites(b.class(48000)))
	b.publish()
	settle(t, r, b)
	n := uint64(1000)
	if got := testing.AllocsPerRun(200, func() { n++; b.run(0, int64(n)*20e6, n) }); got != 0 {
		t.Errorf("%v allocations per tick of a room", got)
	}
	// Obeying allocates nothing: the order is put back as often as it is told.
	decks := []*deck{&b.plays[0].deck, &b.seats[50].leg.prompt.Load().deck}
	var orders []*asked
	for _, d := range decks {
		c := engine.PlayControl{Pause: no(), Seek: &engine.Seek{By: true}, Gain: new(engine.Decibels)}
		orders = append(orders, &asked{PlayControl: c, deck: d, out: &b.out})
	}
	if got := testing.AllocsPerRun(200, func() {
		for i, d := range decks {
			d.asked.Store(orders[i])
		}
		n++
		b.run(0, int64(n)*20e6, n)
	}); got != 0 || decks[0].obeyed != nil {
		t.Errorf("%v allocations per tick of a room that is told how to play", got)
	}
	own := &quietPort{payload: wide.payload}
	alone, err := r.sw.NewLeg("alone", own, codec.L16(16000))
	if err != nil {
		t.Fatal(err)
	}
	alone.Play(1, engine.Media{Items: []string{"music"}, Loop: true})
	alone.Record(1, MaxRecording)
	n = 1
	if got := testing.AllocsPerRun(200, func() { n++; alone.tick(0, int64(n)*20e6, n) }); got != 0 {
		t.Errorf("%v allocations per tick of a leg", got)
	}
	if own.sent < 200 || wide.sent < 200 {
		t.Errorf("sent %d and %d", own.sent, wide.sent)
	}
}

// The same where decoders remember, with one who begins and stops to talk all
// the time.
func TestBridge_TickAllocatesNothingWhenCodersRemember(t *testing.T) {
	audiotest.Long(t)
	for _, f := range stateful()[:3] {
		r := newRig(t, Options{})
		b := crowd(r, 4, 1, f)
		settle(t, r, b)
		port := b.seats[3].leg.port.(*quietPort)
		voices := [2][][]byte{port.turn, packets(t, f, tone(f.Rate, 700, -20))}
		n := uint64(1000)
		tick := func() {
			n++
			port.turn = voices[n/40%2]
			b.run(0, int64(n)*20e6, n)
		}
		for range 80 {
			tick()
		}
		if got := testing.AllocsPerRun(80, tick); got != 0 {
			t.Errorf("%s/%d: %v allocations per tick", f.Name, f.Rate, got)
		}
		for n%40 != 39 || n/40%2 != 0 { // until he has been silent for a while
			tick()
		}
		if b.seats[3].leg.voice.code == nil && f.Name == "opus" {
			t.Errorf("%s/%d: he never came back", f.Name, f.Rate)
		}
		r.sw.Close()
	}
}

// quietPort gives the same packet in every tick, or packets in turn, and counts
// what is sent.
type quietPort struct {
	payload []byte
	turn    [][]byte // instead of payload
	next    int
	taken   bool
	muted   bool
	arrived int64
	sent    int
}

func (p *quietPort) Drain(now int64) { p.taken, p.arrived = false, now }

func (p *quietPort) Take(dst []byte) (int, bool) {
	if p.taken || p.muted {
		return 0, false
	}
	p.taken = true
	if p.turn != nil {
		p.next = (p.next + 1) % len(p.turn)
		p.payload = p.turn[p.next]
	}
	return copy(dst, p.payload), false
}

func (p *quietPort) Send([]byte, uint32, bool) { p.sent++ }

func (p *quietPort) Digit() (byte, bool) { return 0, false }

func (p *quietPort) LastArrival() int64 { return p.arrived }

func (p *quietPort) Report(int64) {}

func (p *quietPort) Close() error { return nil }

// crowd is a room of so many legs, of which the first few talk.
func crowd(r *rig, legs, talkers int, f codec.Format) *Bridge {
	r.Helper()
	h := r.hall()
	silent := packets(r, f, mute(f.Rate))
	for i := range legs {
		p := &quietPort{turn: silent}
		if i < talkers {
			p.turn = packets(r, f, tone(f.Rate, freqOf(i), -20))
		}
		l, err := r.sw.NewLeg(engine.LegID(fmt.Sprint(i)), p, f)
		if err != nil {
			r.Fatal(err)
		}
		h.Admit(0, engine.MemberID(i+1), &caller{Leg: l}, engine.MemberState{})
	}
	return h.Bridge
}

// packets are a second of what somebody says, after a second for the coder to
// settle.
func packets(t testing.TB, f codec.Format, speak func(int) []int16) (all [][]byte) {
	e := f.Encoder()
	for i := range 100 {
		b := make([]byte, 2*frame(f.Rate))
		n, err := e.Encode(b, speak(i))
		if err != nil {
			t.Fatal(err)
		}
		if i >= 50 {
			all = append(all, b[:n])
		}
	}
	return all
}

// settle ticks a room until everybody is in and all sounds are loaded.
func settle(t testing.TB, r *rig, b *Bridge) {
	t.Helper()
	loaded := make(chan struct{})
	r.sw.load(func() { close(loaded) })
	<-loaded
	for range 3 {
		r.clock.Step()
	}
	if b.plan.Load() != nil || b.mine.settled != b.mine.plan.number {
		t.Fatal("the plan is not in force")
	}
}
