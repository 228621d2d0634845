package fsapi

import (
	"fmt"
	"slices"
	"strings"

	"parley/engine"
	"parley/esl"
)

// Limits of the variables of a room, which are in each of its events.
const (
	maxVariables = 100
	maxVariable  = 1024 // bytes of a name and its value
)

// variable sets a variable of a room, or with "" deletes it.
type variable struct {
	instance    engine.InstanceID
	name, value string
}

// setting is a value of a room that only "get" and "set" know of.
type setting struct {
	instance    engine.InstanceID
	name, value string
}

// setVariable sets a variable of the room: it is in its events and lists.
func (c *call) setVariable() bool {
	v := variable{instance: c.view.Instance}
	if len(c.words) > 0 {
		v.name = c.words[0]
	}
	if len(c.words) > 1 {
		v.value = c.words[1]
	}
	answer := "+OK\n"
	c.a.judge(c.view.Instance, func(r *run) any {
		switch {
		case v.name == "":
			return nil
		case v.value != "" && (len(r.vars) >= maxVariables || len(v.name)+len(v.value) > maxVariable):
			answer = fmt.Sprintf("-ERR a room has up to %d variables of %d bytes here\n", maxVariables, maxVariable)
			return nil
		default:
			return v
		}
	})
	c.printf("%s", answer)
	return true
}

func (c *call) getVariable() bool {
	if len(c.words) > 0 {
		r := c.a.runOf(c.view.Instance)
		c.printf("%s", r.vars.Value(c.words[0]))
	}
	return true
}

// set replaces a variable; it comes last then, as at the switch.
func (v variable) set(vars esl.Headers) esl.Headers {
	vars = slices.DeleteFunc(slices.Clone(vars), func(h esl.Header) bool { return strings.EqualFold(h.Name, v.name) })
	if v.value != "" {
		vars = append(vars, esl.Header{Name: v.name, Value: v.value})
	}
	return vars
}

// The states of a room's music that "moh" sets.
const (
	mohOff  = "moh"      // a setting: "off", or "" for on
	mohFile = "moh_file" // a setting: in place of the profile's; "" = that
)

// moh changes the music of who is alone or waits.
func (c *call) moh() bool {
	if len(c.words) == 0 {
		c.printf("-ERR invalid moh param\n")
		return true
	}
	if c.do(engine.Rule{Name: "moh_sound", To: c.music}) {
		c.printf("+OK moh\n")
	}
	return true
}

// music is what follows on the room's music by the first word. The room asks for it.
func (c *call) music() string {
	r := c.a.runOf(c.view.Instance)
	off, file := r.set[mohOff], r.set[mohFile]
	switch word := strings.ToLower(c.words[0]); {
	case word == "toggle" && off == "", word == "off":
		off = "off"
	case word == "toggle", word == "on":
		off = ""
	case word == "reset":
		file = ""
	default:
		file = c.words[0]
	}
	c.a.put(setting{c.view.Instance, mohOff, off})
	c.a.put(setting{c.view.Instance, mohFile, file})
	if off != "" {
		return ""
	}
	if p := c.a.opts.Exchange.Profile(c.view.Name, c.view.Profile); file == "" && p != nil {
		return p.MOHSound
	}
	return file
}

// keep notes a setting, and prints the old one.
func (c *call) keep(name, value string) {
	c.a.judge(c.view.Instance, func(r *run) any {
		c.printf("%s", r.set[name])
		return setting{c.view.Instance, name, value}
	})
}
