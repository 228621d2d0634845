package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"parley/engine"
)

// freeSWITCH is one import of a conference.conf.xml.
type freeSWITCH struct {
	*Result
	menus map[string]string // Parley's name of each group of controls
}

// FreeSWITCH imports mod_conference's conference.conf.xml. vars are values of
// $${NAME}; they win over those that the file itself sets.
func FreeSWITCH(file string, data []byte, vars map[string]string) (*Result, error) {
	root, err := readXML(file, data, vars)
	if err != nil {
		return nil, err
	}
	conf := configuration(root)
	if conf == nil {
		return nil, &Error{file, 0, `there is no <configuration name="conference.conf"> in it`}
	}
	f := &freeSWITCH{&Result{source: "freeswitch", file: file}, map[string]string{}}
	f.directives(root)
	if err := f.callerControls(conf.find("caller-controls")); err != nil {
		return nil, err
	}
	for _, section := range conf.in {
		switch section.name {
		case "advertise":
			f.advertise(section)
		case "profiles":
			if err := f.readProfiles(section); err != nil {
				return nil, err
			}
		case "caller-controls":
		case "chat-permissions":
			f.add(section.line, "", section.name, Lost, "Parley has no text messages.")
		default:
			if !section.preprocess() {
				f.add(section.line, "", section.name, Unneeded, "mod_conference does not know this element either.")
			}
		}
	}
	return f.done()
}

// configuration finds the element that all is in, below the wrappers that a
// file by itself, an include or a whole document have.
func configuration(e *element) *element {
	for _, c := range e.in {
		if c.name == "configuration" && c.attr("name").value == "conference.conf" {
			return c
		}
		if found := configuration(c); found != nil {
			return found
		}
	}
	return nil
}

// directives reports what the preprocessor would have done and we do not.
func (f *freeSWITCH) directives(e *element) {
	for _, c := range e.in {
		if cmd := strings.ToLower(c.attr("cmd").value); c.preprocess() && cmd != "set" {
			f.add(c.line, "", "X-PRE-PROCESS", Lost, "cmd %q is not followed; import a file that has it filled in.", clip(cmd))
		}
		f.directives(c)
	}
}

// advertise makes a room of each name whose presence is published.
func (f *freeSWITCH) advertise(section *element) {
	for _, e := range section.in {
		if e.name != "room" {
			continue
		}
		name, _, _ := strings.Cut(e.attr("name").value, "@")
		where := "advertise"
		if !roomName(name) {
			f.add(e.line, where, "room", Lost, "%q cannot be the name of a room (A-Z a-z 0-9 . _ -).", clip(name))
			continue
		}
		if slices.ContainsFunc(f.rooms, func(r *record) bool { return r.name == name }) {
			f.add(e.line, where, "room", Unneeded, "Room %s is there already.", name)
			continue
		}
		f.rooms = append(f.rooms, &record{name: name, line: e.line})
		f.add(e.line, where, "room", Differs, "Room %s is known by name, with profile default; its presence is not published.", name)
	}
}

// profile is a profile while it is imported.
type profile struct {
	*freeSWITCH
	*record
	where  string
	params map[string]param // by name: those that mod_conference would use
	lonely bool             // nomoh: no music for one who is alone
	always bool             // audio-always: no talk gate
}

// param is <param name= value=/>, name = value, or an option of the dialplan,
// which has no line.
type param struct {
	name, value string
	line        int
	unset       []string
}

// from is the comment behind a key of the YAML.
func (p param) from() string {
	if p.line == 0 {
		return "option " + p.name
	}
	return fmt.Sprintf("line %d: %s", p.line, p.name)
}

func (f *freeSWITCH) readProfiles(section *element) error {
	for _, e := range section.in {
		if e.name != "profile" {
			continue
		}
		source := e.attr("name").value
		where := "profile " + clip(source)
		name := source
		if !roomName(name) {
			name = rename(cmp.Or(source, "unnamed"))
			f.add(e.line, where, "name", Differs, "It is named %s, of A-Z a-z 0-9 . _ - only.", name)
		}
		switch i := slices.IndexFunc(f.profiles, func(r *record) bool { return r.name == name }); {
		case i >= 0 && f.profiles[i].source == source:
			f.add(e.line, where, "name", Unneeded, "mod_conference uses the first profile of that name, at line %d.", f.profiles[i].line)
			continue
		case i >= 0:
			f.add(e.line, where, "name", Lost, "There is a profile %s already, at line %d; this one is left out.", name, f.profiles[i].line)
			continue
		}
		p := &profile{freeSWITCH: f, record: &record{name: name, source: source, line: e.line}, where: where, params: map[string]param{}}
		p.collect(e)
		if err := p.apply(); err != nil {
			return err
		}
		f.profiles = append(f.profiles, p.record)
	}
	return nil
}

func (p *profile) report(at param, kind Kind, format string, args ...any) {
	p.add(at.line, p.where, at.name, kind, format, args...)
}

// collect reads the parameters of a profile: names in any case, the last one
// wins, empty values and unknown names are ignored.
func (p *profile) collect(e *element) {
	for _, c := range e.in {
		if c.name != "param" {
			p.child(c)
			continue
		}
		v := c.attr("value")
		at := param{strings.ReplaceAll(strings.ToLower(c.attr("name").value), "_", "-"), v.value, c.line, v.unset}
		if _, known := rules()[at.name]; !known {
			p.report(at, Unneeded, "mod_conference does not know it either%s", hint(at.name))
			continue
		}
		if at.value == "" {
			p.report(at, Unneeded, "It has no value; mod_conference ignores it too.")
			continue
		}
		if before, again := p.params[at.name]; again {
			p.report(before, Unneeded, "Line %d has it again and wins.", at.line)
		}
		p.params[at.name] = at
	}
}

// hint ends the sentence about an unknown name.
func hint(name string) string {
	names := make([]string, 0, len(rules()))
	for known := range rules() {
		names = append(names, known)
	}
	slices.Sort(names)
	if len(name) <= 64 {
		if near := engine.Nearest(name, names); near != "" {
			return fmt.Sprintf("; did you mean %q?", near)
		}
	}
	return "."
}

// child reports what else may be in a profile.
func (p *profile) child(e *element) {
	switch {
	case e.preprocess():
	case e.name == "variables":
		for _, v := range e.in {
			p.add(v.line, p.where, "variable "+v.attr("name").value, Lost, "Parley has no variables of a room.")
		}
	case e.name == "video-codec-group":
		p.add(e.line, p.where, e.name, Lost, "Parley mixes no video.")
	default:
		p.add(e.line, p.where, e.name, Unneeded, "mod_conference does not know this element either.")
	}
}

// apply maps the parameters, in the order of the file, and then what follows
// from those that are not there.
func (p *profile) apply() error {
	all := make([]param, 0, len(p.params))
	for _, at := range p.params {
		all = append(all, at)
	}
	slices.SortFunc(all, func(a, b param) int { return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.name, b.name)) })
	known := rules()
	for _, at := range all {
		rule := known[at.name]
		switch {
		case rule.to != nil && len(at.unset) > 0:
			if rule.secret {
				return &Error{p.file, at.line, fmt.Sprintf("%s: %s: $${%s} has no value; give it with --set", p.where, at.name, clip(at.unset[0]))}
			}
			p.report(at, Lost, "$${%s} has no value, so Parley's default stays; give one with --set %s=VALUE.", clip(at.unset[0]), clip(at.unset[0]))
		case rule.to != nil:
			if err := rule.to(p, at); err != nil {
				return err
			}
		case rule.kind != "" && !rule.harmless(at.value):
			p.report(at, rule.kind, "%s", rule.text)
		}
	}
	p.complete()
	return nil
}

// complete says what mod_conference does by itself and Parley does otherwise.
func (p *profile) complete() {
	for _, d := range ownWays() {
		if _, given := p.params[d.param]; !given {
			p.set(d.key, d.value, "")
		}
	}
	if _, speaks := p.params["tts-engine"]; !speaks {
		for _, d := range spokenWays() {
			if _, given := p.params[d.param]; !given {
				p.set(d.key, d.value, "")
			}
		}
	}
	if p.lonely { // but for those who wait
		for _, s := range p.keys {
			if s.key == "moh_sound" {
				p.set("wait_sound", s.node, s.from)
			}
		}
		p.set("moh_sound", plain("none"), "")
	}
	if p.always {
		p.set("gate", quoted("off"), p.params["conference-flags"].from())
	}
	caller, given := p.params["caller-controls"]
	if !given {
		caller = param{value: "default"}
	}
	p.keysOf("member.controls", caller)
	if moderator, given := p.params["moderator-controls"]; given {
		caller = moderator
	}
	p.keysOf("moderator.controls", caller)
}

// keysOf names the controls of a role.
func (p *profile) keysOf(key string, at param) {
	switch menu, ok := p.menus[at.value]; {
	case len(at.unset) > 0 || p.has(key):
	case ok:
		p.set(key, plain(menu), "")
	default:
		p.set(key, plain("none"), "")
	}
}
