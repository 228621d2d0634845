package engine

import (
	"errors"
	"strings"
	"testing"
)

// TestWhetherCallsMayBeTakenOn for a room of a name.
func TestWhetherCallsMayBeTakenOn(t *testing.T) {
	bubble(t, nil, func(t *testing.T, x *theatre) {
		x.maxRooms = 1
		for name, bad := range map[RoomName]bool{"big": false, "": true, "sales team": true, "../z": true} {
			if err := x.MayTakeOn(name); errors.Is(err, ErrBadRoomName) != bad || (err != nil) != bad {
				t.Errorf("%q: %v", name, err)
			}
		}
		busy := func(name RoomName, words string) {
			t.Helper()
			no, ok := errors.AsType[*RefusalError](x.MayTakeOn(name))
			if ok != (words != "") || ok && (no.Reason != ReasonNodeBusy || !strings.Contains(no.Error(), words)) {
				t.Errorf("%s: %v", name, no)
			}
		}
		x.call("a", "3001", nil)
		busy("big", "1 rooms run, and no more may (max_rooms)")
		busy("3001", "")
		x.SetBusy(true)
		busy("3001", "load")
		x.SetBusy(false)
	})
}
