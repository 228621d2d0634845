package eventsocket

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"parley/esl"
	"parley/internal/pace"
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
		if took := time.Since(begin); took > 3000*pace.Gap { // of which it waits one after some events
			t.Errorf("the other one has waited for %v", took)
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

// TestAGapIsToldWhereItIs: before what comes after it, and once.
func TestAGapIsToldWhereItIs(t *testing.T) {
	q := queue{limit: 10}
	for range 15 {
		q.put([]byte("x"))
	}
	q.putLine([]byte("x"))
	told := func(g gap) []byte { return fmt.Appendf(nil, "lost %d %d", g.events, g.lines) }
	if got := string(bytes.Join(q.take(nil, told), []byte(" "))); got != "x x x x x x x x x x lost 5 1" {
		t.Errorf("%q", got)
	}
	if q.lost != 0 || q.bytes != 0 || len(q.take(nil, told)) != 0 {
		t.Errorf("left: %+v", q)
	}
	for i := range 10 + maxLost + 1 {
		if ok := q.put([]byte("x")); ok != (i < 10+maxLost) {
			t.Fatalf("message %d: %v", i, ok)
		}
	}
}

// TestAGapIsToldAtOnce tells a client that reads on, though nothing more is
// fired, and whatever its filters are; what was lost and told is forgiven.
func TestAGapIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Password: "secret", API: echo, Queue: 10})
		c := enter(t, s)
		c.says("event plain CUSTOM x parley::resync", "+OK event listener enabled plain")
		c.says("filter N /./", "+OK filter added. [N]=[/./]")
		for round := range 3 {
			for i := range maxLost {
				s.Fire("CUSTOM", "x", esl.Headers{{Name: "N", Value: strconv.Itoa(i)}}, nil)
				synctest.Wait() // the first is being written, ten wait
			}
			next := 0
			for next < maxLost {
				if e := c.event(); e.Value("Event-Subclass") == "parley::resync" {
					n, _ := strconv.Atoi(e.Value("Lost-Events"))
					next += n
				} else if e.Value("N") != strconv.Itoa(next) {
					t.Fatalf("round %d: %s comes after %d", round, e.Value("N"), next)
				} else {
					next++
				}
			}
		}
	})
}

// TestAnEventWakesAFewAtATime, or a tick waits behind all who write. The others
// have it within 20 ms; a reply does not wait.
func TestAnEventWakesAFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server()
		all := make([]*client, 100)
		for i := range all {
			all[i] = enter(t, s)
			all[i].says("event plain CUSTOM x", "+OK event listener enabled plain")
		}
		begin := time.Now()
		s.Fire("CUSTOM", "x", nil, nil)
		s.Fire("CUSTOM", "x", nil, nil)
		synctest.Wait()
		waiting := s.queued() / 2
		if few := len(all) - waiting; few == 0 || few > 10 {
			t.Errorf("one event wakes %d of %d", few, len(all))
		}
		replies := 0
		for _, c := range all {
			if c.ask("nolog").Type() == "command/reply" {
				replies++
			}
		}
		if took := time.Since(begin); replies < waiting-10 || took > 0 {
			t.Errorf("%d of %d are answered before they hear of it, in %v", replies, waiting, took)
		}
		for _, c := range all {
			c.read()
			c.read()
		}
		if took := time.Since(begin); took > 11*pace.Gap {
			t.Errorf("the last one has both after %v", took)
		}
	})
}

// sink is a connection that takes everything at once.
type sink struct{ stream }

func (*sink) Write(b []byte) (int, error) { return len(b), nil }

// heard is a server with n clients who take every CUSTOM event of subclass x at
// once, and the headers of one about a member.
func heard(tb testing.TB, n int) (*Server, esl.Headers) {
	s := New(Options{Password: "secret", API: echo})
	for range n {
		r, w := io.Pipe()
		nc := &sink{stream{Reader: io.MultiReader(bytes.NewReader([]byte("auth secret\n\nevent plain CUSTOM x\n\n")), r)}}
		go s.Talk(tb.Context(), net.Conn(nc))
		tb.Cleanup(func() { _ = w.Close() })
	}
	for s.Clients() < n {
		time.Sleep(time.Millisecond)
	}
	headers := make(esl.Headers, 70)
	for i := range headers {
		headers[i] = esl.Header{Name: "Some-Header-" + strconv.Itoa(i), Value: "a value"}
	}
	return s, headers
}

// BenchmarkFire is what one event of a room costs with nobody, and with 200,
// who listen.
func BenchmarkFire(b *testing.B) {
	for _, n := range []int{0, 1, 200} {
		b.Run(strconv.Itoa(n)+" listeners", func(b *testing.B) {
			s, headers := heard(b, n)
			b.ReportAllocs()
			for b.Loop() {
				s.Fire("CUSTOM", "x", headers, nil)
			}
		})
	}
}

// TestAnEventIsNoMoreGarbageThanItsMessage allows it half as much beside, for room
// that was not needed and for strings.
func TestAnEventIsNoMoreGarbageThanItsMessage(t *testing.T) {
	s, headers := heard(t, 1)
	message := (&parcel{event: &esl.Event{Headers: append(s.Head("CUSTOM"), headers...)}}).bytes(plain)
	const events = 1000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range events {
		s.Fire("CUSTOM", "x", headers, nil)
	}
	runtime.ReadMemStats(&after)
	if each := int(after.TotalAlloc-before.TotalAlloc) / events; each > len(message)*3/2 {
		t.Errorf("an event of %d bytes takes %d", len(message), each)
	}
}

// TestAQueueThatIsEmptiedKeepsItsRoom: an event for many is no garbage of many.
func TestAQueueThatIsEmptiedKeepsItsRoom(t *testing.T) {
	q, m := queue{limit: DefaultQueue}, make([]byte, 1200)
	told := func(gap) []byte { return nil }
	var batch [][]byte
	write := func(n int) {
		for range n {
			q.put(m)
		}
		for len(q.list) > 0 {
			batch = q.take(batch[:0], told)
		}
	}
	write(10)
	if n := testing.AllocsPerRun(100, func() { write(10) }); n != 0 {
		t.Errorf("%.0f allocations for ten events", n)
	}
	if write(DefaultQueue / 4); cap(q.list) > keptRoom {
		t.Errorf("room for %d events is kept", cap(q.list))
	}
}
