package fsapi

import (
	"slices"
	"strings"

	"parley/engine"
)

// most is how many members a list of "relate" may have; more are passed over.
const most = 100

// relate shows or changes what members hear of one another.
func (c *call) relate() bool {
	switch n := len(c.words); {
	case n <= 1 && len(c.view.Relations) == 0:
		c.printf("+OK No relationships\n")
		return true
	case n == 0:
		return true
	case n == 1:
		for _, who := range members(c.words[0]) {
			c.showRelations(who)
		}
		return true
	case n == 2:
		return false
	}
	action := c.words[2]
	rel := engine.Relate{NoSpeak: strings.Contains(action, "nospeak"), NoHear: strings.Contains(action, "nohear")}
	clears := strings.EqualFold(action, "clear")
	if !clears && !rel.NoSpeak && !rel.NoHear && !strings.Contains(action, "sendvideo") {
		return false
	}
	for _, rel.From = range members(c.words[0]) {
		for _, rel.To = range members(c.words[1]) {
			if clears {
				c.unrelate(rel)
			} else {
				c.setRelation(rel, action)
			}
		}
	}
	return true
}

// members reads a list of numbers.
func members(list string) (ids []engine.MemberID) {
	for word := range strings.SplitSeq(list, ",") {
		if len(ids) < most {
			ids = append(ids, memberIn(word))
		}
	}
	return ids
}

// showRelations lists those of one member, or with 0 of all, the newest first.
func (c *call) showRelations(who engine.MemberID) {
	word := func(not bool, what string) string {
		if not {
			return "NO" + what
		}
		return what
	}
	for _, m := range c.members() {
		for _, r := range slices.Backward(c.view.Relations) {
			if r.From == m.ID && (who == 0 || who == m.ID) {
				c.printf("%d -> %d %s %s NOSENDVIDEO \n", r.From, r.To, word(r.NoSpeak, "SPEAK"), word(r.NoHear, "HEAR"))
			}
		}
	}
}

// unrelate ends a relation. The switch says so whether there was one or not.
func (c *call) unrelate(rel engine.Relate) {
	from, to := find(c.members(), rel.From), find(c.members(), rel.To)
	switch {
	case from == nil:
		c.printf("-ERR relationship %d->%d not found.\n", rel.From, rel.To)
	case to == nil || c.do(rel):
		c.printf("+OK relationship %d->%d cleared.\n", rel.From, rel.To)
	}
}

// setRelation makes one. About pictures alone there is nothing to do.
func (c *call) setRelation(rel engine.Relate, action string) {
	from, to := find(c.members(), rel.From), find(c.members(), rel.To)
	switch {
	case from == nil || to == nil:
		c.printf("-ERR relationship %d->%d not found.\n", rel.From, rel.To)
	case c.do(rel):
		c.printf("+OK %d->%d %s set\n", rel.From, rel.To, action)
	}
}
