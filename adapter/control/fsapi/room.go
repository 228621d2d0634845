package fsapi

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/engine"
	"parley/esl/conference"
)

// style reads the first word of a list, the only one that the switch looks at,
// and the one behind "delim". counted is set for "count".
func style(words []string) (how conference.Style, counted bool) {
	if len(words) == 0 {
		return how, false
	}
	switch strings.ToLower(words[0]) {
	case "delim":
		if len(words) > 1 {
			how.Delimiter = words[1]
		}
		if text, quoted := strings.CutPrefix(how.Delimiter, `"`); quoted { // a blank has parted what it is in
			how.Delimiter, _, _ = strings.Cut(text, `"`)
		}
	case "pretty":
		how.Pretty = true
	case "summary":
		how.Summary = true
	case "count":
		counted = true
	}
	return how, counted
}

// list is "list" of all rooms.
func (c *call) list() {
	how, _ := style(c.words)
	c.printf("%s", conference.PrintList(c.sheets(), how))
}

func (c *call) listOne() bool {
	how, counted := style(c.words)
	if counted {
		return c.count()
	}
	s := c.a.sheet(&c.view)
	c.printf("%s", conference.PrintMembers(&s, how))
	return true
}

func (c *call) count() bool {
	c.printf("%d", len(c.members()))
	return true
}

func (c *call) xmlOne() bool {
	c.printf("%s", conference.PrintXML([]conference.Sheet{c.a.sheet(&c.view)}))
	return true
}

func (c *call) jsonOne() bool {
	c.printf("%s", conference.PrintJSON([]conference.Sheet{c.a.sheet(&c.view)}, slices.ContainsFunc(c.words, isCompact)))
	return true
}

func (c *call) lock() bool   { return c.bolt(true, "locked") }
func (c *call) unlock() bool { return c.bolt(false, "unlocked") }

func (c *call) bolt(on bool, said string) bool {
	if c.do(engine.Lock{On: on}) {
		c.printf("+OK %s %s\n", c.name, said)
	}
	return true
}

// wordIf is a word for what is so, and nothing for what is not.
func wordIf(is bool, word string) string {
	if is {
		return word
	}
	return ""
}

// get prints one value of the room.
func (c *call) get() bool {
	if len(c.words) != 1 {
		return false
	}
	v := &c.view
	switch name := strings.ToLower(c.words[0]); name {
	case "run_time":
		c.printf("%d", int(time.Since(v.StartedAt)/time.Second))
	case "count":
		return c.count()
	case "count_ghosts":
		c.printf("0")
	case "endconference_grace_time":
		c.printf("%s", c.grace())
	case "max_members":
		c.printf("%d", v.MaxParticipants)
	case "rate":
		c.printf("%d", rateOf(c.members()))
	case "profile_name":
		c.printf("%s", v.Profile)
	case "caller_id_name", "caller_id_number", soundPrefix:
		r := c.a.runOf(v.Instance)
		c.printf("%s", r.set[name])
	case "is_locked":
		c.printf("%s", wordIf(v.Locked, "locked"))
	case "uuid":
		c.printf("%s", uuidOf(string(v.Instance)))
	case "wait_mod":
		c.printf("%s", wordIf(v.State == "waiting", "true"))
	default:
		return false
	}
	return true
}

func (c *call) pin() bool {
	switch w := c.words; {
	case len(w) == 2 && w[0] == "mod":
		if c.do(engine.Rule{Name: "moderator_pin", Value: w[1]}) {
			c.printf("+OK Moderator Pin for conference %s set: %s\n", c.name, w[1])
		}
	case len(w) == 1:
		if c.do(engine.Rule{Name: "pin", Value: w[0]}) {
			c.printf("+OK Pin for conference %s set: %s\n", c.name, w[0])
		}
	default:
		c.printf("-ERR Invalid parameters:\n")
		return false
	}
	return true
}

func (c *call) noPIN() bool {
	if len(c.words) > 0 {
		c.printf("-ERR Invalid parameters:\n")
		return false
	}
	if c.do(engine.Rule{Name: "pin"}) {
		c.printf("+OK Pin for conference %s deleted\n", c.name)
	}
	return true
}

// setRule sets one value of the room, and prints the old one.
func (c *call) setRule() bool {
	if len(c.words) != 2 {
		return false
	}
	value, number := c.words[1], atoi(c.words[1])
	switch strings.ToLower(c.words[0]) {
	case "max_members":
		if number < 0 {
			return false
		}
		if c.do(engine.Rule{Name: "max_participants", Value: strconv.Itoa(number)}) {
			c.printf("%d", c.view.MaxParticipants)
		}
	case "endconference_grace_time":
		if number < 0 {
			return false
		}
		was := c.grace()
		if c.do(engine.Rule{Name: "end_grace", Value: strconv.Itoa(number)}) {
			c.a.put(setting{c.view.Instance, graceTime, strconv.Itoa(number)})
			c.printf("%s", was)
		}
	case "caller_id_name", "caller_id_number", soundPrefix:
		c.keep(strings.ToLower(c.words[0]), value)
	default:
		return false
	}
	return true
}

// graceTime is the setting that "set" makes.
const graceTime = "endconference_grace_time"

// grace is endconference_grace_time, in seconds.
func (c *call) grace() string {
	r := c.a.runOf(c.view.Instance)
	if set := r.set[graceTime]; set != "" {
		return set
	}
	if p := c.a.opts.Exchange.Profile(c.view.Name, c.view.Profile); p != nil {
		return strconv.Itoa(int(p.EndGrace / time.Second))
	}
	return "0"
}
