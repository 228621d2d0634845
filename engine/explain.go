package engine

import (
	"slices"
	"strings"
	"time"
)

// Setting is one setting of a room or call: its value, and where that is from.
// What has lost to another stands behind the one that is in force.
type Setting struct {
	Name   string `json:"name"`           // as the configuration spells it; role, muted … of a call
	Value  string `json:"value"`          // of PINs the number only
	Source string `json:"source"`         // BuiltIn, FILE:LINE, "variable parley_muted", "by command, 12:03:11" …
	Lost   string `json:"lost,omitempty"` // why it is not in force; "" = it is
	// Fault is why it does nothing though it is in force: a sound that cannot be played.
	Fault string `json:"fault,omitempty"`
}

// BuiltIn is the source of what nobody has set.
const BuiltIn = "built-in default"

// Explanation is a room or call with all its settings.
type Explanation struct {
	Call     LegID      `json:"call_id,omitempty"` // "" = of the room
	Room     RoomName   `json:"room"`
	Instance InstanceID `json:"instance_id,omitempty"` // "" = the room does not run
	Title    string     `json:"title,omitempty"`
	State    string     `json:"state"` // of a room: not running, active …; of a call: pin, joined, left …
	Member   MemberID   `json:"member_id,omitempty"`
	Caller   string     `json:"caller,omitempty"`
	Switch   string     `json:"switch,omitempty"`
	Kind     string     `json:"kind,omitempty"`
	LeftAt   time.Time  `json:"left_at,omitzero"`
	Result   Result     `json:"result,omitempty"` // of a call that has left, like Reason and Exit
	Reason   Reason     `json:"reason,omitempty"`
	Exit     Exit       `json:"exit,omitempty"`
	Settings []Setting  `json:"settings"`
	Limits   []Limit    `json:"limits,omitempty"` // of the place that mixes the room
	Warnings []string   `json:"warnings,omitempty"`
}

// settings is a list that is put together layer by layer.
type settings []Setting

// find is the index of the one in force; -1 when there is none.
func (l settings) find(name string) int {
	return slices.IndexFunc(l, func(s Setting) bool { return s.Name == name && s.Lost == "" })
}

// value is what is in force, "" when nothing is known.
func (l settings) value(name string) string {
	if i := l.find(name); i >= 0 {
		return l[i].Value
	}
	return ""
}

// override puts a value in force. What was in force before has lost to it,
// unless it is a default, which loses to everybody.
func (l *settings) override(name, value, source string) {
	s := Setting{Name: name, Value: value, Source: source}
	i := l.find(name)
	switch {
	case i < 0:
		*l = append(*l, s)
	case (*l)[i].Source == BuiltIn:
		(*l)[i] = s
	default:
		(*l)[i].Lost = "overridden by " + strings.TrimPrefix(strings.TrimPrefix(source, "from "), "by ")
		*l = slices.Insert(*l, i, s)
	}
}

// lose notes a value that never was in force, behind the one that is.
func (l *settings) lose(name, value, source, why string) {
	i := l.find(name) + 1
	if i == 0 {
		i = len(*l)
	}
	*l = slices.Insert(*l, i, Setting{Name: name, Value: value, Source: source, Lost: why})
}

// key is the name under which the list has a room's setting that a variable
// sets: wait_timeout is wait_timeout_s.
func (l settings) key(variable string) string {
	if l.find(variable) < 0 && l.find(variable+"_s") >= 0 {
		return variable + "_s"
	}
	return variable
}

// roomFacts are what explains a room's settings.
type roomFacts struct {
	directory *Directory
	name      RoomName
	asked     string            // profile that the opening call named
	own       []roomSetting     // room-level variables of the opening call
	live      []roomSetting     // set by command since
	opener    LegID             // that call
	origins   map[string]string // of its variables
	mixed     string            // where; "" = nowhere yet
	moved     change            // there; zero = it began there
	limits    []Limit           // of that place
}

// profile is the configuration's, with the opening call's settings over it.
// known is false when no profile of the name it asked for exists.
func (f roomFacts) profile() (p *Profile, configured, known bool) {
	p, configured, known = f.directory.Lookup(f.name, f.asked)
	if len(f.own)+len(f.live) > 0 {
		own := *p
		for _, set := range slices.Concat(f.own, f.live) {
			set.apply(&own)
		}
		p = &own
	}
	return p, configured, known
}

// settings are those of the room: the configuration's, then the opening call's.
func (f roomFacts) settings() settings {
	p, _, known := f.directory.Lookup(f.name, f.asked)
	l := settings{{Name: "profile", Value: p.Name, Source: BuiltIn}}
	if f.directory.Settings != nil {
		l = f.directory.Settings(f.name, p.Name)
	}
	by := origin("profile", f.origins) + " of call " + string(f.opener)
	switch {
	case f.asked == "":
	case known:
		l.override("profile", f.asked, by)
	default:
		l.lose("profile", clip(f.asked), by, "unknown profile, using "+p.Name)
	}
	for _, set := range f.own {
		l.override(l.key(set.name), clip(set.value), origin(set.name, f.origins)+" of call "+string(f.opener))
	}
	for _, set := range f.live {
		value := clip(set.value)
		if slices.Contains(secretVariables(), set.name) {
			value = "***"
		}
		l.override(l.key(set.name), value, byCommand)
	}
	f.place(&l)
	return l
}

// place tells where the room is mixed, when that is not what was asked for. The
// configuration names no switch: the first caller's is meant.
func (f roomFacts) place(l *settings) {
	i := l.find("mixer")
	switch {
	case f.mixed == "" || i >= 0 && (*l)[i].Value == f.mixed:
	case f.moved.by != "":
		l.override("mixer", f.mixed, f.moved.source())
	case i >= 0 && strings.HasPrefix(f.mixed, (*l)[i].Value+" "):
		(*l)[i].Value = f.mixed
	default:
		l.override("mixer", f.mixed, "where the call that opened the room is mixed")
	}
}

// origin says where a dialplan set a variable.
func origin(name string, origins map[string]string) string {
	if from := origins[name]; from != "" {
		return "from " + shown(from, maxShown)
	}
	return "variable parley_" + name
}

// explain is the whole of a room.
func (f roomFacts) explain() Explanation {
	return Explanation{Room: f.name, State: "not running", Settings: f.limit(f.settings()), Limits: f.limits}
}
