package engine

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// callFacts are what explains a call's settings, copied out of its owner. They
// hold no PIN.
type callFacts struct {
	room      roomFacts // without a name: the call has none yet
	instance  InstanceID
	directory *Directory // by which its role was settled; nil = it has none yet
	leg       LegID
	invite    Invite // without variables
	variables map[string]string
	opened    bool // it opened the room: its rules count
	role      Role
	byPIN     bool
	restored  bool
	state     string
	changes   []change
	out       Outcome
	leftAt    time.Time // zero = it is here
}

// change is the last change of a part of a member's state that no rule made.
type change struct {
	name, value string
	by          string // "by command" …
	at          time.Time
}

func (c change) source() string { return c.by + ", " + c.at.Format(time.TimeOnly) }

// explain is the whole of a call.
func (f callFacts) explain() Explanation {
	return Explanation{
		Call: f.leg, Room: cmp.Or(f.room.name, RoomName(clip(f.invite.Room))), Instance: f.instance, State: f.state, Member: f.out.Member,
		Caller: f.invite.Caller.Number, Switch: f.invite.Switch, Kind: f.invite.Kind, LeftAt: f.leftAt,
		Result: f.out.Result, Reason: f.out.Reason, Exit: f.out.Exit, Settings: f.room.limit(f.settings()), Limits: f.room.limits, Warnings: f.out.Warnings,
	}
}

// settings are the call's own ones, then those of its role and room.
func (f callFacts) settings() settings {
	var l, rules settings
	switch {
	case f.room.name != "":
		l.override("room", string(f.room.name), f.roomSource())
		rules = f.ofRole(f.room.settings())
	case f.invite.Room != "":
		l.lose("room", clip(f.invite.Room), f.roomSource(), cmp.Or(string(f.out.Reason), "no room"))
	}
	rules = f.media(rules)
	l.override("role", f.role.String(), f.roleSource())
	for _, name := range []string{"muted", "deaf"} {
		key := f.role.String() + ".join_" + name
		if i := rules.find(key); i >= 0 {
			l.override(name, rules[i].Value, key+", "+rules[i].Source)
		}
	}
	l.override("allow_signals", signalList{}.String(), BuiltIn)
	if f.role != RoleUnset {
		l.override("talk_gain_db", "0", BuiltIn)
		l.override("listen_gain_db", "0", BuiltIn)
	}
	l = append(l, rules...)
	for _, name := range slices.Sorted(maps.Keys(f.variables)) {
		f.variable(&l, name, f.variables[name])
	}
	for _, c := range f.changes {
		l.override(c.name, c.value, c.source())
	}
	return l
}

// media tells by which way the call's audio comes. It was chosen when the call
// arrived, perhaps before there was a room; where there is no choice there is
// nothing to tell.
func (f callFacts) media(l settings) settings {
	used := string(f.invite.Media)
	switch {
	case used == "":
		return slices.DeleteFunc(l, func(s Setting) bool { return s.Name == "media" })
	case l.value("media") != used:
		l.override("media", used, cmp.Or(f.invite.MediaWhy, "chosen as the call arrived"))
	}
	return l
}

func (f callFacts) roomSource() string {
	switch {
	case f.invite.Room == "":
		return "typed by the caller"
	case f.variables["room"] != "":
		return origin("room", f.invite.Origins)
	default:
		return "dialled"
	}
}

func (f callFacts) roleSource() string {
	q := f.request()
	asked := q.role
	by := origin("role", f.invite.Origins)
	if _, ok := ParseRole(f.variables["role"]); !ok {
		by = origin("flags", f.invite.Origins)
	}
	switch {
	case f.restored:
		return byRestore
	case asked == RoleModerator, asked == RoleMember && !f.byPIN:
		return by
	case f.byCard() != "":
		return f.byCard()
	case f.byPIN:
		return "by PIN"
	case f.role == RoleUnset:
		return "not settled: the PIN decides it"
	default:
		return "no PIN was given, and none is needed"
	}
}

// request is what the call's variables ask for, its PINs aside.
func (f callFacts) request() request { return readVariables(f.variables) }

// byCard says which profile gave the call its role, and where that stands; "" =
// none did.
func (f callFacts) byCard() string {
	q := f.request()
	if f.directory == nil || f.restored {
		return ""
	}
	card := f.directory.card(f.room.name, &q)
	if card == nil || card.JoinAs != f.role {
		return ""
	}
	by := "join_as of profile " + card.Name
	if f.directory.Settings != nil {
		l := settings(f.directory.Settings(f.room.name, card.Name))
		if i := l.find("join_as"); i >= 0 {
			by += ", " + l[i].Source
		}
	}
	return by
}

// ofRole leaves the section of the other role out, and takes the call's own one
// as it was when the role was settled: a reload does not change it.
func (f callFacts) ofRole(l settings) settings {
	if f.directory == nil {
		return l
	}
	then := f.room
	then.directory = f.directory
	if q := f.request(); f.directory.card(f.room.name, &q) != nil {
		then.asked = q.profile
	}
	own := slices.DeleteFunc(then.settings(), func(s Setting) bool { return !strings.HasPrefix(s.Name, f.role.String()+".") })
	return append(slices.DeleteFunc(l, func(s Setting) bool {
		return strings.HasPrefix(s.Name, RoleMember.String()+".") || strings.HasPrefix(s.Name, RoleModerator.String()+".")
	}), own...)
}

// variable adds what one variable of the call does, or why it does nothing.
func (f callFacts) variable(l *settings, name, value string) {
	q := readVariables(map[string]string{name: value})
	by := origin(name, f.invite.Origins)
	for _, w := range q.warnings {
		l.lose(name, clip(value), by, w)
	}
	if slices.Contains(plumbing(), name) {
		return // of the room itself, or told by roomFacts
	}
	effects := f.effects(name, value, q)
	for _, e := range effects {
		l.override(e.Name, clip(e.Value), by)
	}
	for _, set := range q.room {
		f.roomLevel(l, set, by)
	}
	if value != "" && len(effects) == 0 && q.warnings == nil && q.room == nil && q.role == RoleUnset {
		l.override(name, clip(value), by) // as beep, which is no setting of anything else
	}
}

// effects are what a variable sets for this call alone, its role aside.
func (f callFacts) effects(name, value string, q request) []Setting {
	var all []Setting
	for _, e := range []struct {
		name string
		on   *bool
	}{{"muted", q.muted}, {"deaf", q.deaf}, {"join_only", set(q.joinOnly)}, {"nomoh", set(q.noMOH)}} {
		if e.on != nil {
			all = append(all, Setting{Name: e.name, Value: strconv.FormatBool(*e.on)})
		}
	}
	if q.language != "" {
		all = append(all, Setting{Name: "language", Value: q.language})
	}
	if name == "allow_signals" {
		all = append(all, Setting{Name: name, Value: q.signals.String()})
	}
	if name == "pin" && value != "" {
		all = append(all, Setting{Name: "pin", Value: "***"})
	}
	section := ""
	if f.role != RoleUnset {
		section = f.role.String() + "."
	}
	for _, e := range memberEffects(q.member) {
		all = append(all, Setting{Name: section + e.Name, Value: e.Value})
	}
	return all
}

// set is nil for what was not asked.
func set(on bool) *bool {
	if !on {
		return nil
	}
	return &on
}

// memberEffects finds out what changes set: whatever is the same after them
// although it was different before.
func memberEffects(changes []func(*RoleSettings)) []Setting {
	if changes == nil {
		return nil
	}
	var a RoleSettings
	b := RoleSettings{
		JoinMuted: true, JoinDeaf: true, PlayEntryPrompt: true, EnterSound: "\n", ExitSound: "\n", EndOnExit: "\n",
		Terminator: "\n", Controls: Controls{Name: "\n"},
	}
	for _, do := range changes {
		do(&a)
		do(&b)
	}
	is, other := a.texts(), b.texts()
	var all []Setting
	for i := range is {
		if is[i].Value == other[i].Value {
			all = append(all, is[i])
		}
	}
	return all
}

// texts are the settings of a role, its PINs aside.
func (s *RoleSettings) texts() []Setting {
	return []Setting{
		{Name: "join_muted", Value: strconv.FormatBool(s.JoinMuted)},
		{Name: "join_deaf", Value: strconv.FormatBool(s.JoinDeaf)},
		{Name: "play_entry_prompt", Value: strconv.FormatBool(s.PlayEntryPrompt)},
		{Name: "enter_sound", Value: s.EnterSound},
		{Name: "exit_sound", Value: s.ExitSound},
		{Name: "end_on_exit", Value: cmp.Or(string(s.EndOnExit), "never")},
		{Name: "terminator", Value: s.Terminator},
		{Name: "controls", Value: s.Controls.Name},
	}
}

// roomLevel adds a rule for the room that the call asked for; see room.ignored.
func (f callFacts) roomLevel(l *settings, set roomSetting, by string) {
	if f.opened || f.room.directory == nil {
		return
	}
	if p, _, _ := f.room.profile(); set.changes(p) {
		key := l.key(set.name)
		l.lose(key, clip(set.value), by, "the room keeps "+cmp.Or(l.value(key), "its own"))
	}
}

// Limits of what is kept of a call's variables.
const (
	keptVariables = 64
	keptBytes     = 256 // of one
)

// secret says whether a variable's value is a PIN, or may be one under a
// misspelled name.
func secret(name string) bool {
	return strings.Contains(strings.ToLower(name), "pin") ||
		slices.Contains(secretVariables(), name) || slices.Contains(secretVariables(), Nearest(clip(name), KnownVariables()))
}

// keep copies variables so that they are few, short and no secret.
func keep(vars map[string]string) map[string]string {
	kept := make(map[string]string, min(len(vars), keptVariables))
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if len(kept) == keptVariables {
			break
		}
		value := vars[name]
		if secret(name) && value != "" {
			value = "***"
		}
		kept[strings.Clone(name[:min(len(name), keptBytes)])] = strings.Clone(value[:min(len(value), keptBytes)])
	}
	return kept
}
