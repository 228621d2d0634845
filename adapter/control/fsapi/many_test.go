package fsapi

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/engine"
	"parley/esl/eventsocket"
)

// TestManyDriversOfOneMember: clients that command the same member, or lock the
// room, at one time are each told of what was answered them, in one order.
func TestManyDriversOfOneMember(t *testing.T) {
	for _, one := range []struct{ on, off, told, untold string }{
		{"mute 1", "unmute 1", "mute-member 1", "unmute-member 1"},
		{"deaf 1", "undeaf 1", "deaf-member 1", "undeaf-member 1"},
		{"hold 1", "unhold 1", "hold-member 1", "unhold-member 1"},
		{"volume_in 1 2", "volume_in 1 -1", "volume-in-member 1", "volume-in-member 1"},
		{"volume_out 1 2", "volume_out 1 2", "volume-out-member 1", "volume-out-member 1"},
		{"lock", "unlock", "lock", "unlock"},
	} {
		t.Run(one.on, func(t *testing.T) {
			bubble(t, func(r *rig) {
				r.call("3001", "1", nil)
				r.places["3001"].slow = 20 * time.Millisecond
				r.events()
				answered := r.drive(4, 25, one.on, one.off)
				counts := map[string]int{}
				for _, e := range r.events() {
					counts[e]++
				}
				want := map[string]int{}
				want[one.told] += answered
				want[one.untold] += answered
				if answered != 100 || fmt.Sprint(counts) != fmt.Sprint(want) {
					t.Errorf("%d answered of each, told %v", answered, counts)
				}
				v, err := r.x.Room(r.t.Context(), "3001")
				if err != nil || v.Members[0].Muted || v.Members[0].Deaf || v.Members[0].Hold || v.Locked {
					t.Errorf("in the end: %+v, %v", v, err)
				}
			})
		})
	}
}

// drive has n clients of an event socket send two commands in turns, and counts
// the pairs that were answered by +OK.
func (r *rig) drive(n, times int, on, off string) int {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	s := eventsocket.New(eventsocket.Options{Password: "secret", API: r.a.Do})
	var group, served sync.WaitGroup
	var mu sync.Mutex
	answered := 0
	for range n {
		here, there := net.Pipe()
		served.Go(func() { s.Talk(ctx, there) })
		group.Go(func() {
			defer here.Close()
			in := bufio.NewReader(here)
			ask := func(line string) string {
				if _, err := io.WriteString(here, line); err != nil {
					r.t.Error(err)
				}
				return message(r.t, in)
			}
			message(r.t, in)
			ask("auth secret\n\n")
			for range times {
				first := ask("api conference 3001 " + on + "\n\n")
				second := ask("api conference 3001 " + off + "\n\n")
				if strings.HasPrefix(first, "+OK") && strings.HasPrefix(second, "+OK") {
					mu.Lock()
					answered++
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	cancel()
	served.Wait()
	r.wait()
	return answered
}

// message reads one message, and returns its body.
func message(t *testing.T, in *bufio.Reader) string {
	t.Helper()
	length := 0
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Error(err)
			return ""
		}
		if line == "\n" {
			break
		}
		_, _ = fmt.Sscanf(line, "Content-Length: %d", &length) // other lines have none
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(in, body); err != nil {
		t.Error(err)
	}
	return string(body)
}

// TestTheLastWordCounts: what is asked while its opposite is under way is asked of
// the place, too.
func TestTheLastWordCounts(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1", nil)
		r.places["3001"].slow = 20 * time.Millisecond
		r.events()
		done := make(chan error, 2)
		for _, on := range []bool{true, false} {
			go func() { done <- r.x.Do(r.t.Context(), "3001", engine.Mute{Member: 1, On: on}) }()
			r.wait()
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		r.wait()
		r.tells("mute-member 1", "unmute-member 1")
	})
}

// TestTwoStepsAtOnceAreTwo: clients that turn the same thing up at one time count on
// from each other.
func TestTwoStepsAtOnceAreTwo(t *testing.T) {
	for what, want := range map[string]string{
		"volume_in": "+OK Volume IN 1 = 3\n", "volume_out": "+OK Volume OUT 1 = 3\n", "energy": "Energy 1 = 600\n", "agc": "Agc 1 = 600\n",
		"auto-energy": "1 = Auto-Energy: 600 Energy: 100\n", "max-energy": "1 = Max-Energy: 0 Energy: 600 Max-Energy-Mute: 0ms Max-Energy-Hit-Trigger 5\n",
	} {
		t.Run(what, func(t *testing.T) {
			bubble(t, func(r *rig) {
				r.call("3001", "1", nil)
				r.places["3001"].slow = 20 * time.Millisecond
				view, err := r.x.Room(r.t.Context(), "3001")
				if err != nil {
					t.Fatal(err)
				}
				var group sync.WaitGroup
				for range 3 { // all have seen the room as it was
					group.Go(func() { r.seeing(view, what, "1", "up") })
				}
				group.Wait()
				r.says("conference 3001 "+what+" 1", want)
			})
		})
	}
}

// seeing does a sub-command for a client that has seen the room like that.
func (r *rig) seeing(view engine.RoomView, name string, words ...string) {
	c := &call{a: r.a, ctx: r.t.Context(), view: view, words: words}
	for _, s := range subs() {
		if s.name == name {
			c.run(&s)
		}
	}
}

// TestTwoTogglesAtOnceAreTwo: after them all is as it was, whatever the clients had
// seen.
func TestTwoTogglesAtOnceAreTwo(t *testing.T) {
	id := uniqueID("call-1")
	for name, one := range map[string]struct {
		toggle func(*rig, engine.RoomView)
		is     func(*rig) string
		want   string
	}{
		"tmute": {
			func(r *rig, v engine.RoomView) { r.seeing(v, "tmute", "1") },
			func(r *rig) string { return r.api("conference 3001 tmute 1") }, "+OK mute 1\n",
		},
		"uuid_hold": {
			func(r *rig, _ engine.RoomView) { r.a.holdCall(r.t.Context(), "toggle "+id) },
			func(r *rig) string { return r.api("conference 3001 list") }, "hear|speak|floor;0;0;0\n",
		},
		"pause_play": {
			func(r *rig, v engine.RoomView) { r.seeing(v, "pause_play") },
			func(r *rig) string { return r.api("conference 3001 pause_play") }, "+OK Pause\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				r.call("3001", "1", nil)
				r.places["3001"].slow = 20 * time.Millisecond
				r.api("conference 3001 play five.wav")
				view, err := r.x.Room(r.t.Context(), "3001")
				if err != nil {
					t.Fatal(err)
				}
				var group sync.WaitGroup
				for range 2 {
					group.Go(func() { one.toggle(r, view) })
				}
				group.Wait()
				if is := one.is(r); !strings.HasSuffix(is, one.want) {
					t.Errorf("after two it is %q", is)
				}
			})
		})
	}
}

// TestOneTogglesAtATime: the floor is taken as often as it is given, and music ends as
// often as it begins, whoever toggles.
func TestOneTogglesAtATime(t *testing.T) {
	bubble(t, func(r *rig) {
		p := r.call("3001", "1", nil)
		r.events()
		const drivers, times = 4, 200
		r.drive(drivers, times, "floor 1", "floor 1")
		counts := map[string]int{}
		for _, e := range r.events() {
			counts[e]++
		}
		if given, taken := counts["floor-change 1 none>1"], counts["floor-change 1>none"]; given != drivers*times || taken != given {
			t.Errorf("%v", counts)
		}
		r.drive(drivers, times, "moh toggle", "moh toggle")
		p.mu.Lock()
		defer p.mu.Unlock()
		begun := strings.Count(strings.Join(p.heard, " "), "local_stream://moh")
		if begun != 1+drivers*times {
			t.Errorf("the music began %d times", begun)
		}
	})
}
