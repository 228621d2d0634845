package wish

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/engine"
	"parley/esl/conference"
)

// alias is a channel variable of mod_conference: read makes a parley_ variable
// of it, named to.
type alias struct {
	from, to string
	read     func(w *List, a alias, value string) error
}

// aliases are the variables that mean something here; see docs/freeswitch-aliases.md.
func aliases() []alias {
	return []alias{
		{"conference_controls", "controls", asItIs},
		{"conference_enforce_security", "enforce_security", asTruth},
		{"conference_moderator_pin", "moderator_pin", asItIs},
		{"supplied_pin", "pin", asSuppliedPIN},
		{"conference_max_members", "max_participants", asLimit},
		{"conference_endconference_grace_time", "end_grace", asCount},
		{"conference_moh_sound", "moh_sound", asMusic},
		{"conference_enter_sound", "enter_sound", asItIs},
		{"conference_exit_sound", "exit_sound", asItIs},
		{"conference_silent_entry", "silent_entry", asTruth},
		{"conference_join_volume_in", "talk_gain_db", asGain},
		{"conference_join_volume_out", "listen_gain_db", asGain},
		{"conference_auto_record", "record_file", asRecord},
		{"conference_join_energy_level", "", asGate},
		{"conference_force_rate", "", unlessAuto},
		{"conference_force_interval", "", unlessAuto},
		{"conference_force_channels", "", unlessAuto},
		{"hangup_after_conference", "hangup_after_end", asHangup},
		{"conference_permanent_wait_mod_moh", "", nothing}, // music is never broken off by others' coming
	}
}

// Heeds says whether a variable is one that Read looks at.
func Heeds(name string) bool {
	lower := strings.ToLower(name)
	for _, prefix := range []string{"parley_", "conference_", "confvar_", "api_on_conference_create"} {
		if strings.HasPrefix(lower, prefix) {
			return true
		}
	}
	return slices.ContainsFunc(aliases(), func(a alias) bool { return a.from == lower })
}

// Taken says whether Read makes a setting of ours of a variable that
// mod_conference would heed, too.
func Taken(name string) bool {
	lower := strings.ToLower(name)
	for _, list := range flagLists() {
		if lower == list || strings.HasPrefix(lower, list+"_") {
			return true
		}
	}
	return slices.ContainsFunc(aliases(), func(a alias) bool { return a.from == lower && a.to != "" })
}

// flagLists are the variables with flags of a member and of a room. Such a flag
// may be a variable of its own, too: LIST_FLAG=true.
func flagLists() []string { return []string{"conference_member_flags", "conference_flags"} }

func asItIs(w *List, a alias, v string) error {
	w.put(a.to, v, a.from)
	return nil
}

func asTruth(w *List, a alias, v string) error {
	return asItIs(w, a, strconv.FormatBool(truth(v)))
}

// asHangup follows mod_conference: all but a "false" is true.
func asHangup(w *List, a alias, v string) error {
	return asItIs(w, a, strconv.FormatBool(!lie(v)))
}

// lie is what the switch takes for false.
func lie(v string) bool {
	switch strings.ToLower(v) {
	case "no", "off", "false", "f", "disabled", "inactive", "disallow":
		return true
	}
	n, err := strconv.ParseFloat(v, 64)
	return err == nil && int(n) == 0
}

// asSuppliedPIN takes the PIN alone, or the parameter of a URI: X-ConfPin=1234;…
func asSuppliedPIN(w *List, a alias, v string) error {
	const parameter = "x-confpin="
	if at := strings.Index(strings.ToLower(v), parameter); at >= 0 {
		v = v[at+len(parameter):]
	}
	if v, _, _ = strings.Cut(v, ";"); v == "" {
		return errors.New("there is no PIN in it")
	}
	return asItIs(w, a, v)
}

func wholeNumber(v string) (int64, error) {
	n, err := strconv.ParseInt(v, 0, 64) // 0x.. and 0.. too, as the switch reads it
	if err != nil || n < 0 || n > engine.MaxCount {
		return 0, fmt.Errorf("bad value %.40q, want a whole number 0..%d", v, engine.MaxCount)
	}
	return n, nil
}

func asCount(w *List, a alias, v string) error {
	n, err := wholeNumber(v)
	if err != nil {
		return err
	}
	return asItIs(w, a, strconv.FormatInt(n, 10))
}

// asLimit refuses 1 as mod_conference does: it keeps the profile's limit.
func asLimit(w *List, a alias, v string) error {
	n, err := wholeNumber(v)
	if err == nil && n == 1 {
		err = fmt.Errorf("1 is no limit for mod_conference; set parley_%s=1 to mean it", a.to)
	}
	if err != nil {
		return err
	}
	return asCount(w, a, v)
}

// asMusic knows the words that mean none.
func asMusic(w *List, a alias, v string) error {
	if v == "silence" || v == "indicate_hold" {
		v = "silence:1000"
	}
	return asItIs(w, a, v)
}

func asGain(w *List, a alias, v string) error {
	step, err := strconv.Atoi(v)
	if err != nil || step < -conference.MaxStep || step > conference.MaxStep {
		return fmt.Errorf("bad value %.40q, want -%d to %d", v, conference.MaxStep, conference.MaxStep)
	}
	return asItIs(w, a, strconv.FormatFloat(conference.Gain(step), 'f', 2, 64))
}

// asRecord has the room recorded from the start, as mod_conference does.
func asRecord(w *List, a alias, v string) error {
	if _, err := engine.RecordFile(v, "", "", time.Time{}); err != nil {
		return err
	}
	w.put("record", string(engine.RecordFromStart), a.from)
	return asItIs(w, a, v)
}

// asGate: without a gate everything is heard, as at level 0 and below.
func asGate(w *List, a alias, v string) error {
	if n, err := strconv.Atoi(v); err != nil || n > 0 {
		return errNoEffect
	}
	return nil
}

func unlessAuto(_ *List, _ alias, v string) error {
	if strings.EqualFold(v, "auto") {
		return nil
	}
	return errNoEffect
}

func nothing(*List, alias, string) error { return nil }

var errNoEffect = errors.New("it has no effect")

// idleVariables are those of mod_conference that do nothing here.
func idleVariables() []string {
	return []string{
		"conference_perpetual_sound", "conference_position", "conference_force_canvas_size",
		"conference_auto_outcall_announce", "conference_auto_outcall_caller_id_name", "conference_auto_outcall_caller_id_number",
		"conference_auto_outcall_delimiter", "conference_auto_outcall_export_vars", "conference_auto_outcall_maxwait",
		"conference_auto_outcall_prefix", "conference_auto_outcall_profile", "conference_auto_outcall_skip_member_beep",
		"conference_auto_outcall_timeout", "conference_utils_auto_outcall_flags",
	}
}

// leftovers are what mod_conference writes on a channel, from an earlier stay.
func leftovers() []string {
	return []string{
		"conference_name", "conference_uuid", "conference_member_id", "conference_moderator", "conference_ghost",
		"conference_recording", "conference_recording_canvas", "conference_call_key", "conference_last_matching_digits",
		"conference_bgdial_jobid", "conference_invite_uri", "conference_destination_number", "conference_domain",
		"conference_track_call_id", "conference_track_status", "conference_locked",
	}
}

// unused tells of variables that were meant for mod_conference and do nothing.
func (w *List) unused() {
	known := slices.Concat(idleVariables(), flagLists(), leftovers())
	for _, a := range aliases() {
		known = append(known, a.from)
	}
	var idle []string
	for _, name := range slices.Sorted(maps.Keys(w.vars)) {
		switch {
		case w.vars[name] == "":
		case slices.Contains(idleVariables(), name), strings.HasPrefix(name, "api_on_conference_create"), strings.HasPrefix(name, "confvar_"):
			idle = append(idle, name)
		case !strings.HasPrefix(name, "conference_"), slices.Contains(known, name),
			strings.HasPrefix(name, "conference_member_flags_"), strings.HasPrefix(name, "conference_flags_"):
		default:
			text := fmt.Sprintf("unknown variable %.60q", name)
			if near := engine.Nearest(name, known); near != "" {
				text += ", did you mean " + near + "?"
			}
			w.warn("%s", text)
		}
	}
	if idle != nil {
		w.warn("no effect: %s", strings.Join(idle, ", "))
	}
}
