//go:build integration

package integration

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// modes are the mixers that the contract is measured with.
func modes() []string { return []string{"native", "switch"} }

// differs says why a row may differ between the modes.
func differs() map[string]string {
	return map[string]string{
		"D5": "what a CDR says of a caller who hangs up has to be on the channel before he does. In a room that Parley mixes, " +
			"`parley_result` stays empty all the same: that is how the pasted dialplan sees that Parley has died. A caller in the " +
			"switch's own conference stays there when Parley dies.",
	}
}

// The tones of profile "tones", in Hz.
const (
	entryHz = 1700
	exitHz  = 1900
)

// contractConfig is Parley's configuration for a mode, with a link to a switch.
// Sounds are tones and silence: what is said is for other tests.
func contractConfig(mixer string, p ports, esl string) string {
	profile := func(name string) string { return profileOf(mixer, name) }
	tones := strings.NewReplacer("entry_tone: false", fmt.Sprintf(`entry_tone: "tone_stream://%%(500,0,%d)"`, entryHz),
		"exit_tone: false", fmt.Sprintf(`exit_tone: "tone_stream://%%(500,0,%d)"`, exitHz)).Replace(profile("tones"))
	return p.config() + `
switches:
  - {name: pbx1, kind: freeswitch, esl: "` + esl + `", password: parley-test}
profiles:` + profile("default") + profile("pin") + `
    member: {pins: ["1234"]}
    moderator: {pins: ["98765"]}` + profile("waiting") + `
    wait_for_moderator: true` + profile("hasty") + `
    wait_for_moderator: true
    wait_timeout_s: 2` + profile("one") + `
    max_participants: 1` + profile("ten") + `
    max_participants: 10` + profile("ending") + `
    moderator: {end_on_exit: last}` + tones
}

// profileOf is a profile that says nothing, but for its music.
func profileOf(mixer, name string) string {
	return `
  - name: ` + name + `
    mixer: ` + mixer + `
    moh_sound: "tone_stream://%(10000,0,1530);loops=-1"
    alone_sound: none
    muted_sound: none
    unmuted_sound: none
    deaf_sound: none
    undeaf_sound: none
    locked_now_sound: none
    unlocked_sound: none
    kicked_sound: none
    ended_sound: none
    moderator_left_sound: none
    no_moderator_sound: none
    max_members_sound: none
    locked_sound: none
    not_running_sound: none
    bad_room_sound: none
    pin_failed_sound: none
    wait_prompt: none
    number_sound: none
    bad_number_sound: none
    pin_sound: none
    bad_pin_sound: none
    pin_timeout_s: 2
    terminator: "#"
    play_entry_tone: false
    play_exit_tone: false`
}

// atOnce is how many rows are measured at the same time.
const atOnce = 6

// TestContractTable measures every row of the contract in every mode on a real
// FreeSWITCH. The table is what docs/dialplan-contract.md shows.
func TestContractTable(t *testing.T) {
	t.Parallel()
	readyFreeSWITCH(t, 6)
	w := watchAt(t, 6)
	all := &table{modes: modes(), rows: contractRows(), cells: map[string]string{}}
	for _, mode := range all.modes {
		t.Run(mode, func(t *testing.T) {
			p := run(t, contractConfig(mode, usual(), fsESL(6)))
			turn, wg := make(chan struct{}, atOnce), sync.WaitGroup{}
			for i, r := range all.rows {
				wg.Go(func() {
					turn <- struct{}{}
					defer func() { <-turn }()
					t.Run(r.id, func(t *testing.T) {
						c := &cell{T: t, p: p, w: w, mode: mode, room: "t-" + mode + "-" + r.id, hash: i}
						r.measure(c)
						all.set(r.id, mode, strings.Join(c.told, "; "))
					})
				})
			}
			wg.Wait()
			eventually(t, 15*time.Second, "nobody being left at the switch", func() (string, bool) {
				return w.api("show", "channels"), w.channels() == 0
			})
		})
	}
	switch {
	case t.Failed():
	case len(all.cells) < len(all.rows)*len(all.modes):
		t.Log("not all rows were run: nothing to compare")
	default:
		all.judge(t, differs())
	}
}
