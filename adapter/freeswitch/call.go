package freeswitch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"parley/engine"
	"parley/esl"
)

var errBridge = errors.New("freeswitch: the bridge to our SIP endpoint ended before audio came")

// call is one channel of the switch while its dialplan waits for us.
type call struct {
	adapter  *Adapter
	session  *esl.Session
	released chan engine.Outcome // capacity 1
	bridge   string              // Application-UUID of the bridge
	log      *slog.Logger
}

// leg is the call as the engine drives it.
type leg struct {
	Media    // its ID is the channel's UUID
	released chan<- engine.Outcome
}

// Release implements engine.Leg.
func (l *leg) Release(o engine.Outcome) { l.released <- o }

// prepare subscribes, and makes sure that the caller's dialplan goes on
// whatever becomes of us.
func (c *call) prepare(ctx context.Context) error {
	s := c.session
	if err := s.MyEvents(ctx); err != nil {
		return err
	}
	if err := s.Linger(ctx, lingering); err != nil {
		return err
	}
	return s.SetVars(ctx, map[string]string{
		"socket_resume": "true", "hangup_after_bridge": "false", "continue_on_fail": "true",
		"park_after_bridge": "false", "parley_result": "", "parley_reason": "", "parley_exit": "",
	})
}

// fetchMedia has the switch bridge the call to us, and waits for its audio.
func (c *call) fetchMedia(ctx context.Context) (Media, error) {
	ticket := c.adapter.opt.Ticket(engine.LegID(c.session.UUID()))
	defer ticket.Drop()
	profile := c.session.Var("sofia_profile_name")
	if profile == "" {
		profile = "internal"
	}
	if !esl.Literal(profile) {
		return nil, fmt.Errorf("freeswitch: profile %.40q", profile)
	}
	id, err := c.session.Start(ctx, "bridge", c.adapter.dial(profile, ticket.Token()))
	if err != nil {
		return nil, err
	}
	c.bridge = id
	wait, cancel := context.WithTimeout(ctx, c.adapter.opt.Token)
	defer cancel()
	stop := make(chan error, 1)
	go func() { stop <- c.bridgeEnds(wait, cancel) }()
	voice, err := ticket.Wait(wait)
	cancel()
	if early := <-stop; err != nil && early != nil {
		return nil, early
	}
	return voice, err
}

// bridgeEnds reads events until wait is over; what ends the bridge ends the
// wait.
func (c *call) bridgeEnds(wait context.Context, cancel context.CancelFunc) error {
	defer cancel()
	for {
		select {
		case <-wait.Done():
			return nil
		case <-c.session.Done():
			return c.session.Err()
		case e := <-c.session.Events():
			switch {
			case e == nil || e.Name() == "CHANNEL_HANGUP":
				return esl.ErrHungUp
			case e.Name() == "CHANNEL_EXECUTE_COMPLETE" && e.Value("Application-UUID") == c.bridge:
				return fmt.Errorf("%w: %s", errBridge, e.Var("originate_disposition"))
			}
		}
	}
}

// fail gives a call back that never had audio.
func (c *call) fail(err error) {
	c.log.Warn("freeswitch: no audio came; the call goes on in its dialplan", "error", err)
	c.finish(engine.Outcome{Result: engine.ResultFailed, Reason: engine.ReasonMediaLost})
}

// serve brings the call to its room and stays until it is given back.
func (c *call) serve(ctx context.Context, voice Media) {
	defer voice.HangUp()
	sink := c.adapter.opt.Exchange.Arrive(&leg{voice, c.released}, c.invite())
	voice.Attach(sink)
	sink.Post(engine.MediaUp{Leg: voice.ID()})
	media, events, hungUp := voice.Done(), c.session.Events(), false
	for {
		select {
		case o := <-c.released:
			if !hungUp {
				c.finish(o)
			}
			return
		case <-media:
			media = nil
			c.gone(sink, voice.ID(), engine.ReasonHangup)
		case e, ok := <-events:
			if !ok {
				events = nil
				c.gone(sink, voice.ID(), c.lossOf(hungUp))
			} else if e.Name() == "CHANNEL_HANGUP" {
				hungUp = true
				c.gone(sink, voice.ID(), engine.ReasonHangup)
			}
		case <-ctx.Done():
			ctx = context.WithoutCancel(ctx)
			c.gone(sink, voice.ID(), engine.ReasonSwitchLost)
		}
	}
}

func (c *call) gone(sink engine.Sink, id engine.LegID, why engine.Reason) {
	sink.Post(engine.LegGone{Leg: id, Reason: why})
}

// lossOf is why the connection's end takes the call with it.
func (c *call) lossOf(hungUp bool) engine.Reason {
	if hungUp {
		return engine.ReasonHangup
	}
	return engine.ReasonSwitchLost
}

// finish writes the results on the channel and lets the dialplan go on, or
// ends the call.
func (c *call) finish(o engine.Outcome) {
	ctx, cancel := context.WithTimeout(context.Background(), settling)
	defer cancel()
	vars := map[string]string{}
	for _, v := range o.Variables() {
		vars["parley_"+v.Name] = strings.ReplaceAll(v.Value, "${", "$ {")
	}
	if err := c.session.SetVars(ctx, vars); err != nil {
		c.log.Warn("freeswitch: results not set", "error", err)
	}
	if o.Hangup {
		if err := c.session.Hangup(ctx, "NORMAL_CLEARING"); err != nil {
			c.log.Warn("freeswitch: call not ended", "error", err)
		}
		return
	}
	if err := c.session.Exit(ctx); err != nil {
		c.log.Warn("freeswitch: no goodbye from the switch", "error", err)
	}
}

// invite reads what the dialplan asks for.
func (c *call) invite() engine.Invite {
	s := c.session
	in := engine.Invite{
		Kind: "freeswitch", Switch: s.Header("FreeSWITCH-Switchname"), Dialplan: true,
		Caller:    engine.Caller{Number: s.Header("Caller-Caller-ID-Number"), Name: s.Header("Caller-Caller-ID-Name")},
		Source:    s.Header("Caller-Network-Addr") + "/" + s.Header("Caller-Caller-ID-Number"),
		Variables: map[string]string{},
	}
	for name, value := range s.Vars() {
		if own, ok := strings.CutPrefix(name, "parley_"); ok {
			in.Variables[own] = value
		}
	}
	in.Room = in.Variables["room"]
	return in
}
