package ariserver

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/engine"
)

// TestOrdersToASnoopInNoRoomWaitForEachOther: one of them brings it into a room, and the
// others are given to it there.
func TestOrdersToASnoopInNoRoomWaitForEachOther(t *testing.T) {
	const add = "POST /bridges/$ROOM/addChannel?channel=ear"
	for _, orders := range [][]string{
		{"POST /channels/ear/mute?direction=in", "POST /channels/ear/hold", "DELETE /channels/ear/moh"},
		{"POST /channels/ear/hold", strings.ReplaceAll(add, "$ROOM", "there")},
		{strings.ReplaceAll(add, "$ROOM", "there"), strings.ReplaceAll(add, "$ROOM", "there")},
		{strings.ReplaceAll(add, "$ROOM", "there"), strings.ReplaceAll(add, "$ROOM", "elsewhere"), "POST /channels/ear/hold"},
	} {
		for _, apart := range []time.Duration{0, time.Millisecond} {
			slowly(t, "", func(t *testing.T, s *Server, _ *quietPhone) {
				s.opt.Snoop = func(engine.LegID, engine.LegID, string, string) error { return nil }
				s.opt.DropMedia = func(engine.LegID) {}
				comes(t, s)
				for _, path := range []string{"/bridges/there", "/bridges/elsewhere", "/channels/c/snoop/ear?spy=in&app=a"} {
					if got := order(t, s, http.MethodPost, path); got != http.StatusOK {
						t.Fatal(path, got)
					}
				}
				var group sync.WaitGroup
				for i, o := range orders {
					method, path, _ := strings.Cut(o, " ")
					group.Go(func() {
						time.Sleep(time.Duration(i) * apart)
						if w := ask(t, s, method, path); w.Code != http.StatusNoContent {
							t.Errorf("%s of %q: %d %s", o, orders, w.Code, w.Body)
						}
					})
				}
				group.Wait()
			})
		}
	}
}
