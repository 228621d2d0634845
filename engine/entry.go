package engine

import (
	"fmt"
	"strconv"
	"strings"
)

// entry is what the variables of a call say about its way in.
type entry struct {
	memberPIN    PIN // asked of this call in place of the profile's; zero = those
	moderatorPIN PIN
	unchecked    bool // no PIN is asked, and the lock does not count
	silent       bool // nobody is told of the join, nor is the joiner told anything
	talk, listen Decibels
	controls     string // name of a menu; "" = the role's
	hangUpAtEnd  bool   // the call ends with the room
}

// maxGain is the greatest gain that a call may ask for, up and down, in dB.
const maxGain = 20

// entryVariables are those that fill in an entry.
func entryVariables() map[string]variable {
	return map[string]variable{
		"member_pin":       readPIN(func(q *request, p PIN) { q.entry.memberPIN = p }),
		"moderator_pin":    readPIN(func(q *request, p PIN) { q.entry.moderatorPIN = p }),
		"enforce_security": ownBool(func(q *request, on bool) { q.entry.unchecked = !on }),
		"silent_entry":     ownBool(readSilence),
		"talk_gain_db":     readGain(func(q *request, g Decibels) { q.entry.talk = g }),
		"listen_gain_db":   readGain(func(q *request, g Decibels) { q.entry.listen = g }),
		"controls":         readControls,
		"hangup_after_end": ownBool(func(q *request, on bool) { q.entry.hangUpAtEnd = on }),
	}
}

// secretVariables are those whose values are never shown.
func secretVariables() []string { return []string{"pin", "member_pin", "moderator_pin"} }

// readPIN takes a PIN as a configuration would. One that is none is asked for
// as well: nobody gets in by a slip of the pen. The error does not repeat it.
func readPIN(set func(*request, PIN)) variable {
	return func(q *request, v string) error {
		set(q, NewPIN(v))
		if len(v) > 16 || strings.Trim(v, "0123456789*") != "" {
			return fmt.Errorf("%w, want a PIN of 1 to 16 digits; it is asked for all the same", errValue)
		}
		return nil
	}
}

func readSilence(q *request, on bool) {
	q.entry.silent = on
	if on {
		q.member = append(q.member, func(s *RoleSettings) { s.PlayEntryPrompt = false })
	}
}

func readGain(set func(*request, Decibels)) variable {
	return func(q *request, v string) error {
		dB, err := strconv.ParseFloat(v, 64)
		if err != nil || !(dB >= -maxGain && dB <= maxGain) {
			return fmt.Errorf("%w %q, want dB, -%d to %d", errValue, clip(v), maxGain, maxGain)
		}
		set(q, Decibels(dB))
		return nil
	}
}

// readControls notes the name; the menu is looked up when the role is settled.
func readControls(q *request, v string) error {
	q.entry.controls = v
	q.member = append(q.member, func(s *RoleSettings) { s.Controls = Controls{Name: v} })
	return nil
}

// Menu returns the controls of a name. "none" has no keys.
func (d *Directory) Menu(name string) (c Controls, known bool) {
	if d != nil {
		if c, known = d.Menus[name]; known {
			return c, true
		}
	}
	switch member, moderator := DefaultControls(RoleMember), DefaultControls(RoleModerator); name {
	case "none":
		return Controls{Name: name}, true
	case member.Name:
		return member, true
	case moderator.Name:
		return moderator, true
	}
	return Controls{}, false
}

// choose gives the seat the menu that its call has named, or the role's and a
// warning where there is none of that name.
func (s *seat) choose(own Controls) {
	if s.request.entry.controls == "" {
		return
	}
	c, known := s.directory.Menu(s.request.entry.controls)
	if !known {
		c = own
		s.out.Warnings = tidyWarnings(append(s.out.Warnings,
			fmt.Sprintf("parley_controls: %q is not defined, using %s", clip(s.request.entry.controls), own.Name)))
	}
	s.settings.Controls = c
}

// card is the profile that a call has come with, or that of its room, where
// that says who joins by it: nil where the PIN decides, or the call itself says.
func (d *Directory) card(room RoomName, q *request) *Profile {
	if q.role != RoleUnset {
		return nil
	}
	if p, _, _ := d.Lookup(room, q.profile); p.JoinAs != RoleUnset {
		return p
	}
	return nil
}

// host is the profile whose PINs and role section count for a call: its card
// with the PINs of that role only, or the room's profile.
func (r *room) host(q *request) *Profile {
	card := r.directory.card(r.name, q)
	if card == nil {
		return r.profile
	}
	own := *card
	for _, set := range r.live {
		set.apply(&own)
	}
	if own.JoinAs == RoleModerator {
		own.Member.PINs = nil
	} else {
		own.Moderator.PINs = nil
	}
	return &own
}

// joinAs is the role that a call's card gives it; RoleUnset = it has none.
func (r *room) joinAs(q *request) Role {
	if card := r.directory.card(r.name, q); card != nil {
		return card.JoinAs
	}
	return RoleUnset
}

// door is the profile as it counts for a call that is still outside: the PINs
// that the call names are in place of the profile's.
func (r *room) door(q *request) *Profile {
	p := r.host(q)
	if !q.entry.ownPIN() {
		return p
	}
	own := *p
	if q.entry.memberPIN.digits > 0 {
		own.Member.PINs = []PIN{q.entry.memberPIN}
	}
	if q.entry.moderatorPIN.digits > 0 {
		own.Moderator.PINs = []PIN{q.entry.moderatorPIN}
	}
	return &own
}

// ownPIN says whether the call itself names a PIN. Then a dialplan that says
// moderator does not do without one.
func (e *entry) ownPIN() bool { return e.memberPIN.digits > 0 || e.moderatorPIN.digits > 0 }

// endsWith says whether the end of the room is that of the call.
func (e *entry) endsWith(why Reason) bool {
	return e.hangUpAtEnd && (why == ReasonEnded || why == ReasonModeratorLeft)
}
