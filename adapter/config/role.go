package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"parley/engine"
)

// both is one key for two places.
type both struct{ a, b value }

func (w both) read(d *document, key string, n *yaml.Node) {
	w.a.read(d, key, n)
	w.b.take(w.a)
}

func (w both) node() *yaml.Node { return w.a.node() }

func (w both) take(from value) {
	w.a.take(from.(both).a)
	w.b.take(from.(both).b)
}

func (w both) same(as value) bool { return w.a.same(as.(both).a) && w.b.same(as.(both).b) }

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// language is a tag such as en or pt-BR.
func language(at *string) value {
	return matching(at, func(text string) bool {
		return len(text) <= 35 && strings.Trim(text[:min(1, len(text))], letters) == "" &&
			len(text) >= 2 && strings.Trim(text, letters+"-_") == ""
	}, "a language such as en or pt-BR")
}

// token says whether text is a word that needs no quotes in a protocol.
func token(text string) bool {
	return text != "" && len(text) <= 128 && strings.Trim(text, letters+".-_@+") == ""
}

// keys are keys of a telephone, out of allowed; none for none.
func keys(at *string, allowed, must string) value {
	return cell[string]{at, func(text string) (string, error) {
		switch {
		case text == "none" || text == "false":
			return "", nil
		case text == "" || len(text) > 8 || strings.Trim(text, allowed) != "":
			return "", errors.New("must be " + must)
		}
		return text, nil
	}, func(text string) string {
		if text == "" {
			return "none"
		}
		return text
	}}
}

const keypad = "0123456789*#ABCD"

func terminator(at *string) value {
	return keys(at, keypad, "1 to 8 keys of 0-9 * # A-D, or none")
}

// pins are the PINs of a role: "1234", or {pin: "1234", label: Ann}.
type pins struct{ at *[]engine.PIN }

func (p pins) read(d *document, key string, n *yaml.Node) {
	var got []engine.PIN
	for _, c := range d.elements(key, n) {
		if _, digits, ok := pinEntry(c); ok {
			got = append(got, engine.NewPIN(digits))
		} else {
			d.bad(c, key, errors.New(`must be PINs of 1 to 16 digits, each "1234" or {pin: "1234", label: Ann}`))
		}
	}
	*p.at = got
}

func (p pins) node() *yaml.Node {
	l := listNode()
	for _, pin := range *p.at {
		l.Content = append(l.Content, scalarNode(pin.String()))
	}
	return l
}

func (p pins) take(from value)    { *p.at = *from.(pins).at }
func (p pins) same(as value) bool { return slices.Equal(*p.at, *as.(pins).at) }

// pinEntry reads one PIN. Its digits are taken as written: 0123 keeps its
// zero.
func pinEntry(n *yaml.Node) (label, pin string, ok bool) {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			v := n.Content[i+1]
			switch key := n.Content[i].Value; {
			case v.Kind == yaml.ScalarNode && key == "pin":
				pin = v.Value
			case v.Kind == yaml.ScalarNode && key == "label" && !strings.ContainsFunc(v.Value, control):
				label = v.Value
			default:
				return "", "", false
			}
		}
		return label, pin, digits(pin, 16)
	}
	return "", n.Value, n.Kind == yaml.ScalarNode && digits(n.Value, 16)
}

// knownPIN is a PIN while the PINs of a room are compared.
type knownPIN struct {
	digits, name string // name is how a message calls it
	at           *yaml.Node
	inherited    bool // from the room's profile; at is the room
}

// knownPINs lists the PINs under key of a profile or room.
func knownPINs(role string, n *yaml.Node) []knownPIN {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	var all []knownPIN
	for _, c := range n.Content {
		label, pin, ok := pinEntry(c)
		if !ok {
			continue
		}
		name := "a PIN of " + role + ".pins"
		if label != "" {
			name = fmt.Sprintf("PIN of %q", clip(label))
		}
		all = append(all, knownPIN{digits: pin, name: name, at: c})
	}
	return all
}

// builtinMenus are there without any configuration. A menu of the same name
// replaces one.
func builtinMenus() []engine.Controls {
	return []engine.Controls{engine.DefaultControls(engine.RoleMember), engine.DefaultControls(engine.RoleModerator)}
}

// menu is the controls of a role: a name, none, or the list itself.
type menu struct{ at *engine.Controls }

func (m menu) read(d *document, key string, n *yaml.Node) {
	if n.Kind == yaml.SequenceNode {
		*m.at = engine.Controls{Name: "inline", Keys: d.controls(key, n)}
		return
	}
	name, ok := d.scalar(key, n)
	if !ok {
		return
	}
	found, ok := d.menus[name]
	switch {
	case ok:
		*m.at = found
	case name == "none" || name == "false":
		*m.at = engine.Controls{Name: "none"}
	default:
		d.problem(n, "unknown_controls", "controls %q is not defined (known: %s).", clip(name), known(d.menus))
	}
}

func (m menu) node() *yaml.Node {
	if m.at.Name == "inline" {
		return keysNode(m.at.Keys)
	}
	return scalarNode(m.at.Name)
}

func (m menu) take(from value)    { *m.at = *from.(menu).at }
func (m menu) same(as value) bool { return reflect.DeepEqual(m.at, as.(menu).at) }

// menuKeys is the list of controls of a named menu.
type menuKeys struct{ at *[]engine.Control }

func (m menuKeys) read(d *document, key string, n *yaml.Node) { *m.at = d.controls(key, n) }
func (m menuKeys) node() *yaml.Node                           { return keysNode(*m.at) }
func (m menuKeys) take(from value)                            { *m.at = *from.(menuKeys).at }
func (m menuKeys) same(as value) bool                         { return slices.Equal(*m.at, *as.(menuKeys).at) }

func keysNode(controls []engine.Control) *yaml.Node {
	l := listNode()
	for _, c := range controls {
		l.Content = append(l.Content, &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{
			scalarNode("digits"), scalarNode(c.Digits), scalarNode("action"), scalarNode(string(c.Action)),
		}})
	}
	return l
}

// controls reads a list of {digits, action}.
func (d *document) controls(key string, n *yaml.Node) []engine.Control {
	var got []engine.Control
	first := map[string]int{}
	for _, item := range d.elements(key, n) {
		var c engine.Control
		if !d.record(item, []field{
			{"digits", matching(&c.Digits, func(text string) bool {
				return text != "" && len(text) <= 8 && strings.Trim(text, keypad) == ""
			}, "1 to 8 keys of 0-9 * # A-D"), 0},
			{"action", action(&c.Action), 0},
		}, "digits", "action") {
			continue
		}
		if line, again := first[c.Digits]; again {
			d.problem(item, "duplicate_digits", "digits %q already have an action at line %d.", c.Digits, line)
			continue
		}
		first[c.Digits] = item.Line
		got = append(got, c)
	}
	return got
}

// action reads what a control does; underscores and mod_conference's words are
// understood.
func action(at *engine.Action) value {
	others := map[string]engine.Action{
		"vol talk up": engine.ActionTalkUp, "vol talk dn": engine.ActionTalkDown, "vol talk zero": engine.ActionTalkReset,
		"vol listen up": engine.ActionListenUp, "vol listen dn": engine.ActionListenDown, "vol listen zero": engine.ActionListenReset,
		"hangup": engine.ActionLeave,
	}
	return cell[engine.Action]{at, func(text string) (engine.Action, error) {
		word := strings.ReplaceAll(text, "_", " ")
		if other, ok := others[word]; ok {
			return other, nil
		}
		if slices.Contains(engine.Actions(), engine.Action(word)) {
			return engine.Action(word), nil
		}
		names := make([]string, len(engine.Actions()))
		for i, a := range engine.Actions() {
			names[i] = string(a)
		}
		if len(word) <= 64 {
			if near := engine.Nearest(word, names); near != "" {
				return "", fmt.Errorf("must be an action, did you mean %q?", near)
			}
		}
		return "", errors.New("must be an action: " + strings.Join(names, ", "))
	}, func(a engine.Action) string { return string(a) }}
}
