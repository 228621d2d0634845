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
func modes() []string { return []string{"native"} }

// differs says why a row may differ between the modes.
func differs() map[string]string { return map[string]string{} }

// The tones of profile "tones", in Hz.
const (
	entryHz = 1700
	exitHz  = 1900
)

// contractConfig is Parley's configuration for a mode, with a link to a switch.
// Sounds are tones and silence: what is said is for other tests.
func contractConfig(mixer string, p ports, esl string) string {
	const common = `
    mixer: %s
    alone_sound: "silence:20"
    moh_sound: "tone_stream://%%(10000,0,1530);loops=-1"
    muted_sound: none
    unmuted_sound: none
    deaf_sound: none
    undeaf_sound: none
    locked_now_sound: none
    unlocked_sound: none
    wait_prompt: "silence:20"
    number_sound: "silence:20"
    bad_number_sound: "silence:20"
    pin_sound: "silence:20"
    bad_pin_sound: "silence:20"
    pin_timeout_s: 2
    terminator: "#"
    play_entry_tone: %s
    play_exit_tone: %s
`
	quiet := fmt.Sprintf(common, mixer, "false", "false")
	loud := fmt.Sprintf(common, mixer, fmt.Sprintf(`"tone_stream://%%(500,0,%d)"`, entryHz), fmt.Sprintf(`"tone_stream://%%(500,0,%d)"`, exitHz))
	return p.config() + `
switches:
  - {name: pbx1, kind: freeswitch, esl: "` + esl + `", password: parley-test}
profiles:
  - name: default` + quiet + `
  - name: pin` + quiet + `
    member: {pins: ["1234"]}
    moderator: {pins: ["98765"]}
  - name: waiting` + quiet + `
    wait_for_moderator: true
  - name: hasty` + quiet + `
    wait_for_moderator: true
    wait_timeout_s: 2
  - name: one` + quiet + `
    max_participants: 1
  - name: ending` + quiet + `
    moderator: {end_on_exit: last}
  - name: tones` + loud
}

// atOnce is how many rows are measured at the same time.
const atOnce = 6

// TestContractTable measures every row of the contract in every mode on a real
// FreeSWITCH. The table is what docs/dialplan-contract.md shows.
func TestContractTable(t *testing.T) {
	startFreeSWITCH(t)
	w := watch(t)
	all := &table{modes: modes(), rows: contractRows(), cells: map[string]string{}}
	for _, mode := range all.modes {
		t.Run(mode, func(t *testing.T) {
			p := run(t, contractConfig(mode, usual(), freeswitchESL))
			turn, wg := make(chan struct{}, atOnce), sync.WaitGroup{}
			for i, r := range all.rows {
				wg.Go(func() {
					turn <- struct{}{}
					defer func() { <-turn }()
					t.Run(r.id, func(t *testing.T) {
						c := &cell{T: t, p: p, w: w, room: "t-" + mode + "-" + r.id, hash: i}
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
	if !t.Failed() {
		all.judge(t, differs())
	}
}
