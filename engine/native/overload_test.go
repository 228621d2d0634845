package native

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
	"parley/internal/tick"
)

// dearPort is a quietPort whose packets take time, as in a bubble only sleeping
// does.
type dearPort struct {
	quietPort
	cost time.Duration
}

func (p *dearPort) Drain(now int64) {
	time.Sleep(p.cost)
	p.quietPort.Drain(now)
}

// Callers come until they are refused. By then the ticks take what they may,
// and none has been late.
func TestSwitch_RefusesBeforeAudioSuffers(t *testing.T) {
	for _, cost := range []time.Duration{100 * time.Microsecond, 400 * time.Microsecond} {
		t.Run(cost.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool := tick.New(tick.Options{Workers: 1, Plain: true})
				defer pool.Close()
				r := newRig(t, Options{Clock: pool, MaxLoad: 0.8})
				defer r.sw.Close()
				var legs []*Leg
				defer func() {
					for _, l := range legs {
						_ = l.Close()
					}
				}()
				room := int(20 * time.Millisecond / cost) // for so many there is time
				for len(legs) <= room {
					l, err := r.sw.NewLeg(engine.LegID(fmt.Sprint(len(legs))), &dearPort{cost: cost}, l16())
					if errors.Is(err, ErrBusy) {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					legs = append(legs, l)
					time.Sleep(25 * time.Millisecond) // 40 calls a second
				}
				if n := len(legs); n < room*6/10 || n >= room {
					t.Errorf("%d legs, there is time for %d", n, room)
				}
				if _, err := r.sw.Bridge(engine.Place{}, "3001", "i", &sink{}); !errors.Is(err, ErrBusy) {
					t.Errorf("a room is opened: %v", err)
				}
				time.Sleep(5 * time.Second)
				if st := pool.Stats(); st.VeryLate != 0 || st.Lost != 0 || st.Ticks < 250*uint64(len(legs)) {
					t.Errorf("%+v", st)
				}
				_ = legs[0].Close()
				half := len(legs) / 2
				for _, l := range legs[1:half] {
					_ = l.Close()
				}
				legs = legs[half:]
				time.Sleep(time.Second)
				if err := r.sw.Busy(); err != nil {
					t.Errorf("when half of them are gone: %v", err)
				}
			})
		})
	}
}

// A room that is reserved, or empty, wakes nobody, and many of them are small:
// 10,000 have to fit into 100 MB.
func TestSwitch_TenThousandRoomsWakeNobody(t *testing.T) {
	const rooms = 10_000
	r := newRig(t, Options{})
	defer r.sw.Close()
	all := make([]engine.Bridge, 0, rooms)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range rooms {
		h, err := r.sw.Bridge(engine.Place{}, "3001", "i", &sink{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, h)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if per := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / rooms; per > 2<<10 {
		t.Errorf("a room takes %d bytes", per)
	}
	if n := r.clock.Tasks(); n != 0 {
		t.Errorf("%d tasks for %d empty rooms", n, rooms)
	}
	for _, h := range all {
		h.Close()
	}
}
