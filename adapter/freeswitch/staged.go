package freeswitch

import (
	"maps"
	"strings"

	"parley/adapter/wish"
	"parley/esl"
)

// staged are the variables that the conference application must find so: its
// room asks for the PIN and has the keys. They are set for it alone, so that
// the switch's own conference, to which the dialplan falls back when we die, is
// as closed as ever.
func staged() map[string]string {
	return map[string]string{"conference_controls": "none", "conference_enforce_security": "false"}
}

// lent are the variables that a call of ours may find otherwise than its
// dialplan had them.
func lent() map[string]string {
	vars := borrowed()
	maps.Copy(vars, staged())
	return vars
}

// staging are the variables to set before the conference application. What the
// dialplan had there is put back with what is borrowed.
func (c *call) staging() map[string]string {
	vars := staged()
	if c.session == nil {
		delete(vars, "conference_controls") // nobody has taken those of an adopted call away
		return vars
	}
	for name, value := range masked(c.vars(c.session)) {
		vars[name], c.original[name] = "", value
	}
	vars[borrowedVariable] = debt(c.original)
	return vars
}

// masked are those of a channel's variables that are for mod_conference and
// that the room's rules have taken over: the conference of a room must not heed
// them once more. What the switch would not take back as it is stays.
func masked(vars map[string]string) map[string]string {
	hide := map[string]string{}
	for name, value := range vars {
		lower := strings.ToLower(name)
		mine := wish.Taken(name) && lower != "hangup_after_conference" && word(name)
		if _, ours := staged()[lower]; mine && !ours && esl.Literal(value) {
			hide[name] = value
		}
	}
	return hide
}

// word says whether a name can be named in a command.
func word(name string) bool {
	return strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789_-.") == ""
}
