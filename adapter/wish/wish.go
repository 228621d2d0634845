// Package wish reads what channel variables ask of a room: Parley's own, and
// those that were set for mod_conference. A dialplan has set them, or who orders
// a call.
package wish

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

// List is what variables ask for: parley_ variables, and those for
// mod_conference, as if they were parley_ variables.
type List struct {
	Own      map[string]string // without the prefix
	Origins  map[string]string // of those in Own that have another name
	Warnings []string

	vars map[string]string // of the channel, names in lower case
}

// Conference is the variable that has the argument of mod_conference's
// application.
const Conference = "parley_conference"

// Read reads the variables of a channel; outgoing is one that was called. A
// parley_ variable wins over parley_conference, that over conference_ variables;
// what loses, is wrong or has no effect is told. docs/freeswitch-aliases.md is
// the list.
func Read(vars map[string]string, outgoing bool) *List {
	w := &List{vars: map[string]string{}, Own: map[string]string{}, Origins: map[string]string{}}
	for name, value := range vars {
		lower := strings.ToLower(name)
		w.vars[lower] = value
		if own, ok := strings.CutPrefix(name, "parley_"); ok && lower != Conference {
			w.Own[own] = value
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

func (w *List) warn(format string, args ...any) {
	w.Warnings = append(w.Warnings, fmt.Sprintf(format, args...))
}

// put asks for a setting, unless somebody did who counts for more.
func (w *List) put(name, value, from string) {
	have, ok := w.Own[name]
	if !ok || have == "" {
		w.Own[name], w.Origins[name] = value, from
		return
	}
	if have != value {
		w.warn("%s: %s wins", from, cmp.Or(w.Origins[name], "parley_"+name))
	}
}

// conference reads parley_conference.
func (w *List) conference(outgoing bool) conference.Spec {
	text := w.vars[Conference]
	if text == "" {
		return conference.Spec{}
	}
	spec, err := conference.ParseSpec(text)
	if err != nil {
		w.warn("%s: %v", Conference, err)
		return conference.Spec{}
	}
	w.put("room", strings.ReplaceAll(spec.Name, "@", "-"), Conference)
	if spec.Profile != "" {
		w.put("profile", spec.Profile, Conference)
	}
	if spec.PIN != "" {
		w.put("member_pin", spec.PIN, Conference)
	}
	if spec.Bridge != "" {
		w.warn("%s: bridge: calls nobody here", Conference)
	}
	if spec.Open {
		w.warn("%s: flags{ has no closing }", Conference)
	}
	if spec.Ignored != "" {
		w.warn("%s: what stands behind the flags is not read", Conference)
	}
	if outgoing && w.vars["conference_enforce_security"] == "" && w.Own["enforce_security"] == "" {
		w.put("enforce_security", "false", Conference+" of an outgoing call")
	}
	return spec
}

// flag is a flag of a member or room, and who wants it.
type flag struct{ name, from string }

// flags puts the flags of all sources together: they add up.
func (w *List) flags(spec []string) {
	var all []flag
	add := func(from string, names []string) {
		for _, f := range names {
			all = append(all, flag{strings.ToLower(f), from})
		}
	}
	add(Conference, spec)
	for _, list := range flagLists() {
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
func (w *List) wanted(f flag) bool {
	variable, value, known := decided(f.name)
	switch {
	case !known:
		w.otherFlag(f)
		return false
	case w.Own[variable] == "":
		return true
	case w.Own[variable] != value:
		w.warn("%s: parley_%s wins over %s", f.from, variable, f.name)
	}
	return false
}

func (w *List) otherFlag(f flag) {
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
