package freeswitch

import (
	"context"
	"errors"
	"maps"
	"time"

	"parley/engine"
	"parley/esl/conference"
)

// stays says whether the call stays in its conference although its room ends.
func (c *call) stays() bool { return c.adapter.retreat.Load() && c.inside.Load() != nil }

// detach leaves a call to its conference: it is in the mix again, with its
// rights.
func (c *call) detach(ctx context.Context) {
	c.drop()
	if in, last := c.inside.Load(), c.last.Load(); in != nil && last != nil && c.media != nil {
		c.settleRights(in, *last)
	}
	if c.media != nil {
		c.media.HangUp()
	}
	limit := time.NewTimer(bridgeEnd)
	defer limit.Stop()
	for c.place == here && c.bridge != "" {
		select {
		case e := <-c.control.Events():
			c.follow(ctx, e)
		case <-limit.C:
			return
		}
	}
}

// settleRights gives a call in its conference the rights that it had with us.
func (c *call) settleRights(in *inside, last engine.MemberState) {
	if muted := last.Muted || last.Waiting; muted != in.state.Muted {
		_ = c.silence(in, muted) // it is logged
	}
	if deaf := last.Deaf || last.Waiting; deaf != in.state.Deaf {
		order := conference.Undeaf
		if deaf {
			order = conference.Deaf
		}
		c.warn(c.confer(order(in.conference, in.member, true)))
	}
}

// brief is the time an order to the switch may take. It is the order's own: the
// turn or the shutdown that asks for it must not cut it short.
func brief() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), settling)
}

// confer runs a command of the conference that the call is in.
func (c *call) confer(args string, err error) error {
	if err != nil {
		return err
	}
	return conference.Answer(c.api("conference", args))
}

func (c *call) warn(err error) {
	if err != nil {
		c.log.Warn("freeswitch: the conference did not do it", "error", err)
	}
}

// join sends the call into a conference, as a member of its room. What a CDR
// says when the caller hangs up there has to be on the channel before. If this
// process dies the call stays, and its dialplan finds the same when it leaves.
func (c *call) join(b *Bridge, m engine.MemberID, spec conference.Spec) {
	if c.stage != "" { // the end of the one he comes from must not be taken for that of the next
		c.onStage = func() { c.join(b, m, spec) }
		if in := c.inside.Load(); in != nil { // his old room was mixed by us, and he stayed beside its conference
			c.warn(c.confer(conference.Hup(in.conference, in.member)))
		}
		return
	}
	c.hush()
	vars := results(engine.Outcome{Result: engine.ResultJoined, Reason: engine.ReasonHangup, Exit: engine.ExitHangup, Member: m})
	vars["socket_resume"], vars["parley_duration"] = "", ""
	maps.Copy(vars, c.staging())
	ctx, cancel := brief()
	defer cancel()
	c.set(ctx, vars)
	arg, err := spec.String()
	if err == nil {
		c.stage, err = c.begin("conference", arg)
	}
	if err != nil {
		c.log.Warn("freeswitch: not brought into the conference", "room", b.room, "error", err)
		b.do(func() { b.offStage(c) })
		return
	}
	c.where = b
}

// offStage follows the end of the conference application.
func (c *call) offStage(ctx context.Context) {
	c.stage = ""
	c.inside.Store(nil)
	if b := c.where; b != nil {
		c.where = nil
		b.do(func() { b.offStage(c) })
	}
	switch {
	case c.place != here:
		return
	case c.adopted.Load():
		c.place = moved // its own dialplan has gone on
		return
	}
	if next := c.onStage; next != nil {
		c.onStage = nil
		next()
		return
	}
	vars := results(engine.Outcome{})
	vars["socket_resume"] = "true"
	c.set(ctx, vars)
}

// hungUpThere follows the conference's word that the call has ended, if the call
// has not said so itself: its own socket may be dead.
func (c *call) hungUpThere() {
	if was := c.place; was == here && c.link != nil && !c.deflected.asked() && !c.link.exists(c.uuid) {
		c.place = away
		c.tell(was, false)
	}
}

// vanish follows the switch's word that it does not have the call.
func (c *call) vanish() {
	if was := c.place; was == here {
		c.place = away
		c.tell(was, true)
	}
}

// expelled follows an order given at the switch to take the call out of the
// conference in which it stands beside the mix: it takes effect when the bridge
// to us is over.
func (c *call) expelled() {
	if c.place == here && c.media != nil && !c.parted {
		c.parted = true
		c.sink.Post(engine.LegGone{Leg: c.id(), Reason: engine.ReasonKicked})
	}
}

// missing follows the conference's word that the call is none of its members. If
// it was hung up, the word of that is on its way; else it was taken out, and
// nobody told us.
func (c *call) missing() {
	time.AfterFunc(lastFrames, func() {
		c.tasks.Put(func() {
			c.hungUpThere()
			c.expelled()
		})
	})
}

// clear ends whatever of ours runs on the call. What does not end in time is
// ended by force: the bridge first, then the call.
func (c *call) clear(ctx context.Context, o engine.Outcome) {
	c.drop()
	c.hush()
	if c.adopted.Load() && c.place == here { // its dialplan goes on as soon as the conference is over
		vars := maps.Clone(c.original)
		maps.Copy(vars, results(o))
		c.set(ctx, vars)
	}
	if in := c.inside.Load(); in != nil && c.place == here {
		c.warn(c.confer(conference.Hup(in.conference, in.member)))
	}
	if c.media != nil {
		c.media.HangUp()
	}
	if c.waitIdle(ctx) {
		return
	}
	if c.bridge != "" {
		if _, err := c.api("uuid_kill", c.peer+" NORMAL_CLEARING"); err != nil {
			c.log.Warn("freeswitch: bridge not ended", "error", err)
		}
		if c.waitIdle(ctx) {
			return
		}
	}
	if c.adopted.Load() && c.inside.Load() != nil {
		c.log.Warn("freeswitch: still in the conference; ending the call with uuid_kill")
		_, err := c.api("uuid_kill", c.uuid+" NORMAL_CLEARING")
		c.warn(err)
	}
}

// waitIdle returns true when nothing of ours runs on the call any more, or the
// call is not ours any more.
func (c *call) waitIdle(ctx context.Context) bool {
	limit := time.NewTimer(bridgeEnd)
	defer limit.Stop()
	for c.place == here && (c.bridge != "" || c.stage != "" || c.inside.Load() != nil || len(c.speaker.doomed) > 0) {
		select {
		case e := <-c.control.Events():
			c.follow(ctx, e)
		case <-limit.C:
			return false
		}
	}
	return true
}

// answer has the switch answer a call whose audio stays there.
func (c *call) answer(ctx context.Context) error {
	id, err := c.control.Start(ctx, "answer", "")
	if err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	for {
		select {
		case e := <-c.control.Events():
			c.follow(wait, e)
			if c.place != here {
				return errLeft
			}
			if e.Name() == "CHANNEL_EXECUTE_COMPLETE" && e.Value("Application-UUID") == id {
				return nil
			}
		case <-wait.Done():
			return errors.New("freeswitch: the switch did not answer the call")
		}
	}
}
