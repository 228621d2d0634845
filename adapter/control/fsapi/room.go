package fsapi

import (
	"slices"
	"strings"
	"time"

	"parley/engine"
	"parley/esl/conference"
)

// style reads the words of a list. counted is set for "count".
func style(words []string) (how conference.Style, counted bool) {
	for i := 0; i < len(words); i++ {
		switch strings.ToLower(words[i]) {
		case "delim":
			if i++; i < len(words) {
				how.Delimiter = words[i]
			}
		case "pretty":
			how.Pretty = true
		case "summary":
			how.Summary = true
		case "count":
			counted = true
		}
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

func (c *call) lock() bool   { return c.bolt(true, conference.Locked, "locked") }
func (c *call) unlock() bool { return c.bolt(false, conference.Unlocked, "unlocked") }

func (c *call) bolt(on bool, action conference.Action, said string) bool {
	if !c.do(engine.Lock{On: on}) {
		return true
	}
	if c.view.Locked == on {
		c.a.put(again{instance: c.view.Instance, action: action})
	}
	c.printf("+OK %s %s\n", c.name, said)
	return true
}

// get prints one value of the room.
func (c *call) get() bool {
	if len(c.words) != 1 {
		return false
	}
	v := &c.view
	whether := func(is bool, word string) string {
		if is {
			return word
		}
		return ""
	}
	switch c.words[0] {
	case "run_time":
		c.printf("%d", int(time.Since(v.StartedAt)/time.Second))
	case "count":
		return c.count()
	case "count_ghosts", "endconference_grace_time":
		c.printf("0")
	case "max_members":
		c.printf("%d", v.MaxParticipants)
	case "rate":
		c.printf("%d", rateOf(c.members()))
	case "profile_name":
		c.printf("%s", v.Profile)
	case "sound_prefix", "caller_id_name", "caller_id_number": // there is none of them
	case "is_locked":
		c.printf("%s", whether(v.Locked, "locked"))
	case "uuid":
		c.printf("%s", uuidOf(string(v.Instance)))
	case "wait_mod":
		c.printf("%s", whether(v.State == "waiting", "true"))
	default:
		return false
	}
	return true
}
