package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"parley/engine"
)

// Limits of one file.
const (
	maxBytes   = 1 << 20
	maxDepth   = 16      // of maps and lists in each other
	maxNodes   = 200_000 // keys and values, after aliases are filled in
	maxEntries = 10_000  // of one list
)

// document is one YAML file while it is read.
type document struct {
	*report
	file  string
	root  *yaml.Node                 // a mapping; nil = empty or broken
	menus map[string]engine.Controls // that a profile may name
	nodes int                        // filled in so far
}

func (d *document) problem(n *yaml.Node, code, format string, args ...any) {
	d.add(Problem{File: d.file, Line: n.Line, Code: code, Text: fmt.Sprintf(format, args...)})
}

func (d *document) warn(n *yaml.Node, code, format string, args ...any) {
	d.report.warn(Problem{File: d.file, Line: n.Line, Code: code, Text: fmt.Sprintf(format, args...)})
}

// bad reports a value that is not what its key wants: "KEY must be ….".
func (d *document) bad(n *yaml.Node, key string, err error) {
	code := "bad_value"
	if errors.Is(err, errEmptySound) {
		code = "empty_sound"
	}
	text := key + " " + err.Error()
	if !strings.HasSuffix(text, "?") {
		text += "."
	}
	d.add(Problem{File: d.file, Line: n.Line, Col: n.Column, Code: code, Text: text})
}

// parse reads the bytes of a file into d.root.
func (d *document) parse(data []byte) {
	if len(data) > maxBytes {
		d.add(Problem{File: d.file, Code: "too_large", Text: fmt.Sprintf("The file has more than %d bytes.", maxBytes)})
		return
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var tree, second yaml.Node
	if err := dec.Decode(&tree); err != nil {
		if !errors.Is(err, io.EOF) {
			d.syntax(data, err)
		}
		return
	}
	if err := dec.Decode(&second); err == nil {
		d.problem(&second, "yaml_syntax", "There is a second document; one file holds one.")
		return
	} else if !errors.Is(err, io.EOF) {
		d.syntax(data, err)
		return
	}
	root, err := d.expand(tree.Content[0], 0)
	switch {
	case err != nil:
		d.problem(root, "too_large", "%v.", err)
	case root.Kind == yaml.MappingNode:
		d.root = root
	case !null(root):
		d.problem(root, "yaml_syntax", "The file must be a list of keys and values (key: value).")
	}
}

// syntax reports what the YAML reader said, except that an unknown alias is
// nearly always a control such as *1 without quotes.
func (d *document) syntax(data []byte, err error) {
	p := Problem{File: d.file, Code: "yaml_syntax"}
	m := regexp.MustCompile(`^yaml: (?:line (\d+): )?(?s:(.*))$`).FindStringSubmatch(err.Error())
	if m == nil {
		m = []string{"", "", "unreadable"}
	}
	p.Line, _ = strconv.Atoi(cmp.Or(m[1], "1")) // it names every line but the first
	p.Text = fmt.Sprintf("YAML: %s.", m[2])
	if name, ok := strings.CutPrefix(m[2], "unknown anchor '"); ok {
		name, _, _ = strings.Cut(name, "'")
		before, _, _ := bytes.Cut(data, []byte("*"+name))
		p.Line = 1 + bytes.Count(before, []byte("\n"))
		p.Text = `YAML: a value that begins with * must be quoted ("*1").`
	}
	d.add(p)
}

var (
	errDeep = fmt.Errorf("maps and lists are more than %d deep", maxDepth)
	errLong = fmt.Errorf("the file has more than %d keys and values", maxNodes)
)

// expand copies a tree with aliases filled in, keys spelled with underscores,
// and doubled keys reported. On an error the node is the one it happened at.
func (d *document) expand(n *yaml.Node, depth int) (*yaml.Node, error) {
	d.nodes++
	switch {
	case depth > maxDepth:
		return n, errDeep
	case d.nodes > maxNodes:
		return n, errLong
	case n.Kind == yaml.AliasNode:
		filled, err := d.expand(n.Alias, depth+1)
		if err != nil {
			return n, err
		}
		filled.Line, filled.Column = n.Line, n.Column
		return filled, nil
	case n.Style&yaml.TaggedStyle != 0:
		d.problem(n, "bad_value", "Tags such as !!str are not supported; quote the value instead.")
	}
	c := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Style: n.Style, Line: n.Line, Column: n.Column}
	for _, child := range n.Content {
		filled, err := d.expand(child, depth+1)
		if err != nil {
			return filled, err
		}
		c.Content = append(c.Content, filled)
	}
	if c.Kind == yaml.MappingNode {
		d.checkKeys(c)
	}
	return c, nil
}

func (d *document) checkKeys(m *yaml.Node) {
	first := map[string]int{}
	for i := 0; i < len(m.Content); i += 2 {
		k := m.Content[i]
		k.Value = strings.ReplaceAll(k.Value, "-", "_")
		if k.Kind != yaml.ScalarNode {
			d.problem(k, "yaml_syntax", "A key must be a word.")
			continue
		}
		if line, again := first[k.Value]; again {
			d.problem(k, "duplicate_key", "key %q is given twice, first at line %d.", clip(k.Value), line)
		}
		first[k.Value] = k.Line
	}
}

// pairs calls f for each key and value of a mapping. A value that is left out
// (null) is an empty mapping; anything else is reported.
func (d *document) pairs(key string, m *yaml.Node, f func(k, v *yaml.Node)) {
	switch {
	case null(m):
	case m.Kind != yaml.MappingNode:
		d.bad(m, cmp.Or(key, "each entry"), errors.New("must be keys and values (key: value)"))
	default:
		for i := 0; i+1 < len(m.Content); i += 2 {
			if m.Content[i].Kind == yaml.ScalarNode {
				f(m.Content[i], m.Content[i+1])
			}
		}
	}
}

// elements returns the elements of a list, none when it is left out (nil).
func (d *document) elements(key string, n *yaml.Node) []*yaml.Node {
	switch {
	case n == nil || null(n):
		return nil
	case n.Kind != yaml.SequenceNode:
		d.bad(n, key, errors.New("must be a list"))
		return nil
	case len(n.Content) > maxEntries:
		d.problem(n, "too_large", "%s has more than %d entries.", key, maxEntries)
		return nil
	}
	return n.Content
}

// scalar returns the text of a value just as it is written, so that 0123 keeps
// its zero. A missing value and a list are reported.
func (d *document) scalar(key string, n *yaml.Node) (text string, ok bool) {
	switch {
	case null(n):
		d.bad(n, key, errors.New("has no value; one that begins with # must be quoted"))
	case n.Kind != yaml.ScalarNode:
		d.bad(n, key, errors.New("must be one value"))
	default:
		return n.Value, true
	}
	return "", false
}

// section calls f for the keys of a mapping that are among known, and for
// those of the mappings in it: under prefix "sip." the key listen is known as
// "sip.listen". It reports the others.
func (d *document) section(prefix string, m *yaml.Node, known []string, f func(key string, n *yaml.Node)) {
	d.pairs(strings.TrimSuffix(prefix, "."), m, func(k, n *yaml.Node) {
		name := prefix + k.Value
		switch {
		case slices.Contains(known, name):
			f(name, n)
		case slices.ContainsFunc(known, func(key string) bool { return strings.HasPrefix(key, name+".") }):
			d.section(name+".", n, known, f)
		default:
			d.unknown(k, prefix, known)
		}
	})
}

// record reads a mapping into fields and says whether it is all right.
func (d *document) record(item *yaml.Node, fields []field, required ...string) bool {
	before := len(d.problems)
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	d.section("", item, names, func(key string, n *yaml.Node) {
		fields[slices.Index(names, key)].read(d, key, n)
	})
	d.require(item, required)
	return len(d.problems) == before
}

func (d *document) require(item *yaml.Node, keys []string) {
	for _, key := range keys {
		if (item.Kind == yaml.MappingNode || null(item)) && child(item, key) == nil {
			d.problem(item, "missing_key", "key %q is missing.", key)
		}
	}
}

// unknown reports a key that is not known in the section with a prefix.
func (d *document) unknown(k *yaml.Node, prefix string, known []string) {
	if d.full() {
		d.more = true
		return
	}
	var here, elsewhere []string
	for _, key := range known {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			word, _, _ := strings.Cut(rest, ".")
			here = append(here, word)
		}
		if section, ok := strings.CutSuffix("."+key, "."+k.Value); ok {
			elsewhere = append(elsewhere, cmp.Or(strings.TrimPrefix(section, "."), "the level above"))
		}
	}
	if elsewhere != nil {
		d.problem(k, "unknown_key", "unknown key %q here; it belongs in %s.", clip(k.Value), list(elsewhere))
		return
	}
	d.problem(k, "unknown_key", "unknown key %q%s", clip(k.Value), suggestion(k.Value, here))
}

// suggestion ends the sentence about an unknown name.
func suggestion(name string, names []string) string {
	if len(name) <= 64 {
		if near := engine.Nearest(name, names); near != "" {
			return fmt.Sprintf(", did you mean %q?", near)
		}
	}
	return "."
}

// null says that a key has nothing written behind it.
func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// child returns the value of a key of a mapping, or nil.
func child(m *yaml.Node, key string) *yaml.Node {
	if m == nil || m.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	return nil
}
