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

// Switches of the table.
const (
	onFreeSWITCH = "FreeSWITCH"
	onAsterisk   = "Asterisk"
)

// columns are those of the table, its ways for the audio of an Asterisk included:
// a room in a bridge there has nothing to do with them.
func columns() []column {
	all := []column{{pbx: onFreeSWITCH, mode: "native"}, {pbx: onFreeSWITCH, mode: "switch"}, {pbx: onAsterisk, mode: "native"}, {pbx: onAsterisk, mode: "switch"}}
	for _, by := range mediaPaths()[1:] {
		all = append(all, column{pbx: onAsterisk, mode: "native", media: by})
	}
	return all
}

// differs says why cells may differ.
func differs() []reason {
	return []reason{
		{"D2", []string{"Asterisk native", "Asterisk switch"}, "ARI does not list the variables of a channel, so that a `PARLEY_` variable that Parley " +
			"does not know is not seen on Asterisk. An argument of `Stasis()` is, and a bad value is in either (D3)."},
		{"D5", []string{"FreeSWITCH switch"}, "what a CDR says of a caller who hangs up has to be on the channel before he does. Where he goes on in " +
			"his dialplan if Parley dies, `parley_result` stays empty all the same: that is how the pasted dialplan sees that Parley has died. " +
			"A caller in FreeSWITCH's own conference stays there when Parley dies."},
		{"R2", []string{"Asterisk switch"}, "who is alone hears music of his own. A bridge of Asterisk cannot lay one over the other: he stands aside for his " +
			"music, and does not hear the tone in the room (ADR 18)."},
	}
}

// The tones of profile "tones", in Hz.
const (
	entryHz = 1700
	exitHz  = 1900
)

// contractConfig is Parley's configuration for a mode, with a link to a FreeSWITCH.
func contractConfig(mixer string, p place, esl string) string {
	return contractRules(p, `{name: pbx1, kind: freeswitch, esl: "`+esl+`", password: parley-test}`, "mixer: "+mixer)
}

// contractRules is Parley's configuration with a switch; all profiles have a
// setting. Sounds are tones and silence: what is said is for other tests.
func contractRules(p place, pbx, setting string) string {
	profile := func(name string) string { return profileOf(setting, name) }
	tones := strings.NewReplacer("entry_tone: false", fmt.Sprintf(`entry_tone: "tone_stream://%%(500,0,%d)"`, entryHz),
		"exit_tone: false", fmt.Sprintf(`exit_tone: "tone_stream://%%(500,0,%d)"`, exitHz)).Replace(profile("tones"))
	return p.config() + `
switches:
  - ` + pbx + `
profiles:` + profile("default") + strings.Replace(profile("pin"), "pin_timeout_s: 2", "pin_timeout_s: 10", 1) + `
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
func profileOf(setting, name string) string {
	return `
  - name: ` + name + `
    ` + setting + `
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

// atOnce is how many rows are measured at the same time on a switch.
const atOnce = 6

// bench is a switch that the contract is measured on.
type bench struct {
	config func(c column, at place, app string) string // of a Parley
	watch  func(app string) pbx
	empty  func() (string, bool) // nobody is left there
}

// TestContractTable measures every row of the contract in every column, on real
// switches. The table is what docs/dialplan-contract.md shows.
func TestContractTable(t *testing.T) {
	all := &table{columns: columns(), rows: contractRows(), cells: map[string]string{}}
	var wg sync.WaitGroup
	for pbx, start := range map[string]func(*testing.T) bench{onFreeSWITCH: freeswitchBench, onAsterisk: asteriskBench} {
		wg.Go(func() { t.Run(pbx, func(t *testing.T) { all.measure(t, pbx, start(t)) }) })
	}
	wg.Wait()
	switch {
	case t.Failed():
	case !all.whole():
		t.Log("not all rows were run: nothing to compare")
	default:
		all.judge(t, differs())
	}
}

func freeswitchBench(t *testing.T) bench {
	fs := newPlace()
	startFreeSWITCH(t, fs)
	w := watch(t, fs)
	return bench{
		config: func(c column, at place, _ string) string { return contractConfig(c.mode, at, fs.fsESL) },
		watch:  func(string) pbx { return w },
		empty:  func() (string, bool) { return w.api("show", "channels"), w.channels() == 0 },
	}
}

// measure fills the columns of a switch, all at the same time.
func (t *table) measure(tt *testing.T, pbx string, b bench) {
	turn, wg := make(chan struct{}, atOnce), sync.WaitGroup{}
	for i, c := range t.columns {
		if c.pbx == pbx {
			wg.Go(func() {
				tt.Run(strings.TrimSpace(c.mode+" "+c.media), func(tt *testing.T) { t.fill(tt, c, fmt.Sprintf("parley-%d", i), b, turn) })
			})
		}
	}
	wg.Wait()
	eventually(tt, 15*time.Second, "nobody being left at the switch", b.empty)
}

// fill measures a column with a Parley of its own, and an application where the
// switch has some. turn has room for the rows that are measured at once.
func (t *table) fill(tt *testing.T, col column, app string, b bench, turn chan struct{}) {
	at := newPlace()
	p := run(tt, at, b.config(col, at, app))
	w := b.watch(app)
	var wg sync.WaitGroup
	for i, r := range t.rows {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			tt.Run(r.id, func(tt *testing.T) {
				c := &cell{T: tt, p: p, w: w, mode: col.mode, room: "t-" + col.mode + col.media + "-" + r.id, hash: i}
				r.measure(c)
				t.set(r.id, col, strings.Join(c.told, "; "))
			})
		})
	}
	wg.Wait()
	if strings.Contains(p.log(), "[media_path]") {
		tt.Error("the audio of a call came by another way than asked for")
	}
}
