package freeswitch

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"parley/engine"
)

// Limits of a dialplan that is looked at.
const (
	maxDialplan = 1 << 20
	maxDepth    = 64
)

// dialplan is what is known of a file.
type dialplan struct {
	name       string
	extensions []*extension
	problems   []string
}

// extension is one of them, with what matters to us.
type extension struct {
	name      string
	line      int
	numbered  bool   // it has a condition that not every dialled number meets
	socket    int    // line of the socket application; 0 = it has none
	data      string // of that
	results   []int  // lines of conditions on our results
	again     bool   // it has a condition on parley_reattach: the results are of the stay before
	variables bool   // it sets a variable of ours
}

// CheckDialplan looks for what goes wrong with the socket application in a
// dialplan, whose name begins each line of the report: FILE:LINE: TEXT [CODE].
// listen is where our listener for it is. ours is how many extensions lead to
// us.
func CheckDialplan(name string, data []byte, listen string) (ours int, problems []string) {
	d := &dialplan{name: name}
	if err := d.read(data); err != nil {
		return 0, []string{err.Error()}
	}
	for _, e := range d.extensions {
		if !e.leadsTo(listen) {
			d.after(e)
			continue
		}
		if e.again {
			d.after(e)
			d.mode(e, listen)
			continue
		}
		ours++
		d.mode(e, listen)
		for _, line := range e.results {
			d.report(line, "condition on ${parley_result} in the extension of the socket (line %d): conditions are tested when an "+
				"extension is entered, before the call is with us. Put it into an extension of its own, and execute_extension "+
				"that after the socket. [dialplan_result]", e.socket)
		}
	}
	return ours, d.problems
}

func (d *dialplan) report(line int, format string, args ...any) {
	d.problems = append(d.problems, fmt.Sprintf("%s:%d: ", d.name, line)+fmt.Sprintf(format, args...))
}

// leadsTo says whether the extension hands its calls to us, and not to some
// other program.
func (e *extension) leadsTo(listen string) bool {
	address, _, _ := strings.Cut(e.data, " ")
	return e.socket > 0 && (e.variables || e.results != nil || address == listen)
}

// mode judges the words after the socket's address.
func (d *dialplan) mode(e *extension, listen string) {
	words := strings.Fields(e.data)
	has := func(word string) bool { return slices.Contains(words[min(1, len(words)):], word) }
	control, mode, address := "single-channel", "static", listen
	if has("full") {
		control = "full"
	}
	if has("async") {
		mode = "async"
	}
	if len(words) > 0 {
		address = words[0]
	}
	if control != "full" || mode != "async" {
		d.report(e.socket, `socket is "%s, %s"; use: socket %s async full. [socket_mode]`, control, mode, address)
	}
}

// after judges an extension that may come after ours.
func (d *dialplan) after(e *extension) {
	if len(e.results) == 0 || e.numbered {
		return
	}
	d.report(e.line, "extension %q tests ${parley_result} without a condition on destination_number: every call of the "+
		"context that has no result matches it. Add <condition field=\"destination_number\" expression=\"^%s$\"/> before it. "+
		"[dialplan_after]", e.name, e.name)
}

// anyNumber is one that no condition means in particular.
const anyNumber = "00000000000000000000"

// read goes through the XML once.
func (d *dialplan) read(data []byte) error {
	if len(data) > maxDialplan {
		return fmt.Errorf("%s: the file has more than %d bytes. [too_large]", d.name, maxDialplan)
	}
	x, result := xml.NewDecoder(bytes.NewReader(data)), resultField()
	depth := 0
	var in *extension // the one that is open
	for {
		line, _ := x.InputPos()
		t, err := x.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%s:%d: %s. [dialplan_xml]", d.name, line, strings.TrimPrefix(err.Error(), "XML syntax "))
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return fmt.Errorf("%s:%d: elements are more than %d deep. [too_large]", d.name, line, maxDepth)
			}
			if t.Name.Local == "extension" {
				in = &extension{name: clean(attribute(t, "name")), line: line}
				d.extensions = append(d.extensions, in)
			}
			if in != nil {
				in.take(t, line, result)
			}
		case xml.EndElement:
			depth--
			if t.Name.Local == "extension" {
				in = nil
			}
		}
	}
}

// resultField matches a condition's field that is a result of ours.
func resultField() *regexp.Regexp {
	var names []string
	for _, v := range (engine.Outcome{}).Variables() {
		names = append(names, v.Name)
	}
	return regexp.MustCompile(`\$\{parley_(` + strings.Join(names, "|") + `)\}`)
}

// take notes a condition or an action.
func (e *extension) take(t xml.StartElement, line int, result *regexp.Regexp) {
	switch t.Name.Local {
	case "condition", "regex":
		switch field := attribute(t, "field"); {
		case result.MatchString(field):
			e.results = append(e.results, line)
		case strings.Contains(field, "{"+tokenVariable+"}"):
			e.again = true
		case field == "destination_number" || field == "${destination_number}":
			number, err := regexp.Compile(attribute(t, "expression"))
			e.numbered = e.numbered || err != nil || !number.MatchString(anyNumber) // what only the switch can read means something
		}
	case "action", "anti-action":
		data := attribute(t, "data")
		switch attribute(t, "application") {
		case "socket":
			e.socket, e.data = line, strings.TrimSpace(data)
		case "set", "export", "multiset", "push":
			e.variables = e.variables || strings.HasPrefix(strings.TrimSpace(data), "parley_")
		}
	}
}

// clean makes a name fit for a message.
func clean(name string) string {
	return fmt.Sprintf("%.40s", strings.Map(func(r rune) rune {
		if r == '"' || unicode.IsControl(r) {
			return -1
		}
		return r
	}, name))
}

func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
