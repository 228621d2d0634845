//go:build integration

package integration

import (
	"strings"
	"testing"
)

// TestFreeSWITCHMixes is the dialplan contract with rooms in mod_conference.
func TestFreeSWITCHMixes(t *testing.T) {
	t.Parallel()
	at := newPlace()
	fs := startFreeSWITCH(t, at)
	contract(t, contractOf{
		at: at, address: at.fsSIP,
		config:   at.base(false) + at.pbx1(),
		profiles: strings.ReplaceAll(contractProfiles, "\n  - name: ", "\n  - mixer: switch\n    name: "),
		result: func(room, result, reason, exit string) {
			fs.logged("parley room="+room+" ", "result="+result+" ", "reason="+reason+" ", "exit="+exit+" ")
		},
		inFallback: func(room string) bool {
			return fs.inConference(room, 2) || fs.inConference(room+"-fallback", 2) // who was in the room is there still
		},
	})
}
