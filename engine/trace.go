package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Who changes what no caller did.
const (
	byCommand = "by command"
	byRule    = "by a rule"
	atSwitch  = "at the switch"
)

// parts are those of a member that a command sets. It is told of them when it
// has come true, whether they have changed or not.
type parts uint8

const (
	partMuted parts = 1 << iota
	partDeaf
	partTalk
	partListen
	partHold
)

// asking is an operation of which Applied will tell, and who wanted it.
type asking struct {
	op    OpID
	by    string
	quiet bool // the member is not told
	sets  parts

	muted, toHold bool // as it was wanted then: the place knows no hold
}

// asking finds a wish by its operation; what has none, the switch did itself.
func (s *seat) asking(op OpID) asking {
	for _, a := range s.asks {
		if a.op == op {
			return a
		}
	}
	by := byRule
	if op == 0 {
		by = atSwitch
	}
	return asking{by: by, muted: s.want.Muted, toHold: s.toHold}
}

// note keeps who made each part of a state another one.
func (s *seat) note(now time.Time, by string, from, to MemberState) {
	was, is := from.texts(), to.texts()
	for i, c := range is {
		if c.Value == was[i].Value {
			continue
		}
		s.changes = slices.DeleteFunc(s.changes, func(old change) bool { return old.name == c.Name })
		s.changes = append(s.changes, change{c.Name, c.Value, by, now})
	}
}

// texts are the parts of a state that explain shows.
func (m MemberState) texts() []Setting {
	return []Setting{
		{Name: "muted", Value: strconv.FormatBool(m.Muted)},
		{Name: "deaf", Value: strconv.FormatBool(m.Deaf)},
		{Name: "talk_gain_db", Value: fmt.Sprint(m.Talk)},
		{Name: "listen_gain_db", Value: fmt.Sprint(m.Listen)},
	}
}

// lockSetting says whether the room is locked, and since when by whom.
func (r *room) lockSetting() Setting {
	s := Setting{Name: "locked", Value: strconv.FormatBool(r.locked), Source: BuiltIn}
	if r.lockedBy.by != "" {
		s.Source = r.lockedBy.source()
	}
	return s
}

// ignore reports the rules that a later call wanted otherwise: those of the
// room stay.
func (r *room) ignore(now time.Time, s *seat) {
	if p, _, known := r.directory.Lookup(r.name, s.request.profile); !known {
		s.out.Warnings = append(s.out.Warnings, unknownProfile(s.request.profile, p))
	}
	for _, own := range s.request.room {
		if !own.changes(r.profile) {
			continue
		}
		l := r.facts().settings()
		kept := cmp.Or(l.value(l.key(own.name)), "its own")
		text := fmt.Sprintf("parley_%s=%s is ignored: the room keeps %s", own.name, clip(own.value), kept)
		s.out.Warnings = append(s.out.Warnings, text)
		e := r.event(now, EventIgnored, s, ReasonNone)
		e.Changes = []string{text}
		r.house.observe(e)
	}
}
