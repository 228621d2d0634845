package importer

import (
	"fmt"
	"slices"
	"strings"
)

// MeetMe imports the rooms of Asterisk's meetme.conf, and the option string of
// the dialplan's MeetMe(room,options) as their profile, which is named meetme.
// file may be empty; then the rooms are those that somebody opens.
func MeetMe(file string, data []byte, options string) (*Result, error) {
	m := &section{
		Result: &Result{source: "meetme", file: file}, name: "meetme", where: "options", values: map[string]param{},
	}
	given, err := meetMeOptions(options)
	if err != nil {
		return nil, err
	}
	for _, at := range given {
		m.values[at.name] = at
	}
	for _, d := range meetMeWays() {
		if _, there := m.values[d.param]; !there {
			m.room = append(m.room, setting{d.key, d.value, ""})
		}
	}
	if err := m.meetMeProfile(given); err != nil {
		return nil, err
	}
	p := &record{name: m.name}
	for _, s := range m.room {
		p.set(s.key, s.node, s.from)
	}
	m.profiles = append(m.profiles, p)
	if file != "" {
		if err := m.meetMeFile(file, data); err != nil {
			return nil, err
		}
	}
	return m.done()
}

// meetMeProfile takes each option that was given.
func (s *section) meetMeProfile(given []param) error {
	known := meetMeRules()
	for _, at := range given {
		switch r, ok := known[at.name]; {
		case !ok:
			s.report(at, Unneeded, "MeetMe does not know it either.")
		case r.to != nil:
			if err := r.to(s, at); err != nil {
				return err
			}
		case r.kind != "":
			s.report(at, r.kind, "%s", r.text)
		}
	}
	return nil
}

// meetMeOptions reads an option string: letters, some with (arguments).
func meetMeOptions(text string) ([]param, error) {
	bad := func(why string) error { return &Error{File: "options", Text: why} }
	if len(text) > maxValue || !printableOnly(text) {
		return nil, bad(fmt.Sprintf("they must be one line of at most %d bytes", maxValue))
	}
	var all []param
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == ' ' || c == ',' {
			continue
		}
		if c >= 0x80 || !strings.ContainsRune(letters, rune(c)) {
			return nil, bad(fmt.Sprintf("%q is no option of MeetMe", clip(text[i:])))
		}
		at := param{name: string(c)}
		if i+1 < len(text) && text[i+1] == '(' {
			end := strings.IndexByte(text[i:], ')')
			if end < 0 {
				return nil, bad(fmt.Sprintf("option %c has a ( without a )", c))
			}
			at.value = text[i+2 : i+end]
			i += end
		}
		all = slices.DeleteFunc(all, func(o param) bool { return o.name == at.name }) // the last one counts
		all = append(all, at)
	}
	return all, nil
}

func printableOnly(text string) bool { return printable(text) == text }

// meetMeFile reads [rooms] conf => number,pin,adminpin.
func (s *section) meetMeFile(file string, data []byte) error {
	c, err := readConf(file, data)
	if err != nil {
		return err
	}
	s.skip(c)
	for _, in := range c.sections {
		switch strings.ToLower(in.name) {
		case "general":
			s.meetMeGeneral(in)
		case "rooms":
			for _, at := range in.vars {
				if err := s.meetMeRoom(at); err != nil {
					return err
				}
			}
		default:
			s.add(in.line, clip(in.name), "section", Unneeded, "MeetMe does not know this section either.")
		}
	}
	return nil
}

func (s *section) meetMeGeneral(in *confSection) {
	known := meetMeGeneral()
	for _, at := range in.last() {
		switch r, ok := known[at.name]; {
		case !ok:
			s.add(at.line, "general", at.name, Unneeded, "MeetMe does not know it either.")
		case !r.harmless(at.value):
			s.add(at.line, "general", at.name, r.kind, "%s", r.text)
		}
	}
}

func (s *section) meetMeRoom(at param) error {
	if !strings.EqualFold(at.name, "conf") {
		s.add(at.line, "rooms", at.name, Unneeded, "MeetMe does not know it either.")
		return nil
	}
	fields := strings.Split(at.value, ",")
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	fields = append(fields, "", "")
	name, pin, adminPIN := fields[0], fields[1], fields[2]
	where := "room " + clip(name)
	if !roomName(name) {
		s.add(at.line, "rooms", "conf", Lost, "%q cannot be the name of a room (A-Z a-z 0-9 . _ -).", clip(name))
		return nil
	}
	if slices.ContainsFunc(s.rooms, func(r *record) bool { return r.name == name }) {
		s.add(at.line, where, "conf", Unneeded, "MeetMe uses the first line of that number.")
		return nil
	}
	for _, p := range []string{pin, adminPIN} {
		if p != "" && !digits(p, 16) {
			return &Error{s.file, at.line, where + ": a PIN must be 1 to 16 digits; change it there first"}
		}
	}
	r := &record{name: name, line: at.line}
	r.set("profile", plain(s.name), "")
	s.meetMePINs(r, at, pin, adminPIN)
	s.rooms = append(s.rooms, r)
	return nil
}

// meetMePINs sets the PINs of a room.
func (s *section) meetMePINs(r *record, at param, pin, adminPIN string) {
	where := "room " + clip(r.name)
	if pin != "" {
		r.set("member.pins", pinList(pin), "")
	}
	switch adminPIN {
	case "":
	case pin:
		s.add(at.line, where, "conf", Lost, "Users and admins have the same PIN; here it makes a member. Give moderators another.")
	default:
		r.set("moderator.pins", pinList(adminPIN), "")
		if pin == "" {
			s.add(at.line, where, "conf", Differs, "Only admins have a PIN: everybody is asked, and one who types nothing is a member; a wrong PIN is refused.")
		}
	}
}
