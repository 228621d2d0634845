package ariserver

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"parley/engine"
)

// TestAClientThatDiesWhileItDials: its channel ends once, whoever ends it, and is not
// made a second time by what becomes of the call.
func TestAClientThatDiesWhileItDials(t *testing.T) {
	s := newServer()
	calls(t, s, func(ctx context.Context, _ engine.OutCall) error { <-ctx.Done(); return ctx.Err() })
	for i := range 500 {
		k := newSocket(&s.pacer)
		s.enlist(k, []string{"a"}, true)
		id := fmt.Sprint("c", i)
		for _, path := range []string{"/channels/create?app=a&endpoint=sip:x@y&channelId=" + id, "/bridges/b", "/bridges/b/addChannel?channel=" + id} {
			if got := order(t, s, http.MethodPost, path); got >= 300 {
				t.Fatalf("%s: %d", path, got)
			}
		}
		ctx, die := context.WithCancel(t.Context())
		var both sync.WaitGroup
		both.Go(func() {
			r := httptest.NewRequest(http.MethodPost, "/ari/channels/"+id+"/dial?api_key=u:p:w", nil)
			s.ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
		})
		both.Go(func() {
			for range i % 50 {
				runtime.Gosched()
			}
			die()
		})
		both.Wait()
		order(t, s, http.MethodDelete, "/channels/"+id)
		order(t, s, http.MethodDelete, "/bridges/b")
		told := slices.DeleteFunc(k.told(t), func(e string) bool { return e != "ChannelCreated" && e[:min(len(e), 16)] != "ChannelDestroyed" })
		if len(told) != 2 {
			t.Fatalf("%d: %q", i, told)
		}
	}
}

// TestWhatIsOverIsNotTold: what still becomes of a call, or of any when all has ended.
func TestWhatIsOverIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		k := newSocket(&s.pacer)
		s.enlist(k, []string{"a"}, true)
		for _, e := range []engine.Event{
			{Type: engine.EventRinging, Dial: &engine.Job{State: engine.DialRinging}},
			{Type: engine.EventDialed, Dial: &engine.Job{State: engine.DialFailed}},
		} {
			e.Leg = "gone"
			s.Observe(e)
		}
		s.Close()
		s.Observe(engine.Event{Type: engine.EventArrived, Leg: "late"})
		s.Observe(engine.Event{Type: engine.EventRoomStarted, Room: "1", Instance: "late"})
		if told := k.told(t); len(told) > 0 || len(s.calls)+len(s.rooms) > 0 {
			t.Errorf("told %q", told)
		}
	})
}
