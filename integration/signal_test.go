//go:build integration

package integration

// signalled sends named signals to callers, wherever they are.
func signalled(c *cell) {
	a := c.joins("parley_profile=waiting")
	c.note("%s is %s", a.name, c.roster(a).State)
	left := c.signal(a, "go")
	c.interrupted(a)
	c.members(0)
	b := c.joins("parley_allow_signals=stop,go")
	c.signal(b, "other")
	c.signal(b, "go")
	c.interrupted(b)
	late := c.dialTo("contract_later", "parley_room="+c.room)
	c.signal(late, "go")
	c.interrupted(late)
	c.signalTo(left, a.name, "go")
	d := c.joins("parley_allow_signals=none")
	c.signal(d, "go")
	e := c.joins("parley_allow_signals=")
	c.note("empty, which a switch takes for unset")
	c.signal(e, "go")
	c.interrupted(e)
}

// signal sends one to a caller who is at the switch, and notes the answer.
func (c *cell) signal(g *guest, name string) (call string) {
	c.Helper()
	call = c.w.channel(c.T, g.tag)
	c.signalTo(call, g.name, name)
	return call
}

func (c *cell) signalTo(call, who, name string) {
	c.Helper()
	a, err := c.p.api.Signal(c.brief(), call, name)
	c.command(err)
	said := string(a.Signal)
	if a.Why != "" {
		said += ", " + a.Why
	}
	c.note("`%s` to %s: %s", name, who, said)
}

// interrupted is goesOn, of a caller who was signalled.
func (c *cell) interrupted(g *guest) {
	c.Helper()
	c.goesOn(g)
	c.note("`parley_signal=%s`", c.w.end(c.T, g.tag).Var("read_signal"))
}
