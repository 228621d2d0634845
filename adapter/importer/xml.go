package importer

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// MaxBytes is the largest source file.
const MaxBytes = 4 << 20

// Limits of a source file.
const (
	maxDepth    = 16     // of XML elements in each other
	maxElements = 20_000 // of XML
	maxVars     = 1_000  // that a file sets
	maxAttrs    = 32     // of one element
	maxValue    = 4096   // bytes of a value, after variables are filled in
)

// element is an XML element with its attributes; text is left out.
type element struct {
	name  string
	line  int
	attrs []attr
	in    []*element
}

type attr struct {
	name, value string
	unset       []string // $${variables} without a value, left as they were written
}

// attr returns an attribute; one that is missing is empty.
func (e *element) attr(name string) attr {
	for _, a := range e.attrs {
		if a.name == name {
			return a
		}
	}
	return attr{name: name}
}

// find returns the first child of a name, or nil.
func (e *element) find(name string) *element {
	if e == nil {
		return nil
	}
	for _, c := range e.in {
		if c.name == name {
			return c
		}
	}
	return nil
}

// xmlReader reads one file as FreeSWITCH does after its preprocessor: set
// directives count from where they stand. A document type is refused, so there
// are no entities but XML's own.
type xmlReader struct {
	file  string
	dec   *xml.Decoder
	given map[string]string // wins over what the file sets
	vars  map[string]string
	open  []*element
	seen  int
}

func readXML(file string, data []byte, given map[string]string) (*element, error) {
	r := &xmlReader{file: file, given: given, vars: map[string]string{}, open: []*element{{}}}
	if len(data) > MaxBytes {
		return nil, r.fail(0, "more than %d bytes", MaxBytes)
	}
	r.dec = xml.NewDecoder(bytes.NewReader(data))
	r.dec.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("the file must be UTF-8") }
	for {
		line, _ := r.dec.InputPos()
		t, err := r.dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = r.token(line, t)
		}
		if err != nil {
			return nil, r.problem(err)
		}
	}
	if root := r.open[0]; len(root.in) > 0 {
		return root, nil
	}
	return nil, r.fail(0, "no XML element in it")
}

func (r *xmlReader) fail(line int, format string, args ...any) error {
	return &Error{r.file, line, fmt.Sprintf(format, args...)}
}

// problem gives an error of the XML decoder its place.
func (r *xmlReader) problem(err error) error {
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return r.fail(syntax.Line, "XML: %s", clip(syntax.Msg))
	}
	if _, ours := errors.AsType[*Error](err); ours {
		return err
	}
	line, _ := r.dec.InputPos()
	return r.fail(line, "XML: %s", clip(err.Error()))
}

func (r *xmlReader) token(line int, t xml.Token) error {
	switch t := t.(type) {
	case xml.Directive:
		return r.fail(line, "a document type or another <! directive is not read")
	case xml.StartElement:
		return r.start(line, t)
	case xml.EndElement:
		r.open = r.open[:len(r.open)-1]
	default: // text, comments and processing instructions
	}
	return nil
}

func (r *xmlReader) start(line int, t xml.StartElement) error {
	r.seen++
	switch {
	case len(r.open) > maxDepth:
		return r.fail(line, "elements more than %d deep", maxDepth)
	case r.seen > maxElements:
		return r.fail(line, "more than %d elements", maxElements)
	case len(t.Attr) > maxAttrs:
		return r.fail(line, "an element with more than %d attributes", maxAttrs)
	}
	e := &element{name: t.Name.Local, line: line}
	for _, a := range t.Attr {
		value, unset := a.Value, []string(nil)
		if len(value) <= maxValue {
			value, unset = r.expand(value)
		}
		if len(value) > maxValue {
			return r.fail(line, "%s: a value of more than %d bytes", clip(a.Name.Local), maxValue)
		}
		e.attrs = append(e.attrs, attr{a.Name.Local, strings.TrimSpace(value), unset})
	}
	in := r.open[len(r.open)-1]
	in.in = append(in.in, e)
	r.open = append(r.open, e)
	return r.set(e)
}

// set obeys a directive that sets a variable.
func (r *xmlReader) set(e *element) error {
	if !e.preprocess() || !strings.EqualFold(e.attr("cmd").value, "set") {
		return nil
	}
	name, value, _ := strings.Cut(e.attr("data").value, "=")
	r.vars[strings.TrimSpace(name)] = strings.Trim(strings.TrimSpace(value), `'"`)
	if len(r.vars) > maxVars {
		return r.fail(e.line, "more than %d variables", maxVars)
	}
	return nil
}

func (e *element) preprocess() bool { return strings.EqualFold(e.name, "X-PRE-PROCESS") }

// expand fills in $${name}.
func (r *xmlReader) expand(text string) (filled string, unset []string) {
	if !strings.Contains(text, "$${") {
		return text, nil
	}
	filled = regexp.MustCompile(`\$\$\{[^{}]*\}`).ReplaceAllStringFunc(text, func(ref string) string {
		name := ref[3 : len(ref)-1]
		for _, vars := range []map[string]string{r.given, r.vars} {
			if v, ok := vars[name]; ok {
				return v
			}
		}
		if !slices.Contains(unset, name) {
			unset = append(unset, name)
		}
		return ref
	})
	return filled, unset
}
