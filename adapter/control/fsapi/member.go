package fsapi

import (
	"strconv"
	"strings"

	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
)

func (c *call) mute(m *engine.MemberView, data string) {
	c.set(m, engine.Mute{Member: m.ID, On: true, Quiet: quiet(data)}, "mute")
}

func (c *call) unmute(m *engine.MemberView, data string) {
	c.set(m, engine.Mute{Member: m.ID, Quiet: quiet(data)}, "unmute")
}

func quiet(data string) bool { return strings.Contains(data, "quiet") }

func (c *call) toggleMute(m *engine.MemberView, data string) {
	var on bool
	if c.do(engine.Mute{Member: m.ID, Next: other(&on), Quiet: quiet(data)}) {
		c.printf("+OK %smute %d\n", wordIf(!on, "un"), m.ID)
	}
}

// other is what is not so now, and notes what that is. It may be read when the
// command has been answered.
func other(to *bool) func(bool) bool {
	return func(now bool) bool {
		*to = !now
		return *to
	}
}

func (c *call) deaf(m *engine.MemberView, _ string) {
	c.set(m, engine.Deafen{Member: m.ID, On: true}, "deaf")
}

func (c *call) undeaf(m *engine.MemberView, _ string) {
	c.set(m, engine.Deafen{Member: m.ID}, "undeaf")
}

// set changes a member. Where he is so already, the engine answers and tells the
// same, as the switch does.
func (c *call) set(m *engine.MemberView, command engine.Command, said string) {
	if c.do(command) {
		c.printf("+OK %s %d\n", said, m.ID)
	}
}

func (c *call) kick(m *engine.MemberView, sound string) {
	if c.do(engine.Kick{Member: m.ID, Sound: sound}) {
		c.printf("+OK kicked %d\n", m.ID)
	}
}

func (c *call) hup(m *engine.MemberView, _ string) {
	err := c.a.dismiss(c.ctx, &channel{c.view, *m}, engine.Kick{Member: m.ID, Quiet: true}, conference.Hupped)
	if err != nil {
		c.printf("%s", refusal(err))
		return
	}
	c.printf("+OK hup %d\n", m.ID)
}

// hold takes a member out of what the others hear, and plays him a file.
func (c *call) hold(m *engine.MemberView, file string) {
	if !c.do(engine.Hold{Member: m.ID, On: true}) {
		return
	}
	if file != "" {
		_ = c.a.opts.Exchange.Do(c.ctx, c.view.Name, engine.Play{Member: m.ID, What: engine.Media{Items: []string{c.prefixed(file)}}}) // the switch does not say, either
	}
	c.printf("+OK hold %d\n", m.ID)
}

func (c *call) unhold(m *engine.MemberView, _ string) {
	if !c.do(engine.Hold{Member: m.ID}) || !c.do(engine.StopPlay{Member: m.ID}) {
		return
	}
	c.printf("+OK unhold %d\n", m.ID)
}

func (c *call) volumeIn(m *engine.MemberView, data string) {
	c.volume(m, data, "IN", m.Talk, func(next func(engine.Decibels) engine.Decibels) engine.Gain {
		return engine.Gain{Member: m.ID, Talk: next}
	})
}

func (c *call) volumeOut(m *engine.MemberView, data string) {
	c.volume(m, data, "OUT", m.Listen, func(next func(engine.Decibels) engine.Decibels) engine.Gain {
		return engine.Gain{Member: m.ID, Listen: next}
	})
}

// volume sets one of a member's two gains, in the switch's steps.
func (c *call) volume(m *engine.MemberView, data, side string, now engine.Decibels, gain func(func(engine.Decibels) engine.Decibels) engine.Gain) {
	step := conference.Step(float64(now))
	if data != "" && !c.do(gain(func(now engine.Decibels) engine.Decibels {
		step = stepFrom(conference.Step(float64(now)), data)
		return engine.Decibels(conference.Gain(step))
	})) {
		return
	}
	c.printf("+OK Volume %s %d = %d\n", side, m.ID, step)
}

func level(step int) esl.Headers {
	return esl.Headers{{Name: "Volume-Level", Value: strconv.Itoa(step)}}
}

// stepFrom reads "up", "down" or a step, within the range.
func stepFrom(step int, data string) int {
	switch {
	case strings.EqualFold(data, "up"):
		step++
	case strings.EqualFold(data, "down"):
		step--
	default:
		step = atoi(data)
	}
	return max(-conference.MaxStep, min(step, conference.MaxStep))
}

// floor gives the floor to a member, or takes it from him.
func (c *call) floor(m *engine.MemberView, _ string) {
	c.a.judge(c.view.Instance, func(r *run) any {
		switch r.floor {
		case m.ID:
			c.printf("+OK floor none\n")
			return floor{c.view.Instance, 0}
		case 0:
			c.printf("+OK floor %d\n", m.ID)
			return floor{c.view.Instance, m.ID}
		default:
			c.printf("-ERR floor is held by %d\n", r.floor)
			return nil
		}
	})
}
