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
	maxNested   = 16   // includes in included files
	maxIncluded = 2000 // files
)

// Dialplan is how a dialplan is looked at.
type Dialplan struct {
	// Listen is where our listener for the socket application is.
	Listen string
	// Include reads what an X-PRE-PROCESS include of a file names; nil = they
	// are not followed.
	Include func(from, pattern string) ([]DialplanFile, error)
	// Judge says what is wrong with parley_NAME=VALUE, "" when nothing is; nil =
	// it is not asked.
	Judge func(name, value string) string
}

// DialplanFile is a file that another one includes.
type DialplanFile struct {
	Name string
	Data []byte
}

// dialplan is what is known of a dialplan.
type dialplan struct {
	Dialplan
	extensions []*extension
	problems   []string
	globals    map[string]string // of X-PRE-PROCESS set
	files      int               // read so far
}

// extension is one of them, with what matters to us.
type extension struct {
	file      string
	name      string
	line      int
	numbered  bool   // it has a condition that not every dialled number meets
	socket    int    // line of the socket application; 0 = it has none
	data      string // of that
	results   []int  // lines of conditions on our results
	again     bool   // it has a condition on parley_reattach: the results are of the stay before
	variables bool   // it sets a variable of ours
}

// CheckDialplan looks for what goes wrong with the socket application and our
// variables in a dialplan, whose name begins each line of the report:
// FILE:LINE: TEXT [CODE]. ours is how many extensions lead to us.
func CheckDialplan(name string, data []byte, how Dialplan) (ours int, problems []string) {
	d := &dialplan{Dialplan: how, globals: map[string]string{}}
	if err := d.read(name, data, nil, 0); err != nil {
		return 0, append(d.problems, err.Error())
	}
	for _, e := range d.extensions {
		if !e.leadsTo(d.Listen) {
			d.after(e)
			continue
		}
		if e.again {
			d.after(e)
			d.mode(e)
			continue
		}
		ours++
		d.mode(e)
		for _, line := range e.results {
			d.report(e.file, line, "condition on ${parley_result} in the extension of the socket (line %d): conditions are tested when an "+
				"extension is entered, before the call is with us. Put it into an extension of its own, and execute_extension "+
				"that after the socket. [dialplan_result]", e.socket)
		}
	}
	return ours, d.problems
}

func (d *dialplan) report(file string, line int, format string, args ...any) {
	d.problems = append(d.problems, fmt.Sprintf("%s:%d: ", file, line)+fmt.Sprintf(format, args...))
}

// leadsTo says whether the extension hands its calls to us, and not to some
// other program.
func (e *extension) leadsTo(listen string) bool {
	address, _, _ := strings.Cut(e.data, " ")
	return e.socket > 0 && (e.variables || e.results != nil || address == listen)
}

// mode judges the words after the socket's address.
func (d *dialplan) mode(e *extension) {
	words := strings.Fields(e.data)
	has := func(word string) bool { return slices.Contains(words[min(1, len(words)):], word) }
	control, mode, address := "single-channel", "static", d.Listen
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
		d.report(e.file, e.socket, `socket is "%s, %s"; use: socket %s async full. [socket_mode]`, control, mode, address)
	}
	if port, ours := portOf(address), portOf(d.Listen); port != ours && !strings.Contains(address, "$") {
		d.report(e.file, e.socket, "socket goes to %.80s, where this Parley does not listen; freeswitch.listen is %s. [socket_address]", clean(address), d.Listen)
	}
}

// after judges an extension that may come after ours.
func (d *dialplan) after(e *extension) {
	if len(e.results) == 0 || e.numbered {
		return
	}
	d.report(e.file, e.line, "extension %q tests ${parley_result} without a condition on destination_number: every call of the "+
		"context that has no result matches it. Add <condition field=\"destination_number\" expression=\"^%s$\"/> before it. "+
		"[dialplan_after]", e.name, e.name)
}

// anyNumber is one that no condition means in particular.
const anyNumber = "00000000000000000000"

// read goes through the XML of a file once. in is the extension that is open
// where another file includes it, nested so deep.
func (d *dialplan) read(name string, data []byte, in *extension, nested int) error {
	switch d.files++; {
	case len(data) > maxDialplan:
		return fmt.Errorf("%s: the file has more than %d bytes. [too_large]", name, maxDialplan)
	case d.files > maxIncluded || nested > maxNested:
		return fmt.Errorf("%s: it is included more than %d deep, or more than %d files are. [too_large]", name, maxNested, maxIncluded)
	}
	x, result, depth := xml.NewDecoder(bytes.NewReader(data)), resultField(), 0
	for {
		line, _ := x.InputPos()
		t, err := x.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%s:%d: %s. [dialplan_xml]", name, line, strings.TrimPrefix(err.Error(), "XML syntax "))
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return fmt.Errorf("%s:%d: elements are more than %d deep. [too_large]", name, line, maxDepth)
			}
			switch {
			case strings.EqualFold(t.Name.Local, "X-PRE-PROCESS"):
				if err := d.directive(name, line, t, in, nested); err != nil {
					return err
				}
			case t.Name.Local == "extension":
				in = &extension{file: name, name: clean(attribute(t, "name")), line: line}
				d.extensions = append(d.extensions, in)
			case in != nil:
				d.take(in, name, t, line, result)
			}
		case xml.EndElement:
			if depth--; t.Name.Local == "extension" {
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
func (d *dialplan) take(e *extension, file string, t xml.StartElement, line int, result *regexp.Regexp) {
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
		switch app := attribute(t, "application"); app {
		case "socket":
			e.socket, e.data = line, strings.TrimSpace(d.expand(data))
		case "set", "export", "multiset", "push":
			e.variables = e.variables || strings.HasPrefix(strings.TrimSpace(data), "parley_")
			d.assigned(file, line, app, data)
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
