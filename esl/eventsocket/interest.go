package eventsocket

import (
	"regexp"
	"slices"
	"strings"

	"parley/esl"
)

// Limits of what one client may subscribe to.
const (
	maxSubclasses = 1000
	maxFilters    = 1000
	maxWord       = 256 // bytes of a subclass, or of a filter's header or value
)

// interest is what a client wants to be told of.
type interest struct {
	all        bool // every event, of every subclass
	names      map[string]bool
	subclasses map[string]bool // of CUSTOM; "" = those that have none
	filters    []filter
}

// any says whether it is subscribed to anything.
func (in *interest) any() bool { return in.all || len(in.names) > 0 || len(in.subclasses) > 0 }

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

// named says whether an event has been subscribed to.
func (in *interest) named(e *esl.Event) bool {
	name := e.Name()
	return in.all || in.names[name] || name == "CUSTOM" && in.subclasses[e.Value("Event-Subclass")]
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

// filter adds a filter. It is false when there are too many, or it is too long:
// a regular expression is many times as large as its text.
func (in *interest) filter(header, value string) bool {
	if len(in.filters) >= maxFilters || len(header) > maxWord || len(value) > maxWord {
		return false
	}
	in.filters = append(in.filters, newFilter(header, value))
	return true
}

// filter is one header that an event must, or must not, have with a value.
type filter struct {
	header, value string // as they were given
	exclude       bool
	compare       string
	pattern       *regexp.Regexp // nil: compare
}

// newFilter reads a value: "-" in front excludes, "/…/" is a regular
// expression. As at the switch, one that is none matches nothing.
func newFilter(header, value string) filter {
	f := filter{header: header, value: value, compare: strings.TrimLeft(value, "+- ")}
	sign := value[:len(value)-len(f.compare)]
	f.exclude = strings.TrimRight(sign, " ") != "" && strings.HasSuffix(strings.TrimRight(sign, " "), "-")
	if expression, ok := strings.CutPrefix(value, "/"); ok {
		if end := strings.LastIndexByte(expression, '/'); end >= 0 {
			if strings.Contains(expression[end+1:], "i") {
				expression = "(?i)" + expression[:end]
			} else {
				expression = expression[:end]
			}
		}
		if p, err := regexp.Compile(expression); err == nil {
			f.pattern = p
		}
	}
	return f
}

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
		in.filters = nil
		return
	}
	in.filters = slices.DeleteFunc(in.filters, func(f filter) bool {
		return strings.EqualFold(f.header, header) && (value == "" || f.value == value)
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
