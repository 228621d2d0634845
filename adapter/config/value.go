package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"parley/engine"
)

// field is one key and the place its value goes to.
type field struct {
	name string // "max_participants", "member.pins", "sip.listen"
	value
	flags
}

type flags uint8

const (
	spelling flags = 1 << iota // another way to write other fields: read, never printed
	restart                    // a change waits for a restart
)

// value is the place of one setting.
type value interface {
	read(d *document, key string, n *yaml.Node) // reports what is wrong with n
	node() *yaml.Node                           // as read would take it, secrets as ***
	take(from value)                            // copies the other one's
	same(as value) bool
}

// cell is a setting that is written as one scalar.
type cell[T any] struct {
	at    *T
	parse func(text string) (T, error) // the error completes "KEY …"
	print func(T) string
}

func (c cell[T]) read(d *document, key string, n *yaml.Node) {
	text, ok := d.scalar(key, n)
	if !ok {
		return
	}
	v, err := c.parse(text)
	if err != nil {
		d.bad(n, key, err)
		return
	}
	*c.at = v
}

func (c cell[T]) node() *yaml.Node   { return scalarNode(c.print(*c.at)) }
func (c cell[T]) take(from value)    { *c.at = *from.(cell[T]).at }
func (c cell[T]) same(as value) bool { return reflect.DeepEqual(*c.at, *as.(cell[T]).at) }

// scalarNode prints text; quotes keep it a text where YAML would see another
// thing in it.
func scalarNode(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: text}
	if text == "" || text == "~" || strings.EqualFold(text, "null") || strings.Contains(text, "\n") {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func listNode() *yaml.Node { return &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle} }

// inline renders a node on one line, for Diff.
func inline(n *yaml.Node) string {
	parts := make([]string, len(n.Content))
	for i, c := range n.Content {
		parts[i] = inline(c)
	}
	switch n.Kind {
	case yaml.SequenceNode:
		return "[" + strings.Join(parts, ", ") + "]"
	case yaml.MappingNode:
		return "{" + strings.Join(parts, " ") + "}"
	default:
	}
	return n.Value
}

// count is a whole number. note explains a special one, e.g. "0 = no limit".
func count(at *int, least int, note string) value {
	if note != "" {
		note = " (" + note + ")"
	}
	return cell[int]{at, func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || text != strconv.Itoa(n) || n < least || n > engine.MaxCount {
			return 0, fmt.Errorf("must be a whole number %d..%d%s", least, engine.MaxCount, note)
		}
		return n, nil
	}, strconv.Itoa}
}

// seconds is a duration in a key that ends in _s, to the millisecond.
func seconds(at *time.Duration, least int, note string) value {
	if note != "" {
		note = " (" + note + ")"
	}
	return cell[time.Duration]{at, func(text string) (time.Duration, error) {
		whole, part, dot := strings.Cut(text, ".")
		s, err := strconv.ParseFloat(text, 64)
		if err != nil || !digits(whole, 6) || dot && !digits(part, 3) || s < float64(least) || s > engine.MaxCount {
			return 0, fmt.Errorf("must be a number of seconds %d..%d%s", least, engine.MaxCount, note)
		}
		return time.Duration(s*1000+0.5) * time.Millisecond, nil
	}, func(t time.Duration) string { return strconv.FormatFloat(t.Seconds(), 'f', -1, 64) }}
}

// millis is a duration in a key that ends in _ms.
func millis(at *time.Duration, least, most int) value {
	return cell[time.Duration]{at, func(text string) (time.Duration, error) {
		n, err := strconv.Atoi(text)
		if err != nil || text != strconv.Itoa(n) || n < least || n > most {
			return 0, fmt.Errorf("must be a whole number of milliseconds %d..%d", least, most)
		}
		return time.Duration(n) * time.Millisecond, nil
	}, func(t time.Duration) string { return strconv.FormatInt(t.Milliseconds(), 10) }}
}

// yes is true or false, in the words that admins use for them.
func yes(at *bool) value {
	return cell[bool]{at, func(text string) (bool, error) {
		switch strings.ToLower(text) {
		case "true", "yes", "on":
			return true, nil
		case "false", "no", "off":
			return false, nil
		}
		return false, errors.New("must be true or false")
	}, strconv.FormatBool}
}

// named is a word and what it stands for.
type named[T comparable] struct {
	word string
	is   T
}

// choice is one of a few words. The first shown are the ones a message lists;
// the rest are understood too.
func choice[T comparable](at *T, shown int, words ...named[T]) value {
	return cell[T]{at, func(text string) (T, error) {
		for _, w := range words {
			if w.word == text {
				return w.is, nil
			}
		}
		var none T
		known := make([]string, shown)
		for i := range known {
			known[i] = words[i].word
		}
		return none, errors.New("must be " + list(known))
	}, func(v T) string {
		i := slices.IndexFunc(words, func(w named[T]) bool { return w.is == v })
		return words[max(i, 0)].word
	}}
}

// oneOf is a choice whose words are the values themselves.
func oneOf[T ~string](at *T, values ...T) value {
	words := make([]named[T], len(values))
	for i, v := range values {
		words[i] = named[T]{string(v), v}
	}
	return choice(at, len(words), words...)
}

// level is a whole number of dBov, or a word.
func level[T ~int](at *T, least, most int, words ...named[T]) value {
	allowed := []string{fmt.Sprintf("must be a whole number of dBov %d..%d", least, most)}
	for _, w := range words {
		allowed = append(allowed, "or "+w.word)
	}
	must := strings.Join(allowed, ", ")
	return cell[T]{at, func(text string) (T, error) {
		for _, w := range words {
			if text == w.word || w.word == "off" && text == "false" {
				return w.is, nil
			}
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return 0, errors.New(must)
		}
		return T(n), nil
	}, func(v T) string {
		for _, w := range words {
			if v == w.is {
				return w.word
			}
		}
		return strconv.Itoa(int(v))
	}}
}

// free is a text of at most 1,000 bytes on one line; it may be empty.
func free(at *string) value {
	return cell[string]{at, func(text string) (string, error) {
		if len(text) > 1000 || !utf8.ValidString(text) || strings.ContainsFunc(text, control) {
			return "", errors.New("must be one line of at most 1000 bytes")
		}
		return text, nil
	}, same}
}

// matching is a text that fits; the error says in words what it must be.
func matching(at *string, fits func(string) bool, must string) value {
	return cell[string]{at, func(text string) (string, error) {
		if len(text) > 1000 || !fits(text) {
			return "", errors.New("must be " + must)
		}
		return text, nil
	}, same}
}

func same(text string) string { return text }

// digits says whether text is one to most decimal digits.
func digits(text string, most int) bool {
	return text != "" && len(text) <= most && strings.Trim(text, "0123456789") == ""
}

func control(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

// words is a list of words; in one scalar they are parted by blanks, and by
// commas where there are known words. With known words each must be one of
// them, whatever its case, and at least one is needed.
type words struct {
	at    *[]string
	known []string
}

func (w words) read(d *document, key string, n *yaml.Node) {
	texts, ok := d.texts(key, n, w.known != nil)
	if !ok {
		return
	}
	var got []string
	for _, text := range texts {
		if w.known != nil {
			i := slices.IndexFunc(w.known, func(k string) bool { return strings.EqualFold(k, text) })
			if i < 0 || slices.Contains(got, w.known[i]) {
				d.bad(n, key, fmt.Errorf("must be a list of %s, each once", list(w.known)))
				return
			}
			text = w.known[i]
		} else if strings.ContainsFunc(text, control) {
			d.bad(n, key, errors.New("must not have control characters in it"))
			return
		}
		got = append(got, text)
	}
	if got == nil && w.known != nil {
		d.bad(n, key, fmt.Errorf("must be a list of %s, each once", list(w.known)))
		return
	}
	*w.at = got
}

// perhaps is a list of words that may be empty.
type perhaps struct{ words }

func (p perhaps) read(d *document, key string, n *yaml.Node) {
	if len(n.Content) == 0 && n.Value == "" {
		*p.at = nil
		return
	}
	p.words.read(d, key, n)
}

func (p perhaps) take(from value)    { *p.at = *from.(perhaps).at }
func (p perhaps) same(as value) bool { return slices.Equal(*p.at, *as.(perhaps).at) }

// texts are the items of a list, which one scalar may hold too, parted by
// blanks and maybe by commas.
func (d *document) texts(key string, n *yaml.Node, commas bool) (texts []string, ok bool) {
	if n.Kind != yaml.SequenceNode {
		text, ok := d.scalar(key, n)
		return strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == ',' && commas }), ok
	}
	for _, c := range n.Content {
		text, ok := d.scalar(key, c)
		if !ok {
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}

func (w words) node() *yaml.Node {
	l := listNode()
	for _, word := range *w.at {
		l.Content = append(l.Content, scalarNode(word))
	}
	return l
}

func (w words) take(from value)    { *w.at = *from.(words).at }
func (w words) same(as value) bool { return slices.Equal(*w.at, *as.(words).at) }

// Sounds that are silence, where an empty sound would mean another sound.
const (
	noSound = "silence:1"  // a millisecond of it
	noMusic = "silence:-1" // without end
)

var errEmptySound = errors.New("is empty; write a sound, or none for no sound")

// soundCell is a setting of the sound grammar.
type soundCell struct {
	cell[string]
	roles []*string // the same sound of the roles, which this one replaces
}

func (s soundCell) take(from value) {
	*s.at = *from.(soundCell).at
	for _, role := range s.roles {
		*role = ""
	}
}

func (s soundCell) same(as value) bool { return *s.at == *as.(soundCell).at }

// sound reads a sound. true and default stand for def, the built-in value;
// false and none for off. The grammar itself and whether files exist is judged
// where sounds are loaded: see Config.Sounds.
func sound(at *string, def, off string, roles ...*string) value {
	show := func(text string) string {
		switch text {
		case off:
			return "none"
		case "":
			return "default"
		}
		return text
	}
	return soundCell{cell[string]{at, soundParser(def, off), show}, roles}
}

// tone is a sound that is mostly switched: true is printed for the built-in
// one.
func tone(at *string, def string) value {
	show := func(text string) string {
		switch text {
		case def:
			return "true"
		case "":
			return "false"
		}
		return text
	}
	return soundCell{cell: cell[string]{at, soundParser(def, ""), show}}
}

func soundParser(def, off string) func(string) (string, error) {
	return func(text string) (string, error) {
		switch strings.ToLower(text) {
		case "":
			return "", errEmptySound
		case "true", "yes", "on", "default":
			return def, nil
		case "false", "no", "off", "none":
			return off, nil
		}
		if len(text) > 4096 || !utf8.ValidString(text) || strings.ContainsFunc(text, control) {
			return "", errors.New("must be a sound on one line of at most 4096 bytes")
		}
		return text, nil
	}
}
