package eventsocket

import (
	"bytes"
	"io"
	"net"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"parley/esl"
)

// TestOneWhoNeverReads costs bounded memory, delays nobody, and is cut off.
func TestOneWhoNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Password: "secret", API: echo, Queue: 1000})
		deaf, good := enter(t, s), enter(t, s)
		for _, c := range []*client{deaf, good} {
			c.says("event plain CUSTOM x", "+OK event listener enabled plain")
		}
		begin := time.Now()
		for i := range 3000 {
			s.Fire("CUSTOM", "x", esl.Headers{{Name: "N", Value: strconv.Itoa(i)}}, make([]byte, 1000))
			if e := good.event(); e.Value("N") != strconv.Itoa(i) {
				t.Fatalf("event %d is %v", i, e.Headers)
			}
		}
		if time.Since(begin) != 0 {
			t.Errorf("the other one has waited for %v", time.Since(begin))
		}
		for _, l := range s.all() {
			l.mu.Lock()
			if len(l.queue.list) > 1000 || l.queue.bytes > maxQueued {
				t.Errorf("%d messages of %d bytes wait", len(l.queue.list), l.queue.bytes)
			}
			l.mu.Unlock()
		}
		time.Sleep(writeTime + partTime + time.Second)
		synctest.Wait()
		if n := s.Clients(); n != 1 {
			t.Errorf("%d clients are left", n)
		}
	})
}

// TestAGapIsTold reads on after some events were lost.
func TestAGapIsTold(t *testing.T) {
	q := queue{limit: 10}
	for range 15 {
		q.put([]byte("x"))
	}
	if q.recovered() != 0 {
		t.Error("told while there is no room")
	}
	for len(q.take()) > 0 {
	}
	if n := q.recovered(); n != 5 {
		t.Errorf("%d are told to be lost, want 5", n)
	}
	if q.recovered() != 0 {
		t.Error("told twice")
	}
	for i := range 10 + maxLost + 1 {
		if ok := q.put([]byte("x")); ok != (i < 10+maxLost-5) {
			t.Fatalf("message %d: %v", i, ok)
		}
	}
}

// sink is a connection that takes everything at once.
type sink struct{ stream }

func (*sink) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkFire is what one event of a room costs with nobody, and with 200,
// who listen.
func BenchmarkFire(b *testing.B) {
	for _, n := range []int{0, 1, 200} {
		b.Run(strconv.Itoa(n)+" listeners", func(b *testing.B) {
			s := New(Options{Password: "secret", API: echo})
			for range n {
				r, w := io.Pipe()
				nc := &sink{stream{Reader: io.MultiReader(bytes.NewReader([]byte("auth secret\n\nevent plain CUSTOM x\n\n")), r)}}
				go s.Talk(b.Context(), net.Conn(nc))
				b.Cleanup(func() { _ = w.Close() })
			}
			for s.Clients() < n {
				time.Sleep(time.Millisecond)
			}
			headers := make(esl.Headers, 70)
			for i := range headers {
				headers[i] = esl.Header{Name: "Some-Header-" + strconv.Itoa(i), Value: "a value"}
			}
			b.ReportAllocs()
			for b.Loop() {
				s.Fire("CUSTOM", "x", headers, nil)
			}
		})
	}
}
