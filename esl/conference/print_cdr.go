package conference

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/esl"
)

// CDR is the record of a room's run.
type CDR struct {
	Name, Hostname string
	Rate           int // Hz
	Begin, End     time.Time
	Forced         bool // it was ended, by command or by a leaving that ends it
	Stays          []Stay
	Attempts       []Attempt
}

// Stay is one member's, from joining to leaving.
type Stay struct {
	Caller                              CDRCaller
	Joined, Left                        time.Time
	Moderator, EndConference, Mandatory bool
	Kicked                              bool
	Order                               int // of joining
}

// Attempt is a call that was refused.
type Attempt struct {
	Caller CDRCaller
	Reason string // invalid_pin, conference_locked or max_members_reached
	At     time.Time
}

// CDRCaller is who called, as the record shows him.
type CDRCaller struct {
	Username, Dialplan, Name, Number, Address, Destination, UUID, Source, Context, Channel string

	CalleeName, CalleeNumber string // whom he sees, who was called; "" = he has called
	ANI                      string // "" = Number
}

// PrintCDR is the body of a conference::cdr event: who joined last comes first.
func PrintCDR(c *CDR) string {
	x := xmlPrinter{}
	x.b.WriteString("<?xml version=\"1.0\"?>\n")
	x.element("cdr", func() {
		x.element("conference", func() {
			x.text("name", c.Name)
			x.text("hostname", c.Hostname)
			x.text("rate", fmt.Sprint(c.Rate))
			x.text("interval", "20")
			x.time("start_time", "", c.Begin)
			x.time("end_time", fmt.Sprintf(` endconference_forced="%t"`, c.Forced), c.End)
			x.element("members", func() {
				for _, s := range slices.SortedStableFunc(slices.Values(c.Stays), func(a, b Stay) int { return cmp.Compare(b.Order, a.Order) }) {
					s.xml(&x)
				}
			})
			x.element("rejected", func() {
				for _, a := range slices.Backward(c.Attempts) {
					a.xml(&x)
				}
			})
		})
	})
	return x.b.String()
}

func (s *Stay) xml(x *xmlPrinter) {
	x.element(`member type="caller"`, func() {
		x.time("join_time", "", s.Joined)
		x.time("leave_time", "", s.Left)
		x.element("flags", func() {
			for _, f := range []truth{
				{"is_moderator", s.Moderator},
				{"end_conference", s.EndConference},
				{"mandatory_member_end_conference", s.Mandatory},
				{"was_kicked", s.Kicked},
				{"is_ghost", false},
			} {
				x.text(f.name, fmt.Sprint(f.up))
			}
		})
		s.Caller.xml(x)
	})
}

func (a *Attempt) xml(x *xmlPrinter) {
	x.element("attempt", func() {
		x.text("reason", a.Reason)
		x.time("reject_time", "", a.At)
		a.Caller.xml(x)
	})
}

func (c *CDRCaller) xml(x *xmlPrinter) {
	x.element("caller_profile", func() {
		for _, f := range [][2]string{
			{"username", c.Username},
			{"dialplan", c.Dialplan},
			{"caller_id_name", c.Name},
			{"caller_id_number", c.Number},
			{"callee_id_name", c.CalleeName},
			{"callee_id_number", c.CalleeNumber},
			{"ani", cmp.Or(c.ANI, c.Number)},
			{"aniii", ""},
			{"network_addr", c.Address},
			{"rdnis", ""},
			{"destination_number", c.Destination},
			{"uuid", c.UUID},
			{"source", c.Source},
			{"context", c.Context},
			{"chan_name", c.Channel},
		} {
			x.text(f[0], f[1])
		}
	})
}

// xmlPrinter writes elements on lines of their own, two blanks deeper each.
type xmlPrinter struct {
	b     strings.Builder
	depth int
}

func (x *xmlPrinter) indent() string { return strings.Repeat("  ", x.depth) }

// element writes one that has others in it; without any it is on one line.
func (x *xmlPrinter) element(head string, fill func()) {
	name, _, _ := strings.Cut(head, " ")
	fmt.Fprintf(&x.b, "%s<%s>", x.indent(), head)
	before := x.b.Len()
	x.depth++
	x.b.WriteByte('\n')
	fill()
	x.depth--
	if x.b.Len() == before+1 {
		text := strings.TrimSuffix(x.b.String(), "\n")
		x.b.Reset()
		x.b.WriteString(text + "</" + name + ">\n")
		return
	}
	fmt.Fprintf(&x.b, "%s</%s>\n", x.indent(), name)
}

func (x *xmlPrinter) text(name, value string) {
	fmt.Fprintf(&x.b, "%s<%s>%s</%s>\n", x.indent(), name, esl.EscapeXML(value), name)
}

func (x *xmlPrinter) time(name, attributes string, at time.Time) {
	fmt.Fprintf(&x.b, "%s<%s%s type=\"UNIX-epoch\">%d</%s>\n", x.indent(), name, attributes, at.Unix(), name)
}
