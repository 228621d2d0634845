//go:build integration

package integration

import (
	"testing"
	"time"
)

// TestKeysBySIPINFO: Asterisk plays each key of an INFO for as long as that says, and
// has those that come meanwhile wait. All count, also one that is pressed twice.
func TestKeysBySIPINFO(t *testing.T) {
	t.Parallel()
	at := newPlace()
	ast := asteriskAt(t, at, nil)
	ast.edit("pjsip.conf", "res_pjsip.so", "direct_media = no", "direct_media = no\ndtmf_mode = info")
	p := run(t, at, at.base(true)+`
profiles:
  - {name: default, member: {pins: ["99877"]}, alone_sound: none, moh_sound: none, play_entry_tone: false, play_exit_tone: false}
`)
	for n, pause := range []time.Duration{0, 30 * time.Millisecond, 80 * time.Millisecond, 200 * time.Millisecond} {
		c := call(t, at.astSIP, "3001", tone(500))
		time.Sleep(500 * time.Millisecond)
		for _, key := range "99877#" {
			if err := c.InfoDigits(t.Context(), string(key)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(pause)
		}
		p.members("3001", n+1)
	}
}
