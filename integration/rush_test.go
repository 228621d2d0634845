//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/sip"
	"parley/sip/siptest"
)

// The rush: so many callers within so long, if the switch can answer them: one
// that falls behind is not rung by more than so many at a time.
const (
	rushCallers = 300
	rushTime    = 10 * time.Second
	rushRinging = 12
)

// script is what a caller of the rush does, and what must come of it.
type script struct {
	set  string   // of his dialplan
	keys []string // that he types, a little apart
	stay bool     // in the room, until all have settled
	want string   // that his dialplan reads; "": he hangs up in the room
}

// rushScripts are the kinds of callers; the n-th is of kind n modulo their
// number. Those of a room that is full come in an order that nobody knows.
func rushScripts() []script {
	return []script{
		{set: "parley_room=open", keys: []string{"#"}, want: "joined terminator terminator #"},
		{set: "parley_room=pin1;parley_profile=pin", keys: []string{"1234#", "#"}, want: "joined terminator terminator #"},
		{set: "parley_room=pin2;parley_profile=pin", keys: []string{"55#", "66#", "77#"}, want: "rejected pin_failed or rejected throttled"},
		{set: "parley_room=pin2;parley_profile=pin", want: "rejected pin_failed or rejected throttled"},
		{set: "parley_room=pin3;parley_profile=pin;parley_pin=98765", keys: []string{"#"}, want: "joined terminator terminator #"},
		{set: "parley_room=stay;parley_profile=pin", keys: []string{"4321#", "1234#"}, stay: true},
		{set: "parley_room=bad/name", want: "rejected bad_room_name"},
		{set: "parley_room=closed;parley_flags=join-only", want: "rejected not_running"},
		{set: "parley_room=ten;parley_profile=ten", keys: []string{"#"}, want: "joined terminator terminator # or rejected full"},
		{set: "parley_room=pin1;parley_profile=pin;parley_pin=1111", keys: []string{"1234#", "#"}, want: "joined terminator terminator #"},
	}
}

// rush is the test's state.
type rush struct {
	*testing.T
	p      *parley
	w      *witness
	phones []*siptest.Phone
	wrong  atomic.Int32
	busy   atomic.Int32 // refused because the machine had too much to do: a reason, too
	// mistyped were refused for keys that a busy machine's phone or switch did
	// not bring over in time: with a reason, all the same.
	mistyped atomic.Int32
	settle   sync.WaitGroup // stayers: they are in, or out
	leave    chan struct{}  // closed: stayers hang up
	ringing  chan struct{}  // who calls and is not answered yet
}

// TestRush has 300 callers come within 10 s, with PINs right, wrong and none:
// each is admitted or refused with a reason, and none is left over.
func TestRush(t *testing.T) {
	at := newPlace()
	startFreeSWITCH(t, at)
	r := &rush{
		T: t, w: watch(t, at), leave: make(chan struct{}), ringing: make(chan struct{}, rushRinging),
		p: run(t, at, contractConfig("native", at, at.fsESL)+"\nthrottle: {room_failures: 100}\n"), // so many guess at room pin1
	}
	var callers sync.WaitGroup
	leave := sync.OnceFunc(func() { close(r.leave) })
	t.Cleanup(func() { // a test that ends before them has closed their phones
		leave()
		callers.Wait()
	})
	r.phones = phones(t)
	scripts := rushScripts()
	began := time.Now()
	for i := range rushCallers {
		time.Sleep(time.Until(began.Add(time.Duration(i) * rushTime / rushCallers)))
		r.ringing <- struct{}{}
		s := scripts[i%len(scripts)]
		if s.stay {
			r.settle.Add(1)
		}
		callers.Go(func() { r.caller(i, s) })
	}
	t.Logf("%d callers in %v", rushCallers, time.Since(began).Round(10*time.Millisecond))
	r.settle.Wait()
	r.stayers()
	leave()
	callers.Wait()
	r.nothing()
	r.judge()
}

// judge counts how the callers ended.
func (r *rush) judge() {
	r.Helper()
	if n := r.busy.Load(); n > rushCallers/4 {
		r.Errorf("%d of %d callers were refused as too many", n, rushCallers)
	} else if n > 0 {
		r.Logf("%d callers were refused as too many for this machine now", n)
	}
	if n := r.mistyped.Load(); n > rushCallers/20 {
		r.Errorf("%d callers' keys were not understood", n)
	}
	if n := r.wrong.Load(); n > 0 {
		r.Errorf("%d of %d callers did not end as they should", n, rushCallers)
	}
}

// phones are those that the callers of a rush share.
func phones(t *testing.T) (all []*siptest.Phone) {
	t.Helper()
	for range 4 {
		p, err := siptest.New(siptest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		all = append(all, p)
	}
	return all
}

// caller is one of them, from his call to its end.
func (r *rush) caller(i int, s script) {
	tag := fmt.Sprintf("rush-%03d", i)
	fail := func(format string, values ...any) {
		r.wrong.Add(1)
		r.Errorf("%s (%s %v): %s", tag, s.set, s.keys, fmt.Sprintf(format, values...))
	}
	settled := sync.OnceFunc(func() {
		if s.stay {
			r.settle.Done()
		}
	})
	defer settled()
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Second)
	defer cancel()
	c, err := r.phones[i%len(r.phones)].Dial(ctx, "sip:contract@"+r.p.at.fsSIP, siptest.CallOptions{
		User: fmt.Sprintf("8%03d", i), Headers: []sip.Header{{Name: "X-Call", Value: tag}, {Name: "X-Set", Value: s.set}},
	})
	<-r.ringing
	if err != nil {
		fail("%v", err)
		return
	}
	c.Mute(!s.stay && s.keys != nil) // all that is sent is keys; who has none would be given up for silent before his last try is over
	for _, k := range s.keys {
		time.Sleep(1500 * time.Millisecond)
		if err := c.Digits(ctx, k); err != nil && !errors.Is(err, sip.ErrOver) {
			fail("keys %s: %v", k, err)
		}
	}
	if s.stay && r.stays(c, settled) {
		return
	}
	if !again(ctx, c, s.keys) {
		fail("still up")
		return
	}
	e := r.w.seen(tag)
	for end := time.Now().Add(30 * time.Second); e == nil && time.Now().Before(end); e = r.w.seen(tag) {
		time.Sleep(50 * time.Millisecond)
	}
	if e == nil {
		fail("the switch does not say that he is gone")
		return
	}
	got := strings.TrimSpace(e.Var("read_result"))
	if got == "failed node_busy" || got == "failed media_lost" && strings.Contains(r.p.log(), "native: busy") {
		r.busy.Add(1)
		return
	}
	if (got == "rejected pin_failed" || got == "joined media_lost lost") && !strings.Contains(s.want, got) && s.keys != nil {
		r.mistyped.Add(1)
		return
	}
	if !slices.Contains(strings.Split(s.want, " or "), got) {
		fail("reads %q, want %q", got, s.want)
	}
}

// again waits for a call's end. A key that a busy machine's phone or switch has not
// brought over is pressed again, as people do.
func again(ctx context.Context, c *siptest.Call, keys []string) bool {
	every := time.NewTicker(5 * time.Second)
	defer every.Stop()
	for {
		select {
		case <-c.Done():
			return true
		case <-ctx.Done():
			return false
		case <-every.C:
			if len(keys) > 0 {
				_ = c.Digits(ctx, keys[len(keys)-1])
			}
		}
	}
}

// stays keeps a caller in the room until all may leave. It is false when he is
// not there any more by then.
func (r *rush) stays(c *siptest.Call, settled func()) bool {
	select {
	case <-c.Done():
		return false
	case <-time.After(time.Second):
		settled()
	}
	select {
	case <-c.Done():
		return false
	case <-r.leave:
		c.Hangup()
		return true
	}
}

// stayers compares the roster with the switch when only they are left.
func (r *rush) stayers() {
	r.Helper()
	var left []string
	eventually(r.T, 60*time.Second, "the others' leaving", func() (string, bool) {
		roster, calls := r.rosters()
		left = roster
		want := rushCallers / len(rushScripts())
		return fmt.Sprintf("%d in rooms, %d at the switch", len(roster), len(calls)),
			len(roster) <= want && len(roster) >= want-int(r.busy.Load()+r.mistyped.Load()) && len(roster) > 0 && slices.Equal(roster, calls)
	})
	r.Logf("%d stay: the roster is what the switch has", len(left))
}

// rosters are all members of all rooms, and all callers at the switch.
func (r *rush) rosters() (roster, calls []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	rooms, err := r.p.api.Rooms(ctx)
	if err != nil {
		r.Fatal(err)
	}
	for _, v := range rooms {
		for _, m := range v.Members {
			roster = append(roster, string(m.CallID))
		}
	}
	slices.Sort(roster)
	return roster, r.w.callers("8")
}

// nothing waits until neither the switch nor Parley has anything of us.
func (r *rush) nothing() {
	r.Helper()
	eventually(r.T, 15*time.Second, "nobody being left", func() (string, bool) {
		roster, calls := r.rosters()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		status, err := r.p.api.Status(ctx)
		n := r.w.channels()
		return fmt.Sprintf("roster %v, switch %v and %d channels, status %+v %v", roster, calls, n, status, err),
			len(roster)+len(calls)+n+status.Rooms+status.Legs == 0 && err == nil
	})
}
