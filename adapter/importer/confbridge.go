package importer

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"parley/engine"
)

// section is a bridge or user section of confbridge.conf while it is imported.
type section struct {
	*Result
	name   string
	where  string
	line   int       // 0 = Asterisk adds it by itself
	admin  bool      // user: admin or marked, in Parley a moderator
	pin    string    // user
	room   []setting // keys of the profile
	role   []setting // user: keys of his role
	values map[string]param
}

func (s *section) report(at param, kind Kind, format string, args ...any) {
	s.add(at.line, s.where, at.name, kind, format, args...)
}

func (s *section) set(key string, node *yaml.Node, at param) {
	s.room = append(s.room, setting{key, node, at.from()})
}

func (s *section) setRole(key string, node *yaml.Node, at param) {
	s.role = append(s.role, setting{key, node, at.from()})
}

func (s *section) isTrue(option string) bool { return isTrue(s.values[option].value) }

// confBridge is one import of a confbridge.conf.
type confBridge struct {
	*Result
	bridges, users []*section
	menus          map[string]string // Parley's name of each, by its own in lower case
}

// ConfBridge imports Asterisk's confbridge.conf. A bridge profile becomes a
// profile with default_user as its member and the first admin or marked user
// as its moderator. Every other user profile becomes a profile of its own name
// on default_bridge, and BRIDGE.USER on the other bridges.
func ConfBridge(file string, data []byte) (*Result, error) {
	c, err := readConf(file, data)
	if err != nil {
		return nil, err
	}
	b := &confBridge{Result: &Result{source: "confbridge", file: file}, menus: map[string]string{}}
	b.skip(c)
	for _, s := range c.sections {
		if s.template || strings.EqualFold(s.name, "general") {
			continue
		}
		if err := b.read(s); err != nil {
			return nil, err
		}
	}
	if len(b.bridges)+len(b.users)+len(b.controls) == 0 {
		return nil, &Error{file, 0, "there is no section with type=bridge, type=user or type=menu in it"}
	}
	if err := b.compose(); err != nil {
		return nil, err
	}
	// What several sections have from one base is reported once.
	b.Lines = onlyOnce(b.Lines)
	return b.done()
}

func onlyOnce(lines []Line) []Line {
	seen := make(map[Line]bool, len(lines))
	return slices.DeleteFunc(lines, func(l Line) bool {
		l.Where = ""
		again := seen[l]
		seen[l] = true
		return again
	})
}

func (b *confBridge) read(s *confSection) error {
	switch kind := strings.ToLower(s.get("type")); kind {
	case "bridge":
		one, err := b.section(s, "bridge", bridgeRules())
		b.bridges = append(b.bridges, one)
		return err
	case "user":
		one, err := b.section(s, "user", userRules())
		b.users = append(b.users, one)
		return err
	case "menu":
		return b.menu(s)
	default:
		b.add(s.line, clip(s.name), "type", Lost, "It is none of bridge, user and menu; Asterisk would refuse the file.")
	}
	return nil
}

// section applies the rules to the options of a section.
func (b *confBridge) section(s *confSection, kind string, rules map[string]rule[*section]) (*section, error) {
	one := &section{Result: b.Result, name: rename(s.name), where: kind + " " + clip(s.name), line: s.line, values: map[string]param{}}
	if one.name != s.name {
		b.add(s.line, one.where, "name", Differs, "It is named %s, of A-Z a-z 0-9 . _ - only.", one.name)
	}
	options := s.last()
	for _, at := range options {
		one.values[at.name] = at
	}
	one.admin = kind == "user" && (one.isTrue("admin") || one.isTrue("marked"))
	for _, at := range options {
		switch rule, known := rules[at.name]; {
		case at.name == "type":
		case !known:
			one.report(at, Lost, "Asterisk 22 has no such option of a %s.", kind)
		case rule.to != nil:
			if err := rule.to(one, at); err != nil {
				return nil, err
			}
		case rule.kind != "" && !rule.harmless(at.value):
			one.report(at, rule.kind, "%s", rule.text)
		}
	}
	return one, nil
}

// compose makes the profiles.
func (b *confBridge) compose() error {
	bridges := b.withDefault(b.bridges, "default_bridge")
	users := b.withDefault(b.users, "default_user")
	if len(bridges)*len(users) > maxEntries {
		return &Error{b.file, 0, fmt.Sprintf("more than %d pairs of a bridge and a user profile", maxEntries)}
	}
	member, moderator := pick(users, false), pick(users, true)
	for _, bridge := range bridges {
		for _, user := range users {
			name := user.name
			switch {
			case strings.EqualFold(user.name, "default_user"):
				name = bridge.name
			case !strings.EqualFold(bridge.name, "default_bridge"):
				name = bridge.name + "." + user.name
			}
			p := &record{name: name, line: user.line}
			if name == bridge.name {
				p.line = bridge.line
			}
			if !roomName(name) {
				return &Error{b.file, user.line, fmt.Sprintf("%s: the name %s is too long", user.where, name)}
			}
			if slices.ContainsFunc(b.profiles, func(o *record) bool { return o.name == name }) {
				return &Error{b.file, user.line, fmt.Sprintf("%s: two profiles would be named %s; rename one", user.where, name)}
			}
			as, with := user, moderator
			if user.admin {
				as, with = member, user
			}
			b.fill(p, bridge, user, as, with)
			user.joins(p)
			b.profiles = append(b.profiles, p)
		}
	}
	return nil
}

// joins has calls that name the profile be what its user is. Those of the bridge
// itself are told apart by their PIN, unless its user is an admin.
func (s *section) joins(p *record) {
	switch {
	case s.admin:
		at := s.values["admin"]
		if !s.isTrue("admin") {
			at = s.values["marked"]
		}
		p.set("join_as", plain("moderator"), at.from())
	case !strings.EqualFold(s.name, "default_user"):
		p.set("join_as", plain("member"), "")
	}
}

// withDefault adds the section that Asterisk adds when it is not there.
func (b *confBridge) withDefault(all []*section, name string) []*section {
	if slices.ContainsFunc(all, func(s *section) bool { return strings.EqualFold(s.name, name) }) {
		return all
	}
	return append([]*section{{Result: b.Result, name: name, where: name}}, all...)
}

// pick is the user that a role has in profiles that are another's: the first
// admin or marked one, or default_user, or the first plain one. It may be nil.
func pick(users []*section, admin bool) *section {
	var found *section
	for _, u := range users {
		if u.admin == admin && (found == nil || strings.EqualFold(u.name, "default_user")) {
			found = u
		}
	}
	return found
}

// fill lays the own ways of ConfBridge, the bridge and the users over each
// other. What a moderator says about the whole room counts only where he gives
// the profile its name.
func (b *confBridge) fill(p *record, bridge, named, member, moderator *section) {
	for _, d := range confWays() {
		p.set(d.key, d.value, "")
	}
	if menu, ok := b.menus["default_menu"]; ok {
		p.set("controls", plain(menu), "")
	}
	room := bridge.room
	if member != nil {
		room = slices.Concat(room, member.room)
		for _, s := range member.role {
			p.set("member."+s.key, s.node, s.from)
		}
	}
	if named == moderator {
		room = slices.Concat(room, named.room)
	}
	for _, s := range room {
		p.set(s.key, s.node, s.from)
	}
	if moderator != nil {
		for _, s := range moderator.role {
			if s.key == "pins" && member != nil && member.pin == moderator.pin && named != moderator {
				b.add(moderator.values["pin"].line, moderator.where, "pin", Lost,
					"%s has the same, which makes members where the call names no user. Give moderators another, or have them name this user.", member.where)
				continue
			}
			p.set("moderator."+s.key, s.node, s.from)
		}
	}
	for _, d := range confEnds() { // of members: what happens when the marked ones leave
		if member != nil && member.isTrue(d.param) {
			p.set(d.key, d.value, member.values[d.param].from())
		}
	}
}

// menu imports a section of keys. It is for a call to ask for.
func (b *confBridge) menu(s *confSection) error {
	where := "menu " + clip(s.name)
	name := rename(s.name)
	if name == "none" || name == "inline" {
		name = "controls-" + name
	}
	if slices.ContainsFunc(b.controls, func(r *record) bool { return r.name == name }) {
		b.add(s.line, where, "name", Lost, "There are controls %s already; these are left out.", name)
		return nil
	}
	b.menus[strings.ToLower(s.name)] = name
	b.add(s.line, where, "name", Differs, "A call has these controls with parley_controls=%s.", name)
	var keys []key
	for _, at := range s.last() {
		switch at.name {
		case "type":
			continue
		case "template":
			b.add(at.line, where, at.name, Unneeded, onlyCode)
			continue
		}
		if a := b.menuAction(where, at); a != "" {
			keys = append(keys, key{engine.Control{Digits: strings.ToUpper(at.name), Action: a}, at.line})
		}
	}
	return b.addMenu(name, where, s.line, keys)
}

// addMenu adds the keys of a menu as controls.
func (r *Result) addMenu(name, where string, line int, keys []key) error {
	if len(keys) > maxEntries {
		return &Error{r.file, line, fmt.Sprintf("%s: more than %d keys", where, maxEntries)}
	}
	menu := &record{name: name, line: line}
	menu.set("keys", keyList(keys), "")
	r.controls = append(r.controls, menu)
	return nil
}

// menuAction picks the one action that a control has in Parley.
func (b *confBridge) menuAction(where string, at param) engine.Action {
	var is engine.Action
	known := menuActions()
	for _, word := range actionList(at.value) {
		name := at.name + " " + word
		word, _, _ = strings.Cut(word, "(")
		a, ok := known[strings.TrimSpace(word)]
		switch {
		case !ok:
			b.add(at.line, where, name, Unneeded, "ConfBridge does not know this action either.")
		case a.action == "" && a.kind != "":
			b.add(at.line, where, name, a.kind, "%s", a.text)
		case !keysOnly(strings.ToUpper(at.name)):
			b.add(at.line, where, name, Lost, "Digits must be 1 to 8 keys of 0-9 * # A-D.")
		case is != "":
			b.add(at.line, where, name, Lost, "A control has one action here; it is %s.", is)
		default:
			is = a.action
			if a.text != "" {
				b.add(at.line, where, name, Differs, "%s", a.text)
			}
		}
	}
	return is
}

// actionList splits at the commas that are not in brackets.
func actionList(text string) []string {
	var all []string
	depth, from := 0, 0
	for i := 0; i <= len(text); i++ {
		switch {
		case i == len(text) || text[i] == ',' && depth == 0:
			if word := strings.TrimSpace(text[from:i]); word != "" {
				all = append(all, word)
			}
			from = i + 1
		case text[i] == '(':
			depth++
		case text[i] == ')':
			depth = max(0, depth-1)
		}
	}
	return all
}
