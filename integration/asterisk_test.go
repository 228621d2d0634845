//go:build integration

package integration

import (
	"path/filepath"
	"strings"
	"testing"
)

// startAsterisk runs the switch with the dialplan that users paste.
func startAsterisk(t *testing.T) *container {
	t.Helper()
	conf, err := filepath.Abs("asterisk/conf")
	if err != nil {
		t.Fatal(err)
	}
	mounts := []string{pasteable(t, "asterisk/extensions.conf") + ":/etc/asterisk/extensions.conf:ro"}
	for _, name := range []string{"ari", "asterisk", "confbridge", "http", "logger", "modules", "pjsip", "rtp"} {
		mounts = append(mounts, conf+"/"+name+".conf:/etc/asterisk/"+name+".conf:ro")
	}
	mounts = append(mounts, pasteable(t, "asterisk/pjsip.conf")+":/etc/asterisk/pjsip_parley.conf:ro")
	c := start(t, asteriskImage(), nil, []string{"asterisk", "-f", "-vvv"}, mounts)
	c.logged("Asterisk Ready")
	return c
}

// callers counts who is in the switch's own conference.
func (c *container) callers(room string) int {
	out := c.exec("asterisk", "-rx", "confbridge list "+room)
	return strings.Count(out, "PJSIP/")
}

func TestAsterisk(t *testing.T) {
	ast := startAsterisk(t)
	contract(t, contractOf{
		address: asteriskSIP,
		config:  base(true),
		result: func(room, result, reason, exit string) {
			ast.logged("parley room="+room+" ", "result="+result+" ", "reason="+reason+" ", "exit="+exit+" ")
		},
		inFallback: func(room string) bool { return ast.callers(room) == 2 },
	})
}
