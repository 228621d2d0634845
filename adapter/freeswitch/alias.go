package freeswitch

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"parley/engine"
	"parley/esl/conference"
)

// wishes are what a dialplan asks for: parley_ variables, and those that it
// set for mod_conference, as if they were parley_ variables.
type wishes struct {
	vars     map[string]string // of the channel, names in lower case
	own      map[string]string // without the prefix
	origins  map[string]string // of those in own that have another name
	warnings []string
}

// conferenceVariable is what parley_ variables make of parley_conference.
const conferenceVariable = "parley_conference"

// readWishes reads the variables of a channel. A parley_ variable wins over
// parley_conference, that over conference_ variables; what loses, is wrong or
// has no effect is told. docs/freeswitch-aliases.md is the list.
func readWishes(vars map[string]string, outgoing bool) *wishes {
	w := &wishes{vars: map[string]string{}, own: map[string]string{}, origins: map[string]string{}}
	for name, value := range vars {
		lower := strings.ToLower(name)
		w.vars[lower] = value
		if own, ok := strings.CutPrefix(name, "parley_"); ok && lower != conferenceVariable {
			w.own[own] = value
		}
	}
	spec := w.conference(outgoing)
	w.flags(spec.Flags)
	for _, a := range aliases() {
		if value := w.vars[a.from]; value != "" {
			if err := a.read(w, a, value); err != nil {
				w.warn("%s: %v", a.from, err)
			}
		}
	}
	w.unused()
	return w
}

func (w *wishes) warn(format string, args ...any) {
	w.warnings = append(w.warnings, fmt.Sprintf(format, args...))
}

// put asks for a setting, unless somebody did who counts for more.
func (w *wishes) put(name, value, from string) {
	have, ok := w.own[name]
	if !ok || have == "" {
		w.own[name], w.origins[name] = value, from
		return
	}
	if have != value {
		w.warn("%s: %s wins", from, cmp.Or(w.origins[name], "parley_"+name))
	}
}

// conference reads parley_conference.
func (w *wishes) conference(outgoing bool) conference.Spec {
	text := w.vars[conferenceVariable]
	if text == "" {
		return conference.Spec{}
	}
	spec, err := conference.ParseSpec(text)
	if err != nil {
		w.warn("%s: %v", conferenceVariable, err)
		return conference.Spec{}
	}
	w.put("room", strings.ReplaceAll(spec.Name, "@", "-"), conferenceVariable)
	if spec.Profile != "" {
		w.put("profile", spec.Profile, conferenceVariable)
	}
	if spec.PIN != "" {
		w.put("member_pin", spec.PIN, conferenceVariable)
	}
	if spec.Bridge != "" {
		w.warn("%s: bridge: calls nobody here", conferenceVariable)
	}
	if spec.Open {
		w.warn("%s: flags{ has no closing }", conferenceVariable)
	}
	if spec.Ignored != "" {
		w.warn("%s: what stands behind the flags is not read", conferenceVariable)
	}
	if outgoing && w.vars["conference_enforce_security"] == "" && w.own["enforce_security"] == "" {
		w.put("enforce_security", "false", conferenceVariable+" of an outgoing call")
	}
	return spec
}

// flag is a flag of a member or room, and who wants it.
type flag struct{ name, from string }

// flags puts the flags of all sources together: they add up.
func (w *wishes) flags(spec []string) {
	var all []flag
	add := func(from string, names []string) {
		for _, f := range names {
			all = append(all, flag{strings.ToLower(f), from})
		}
	}
	add(conferenceVariable, spec)
	for _, list := range []string{"conference_member_flags", "conference_flags"} {
		add(list, conference.Flags(w.vars[list]))
		for _, name := range slices.Sorted(maps.Keys(w.vars)) {
			if f, ok := strings.CutPrefix(name, list+"_"); ok && f != "" && truth(w.vars[name]) {
				add(name, []string{f})
			}
		}
	}
	var given, from []string
	for _, f := range all {
		if w.wanted(f) && !slices.Contains(given, f.name) {
			given = append(given, f.name)
			if !slices.Contains(from, f.from) {
				from = append(from, f.from)
			}
		}
	}
	if given != nil {
		w.put("flags", strings.Join(given, "|"), strings.Join(from, ", "))
	}
}

// decided is the variable that says the same as a flag of parley_flags, and
// what the flag makes of it.
func decided(flag string) (variable, value string, known bool) {
	switch flag {
	case "mute":
		return "muted", "true", true
	case "deaf":
		return "deaf", "true", true
	case "moderator":
		return "role", "moderator", true
	case "endconf":
		return "end_on_exit", "any", true
	case "mandatory_member_endconf":
		return "end_on_exit", "last", true
	case "nomoh", "join-only":
		return "", "", true
	default:
		return "", "", false
	}
}

// wanted says whether a flag goes into parley_flags. Else it is done with here.
func (w *wishes) wanted(f flag) bool {
	variable, value, known := decided(f.name)
	switch {
	case !known:
		w.otherFlag(f)
		return false
	case w.own[variable] == "":
		return true
	case w.own[variable] != value:
		w.warn("%s: parley_%s wins over %s", f.from, variable, f.name)
	}
	return false
}

func (w *wishes) otherFlag(f flag) {
	switch {
	case f.name == "wait-mod":
		w.put("wait_for_moderator", "true", f.from)
	case f.name == "audio-always":
		// It always is: there is no gate.
	case slices.Contains(idleFlags(), f.name):
		w.warn("%s: %s has no effect", f.from, f.name)
	default:
		text := fmt.Sprintf("%s: unknown flag %.40q", f.from, f.name)
		known := append(idleFlags(), "mute", "deaf", "moderator", "endconf", "mandatory_member_endconf", "nomoh", "join-only", "wait-mod")
		if near := engine.Nearest(f.name, known); near != "" {
			text += ", did you mean " + near + "?"
		}
		w.warn("%s", text)
	}
}

// idleFlags are those of mod_conference that do nothing here.
func idleFlags() []string {
	return []string{
		"ghost", "mintwo", "mute-detect", "dist-dtmf", "skip-dtmf", "talk-data-events", "positional", "no-positional",
		"vmute", "blind", "video-bridge", "flip-video", "join-vid-floor", "no-video-blanks", "no-minimize-encoding", "second-screen",
		"restart-auto-record", "breakable", "rfc-4579", "json-events", "livearray-sync", "livearray-json-status", "auto-3d-position",
		"video-floor-only", "minimize-video-encoding", "video-bridge-first-two", "video-required-for-canvas", "video-mute-exit-canvas",
		"manage-inbound-video-bitrate", "video-muxing-personal-canvas", "ded-vid-layer-audio-floor",
	}
}

// truth is what the switch takes for true.
func truth(v string) bool {
	switch strings.ToLower(v) {
	case "yes", "on", "true", "t", "enabled", "active", "allow":
		return true
	}
	n, err := strconv.ParseFloat(v, 64)
	return err == nil && int(n) != 0
}
