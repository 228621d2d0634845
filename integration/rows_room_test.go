//go:build integration

package integration

import (
	"fmt"
	"time"
)

// doorRows are the ways in, and the refusals.
func doorRows() []row {
	pin := func(keys ...string) func(*cell) {
		return func(c *cell) {
			a := c.dial("parley_profile=pin")
			c.asked(a)
			for _, k := range keys {
				c.types(a, k)
				time.Sleep(300 * time.Millisecond)
			}
			c.admitted(a)
		}
	}
	return []row{
		{"P1", "the right PIN", pin("1234#")},
		{"P2", "the moderators' PIN, without a terminator", pin("98765")},
		{"P3", "the right PIN on the third try", pin("77#", "78#", "1234#")},
		{"P4", "three wrong PINs", func(c *cell) {
			a := c.dial("parley_profile=pin")
			c.asked(a)
			for range 3 {
				c.types(a, "77#")
				time.Sleep(300 * time.Millisecond)
			}
			c.goesOn(a)
		}},
		{"P5", "`parley_pin=1234`", func(c *cell) { c.admitted(c.dial("parley_profile=pin", "parley_pin=1234")) }},
		{"P6", "`parley_pin=77`, then the right one", func(c *cell) {
			a := c.dial("parley_profile=pin", "parley_pin=77")
			c.asked(a)
			c.types(a, "1234#")
			c.admitted(a)
		}},
		{"P7", "no moderator yet, then one comes", func(c *cell) {
			a, b := c.joins("parley_profile=waiting"), c.joins("parley_profile=waiting")
			c.note("%s is %s", a.name, c.roster(a).State)
			c.ears(a, b)
			c.music(a)
			m := c.joins("parley_profile=waiting", "parley_role=moderator")
			eventually(c.T, 10*time.Second, "the end of the wait", func() (string, bool) {
				v, _ := c.view()
				return "", c.roster(a).State == "joined" && c.roster(b).State == "joined" && v.State == "active"
			})
			c.ears(a, b, m)
		}},
		{"P8", "no moderator comes (`wait_timeout_s: 2`)", func(c *cell) { c.goesOn(c.joins("parley_profile=hasty")) }},
		{"P9", "a full room; a moderator's reserved seat", func(c *cell) {
			a := c.joins("parley_profile=one")
			c.goesOn(c.dial("parley_profile=one"))
			m := c.joins("parley_profile=one", "parley_role=moderator")
			c.note("%s, a moderator, is %s", m.name, c.roster(m).State)
			c.ears(a, m)
		}},
		{"P10", "a moderator locks by `*5`; a member comes, a moderator comes", func(c *cell) {
			a := c.joins("parley_role=moderator")
			c.types(a, "*5")
			eventually(c.T, 10*time.Second, "the lock", func() (string, bool) {
				v, _ := c.view()
				return "", v.Locked
			})
			c.goesOn(c.dial())
			m := c.joins("parley_role=moderator")
			c.note("%s, a moderator, is %s", m.name, c.roster(m).State)
			c.command(c.p.api.Lock(c.brief(), c.room, false))
			b := c.joins()
			c.note("after `unlock` %s is %s", b.name, c.roster(b).State)
		}},
	}
}

// asked waits until a caller is asked for his PIN.
func (c *cell) asked(g *guest) {
	c.Helper()
	call := c.w.channel(c.T, g.tag)
	eventually(c.T, 15*time.Second, g.name+" being asked for his PIN", func() (string, bool) {
		e, err := c.p.api.ExplainCall(c.brief(), call)
		return fmt.Sprint(e.State, err), err == nil && e.State == "pin"
	})
}

// admitted waits until a caller is in and notes as what.
func (c *cell) admitted(g *guest) {
	c.Helper()
	c.members(1)
	m := c.roster(g)
	c.note("%s is a %s, %s", g.name, m.Role, m.State)
}

// roomRows are what happens in a room, and the ways out.
func roomRows() []row {
	return []row{
		{"R1", "alone, then two", func(c *cell) {
			a := c.joins()
			c.music(a)
			b := c.joins()
			c.music(a)
			c.ears(a, b)
		}},
		{"R2", "entry and exit tones", func(c *cell) {
			a := c.joins("parley_profile=tones")
			from := len(a.Record())
			b := c.joins("parley_profile=tones")
			c.since(a, from, entryHz, "the entry tone")
			from = len(a.Record())
			b.Hangup()
			c.members(1)
			c.since(a, from, exitHz, "the exit tone")
		}},
		{"R3", "`parley room NAME kick MEMBER`", func(c *cell) {
			a, b := c.joins(), c.joins()
			c.command(c.p.api.Kick(c.brief(), c.room, c.roster(a).ID.String()))
			c.goesOn(a)
			c.note("%s stays: %s", b.name, c.roster(b).State)
		}},
		{"R4", "`parley room NAME end`", func(c *cell) {
			a, b := c.joins(), c.joins()
			c.command(c.p.api.End(c.brief(), c.room))
			c.goesOn(a)
			c.goesOn(b)
		}},
		{"R5", "`parley room NAME mute`, `unmute`", func(c *cell) {
			a, b := c.joins(), c.joins()
			id := c.roster(a).ID.String()
			c.command(c.p.api.Set(c.brief(), c.room, id, "muted", true))
			c.ears(a, b)
			c.command(c.p.api.Set(c.brief(), c.room, id, "muted", false))
			c.ears(a, b)
		}},
		{"R6", "`parley room NAME deaf`, `undeaf`", func(c *cell) {
			a, b := c.joins(), c.joins()
			id := c.roster(a).ID.String()
			c.command(c.p.api.Set(c.brief(), c.room, id, "deaf", true))
			c.ears(a, b)
			c.command(c.p.api.Set(c.brief(), c.room, id, "deaf", false))
			c.ears(a, b)
		}},
		{"R7", "he mutes himself by `*1`", func(c *cell) {
			a, b := c.joins(), c.joins()
			c.types(a, "*1")
			eventually(c.T, 10*time.Second, "the mute", func() (string, bool) { return "", c.roster(a).Muted })
			c.ears(a, b)
		}},
		{"R8", "the last moderator leaves (`end_on_exit: last`)", func(c *cell) {
			first, last := c.joins("parley_profile=ending", "parley_role=moderator"), c.joins("parley_profile=ending", "parley_role=moderator")
			stays := c.joins("parley_profile=ending")
			c.types(first, "#")
			c.goesOn(first)
			c.note("then %s is %s", stays.name, c.roster(stays).State)
			c.types(last, "#")
			c.goesOn(last)
			c.goesOn(stays)
		}},
		{"R9", "he leaves by `*8` of the menu", func(c *cell) {
			a := c.joins()
			c.types(a, "*8")
			c.goesOn(a)
		}},
	}
}
