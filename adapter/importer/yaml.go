package importer

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"parley/engine"
)

// record is one entry of controls, profiles or rooms while it is filled.
type record struct {
	name   string
	source string // its name there
	line   int    // of the source
	keys   []setting
}

// setting is one key of an entry. A dot in the key is a section: member.pins.
type setting struct {
	key  string
	node *yaml.Node
	from string // the comment behind it; "" = none
}

// set gives a key its value; the last one wins.
func (r *record) set(key string, node *yaml.Node, from string) {
	if i := slices.IndexFunc(r.keys, func(s setting) bool { return s.key == key }); i >= 0 {
		r.keys[i] = setting{key, node, from}
		return
	}
	r.keys = append(r.keys, setting{key, node, from})
}

func (r *record) has(key string) bool {
	return slices.ContainsFunc(r.keys, func(s setting) bool { return s.key == key })
}

// plain is a value; quotes keep a text that YAML would take for another thing.
func plain(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: text}
	if text == "" || text == "~" || strings.EqualFold(text, "null") || strings.Trim(text, decimals+".") == "" && len(text) > 3 {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func quoted(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: text, Style: yaml.DoubleQuotedStyle}
}

func number(n int) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(n)} }

// pinList is the PINs of a role, sure of their quotes: 0123 keeps its zero.
func pinList(pins ...string) *yaml.Node {
	l := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, p := range pins {
		l.Content = append(l.Content, quoted(p))
	}
	return l
}

// key is one control and the line it comes from.
type key struct {
	engine.Control
	line int
}

func keyList(keys []key) *yaml.Node {
	l := &yaml.Node{Kind: yaml.SequenceNode}
	if len(keys) == 0 {
		l.Style = yaml.FlowStyle
	}
	for _, k := range keys {
		item := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{
			plain("digits"), quoted(k.Digits), plain("action"), plain(string(k.Action)),
		}}
		if k.line > 0 {
			item.LineComment = fmt.Sprintf("# line %d", k.line)
		}
		l.Content = append(l.Content, item)
	}
	return l
}

// File is a file of Parley's configuration.
type File struct {
	Name string // below the folder of parley.yaml, with slashes
	Data []byte
}

// Files are the parts of the import for profiles.d and rooms.d; none for what
// has no entries.
func (r *Result) Files() []File {
	var files []File
	if len(r.controls)+len(r.profiles) > 0 {
		name := "profiles.d/" + r.source + ".yaml"
		files = append(files, File{name, r.render("controls", r.controls, "profiles", r.profiles)})
	}
	if len(r.rooms) > 0 {
		files = append(files, File{"rooms.d/" + r.source + ".yaml", r.render("rooms", r.rooms)})
	}
	return files
}

// YAML is the whole import as one document.
func (r *Result) YAML() []byte {
	return r.render("controls", r.controls, "profiles", r.profiles, "rooms", r.rooms)
}

// render writes lists of records: a name, its records, and so on.
func (r *Result) render(lists ...any) []byte {
	root := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i < len(lists); i += 2 {
		l := &yaml.Node{Kind: yaml.SequenceNode}
		for _, one := range lists[i+1].([]*record) {
			l.Content = append(l.Content, one.node())
		}
		if len(l.Content) > 0 {
			root.Content = append(root.Content, plain(lists[i].(string)), l)
		}
	}
	var b strings.Builder
	from := r.source
	if r.file != "" {
		from = printable(path.Base(r.file))
	}
	fmt.Fprintf(&b, "# Imported from %s; \"line\" is a line of it. Keys without a comment are\n# what the switch does by itself.\n\n", from)
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		panic(err) // every value was checked to be UTF-8
	}
	return []byte(b.String())
}

func (r *record) node() *yaml.Node {
	name := quoted(r.name)
	if r.line > 0 {
		name.LineComment = fmt.Sprintf("# line %d", r.line)
	}
	root := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{plain("name"), name}}
	for _, section := range []string{"", "member", "moderator"} {
		into := root
		for _, s := range r.keys {
			in, key, dotted := strings.Cut(s.key, ".")
			if !dotted {
				in, key = "", s.key
			}
			if in != section {
				continue
			}
			if section != "" && into == root {
				into = &yaml.Node{Kind: yaml.MappingNode}
				root.Content = append(root.Content, plain(section), into)
			}
			n := *s.node
			if block := n.Kind == yaml.SequenceNode && n.Style != yaml.FlowStyle; s.from != "" && !block {
				n.LineComment = "# " + s.from
			}
			into.Content = append(into.Content, plain(key), &n)
		}
	}
	return root
}
