package native

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"parley/codec"
	"parley/engine"
	"parley/internal/tick"
)

func TestSwitch_RefusesWhatItCannotDo(t *testing.T) {
	inBubble(t, func(r *rig) {
		for _, f := range []codec.Format{
			{},
			{Name: "G729", Rate: 8000, Clock: 8000},
			{Name: "L16", Rate: 11025, Clock: 11025},
			{Name: "L16", Rate: 96000, Clock: 96000},
			{Name: "L16", Rate: 8000},
			{Name: "PCMU", Rate: -8000, Clock: 8000},
		} {
			if _, err := r.sw.NewLeg("x", &line{t: t}, f); !errors.Is(err, ErrFormat) {
				t.Errorf("%+v: %v", f, err)
			}
		}
		if c := r.sw.Counters(); c.Legs != 0 || r.clock.Tasks() != 0 {
			t.Errorf("%d legs, %d tasks", c.Legs, r.clock.Tasks())
		}
	})
	for _, o := range []Options{{}, {Clock: &tick.Manual{}}, {Clock: &tick.Manual{}, Sounds: shelf{}, MaxLegs: -1}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// loaded is a clock under load.
type loaded struct {
	*tick.Manual
	load float64
}

func (l *loaded) Load() float64 { return l.load }

func TestSwitch_Busy(t *testing.T) {
	clock := &loaded{Manual: &tick.Manual{}}
	r := newRig(t, Options{Clock: clock, MaxLegs: 2, MaxLoad: 0.5})
	defer r.sw.Close()
	a := r.call("a", l16(), nil)
	r.call("b", l16(), nil)
	_, err := r.sw.NewLeg("c", &line{t: t}, l16())
	_, err2 := r.sw.Bridge(engine.Place{}, "3001", "i", &sink{})
	if !errors.Is(err, ErrBusy) || !errors.Is(err2, ErrBusy) {
		t.Errorf("with as many legs as may be: %v, %v", err, err2)
	}
	_ = a.Close()
	_ = a.Close()
	c := r.call("c", l16(), nil)
	_ = c.Close()
	clock.load = 0.51
	_, err = r.sw.NewLeg("d", &line{t: t}, l16())
	bridge, err2 := r.sw.Bridge(engine.Place{}, "3001", "i", &sink{})
	if !errors.Is(err, ErrBusy) || !errors.Is(err2, ErrBusy) || bridge != nil {
		t.Errorf("with no time left: %v, %v, %v", err, err2, bridge)
	}
}

func TestSwitch_CountersOutliveLegs(t *testing.T) {
	inBubble(t, func(r *rig) {
		a := r.call("a", l16(), nil)
		b := r.call("b", l16(), nil)
		a.stats = Health{Received: 10, Lost: 1, Dropped: map[string]uint64{"late": 3}}
		b.stats = Health{Received: 5, Dropped: map[string]uint64{"late": 1, "source": 2}}
		for range 2 {
			c := r.sw.Counters()
			if c.Legs != 2 || c.Received != 15 || c.Lost != 1 || c.Dropped["late"] != 4 || c.Dropped["source"] != 2 {
				t.Errorf("%+v", c)
			}
		}
		a.stats = Health{Received: 12, Lost: 1, Dropped: map[string]uint64{"late": 4}}
		_ = a.Close()
		h := r.hall()
		if c := r.sw.Counters(); c.Legs != 1 || c.Rooms != 1 || c.Received != 17 || c.Dropped["late"] != 5 {
			t.Errorf("after a has gone: %+v", c)
		}
		h.Close()
		h.Close()
		if c := r.sw.Counters(); c.Rooms != 0 {
			t.Errorf("%d rooms", c.Rooms)
		}
	})
}

// meeting is a clock whose load is told when so many have asked for it.
type meeting struct {
	*tick.Manual
	sync.WaitGroup
}

func (m *meeting) Add(k *tick.Task) { m.Manual.Add(k) }

func (m *meeting) Load() float64 {
	m.Done()
	m.Wait()
	return 0
}

func TestSwitch_LastLegIsTakenOnce(t *testing.T) {
	const callers, limit = 20, 10
	clock := &meeting{Manual: &tick.Manual{}}
	clock.WaitGroup.Add(callers)
	r := newRig(t, Options{Clock: clock, MaxLegs: limit})
	defer r.sw.Close()
	var wg sync.WaitGroup
	var taken, refused atomic.Int64
	for range callers { // all find room, and ask for the load at the same time
		wg.Go(func() {
			switch _, err := r.sw.NewLeg("x", &quietPort{}, l16()); {
			case err == nil:
				taken.Add(1)
			case errors.Is(err, ErrBusy):
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	if taken.Load() != limit || refused.Load() != callers-limit {
		t.Errorf("%d taken, %d refused of %d", taken.Load(), refused.Load(), callers)
	}
}
