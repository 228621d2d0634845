package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"parley/engine"
)

// Dump is the whole configuration as YAML, defaults included and every secret
// and PIN as ***.
func (c *Config) Dump() string {
	root := tree(settings(c))
	put(root, "sip.users", records(c.SIP.Users, userFields))
	put(root, "sip.trunks", records(c.SIP.Trunks, trunkFields))
	put(root, "auth.tokens", records(c.Auth.Tokens, tokenFields))
	put(root, "ari_server.users", records(c.ARIServer.Users, ariUserFields))
	put(root, "esl_server.users", records(c.ESLServer.Users, eslUserFields))
	put(root, "switches", records(c.Switches, switchFields))
	put(root, "controls", records(c.Controls, controlsFields))
	put(root, "profiles", records(c.Profiles, namedProfileFields))
	put(root, "rooms", records(c.Rooms, roomFields))
	var b strings.Builder
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return "# " + err.Error() + "\n" // a text that is no UTF-8 got past the checks
	}
	return b.String()
}

// namedProfileFields are all keys of a profile in the list of profiles.
func namedProfileFields(p *engine.Profile) []field {
	return append([]field{{"name", free(&p.Name), 0}}, profileFields(p)...)
}

// roomFields are the keys that a room sets, spelled as they were.
func roomFields(r *Room) []field {
	name := string(r.Name)
	fields := []field{{"name", free(&name), 0}}
	if r.Title != "" {
		fields = append(fields, field{"title", free(&r.Title), 0})
	}
	fields = append(fields, field{"profile", free(&r.Profile), 0})
	for _, f := range r.own.fields() {
		fields = append(fields, field{f.name, f.value, 0})
	}
	return fields
}

// records makes a list of mappings.
func records[T any](all []T, fields func(*T) []field) *yaml.Node {
	l := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range all {
		l.Content = append(l.Content, tree(printed(&all[i], fields)))
	}
	return l
}

// printed leaves out the fields that are another spelling of others.
func printed[T any](one *T, fields func(*T) []field) []field {
	return slices.DeleteFunc(fields(one), func(f field) bool { return f.flags&spelling != 0 })
}

// tree puts fields with dots in their names into mappings of mappings.
func tree(fields []field) *yaml.Node {
	root := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range fields {
		put(root, f.name, f.node())
	}
	return root
}

func put(root *yaml.Node, key string, n *yaml.Node) {
	if section, rest, ok := strings.Cut(key, "."); ok {
		m := child(root, section)
		if m == nil {
			m = &yaml.Node{Kind: yaml.MappingNode}
			root.Content = append(root.Content, scalarNode(section), m)
		}
		put(m, rest, n)
		return
	}
	root.Content = append(root.Content, scalarNode(key), n)
}
