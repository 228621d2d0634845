package eventsocket

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"parley/esl"
)

// Limits of what one client may subscribe to.
const (
	maxSubclasses = 1000
	maxFilters    = 1000
	maxText       = 256 << 10 // bytes of all filters
	maxSteps      = 10_000    // of the programs of all regular expressions: each may take so many for each byte of a header
	maxWord       = 256       // bytes of a subclass
)

// interest is what a client wants to be told of.
type interest struct {
	all        bool // every event, of every subclass
	names      map[string]bool
	subclasses map[string]bool // of CUSTOM; "" = those that have none, alone
	listening  bool            // it was told of events, if only which it does not want
	filters    []filter
	text       int // bytes of the filters
	steps      int // of their programs
}

// leave ends all subscriptions. It is false where there was never one. Filters
// stay.
func (in *interest) leave() bool {
	was := in.listening
	in.all, in.names, in.subclasses, in.listening = false, nil, nil, false
	return was
}

// words reads the names after "event" or "nixevent": what follows CUSTOM is a
// subclass. Names that no event has are passed over; known counts the others.
func words(list []string) (all bool, names, subclasses []string, known int) {
	custom := false
	for _, w := range list {
		if custom {
			subclasses = append(subclasses, w)
			continue
		}
		name, ok := eventName(w)
		if !ok {
			continue
		}
		known++
		switch name {
		case "ALL":
			all = true
		case "CUSTOM":
			custom = true
		default:
			names = append(names, name)
		}
	}
	if custom && len(subclasses) == 0 {
		subclasses = []string{""}
	}
	return all, names, subclasses, known
}

// add subscribes. It is false when there is nothing to subscribe to.
func (in *interest) add(list []string) bool {
	all, names, subclasses, known := words(list)
	if known == 0 {
		return false
	}
	if in.names == nil {
		in.names, in.subclasses = map[string]bool{}, map[string]bool{}
	}
	in.listening = true
	in.all = in.all || all
	for _, n := range names {
		in.names[n] = true
	}
	for _, s := range subclasses {
		if len(in.subclasses) < maxSubclasses && len(s) <= maxWord {
			in.subclasses[s] = true
		}
	}
	return true
}

// remove is the reverse of add. One name less than all is all the others.
func (in *interest) remove(list []string) bool {
	all, names, subclasses, known := words(list)
	if known == 0 {
		return false
	}
	in.listening = true
	if all {
		in.all, in.names, in.subclasses = false, nil, nil
		return true
	}
	if in.all && len(names) > 0 {
		in.all = false
		for name := range eventNames() {
			in.names[name] = true
		}
	}
	for _, n := range names {
		delete(in.names, n)
	}
	for _, s := range subclasses {
		delete(in.subclasses, s)
	}
	return true
}

// wants says whether an event passes, by its name and by the filters.
func (in *interest) wants(e *esl.Event) bool { return in.named(e) && in.passes(e) }

// named says whether an event has been subscribed to. One without a subclass is
// for all who want one of any.
func (in *interest) named(e *esl.Event) bool {
	name := e.Name()
	if in.all || in.names[name] {
		return true
	}
	subclass := e.Value("Event-Subclass")
	return name == "CUSTOM" && (in.subclasses[subclass] || subclass == "" && len(in.subclasses) > 0)
}

// passes applies the filters: one that fits lets the event through, one with a
// minus that fits drops it, and without any filter all pass.
func (in *interest) passes(e *esl.Event) bool {
	if len(in.filters) == 0 {
		return true
	}
	pass := false
	for i := range in.filters {
		f := &in.filters[i]
		if pass && !f.exclude {
			continue
		}
		value, ok := e.Lookup(f.header)
		if !ok || !f.fits(value) {
			continue
		}
		if f.exclude {
			return false
		}
		pass = true
	}
	return pass
}

// filter adds a filter. What it returns is why not.
func (in *interest) filter(header, value string) (refusal string) {
	f := newFilter(header, value)
	switch {
	case len(in.filters) >= maxFilters:
		return "-ERR too many filters"
	case in.text+f.text() > maxText, in.steps+f.steps > maxSteps:
		return "-ERR filters too large"
	}
	if f.steps > 0 {
		f.pattern = regexp.MustCompile(f.compare)
	}
	in.filters = append(in.filters, f)
	in.text += f.text()
	in.steps += f.steps
	return ""
}

// filter is one header that an event must, or must not, have with a value.
type filter struct {
	header, value string // as they were given
	exclude       bool
	compare       string         // or the regular expression
	steps         int            // of its program; 0: there is none
	pattern       *regexp.Regexp // nil: compare
}

// newFilter reads a value: "-" in front excludes, "/…/" is a regular
// expression. As at the switch, one that is none matches nothing. The pattern is
// not made yet.
func newFilter(header, value string) filter {
	f := filter{header: header, value: value, compare: strings.TrimLeft(value, "+- ")}
	sign := strings.TrimRight(value[:len(value)-len(f.compare)], " ")
	f.exclude = strings.HasSuffix(sign, "-")
	expression, ok := strings.CutPrefix(value, "/")
	if !ok {
		return f
	}
	if end := strings.LastIndexByte(expression, '/'); end >= 0 {
		if strings.Contains(expression[end+1:], "i") {
			expression = "(?i)" + expression[:end]
		} else {
			expression = expression[:end]
		}
	}
	if n := stepsOf(expression); n > 0 {
		f.compare, f.steps = expression, n
	}
	return f
}

// stepsOf is how large a regular expression's program is; 0: it is none. What is
// too long is not looked at.
func stepsOf(expression string) int {
	if len(expression) > maxSteps {
		return maxSteps + 1
	}
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return 0
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return 0
	}
	return len(program.Inst)
}

// text is how much of what was given is kept.
func (f *filter) text() int { return len(f.header) + len(f.value) }

func (f *filter) fits(value string) bool {
	if f.pattern != nil {
		return f.pattern.MatchString(value)
	}
	return strings.EqualFold(value, f.compare)
}

// unfilter takes back one filter, or with value "" all of a header; "all"
// takes back every one.
func (in *interest) unfilter(header, value string) {
	if strings.EqualFold(header, "all") {
		in.filters, in.text, in.steps = nil, 0, 0
		return
	}
	in.filters = slices.DeleteFunc(in.filters, func(f filter) bool {
		gone := strings.EqualFold(f.header, header) && (value == "" || f.value == value)
		if gone {
			in.text -= f.text()
			in.steps -= f.steps
		}
		return gone
	})
}

// prefixed is how many bytes may stand before an event's name: SWITCH_EVENT_.
const prefixed = len("SWITCH_EVENT_")

// eventName finds the event that a client means, in any case.
func eventName(word string) (string, bool) {
	names := eventNames()
	word = strings.ToUpper(word)
	if names[word] {
		return word, true
	}
	if len(word) > prefixed && names[word[prefixed:]] {
		return word[prefixed:], true
	}
	return "", false
}
