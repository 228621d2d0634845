package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// wanderer plays one random evening of rooms that move about.
type wanderer struct {
	*theatre
	rand   *rand.Rand
	movers []*mover
	phones []*phone
	asked  sync.WaitGroup // commands that are to be answered
	seqs   map[InstanceID]uint64
}

// TestRoomsThatMoveKeepTheirBooks mixes moves with joins, leaves, keys,
// commands, failures and delays, in 1,000 orders. In the end roster and place
// agree, every command is answered, every call given back once, and no number
// of an event left out.
func TestRoomsThatMoveKeepTheirBooks(t *testing.T) {
	for seed := range uint64(1000) {
		ok := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { wander(t, seed) })
		})
		if !ok {
			return
		}
	}
}

func wander(t *testing.T, seed uint64) {
	t.Helper()
	d := NewDirectory()
	p := d.Profiles["default"]
	p.Moderator.PINs = []PIN{NewPIN("98765")}
	p.WaitForModerator = seed%2 == 0
	p.RewaitOnModeratorExit = seed%4 == 0
	if seed%3 > 0 {
		p.Mixer = MixerSwitch
	}
	w := &wanderer{theatre: newTheatre(t, d), rand: rand.New(rand.NewPCG(seed, 1)), seqs: map[InstanceID]uint64{}}
	for range 60 {
		w.act()
		if w.rand.IntN(3) > 0 {
			synctest.Wait()
		}
	}
	w.settle()
	w.asked.Wait()
	w.agree("1")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	defer w.calls.balance(t)
	if err := w.Close(ctx); err != nil {
		t.Fatal(err)
	}
	w.audit()
}

// act does one thing.
func (w *wanderer) act() {
	places := []Place{{}, {}, pbx1, pbx1, pbx2}
	switch w.rand.IntN(12) {
	case 0, 1:
		w.arrival(places[2+w.rand.IntN(3)])
	case 2:
		w.phones = append(w.phones, w.call(fmt.Sprint("s", len(w.phones)), "1", map[string]string{"role": "member"}))
	case 3:
		if len(w.phones) > 0 {
			p := w.phones[w.rand.IntN(len(w.phones))]
			p.sink.Post(LegGone{Leg: p.id, Reason: ReasonHangup})
		}
		if len(w.movers) > 0 && w.rand.IntN(4) == 0 {
			w.movers[w.rand.IntN(len(w.movers))].dies(ReasonSwitchLost)
		}
	case 4:
		if len(w.phones) > 0 {
			w.phones[w.rand.IntN(len(w.phones))].press([]string{"98765", "#", "*1", "0"}[w.rand.IntN(4)])
		}
	case 5:
		w.ask(Mute{Member: MemberID(w.rand.IntN(4)), On: w.rand.IntN(2) == 0})
	case 6:
		w.ask(Kick{Member: MemberID(1 + w.rand.IntN(4))})
	case 7, 8:
		w.hinder()
	case 9:
		w.help()
	default:
		to := places[w.rand.IntN(len(places))]
		w.asked.Go(func() { _, _ = w.Relocate(w.t.Context(), "1", to) })
	}
}

func (w *wanderer) ask(c Command) {
	w.asked.Go(func() { _ = w.Do(w.t.Context(), "1", c) })
}

// arrival is a call of a switch, with its audio at either place.
func (w *wanderer) arrival(home Place) {
	vars := map[string]string{}
	if w.rand.IntN(3) > 0 {
		vars["pin"] = "98765"
	}
	at := w.Placement("1", "", home)
	if w.rand.IntN(4) == 0 {
		at = Place{}
	}
	p := w.dial(fmt.Sprint("m", len(w.phones)), "1", at, home, vars)
	w.movers, w.phones = append(w.movers, p), append(w.phones, p.phone)
}

// hinder makes something slow, or fail.
func (w *wanderer) hinder() {
	if len(w.movers) > 0 {
		switch p := w.movers[w.rand.IntN(len(w.movers))]; w.rand.IntN(4) {
		case 0:
			p.fail(1)
		case 1:
			p.dawdle()
		}
	}
	if b := w.anyStage(); b != nil {
		switch w.rand.IntN(8) {
		case 0:
			b.reject(w.rand.IntN(2) == 0)
		case 1, 2:
			b.hold()
		case 3:
			if w.rand.IntN(4) == 0 {
				b.ends()
			}
		}
	}
}

func (w *wanderer) help() {
	if len(w.movers) > 0 {
		w.movers[w.rand.IntN(len(w.movers))].arrive(w.rand.IntN(4) == 0)
	}
	if b := w.anyStage(); b != nil {
		b.letGo()
	}
}

func (w *wanderer) anyStage() *stage {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.every) == 0 {
		return nil
	}
	return w.every[w.rand.IntN(len(w.every))]
}

// settle lets everything come true that was held up.
func (w *wanderer) settle() {
	for range 10 {
		synctest.Wait()
		for _, p := range w.movers {
			p.arrive(false)
		}
		w.mu.Lock()
		every := w.every
		w.mu.Unlock()
		for _, b := range every {
			b.letGo()
		}
	}
	synctest.Wait()
}

// audit looks back at the whole evening.
func (w *wanderer) audit() {
	synctest.Wait()
	for _, p := range w.phones {
		if n := len(p.released); n != 1 {
			w.t.Errorf("%s was given back %d times", p.id, n)
			continue
		}
		if o := <-p.released; o.Result == "" || o.Reason == ReasonNone {
			w.t.Errorf("%s: %+v", p.id, o)
		}
	}
	for _, e := range w.events {
		if w.seqs[e.Instance]++; e.Instance != "" && e.Seq != w.seqs[e.Instance] {
			w.t.Errorf("event %d of %s has number %d", w.seqs[e.Instance], e.Instance, e.Seq)
		}
	}
	for _, p := range w.movers {
		if p.twice {
			w.t.Errorf("%s was asked to move while it moved", p.id)
		}
	}
	if w.panics > 0 {
		w.t.Error("a room panicked")
	}
	for _, b := range w.every {
		if !b.closed {
			w.t.Errorf("%s was not closed", b.at)
		}
	}
}
