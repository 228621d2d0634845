package phone

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"parley/engine"
	"parley/sip"
)

// Target is whom to call.
type Target struct {
	URI  string    // sip:USER@HOST…
	From sip.Party // whom the party sees; "" = what the order says
	Auth *sip.Auth // what we answer a challenge with; nil = nothing
}

// Way is how to call a target through an endpoint.
func (p *Phones) Way(e *sip.Endpoint, to Target) engine.Way {
	return func(ctx context.Context, c engine.OutCall) error { return p.invites(ctx, e, to, c) }
}

// invites makes a call, and hands it to the engine when it is answered.
func (p *Phones) invites(ctx context.Context, e *sip.Endpoint, to Target, c engine.OutCall) error {
	if p.opt.Switch.Busy() != nil {
		return &engine.RefusalError{Reason: engine.ReasonNodeBusy}
	}
	pair, err := p.opt.Ports.Reserve()
	if err != nil {
		return err
	}
	t := &talk{phones: p, pair: pair, free: sync.OnceFunc(pair.Close), out: &c}
	call, err := e.Invite(ctx, to.URI, sip.InviteOptions{
		CallID: string(c.Leg), From: to.from(c), Headers: p.headers(c.Channel), Local: t.local(), Auth: to.Auth, Events: t,
		Progress: func(code int, _ string) { c.Ringing(code) },
		GiveUp:   func() []sip.Header { return []sip.Header{reasonOf(engine.GivenUp(ctx))} },
	})
	if err != nil {
		t.free()
		return refusal(err)
	}
	begun := make(chan bool, 1)
	call.Do(func() { begun <- t.begun(call) })
	select {
	case up := <-begun:
		return t.answered(up)
	case <-call.Done():
	}
	select {
	case up := <-begun:
		return t.answered(up)
	default:
		return t.answered(false)
	}
}

// begun takes over a call that was answered. It runs in the call's turn, and is
// false when the call is over already.
func (t *talk) begun(c *sip.Call) bool {
	t.call = c
	if t.over {
		return false
	}
	if t.begin(t.agreed); t.voice == nil {
		return false
	}
	in := t.out.Invite
	in.Kind = "sip"
	if to := c.Info().To; in.Caller.Number == "" {
		in.Caller.Number = to.User
	}
	t.arrive(in)
	return true
}

func (t *talk) answered(up bool) error {
	if up {
		return nil
	}
	return &engine.CallError{Cause: engine.CauseNormal, SIP: 200, Text: "hung up at once"}
}

// from is whom the party sees.
func (to Target) from(c engine.OutCall) sip.Party {
	from := to.From
	if c.Caller.Number != "" {
		from.User = c.Caller.Number
	}
	if from.User == "" {
		from.User = c.Invite.Room
	}
	if c.Caller.Name != "" {
		from.Name = c.Caller.Name
	}
	return from
}

// headers are those of a call that we make. Variables that are no X- header
// are for switches.
func (p *Phones) headers(vars map[string]string) []sip.Header {
	list := []sip.Header{{Name: loopHeader, Value: p.marks.next()}}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if len(name) > 2 && strings.EqualFold(name[:2], "X-") && !strings.EqualFold(name, loopHeader) {
			list = append(list, sip.Header{Name: name, Value: vars[name]})
		}
	}
	return list
}

// refusal is an INVITE's error in the engine's words.
func refusal(err error) error {
	refused, ok := errors.AsType[*sip.StatusError](err)
	if !ok {
		return err
	}
	return &engine.CallError{Cause: cmp.Or(namedIn(refused.Header), causeOf(refused.Code)), SIP: refused.Code, Text: refused.Reason}
}
