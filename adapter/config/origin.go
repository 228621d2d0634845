package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"parley/engine"
)

// at is FILE:LINE of a key.
func (d *document) at(n *yaml.Node) string { return fmt.Sprintf("%s:%d", d.file, n.Line) }

// keyOf returns the key node of a path such as member.pins, which may be written
// in one word, too; without one, the mapping.
func keyOf(m *yaml.Node, path string) *yaml.Node {
	word, rest, deeper := strings.Cut(path, ".")
	for i := 0; m.Kind == yaml.MappingNode && i+1 < len(m.Content); i += 2 {
		switch k := m.Content[i]; {
		case k.Value == path:
			return k
		case deeper && k.Value == word:
			return keyOf(m.Content[i+1], rest)
		}
	}
	return m
}

// settings is engine.Directory.Settings: a profile, with a room's own settings
// over it, key by key, each with the line it stands on and what it overrides.
func (c *Config) settings(room engine.RoomName, profile string) []engine.Setting {
	base := baseProfile(c.Language, c.Controls)
	s := sheet{profile: &base, at: map[string]int{}}
	s.put("profile", "default", engine.BuiltIn)
	for _, f := range s.printed() {
		source := engine.BuiltIn
		if at := c.origins[f.name]; at != "" { // language is a setting of the whole process, too
			source = at
		}
		s.put(f.name, setting(f), source)
	}
	s.lay(c.patches[profile])
	if i := slices.IndexFunc(c.Rooms, func(r Room) bool { return r.Name == room }); i >= 0 {
		if at := c.Rooms[i].own.at["profile"]; at != "" {
			s.put("profile", c.Rooms[i].Profile, at)
		}
		s.lay(c.Rooms[i].own)
	}
	return s.list()
}

// sheet is a profile on which patches are laid, and where each of its values
// comes from.
type sheet struct {
	profile *engine.Profile
	keys    []stack
	at      map[string]int // in keys, by name
}

// stack is one key: what is in force first, then what has lost to it.
type stack []engine.Setting

// printed are the keys of the sheet, each once.
func (s *sheet) printed() []field { return printed(s.profile, profileFields) }

func (s *sheet) put(name, value, source string) {
	i, ok := s.at[name]
	if !ok {
		s.at[name] = len(s.keys)
		s.keys = append(s.keys, stack{{Name: name, Value: value, Source: source}})
		return
	}
	k := s.keys[i]
	if k[0].Source == engine.BuiltIn {
		k = nil
	} else {
		k[0].Lost = "overridden by " + source
	}
	s.keys[i] = append(stack{{Name: name, Value: value, Source: source}}, k...)
}

// lay puts one patch over the sheet. A key may set others as well: join_muted
// sets that of both roles.
func (s *sheet) lay(t patch) {
	from, to := profileFields(&t.from), profileFields(s.profile)
	for i, f := range from {
		if !t.set[f.name] {
			continue
		}
		before := s.texts()
		to[i].take(f.value)
		for name, value := range s.texts() {
			if value != before[name] || slices.Contains(targets(f), name) {
				s.put(name, value, t.at[f.name])
			}
		}
	}
}

// targets are the keys that a field sets, whatever they were.
func targets(f field) []string {
	switch {
	case f.flags&spelling == 0:
		return []string{f.name}
	case f.name == "end_on_exit":
		return []string{"moderator.end_on_exit"}
	case f.name == "caller_controls":
		return []string{"member.controls"}
	case f.name == "moderator_controls":
		return []string{"moderator.controls"}
	default:
		return []string{"member." + f.name, "moderator." + f.name}
	}
}

func (s *sheet) texts() map[string]string {
	m := map[string]string{}
	for _, f := range s.printed() {
		m[f.name] = setting(f)
	}
	return m
}

func (s *sheet) list() []engine.Setting { return slices.Concat(s.keys...) }

// setting is a value as explain shows it; of PINs their number.
func setting(f field) string {
	if p, ok := f.value.(pins); ok {
		if len(*p.at) == 0 {
			return "none"
		}
		return fmt.Sprintf("*** (%d)", len(*p.at))
	}
	return shown(f)
}
