//go:build integration

package integration

import (
	"strings"
	"testing"
)

// pbx1 is the FreeSWITCH of these tests, as Parley is told of it.
const pbx1 = `
switches:
  - {name: pbx1, kind: freeswitch, esl: "127.0.0.1:8021", password: parley-test}
`

// TestFreeSWITCHMixes is the dialplan contract with rooms in mod_conference.
func TestFreeSWITCHMixes(t *testing.T) {
	fs := startFreeSWITCH(t)
	contract(t, contractOf{
		address:  freeswitchSIP,
		config:   base(false) + pbx1,
		profiles: strings.ReplaceAll(contractProfiles, "\n  - name: ", "\n  - mixer: switch\n    name: "),
		result: func(room, result, reason, exit string) {
			fs.logged("parley room="+room+" ", "result="+result+" ", "reason="+reason+" ", "exit="+exit+" ")
		},
		inFallback: func(room string) bool {
			return fs.inConference(room, 2) || fs.inConference(room+"-fallback", 2) // who was in the room is there still
		},
	})
}
