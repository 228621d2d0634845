package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a file in Asterisk's grammar.
const (
	maxLine      = 8192   // bytes
	maxSections  = 10_000 // of a file
	maxVariables = 50_000 // of a file, those of bases counted each time
	maxNesting   = 64     // of block comments
)

// conf is a file in Asterisk's grammar: sections of name = value.
type conf struct {
	sections []*confSection
	skipped  []param // directives and lines that were not followed
}

// confSection is [name](template, bases); those that stand there twice are one.
type confSection struct {
	name     string
	line     int
	template bool // it is there for others to have as a base
	vars     []param
}

// confReader reads a file line by line as Asterisk does.
type confReader struct {
	conf
	file  string
	line  int
	open  *confSection
	depth int // of block comments
	total int // variables
}

func readConf(file string, data []byte) (*conf, error) {
	r := &confReader{file: file}
	if len(data) > MaxBytes {
		return nil, r.fail("more than %d bytes", MaxBytes)
	}
	for text := range strings.SplitSeq(strings.TrimPrefix(string(data), "\ufeff"), "\n") {
		r.line++
		switch {
		case len(text) > maxLine:
			return nil, r.fail("a line of more than %d bytes", maxLine)
		case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
			return nil, r.fail("it is not UTF-8")
		}
		text, err := r.uncomment(text)
		if err == nil {
			err = r.text(strings.TrimSpace(text))
		}
		if err != nil {
			return nil, err
		}
	}
	if r.depth > 0 {
		return nil, r.fail("a comment that begins with ;-- has no --;")
	}
	return &r.conf, nil
}

func (r *confReader) fail(format string, args ...any) error {
	return &Error{r.file, r.line, fmt.Sprintf(format, args...)}
}

// uncomment takes out ; comments, and ;-- comments --; that may be nested and
// go over lines. \; is a semicolon.
func (r *confReader) uncomment(text string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		switch {
		case r.depth > 0 && strings.HasPrefix(rest, "--;"):
			r.depth--
			i += 2
		case strings.HasPrefix(rest, ";--") && !strings.HasPrefix(rest, ";---"):
			if r.depth++; r.depth > maxNesting {
				return "", r.fail("comments more than %d deep", maxNesting)
			}
			i += 2
		case r.depth > 0:
		case strings.HasPrefix(rest, `\;`):
			b.WriteByte(';')
			i++
		case rest[0] == ';':
			return b.String(), nil
		default:
			b.WriteByte(rest[0])
		}
	}
	return b.String(), nil
}

// text reads a line without its comments.
func (r *confReader) text(text string) error {
	switch {
	case text == "":
		return nil
	case text[0] == '[':
		return r.section(text)
	case text[0] == '#':
		word, _, _ := strings.Cut(text, " ")
		r.skipped = append(r.skipped, param{name: word, line: r.line})
		return nil
	case r.open == nil:
		return r.fail("there is no [section] before it")
	}
	return r.variable(text)
}

// section reads [name](!,base,+).
func (r *confReader) section(text string) error {
	name, rest, ok := strings.Cut(text[1:], "]")
	if !ok || name == "" {
		return r.fail("a section needs a name and a ]")
	}
	words, err := r.options(name, strings.TrimSpace(rest))
	if err != nil {
		return err
	}
	s := &confSection{name: name, line: r.line, template: slices.Contains(words, "!")}
	before, add := r.find(name), slices.Contains(words, "+")
	switch {
	case before == nil && add:
		return r.fail("[%s](+): there is no section of that name before it", clip(name))
	case before != nil && before.template == s.template || add:
		s = before
	case len(r.sections) == maxSections:
		return r.fail("more than %d sections", maxSections)
	default:
		r.sections = append(r.sections, s)
	}
	r.open = s
	for _, word := range words {
		if word == "!" || word == "+" {
			continue
		}
		from := r.find(word)
		if from == nil {
			return r.fail("[%s](%s): there is no section of that name before it", clip(name), clip(word))
		}
		if err := r.count(len(from.vars)); err != nil {
			return err
		}
		s.vars = append(s.vars, from.vars...)
	}
	return nil
}

// options reads (!,base,+), or nothing.
func (r *confReader) options(name, text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	list, _, ok := strings.Cut(strings.TrimPrefix(text, "("), ")")
	if !ok || text[0] != '(' {
		return nil, r.fail("after [%s] there must be nothing, or (…)", clip(name))
	}
	words := strings.Split(list, ",")
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	return words, nil
}

// find returns the last section of a name, in any case.
func (r *confReader) find(name string) *confSection {
	for _, s := range slices.Backward(r.sections) {
		if strings.EqualFold(s.name, name) {
			return s
		}
	}
	return nil
}

func (r *confReader) count(n int) error {
	if r.total += n; r.total > maxVariables {
		return r.fail("more than %d options", maxVariables)
	}
	return nil
}

// variable reads name = value, name => value and name += value. A backslash
// before the name keeps its first character from its meaning.
func (r *confReader) variable(text string) error {
	escaped := text[0] == '\\'
	if escaped {
		text = text[1:]
	}
	i := strings.IndexByte(text, '=')
	if escaped && i == 0 {
		i = 1 + strings.IndexByte(text[1:], '=')
	}
	if i <= 0 {
		r.skipped = append(r.skipped, param{name: text, line: r.line})
		return nil
	}
	more := text[i-1] == '+' && i > 1
	name := strings.TrimSpace(strings.TrimSuffix(text[:i], "+"))
	value := strings.TrimSpace(strings.TrimPrefix(text[i+1:], ">"))
	if len(value) > maxValue || len(name) > maxValue {
		return r.fail("an option of more than %d bytes", maxValue)
	}
	if more {
		for k, v := range slices.Backward(r.open.vars) {
			if v.name == name {
				value = v.value + " " + value
				r.open.vars = slices.Delete(slices.Clone(r.open.vars), k, k+1)
				break
			}
		}
		if len(value) > maxValue {
			return r.fail("an option of more than %d bytes", maxValue)
		}
	}
	r.open.vars = append(r.open.vars, param{name: name, value: value, line: r.line})
	return r.count(1)
}

// last are the options of a section of which the last one counts, in order.
func (s *confSection) last() []param {
	var all []param
	for i, v := range s.vars {
		v.name = strings.ToLower(v.name)
		if !slices.ContainsFunc(s.vars[i+1:], func(o param) bool { return strings.EqualFold(o.name, v.name) }) {
			all = append(all, v)
		}
	}
	return all
}

// get returns the last value of an option, in any case.
func (s *confSection) get(name string) (value string) {
	for _, v := range s.vars {
		if strings.EqualFold(v.name, name) {
			value = v.value
		}
	}
	return value
}

// skip reports what was not followed.
func (r *Result) skip(c *conf) {
	for _, at := range c.skipped {
		switch strings.ToLower(at.name) {
		case "#include", "#tryinclude", "#exec":
			r.add(at.line, "", at.name, Lost, "It is not followed; import a file that has it filled in.")
		default:
			r.add(at.line, "", cmp.Or(at.name, "="), Unneeded, "It is no name = value; Asterisk ignores it too.")
		}
	}
}

// isTrue reads a boolean as Asterisk does: everything else is false.
func isTrue(value string) bool {
	return slices.Contains([]string{"yes", "true", "y", "t", "1", "on"}, strings.ToLower(value))
}

// untrue are the usual words for false, for rule.off.
const untrue = "no false n f 0 off"
