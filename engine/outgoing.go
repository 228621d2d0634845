package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// outgoing is a call that a room makes. From the order until the party is in,
// or is not, it keeps a seat.
type outgoing struct {
	dial    Dial
	way     Way
	request request
	reply   chan error // capacity 1: whether the room agrees
	give    func(Cause)
	came    bool // the party has answered and is a call like any other
}

// Items of a room's mailbox about a call that it makes.
type (
	progress struct {
		call   *outgoing
		status int
	}
	dialed struct {
		call *outgoing
		err  error
	}
)

// dial judges an order, and begins the call.
func (r *room) dial(now time.Time, o *outgoing) {
	if err := r.mayDial(o); err != nil {
		o.reply <- err
		return
	}
	ctx, end := context.WithCancelCause(context.Background())
	ctx, stop := context.WithTimeout(ctx, o.dial.Timeout)
	give := func(why Cause) { end(&CallError{Cause: why, Text: "given up"}) }
	if !r.house.jobs.agreed(o.dial.Job, give) { // whoever ordered it has gone
		stop()
		o.reply <- context.Canceled
		return
	}
	o.give = give
	r.calling = append(r.calling, o)
	r.tellDial(now, EventDialing, o, r.house.jobs.update(o.dial.Job, func(*Job) {}))
	o.reply <- nil
	call := r.outCall(o)
	r.house.spawn(func() {
		defer stop()
		r.box.put(dialed{o, o.way(ctx, call)})
	})
}

// mayDial says why a call cannot be made now.
func (r *room) mayDial(o *outgoing) error {
	role := cmp.Or(o.request.role, r.joinAs(&o.request), RoleMember)
	switch {
	case r.ending != ReasonNone:
		return &RefusalError{Reason: ReasonEnded}
	case len(r.calling) >= r.house.maxDials:
		return fmt.Errorf("%w: %d at one time", ErrTooManyDials, r.house.maxDials)
	case !r.running(o.request):
		return &RefusalError{Reason: ReasonNotRunning}
	}
	if why := r.barred(o.request, role); why != ReasonNone {
		return &RefusalError{Reason: why}
	}
	return nil
}

// outCall is an order as its Way needs it.
func (r *room) outCall(o *outgoing) OutCall {
	d := o.dial
	c := OutCall{
		Leg: d.Leg, Caller: d.Caller, Channel: d.Channel, Timeout: d.Timeout,
		Invite: Invite{
			Room: string(r.name), Caller: d.Party, Source: "dial " + string(d.Job), Job: d.Job,
			Variables: d.Variables, Origins: d.Origins, Warnings: d.Warnings,
		},
		Ringing: func(status int) { r.box.put(progress{o, status}) },
	}
	c.Caller.Name = pick(c.Caller.Name, r.title, string(r.name))
	return c
}

// rings notes the first sign that the party is being alerted.
func (r *room) rings(now time.Time, m progress) {
	first := false
	j := r.house.jobs.update(m.call.dial.Job, func(j *Job) {
		if first = j.State == DialCalling; first {
			j.State, j.SIP = DialRinging, m.status
		}
	})
	if first {
		r.tellDial(now, EventRinging, m.call, j)
	}
}

// answered turns the kept seat of a call into its own. It is false for a call
// that we made and nobody waits for any more.
func (r *room) answered(now time.Time, s *seat) bool {
	if s.invite.Job == "" {
		return true
	}
	i := slices.IndexFunc(r.calling, func(o *outgoing) bool { return o.dial.Job == s.invite.Job && !o.came })
	if i < 0 || r.ending != ReasonNone {
		return false
	}
	o := r.calling[i]
	o.came = true
	r.tellDial(now, EventDialed, o, r.house.jobs.update(o.dial.Job, func(j *Job) {
		j.State, j.Cause, j.SIP, j.EndedAt = DialAnswered, CauseSuccess, 0, now
	}))
	return true
}

// dialed ends an order: its Way has returned.
func (r *room) dialed(now time.Time, m dialed) {
	o := m.call
	r.calling = slices.DeleteFunc(r.calling, func(c *outgoing) bool { return c == o })
	if o.came {
		return
	}
	why := failure(m.err)
	if cause, is := r.house.jobs.unwanted(o.dial.Job); is && cause != "" {
		why.Cause = cause
	}
	r.tellDial(now, EventDialed, o, r.house.jobs.update(o.dial.Job, func(j *Job) {
		j.State, j.Cause, j.Q850, j.SIP, j.Text, j.EndedAt = DialFailed, why.Cause, why.Cause.Number(), why.SIP, shown(why.Text, maxShown), now
	}))
}

// failure is what a Way's error means.
func failure(err error) *CallError {
	if why, ok := errors.AsType[*CallError](err); ok {
		return why
	}
	var refused *RefusalError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &CallError{Cause: CauseNoAnswer, Text: "not answered in time"}
	case errors.Is(err, context.Canceled):
		return &CallError{Cause: CauseOriginatorCancel, Text: "given up"}
	case errors.As(err, &refused):
		return &CallError{Cause: CauseCongestion, Text: string(refused.Reason)}
	case err == nil: // it came when the room had ended
		return &CallError{Cause: CauseOriginatorCancel, Text: "answered too late"}
	default:
		return &CallError{Cause: CauseTemporary, Text: err.Error()}
	}
}

// GivenUp is why a call of a Way is given up, when the context that it was made with
// has ended.
func GivenUp(ctx context.Context) Cause { return failure(context.Cause(ctx)).Cause }

// tellDial tells what has become of a call that is not a member yet.
func (r *room) tellDial(now time.Time, what EventType, o *outgoing, j Job) {
	e := r.event(now, what, nil, ReasonNone)
	e.Leg, e.Invite, e.Dial = o.dial.Leg, Invite{Room: string(r.name), Caller: o.dial.Party, Job: o.dial.Job}, &j
	r.house.observe(e)
}

// kept is how many seats are kept for those who are being called.
func (r *room) kept() (n int) {
	for _, o := range r.calling {
		if !o.came {
			n++
		}
	}
	return n
}

// dials are the calls that are not answered yet.
func (r *room) dials() []Job {
	var list []Job
	for _, o := range r.calling {
		if j, err := r.house.jobs.find(o.dial.Job); err == nil && !o.came {
			list = append(list, j)
		}
	}
	return list
}

// cancelDials gives up all calls that are not answered yet.
func (r *room) cancelDials() {
	for _, o := range r.calling {
		o.give(CauseOriginatorCancel)
	}
}
