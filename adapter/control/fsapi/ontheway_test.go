package fsapi

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
)

const onTheWay = "11111111-2222-4333-8444-555555555555"

// calls has somebody called into a room.
func (r *rig) calls(room engine.RoomName) {
	r.t.Helper()
	if _, err := r.x.BgDial(r.t.Context(), engine.Dial{Room: room, Address: "uas", Leg: onTheWay}); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
}

// hungUp are the events of channels that say that one has ended, with their causes.
func (r *rig) hungUp() (list []string) {
	r.wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.told {
		if e.Name() == "CHANNEL_HANGUP" {
			list = append(list, e.Value("Unique-ID")+" "+e.Value("Hangup-Cause"))
		}
	}
	return list
}

// TestWhoIsOnHisWayIsAChannel: from the answer on, before the room has him.
func TestWhoIsOnHisWayIsAChannel(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1", nil)
		r.places["3001"].late = time.Second
		r.calls("3001")
		r.says("conference 3001 count", "1")
		r.says("uuid_exists "+onTheWay, "true")
		r.says("uuid_setvar "+onTheWay+" a b", "+OK\n")
		r.says("uuid_getvar "+onTheWay+" conference_name", "_undef_")
		if list := r.api("show channels"); !strings.Contains(list, onTheWay+",outbound,") || !strings.Contains(list, "\n2 total.\n") {
			t.Errorf("channels: %q", list)
		}
		r.says("uuid_audio "+onTheWay+" start read mute -1", "+OK\n") // it waits for him
		if list := r.api("conference 3001 list"); !strings.Contains(list, ";Outbound Call;uas;hear;0;0;0\n") {
			t.Errorf("he is not muted: %q", list)
		}
		r.says("uuid_getvar "+onTheWay+" a", "b")

		r.sends("uuid_transfer " + onTheWay + " 3002")
		r.says("uuid_exists "+onTheWay, "true")
		r.says("uuid_getvar "+onTheWay+" a", "b")
		time.Sleep(2 * time.Second)
		r.says("conference 3002 count", "1")
	})
}

// sends sends a caller to a room that begins, and takes a second to let him in.
func (r *rig) sends(line string) {
	r.t.Helper()
	r.late = time.Second
	r.says(line, "+OK\n")
}

func TestACallIsKilledWhereverItIs(t *testing.T) {
	for name, to := range map[string]func(*rig){
		"as he comes in": func(r *rig) {
			r.places["3001"].late = time.Second
			r.calls("3001")
		},
		"a member": func(r *rig) { r.says("originate {origination_uuid="+onTheWay+"}uas 3001", "+OK "+onTheWay+"\n") },
		"between two rooms": func(r *rig) {
			r.says("originate {origination_uuid="+onTheWay+"}uas 3001", "+OK "+onTheWay+"\n")
			r.sends("uuid_transfer " + onTheWay + " 3002")
		},
		"at the PIN": func(r *rig) {
			r.api("conference 3001 pin 1234")
			r.says("originate {origination_uuid="+onTheWay+",conference_enforce_security=true}uas 3001", "+OK "+onTheWay+"\n")
			if list := r.api("show channels"); !strings.Contains(list, onTheWay) {
				r.t.Errorf("channels: %q", list)
			}
			r.says("uuid_broadcast "+onTheWay+" tone:x", "-ERR Operation failed\n")
			r.says("uuid_transfer "+onTheWay+" 3002", "-ERR Operation failed\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				r.call("3001", "1", nil)
				to(r)
				r.says("uuid_exists "+onTheWay, "true")
				r.says("uuid_kill "+onTheWay+" USER_BUSY", "+OK\n")
				time.Sleep(2 * time.Second)
				r.says("uuid_exists "+onTheWay, "false")
				r.says("uuid_kill "+onTheWay, "-ERR No such channel!\n")
				if have := r.hungUp(); !slices.Equal(have, []string{onTheWay + " USER_BUSY"}) {
					t.Errorf("told %q", have)
				}
				r.says("conference 3001 count", "1")
			})
		})
	}
}
