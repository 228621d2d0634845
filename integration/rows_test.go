//go:build integration

package integration

import (
	"strings"
	"time"
)

// contractRows is the dialplan contract (D1-D9, D12), every flag of it included.
func contractRows() []row {
	rows := []row{
		{"D1", "only `parley_room` is set", func(c *cell) {
			a, b := c.joins(), c.joins()
			v, _ := c.view()
			c.note("profile %s", v.Profile)
			c.ears(a, b)
		}},
		{"D2", "`parley_mutted=true`", func(c *cell) {
			c.warned(c.joins("parley_mutted=true"))
			if set, ok := c.w.argument("mutted=true"); ok {
				c.members(0)
				c.note("as an argument of `Stasis()`")
				c.warned(c.joins(set))
			}
		}},
		{"D3", "`parley_beep=loud`", func(c *cell) { c.warned(c.joins("parley_beep=loud")) }},
		{"D4", "the terminator (`#`)", func(c *cell) {
			a, b := c.joins(), c.joins()
			c.types(a, "#")
			c.goesOn(a)
			c.members(1)
			c.note("%s stays: %s", b.name, c.roster(b).State)
		}},
		{"D5", "the caller hangs up in the room", hangsUp},
		{"D6", "`parley_room` is empty, of 129 bytes, `../x`, 🎉", badNames},
		{"D7", "a signal (`POST /v1/calls/UUID/signal`) to who waits; to who is in the room; before he comes; after he left", signalled},
		{"D8", "a second caller with another `parley_max_participants`", func(c *cell) {
			c.joins("parley_max_participants=5")
			b := c.joins("parley_max_participants=7")
			v, _ := c.view()
			c.note("the room's: %d", v.MaxParticipants)
			c.warned(b)
		}},
		{"D12", "the switch transfers the caller (`uuid_transfer`; AMI `Redirect`)", transferred},
	}
	rows = append(rows, flagRows()...)
	rows = append(rows, doorRows()...)
	return append(rows, roomRows()...)
}

// warned notes the warnings that a member's dialplan reads.
func (c *cell) warned(g *guest) {
	c.Helper()
	c.note("%s is %s", g.name, c.roster(g).State)
	c.types(g, "#")
	e := c.w.end(c.T, g.tag)
	c.note("`parley_warnings`: %q", e.Var("read_warnings"))
}

func hangsUp(c *cell) {
	a := c.joins()
	time.Sleep(1100 * time.Millisecond) // a second of his duration
	a.Hangup()
	e := c.w.end(c.T, a.tag)
	c.note("on the channel: %q", strings.Join([]string{e.Var("parley_result"), e.Var("parley_reason"), e.Var("parley_exit")}, " "))
	c.note("hang-up hook ran %d time(s)", c.w.hooks(a.tag))
	eventually(c.T, 10*time.Second, "the CDR of "+a.tag, func() (string, bool) {
		csv := c.w.cdr(a.tag)
		if csv != "" {
			c.note("CDR: %s", csv)
		}
		return "", csv != ""
	})
	eventually(c.T, 10*time.Second, "the end of the room", func() (string, bool) {
		_, running := c.view()
		return "", !running
	})
}

func badNames(c *cell) {
	var guests []*guest
	for _, name := range []string{"", strings.Repeat("x", 129), "../x", "🎉"} {
		guests = append(guests, c.dial("parley_room="+name))
	}
	for _, g := range guests {
		c.goesOn(g)
	}
	rooms, err := c.p.api.Rooms(c.brief())
	c.command(err)
	for _, r := range rooms {
		if n := string(r.Name); strings.HasPrefix(n, "xx") || strings.ContainsAny(n, "/🎉") {
			c.note("a room %q", n)
		}
	}
}

func transferred(c *cell) {
	a, b := c.joins(), c.joins()
	c.w.transfer(c.T, a.tag)
	c.members(1)
	c.note("%s stays: %s", b.name, c.roster(b).State)
	eventually(c.T, 5*time.Second, "the line of the leave", func() (string, bool) {
		for l := range strings.Lines(c.p.log()) {
			if strings.Contains(l, "participant.left") && strings.Contains(l, "room="+c.room+" ") {
				_, reason, _ := strings.Cut(l, "reason=")
				c.note("%s left with reason %s", a.name, strings.Fields(reason)[0])
				return "", true
			}
		}
		return "no line", false
	})
	c.since(a, len(a.Record()), a.hz, "his echo, elsewhere")
}

// flagRows are the member flags.
func flagRows() []row {
	flagged := func(flag string) func(*cell) {
		return func(c *cell) {
			a, b := c.joins("parley_flags="+flag), c.joins()
			m := c.roster(a)
			c.note("%s is a %s, muted %v, deaf %v", a.name, m.Role, m.Muted, m.Deaf)
			c.ears(a, b)
		}
	}
	return []row{
		{"D9.1", "`parley_flags=mute`", flagged("mute")},
		{"D9.2", "`parley_flags=deaf`", flagged("deaf")},
		{"D9.3", "`parley_flags=mute,deaf,moderator`", flagged("mute,deaf,moderator")},
		{"D9.4", "`parley_flags=moderator`, where moderators have a PIN", func(c *cell) {
			c.note("A is a %s without being asked", c.roster(c.joins("parley_flags=moderator", "parley_profile=pin")).Role)
		}},
		{"D9.5", "`parley_flags=nomoh`, alone", func(c *cell) { c.music(c.joins("parley_flags=nomoh")) }},
		{"D9.6", "`parley_flags=join-only`", func(c *cell) {
			c.goesOn(c.dial("parley_flags=join-only"))
			c.joins()
			c.note("while the room runs: %s", c.roster(c.joins("parley_flags=join-only")).State)
		}},
		{"D9.7", "`parley_flags=endconf`, he leaves", func(c *cell) {
			a, b := c.joins("parley_flags=endconf"), c.joins()
			c.types(a, "#")
			c.goesOn(a)
			c.goesOn(b)
		}},
		{"D9.8", "`parley_flags=mandatory_member_endconf`, two of them leave", func(c *cell) {
			a, b, stays := c.joins("parley_flags=mandatory_member_endconf"), c.joins("parley_flags=mandatory_member_endconf"), c.joins()
			c.types(a, "#")
			c.goesOn(a)
			c.note("then %s is %s", stays.name, c.roster(stays).State)
			c.types(b, "#")
			c.goesOn(b)
			c.goesOn(stays)
		}},
		{"D9.9", "`parley_flags=ghost`, which Parley does not have", func(c *cell) {
			a, b := c.joins("parley_flags=ghost"), c.joins()
			c.ears(a, b)
			c.warned(a)
		}},
		{"D9.10", "`parley_muted=true`, `parley_deaf=true`", func(c *cell) {
			a, b, d := c.joins("parley_muted=true"), c.joins("parley_deaf=true"), c.joins()
			c.ears(a, b, d)
		}},
	}
}
