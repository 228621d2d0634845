package native

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
	"parley/internal/tick"
)

func TestRing_EveryNoteArrivesInOrder(t *testing.T) {
	r := newRing(64)
	const producers, each = 4, 5000
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := uint64(1); i <= each; {
				if r.put(&note{member: engine.MemberID(p), number: i}) {
					i++
				} else {
					runtime.Gosched()
				}
			}
		})
	}
	var last [producers]uint64
	for got := 0; got < producers*each; {
		n, ok := r.take()
		if !ok {
			runtime.Gosched()
			continue
		}
		got++
		if n.number != last[n.member]+1 {
			t.Fatalf("producer %d: note %d after %d", n.member, n.number, last[n.member])
		}
		last[n.member] = n.number
	}
	wg.Wait()
	if _, ok := r.take(); ok {
		t.Error("a note too many")
	}
	for i := range 64 {
		if !r.put(&note{}) {
			t.Fatalf("full after %d", i)
		}
	}
	if r.put(&note{}) {
		t.Error("a note more than fits")
	}
}

// ops counts how often each order is settled.
type ops struct {
	mu      sync.Mutex
	settled map[engine.OpID]int
	failed  int
}

func (o *ops) Post(f engine.Fact) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch f := f.(type) {
	case engine.Joined:
		o.settled[f.Op]++
	case engine.AdmitFailed:
		o.settled[f.Op]++
	case engine.Applied:
		o.settled[f.Op]++
	case engine.Left:
		o.settled[f.Op]++
	case engine.Played:
		o.settled[f.Op]++
	case engine.BridgeFailed:
		o.failed++
	}
}

func (o *ops) missing(n engine.OpID) (ops []engine.OpID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for op := engine.OpID(1); op <= n; op++ {
		if o.settled[op] != 1 {
			ops = append(ops, op)
		}
	}
	return ops
}

// exclusivePort fails the test when two ticks are at it, or one twice in a period.
type exclusivePort struct {
	quietPort
	t      *testing.T
	inside atomic.Bool
	stamp  uint32
}

func (p *exclusivePort) Drain(now int64) {
	if !p.inside.CompareAndSwap(false, true) {
		p.t.Error("two ticks at one port")
	}
	p.quietPort.Drain(now)
}

func (p *exclusivePort) Send(_ []byte, ts uint32, _ bool) {
	if ts <= p.stamp && p.sent > 0 {
		p.t.Errorf("timestamp %d after %d", ts, p.stamp)
	}
	p.stamp = ts
	p.sent++
}

func (p *exclusivePort) Report(int64) { p.inside.Store(false) }

// Rooms and legs under a clock with several workers, ordered about by
// several goroutines: the race detector watches, every order is settled once,
// no port is used by two ticks at once.
func TestSwitch_OrdersFromEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := tick.New(tick.Options{Workers: 4, Plain: true})
		defer pool.Close()
		r := newRig(t, Options{Clock: pool})
		defer r.sw.Close()
		r.sounds["beep"] = clip(8000, audiotest.Tone(8000, 1000, -20, 800, 0))
		const rooms, callers, snoops = 4, 24, 6
		legs := make(chan *caller, callers+snoops)
		for i := range callers {
			f := []codec.Format{codec.PCMU(), codec.L16(16000)}[i%2]
			p := &exclusivePort{t: t, quietPort: quietPort{payload: encode(t, f, tone(f.Rate, 400, -20)(0))}}
			l, err := r.sw.NewLeg(engine.LegID(fmt.Sprint(i)), p, f)
			if err != nil {
				t.Fatal(err)
			}
			l.Attach(&sink{})
			legs <- &caller{Leg: l}
			if i < snoops { // each goes its own way
				s, err := r.sw.Snoop(engine.LegID(fmt.Sprint("snoop ", i)), l, In|Out, In|Out, func() {})
				if err != nil {
					t.Fatal(err)
				}
				legs <- &caller{Leg: s}
			}
		}
		var wg sync.WaitGroup
		for range rooms {
			wg.Go(func() { disturb(t, r, legs) })
		}
		wg.Wait()
		time.Sleep(time.Second)
		for range callers + snoops {
			_ = (<-legs).Close()
		}
		time.Sleep(time.Second)
		if c := r.sw.Counters(); c.Legs != 0 || c.Rooms != 0 || c.Failed != 0 {
			t.Errorf("left over: %+v", c)
		}
	})
}

// disturb runs one room for a while.
func disturb(t *testing.T, r *rig, legs chan *caller) {
	o := &ops{settled: map[engine.OpID]int{}}
	b, err := r.sw.Bridge(engine.Place{}, "3001", "i", o)
	if err != nil {
		t.Error(err)
		return
	}
	var op engine.OpID
	next := func() engine.OpID { op++; return op }
	members := map[engine.MemberID]*caller{}
	var m engine.MemberID
	for range 2000 {
		who := engine.MemberID(rand.IntN(int(m) + 1))
		switch n := rand.IntN(20); {
		case n < 8 && len(members) < 5:
			m++
			c := <-legs
			members[m] = c
			b.Admit(next(), m, c, engine.MemberState{Muted: rand.IntN(2) == 0})
			if rand.IntN(3) == 0 {
				c.Play(op, media("beep"))
			}
		case n < 15:
			for who, c := range members { // any of them
				b.Remove(next(), who)
				c.SetHold(rand.IntN(4) == 0)
				delete(members, who)
				legs <- c
				break
			}
		case n < 19:
			b.Set(next(), who, engine.MemberState{Deaf: rand.IntN(2) == 0, Talk: engine.Decibels(rand.IntN(9) - 4)})
		default:
			b.Play(next(), media("beep"), engine.Audience{Except: who})
		}
		time.Sleep(time.Duration(rand.IntN(10_000)) * time.Microsecond)
	}
	time.Sleep(time.Minute)
	if missing := o.missing(op); len(missing) > 0 || o.failed > 0 {
		t.Errorf("%d of %d orders not settled once, %d failures", len(missing), op, o.failed)
	}
	b.Close()
	for _, c := range members {
		legs <- c
	}
}
