package engine

import (
	"slices"
	"strings"
	"time"
)

// mediaTimeout is how long a call may take until audio flows.
const mediaTimeout = 20 * time.Second

// call is one caller in the hands of the attendant: what he was asked, what
// he hears, and what becomes of him. The lobby and rooms both own calls; all
// methods run in the owner's goroutine.
type call struct {
	line    *line
	leg     Leg
	invite  Invite
	request request
	phase   phase
	since   time.Time // in this phase
	expires time.Time // of this phase; zero = never
	out     Outcome

	ops    *OpID           // the owner's counter
	prompt OpID            // awaited; 0 = none
	then   func(time.Time) // after the prompt
	ask    *collector      // nil: keys answer no question
	answer func(time.Time, string)
	typed  []byte // keys pressed before there was a question

	surplus      string    // keys that would have ended an answer which was complete without
	surplusUntil time.Time // one of them, pressed until then, means nothing more
}

func newCall(now time.Time, a arrival, ops *OpID) call {
	return call{
		line: a.line, leg: a.line.leg, invite: a.invite, request: a.request, typed: a.typed, ops: ops,
		since: now, expires: now.Add(mediaTimeout),
		out: Outcome{Warnings: tidyWarnings(slices.Concat(a.invite.Warnings, a.request.warnings))},
	}
}

// step moves the call on; false means that the step has no meaning now.
func (c *call) step(now time.Time, s step) bool {
	to, ok := c.phase.next(s)
	if ok {
		c.phase, c.since, c.expires = to, now, time.Time{}
	}
	return ok
}

func (c *call) op() OpID {
	*c.ops++
	return *c.ops
}

// say plays items, then does then. Nothing to play, or nobody to be told, means then
// at once. A later say takes the place of both.
func (c *call) say(now time.Time, m Media, then func(time.Time)) {
	if c.invite.Untold {
		m = Media{}
	}
	c.play(now, m, then)
}

// play is say of what somebody has asked to be played.
func (c *call) play(now time.Time, m Media, then func(time.Time)) {
	c.then = then
	if m.Empty() {
		c.prompt = 0
		c.promptDone(now, 0)
		return
	}
	c.prompt = c.op()
	c.leg.Play(c.prompt, m)
}

// hush ends what the caller hears, and what was to follow it.
func (c *call) hush() {
	c.prompt, c.then = 0, nil
	c.leg.StopPlay()
}

// promptDone goes on after the prompt that was awaited; others are old.
func (c *call) promptDone(now time.Time, op OpID) {
	if op != c.prompt {
		return
	}
	then := c.then
	c.prompt, c.then = 0, nil
	if then != nil {
		then(now)
	}
}

// question plays a prompt and gathers the digits that answer it. Keys pressed
// before count as typed ahead.
func (c *call) question(now time.Time, m Media, ask collector, answer func(time.Time, string)) {
	c.ask, c.answer = &ask, answer
	typed := c.typed
	c.typed = nil
	for i, d := range typed {
		if c.ask.key(now, d) {
			c.complete(now, d)
			rest := typed[i+1:]
			if len(rest) > 0 && c.superfluous(now, rest[0]) {
				rest = rest[1:]
			}
			c.typed = append(c.typed, rest...)
			c.answered(now)
			return
		}
	}
	if len(typed) > 0 {
		return
	}
	c.say(now, m, c.ask.prompted)
}

// key takes a digit while the attendant has the call. Any key ends the prompt.
func (c *call) key(now time.Time, d byte) {
	if c.ask == nil {
		if len(c.typed) < maxDigits {
			c.typed = append(c.typed, d)
		}
		c.skip(now)
		return
	}
	if c.prompt != 0 {
		c.hush()
	}
	if c.ask.key(now, d) {
		c.complete(now, d)
		c.answered(now)
	}
}

// surplusTime is how long the key that ends an answer may come after it.
const surplusTime = 3 * time.Second

// complete notes that d completed the answer. Was it the last of as many
// digits as there can be, the terminator that people type all the same has
// nothing to end any more: not the next try, and not the stay in the room.
func (c *call) complete(now time.Time, d byte) {
	c.surplus = ""
	if strings.IndexByte(c.ask.terminators, d) < 0 {
		c.surplus, c.surplusUntil = c.ask.terminators, now.Add(surplusTime)
	}
}

// superfluous says whether a key is such a terminator. Any key settles it.
func (c *call) superfluous(now time.Time, d byte) bool {
	keys := c.surplus
	c.surplus = ""
	return now.Before(c.surplusUntil) && strings.IndexByte(keys, d) >= 0
}

// skip ends a greeting that nobody needs to hear out.
func (c *call) skip(now time.Time) {
	if c.prompt != 0 && (c.phase == phaseGreeting || c.phase == phaseEntering) {
		c.leg.StopPlay()
		c.promptDone(now, c.prompt)
	}
}

// answered hands over the digits.
func (c *call) answered(now time.Time) {
	digits, answer := string(c.ask.digits), c.answer
	c.ask, c.answer = nil, nil
	answer(now, digits)
}

// deadline is when the call needs attention without a fact; zero = never.
func (c *call) deadline() time.Time {
	d := c.expires
	if c.ask != nil {
		d = sooner(d, c.ask.deadline)
	}
	return d
}

// sooner returns the earlier of two deadlines, zero being never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// due says whether a deadline has come.
func due(now, deadline time.Time) bool { return !deadline.IsZero() && !now.Before(deadline) }

// media makes a Media of the items that are set.
func media(language string, items ...string) Media {
	m := Media{Language: language}
	for _, i := range items {
		if i != "" {
			m.Items = append(m.Items, i)
		}
	}
	return m
}
