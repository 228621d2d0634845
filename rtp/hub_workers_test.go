package rtp

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Several workers tick calls of one hub while others come and go; no packet of
// a call that stays is lost. It is for the race detector.
func TestWorkersShareAHub(t *testing.T) {
	h := openHarbour(t, 44000, 44199)
	const ticks = 300
	var clock atomic.Int64 // of all: a worker's tick is never before another's
	clock.Store(h.step())
	var wg sync.WaitGroup
	for range 3 {
		a := newPeer(t)
		s := h.call(a)
		wg.Go(func() {
			var box Outbox
			s.Batch(&box)
			for i := range ticks {
				a.send(s, 0, []byte{1})
				for s.Stats().PacketsIn <= uint64(i) && t.Context().Err() == nil { // a socket keeps so many, and no more
					s.Drain(clock.Add(1))
				}
				took(s)
				s.Send([]byte{2}, uint32(i)*160, false)
				box.Flush()
			}
		})
	}
	wg.Go(func() {
		for range ticks / 10 {
			s := h.call(newPeer(t))
			s.Drain(clock.Add(1))
			_ = s.Close()
		}
	})
	wg.Wait()
	h.mu.Lock()
	calls := slices.Clone(h.hubs[0].list)
	h.mu.Unlock()
	for _, b := range calls {
		b.session.Drain(clock.Add(1))
		if st := b.session.Stats(); st.PacketsIn != ticks || st.PacketsOut != ticks {
			t.Errorf("%+v", st)
		}
	}
}

// TestTheFirstPacketOfACall is his whom it was sent to, though somebody reads the hub
// just as he comes.
func TestTheFirstPacketOfACall(t *testing.T) {
	h := openHarbour(t, 46000, 46199)
	first := h.call(newPeer(t))
	var clock atomic.Int64
	clock.Store(h.step())
	var wg sync.WaitGroup
	defer wg.Wait()
	done := make(chan struct{})
	defer close(done)
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				first.Drain(clock.Add(1))
			}
		}
	})
	for i := range 2000 {
		p := newPeer(t)
		s := h.call(p)
		p.send(s, 0, []byte{1})
		for began := time.Now(); s.Stats().PacketsIn == 0; {
			s.Drain(clock.Add(1))
			if time.Since(began) > 5*time.Second {
				t.Fatalf("call %d has lost it", i)
			}
		}
		_ = s.Close()
		_ = p.conn.Close()
	}
}

// TestWhoFindsTheHubReadWaits: a worker that reads may lose its processor. Another
// does not go without its packets, which would be late for their tick.
func TestWhoFindsTheHubReadWaits(t *testing.T) {
	h := openHarbour(t, 45000, 45099)
	a, b := newPeer(t), newPeer(t)
	first, second := h.call(a), h.call(b)
	a.send(first, 0, []byte{1})
	b.send(second, 0, []byte{2})
	now, shared := h.step(), first.berth.hub
	if shared != second.berth.hub {
		t.Fatal("they do not share")
	}
	shared.reading.Lock() // as a worker that is reading
	done := make(chan struct{})
	go func() {
		second.Drain(now)
		close(done)
	}()
	select {
	case <-done:
		t.Error("it has not waited")
	case <-time.After(100 * time.Millisecond):
	}
	shared.reading.Unlock()
	<-done
	if got := took(second); got != 2 {
		t.Errorf("it has %d to play", got)
	}
}
