package fsapi

import (
	"slices"
	"testing"
	"time"
)

// TestACallIsKilledByACause, which its events name as a FreeSWITCH 1.11.1 does.
func TestACallIsKilledByACause(t *testing.T) {
	for cause, want := range map[string]string{
		"": "NORMAL_CLEARING", "USER_BUSY": "USER_BUSY", "user_busy": "USER_BUSY", "17": "USER_BUSY", "17x": "USER_BUSY", "34": "NORMAL_CIRCUIT_CONGESTION",
		"NOPE": "NORMAL_CLEARING", "NO_ANSWER x": "NORMAL_CLEARING", "-1": "NORMAL_CLEARING", "999": "UNKNOWN", "5": "UNKNOWN",
		"ORIGINATOR_CANCEL": "ORIGINATOR_CANCEL", "MANAGER_REQUEST": "MANAGER_REQUEST", "SUCCESS": "SUCCESS",
	} {
		bubble(t, func(r *rig) {
			id := uniqueID(r.call("3001", "1", nil).id)
			r.says("uuid_kill "+id+" "+cause, "+OK\n")
			time.Sleep(time.Second)
			names, events := r.all()
			var told []string
			for i, e := range events {
				if name := names[i]; e.Value("Hangup-Cause") != "" && e.Value("Unique-ID") == id {
					told = append(told, name+" "+e.Value("Hangup-Cause"))
				}
			}
			list := []string{"CHANNEL_HANGUP", "del-member", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"}
			for i := range list {
				list[i] += " " + want
			}
			if !slices.Equal(told, list) {
				t.Errorf("%q: told %q, want %q", cause, told, list)
			}
		})
	}
}
