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
