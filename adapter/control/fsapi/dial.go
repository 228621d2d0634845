package fsapi

import (
	"context"
	"errors"
	"strings"
	"time"

	"parley/adapter/wish"
	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
)

// bgJob begins the jobs that "bgdial" has ordered, whose results are told.
const bgJob = "bgdial-"

// order reads [{VARIABLES}]ADDRESS, NUMBER and NAME. A variable counts before a word.
func (c *call) order() (engine.Dial, error) {
	d := engine.Dial{Room: engine.RoomName(c.name), Timeout: answerTime}
	r := c.a.runOf(c.view.Instance)
	d.Caller = engine.Caller{Number: r.set["caller_id_number"], Name: r.set["caller_id_name"]}
	if len(c.words) > 1 {
		d.Caller.Number = c.words[1]
	}
	if len(c.words) > 2 {
		d.Caller.Name = c.words[2]
	}
	return d, c.a.address(&d, c.words[0], "")
}

// answerTime is how long the switch waits for an answer where nothing else is said.
const answerTime = time.Minute

// address reads a dial string into an order: the address, and those of its
// variables that an order has a place for, or that ask something of the room.
// spec is the argument of "conference", which may do that, too; "" = there is none.
func (a *API) address(d *engine.Dial, text, spec string) error {
	to, err := conference.ParseDialString(text)
	if err != nil {
		return err
	}
	d.Address, d.Channel = to.Address, map[string]string{}
	asked := map[string]string{}
	var unknown []string
	for _, v := range to.Variables {
		switch {
		case wish.Heeds(v.Name):
			asked[strings.ToLower(v.Name)] = v.Value
		case !order(d, v.Name, v.Value):
			unknown = append(unknown, v.Name)
		}
	}
	if spec != "" {
		asked[wish.Conference] = spec
	}
	w := wish.Read(asked, true)
	d.Variables, d.Origins, d.Warnings = w.Own, w.Origins, w.Warnings
	if unknown != nil {
		a.opts.Log.Warn("dial: variables that mean nothing here", "address", d.Address, "variables", strings.Join(unknown, " "))
	}
	return nil
}

// headerBytes are what the name of a header that somebody orders is made of:
// less than RFC 3261 §25.1 allows, and what a switch's variables have, too.
const headerBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// order takes a variable of a dial string, whose name may be in any case, into an
// order. False: there is nothing of ours that it is about.
func order(d *engine.Dial, name, value string) bool {
	switch strings.ToLower(name) {
	case "origination_caller_id_number":
		d.Caller.Number = value
	case "origination_caller_id_name":
		d.Caller.Name = value
	case "origination_callee_id_number":
		d.Party.Number = value
	case "origination_callee_id_name":
		d.Party.Name = value
	case "origination_uuid":
		d.Leg = engine.LegID(value)
	case "originate_timeout", "call_timeout", "leg_timeout":
		if s := atoi(value); s > 0 {
			d.Timeout = time.Duration(s) * time.Second
		}
	case "ignore_early_media": // what comes before the answer is nothing to a room
	default:
		const own = "sip_h_X-"
		if len(name) <= len(own) || !strings.EqualFold(name[:len(own)], own) || strings.Trim(name, headerBytes) != "" {
			return false
		}
		header := name[len("sip_h_"):]
		put(d.Channel, "sip_h_"+header, value) // of a switch's channel
		put(d.Channel, header, value)          // by our own SIP
	}
	return true
}

// dial calls somebody into the room and waits for the result.
func (c *call) dial() bool {
	if len(c.words) == 0 {
		c.printf("-ERR Bad Args\n")
		return false
	}
	d, err := c.order()
	c.printf("+OK Call Requested: result: [%s]\n", c.a.dial(c.ctx, d, err).Cause)
	return true
}

// dial makes a call and waits for its end; err is what was wrong with the order.
// Where nobody was called the job has a cause all the same. Who was reached is a
// member then, or hears a prompt.
func (a *API) dial(ctx context.Context, d engine.Dial, err error) (job engine.Job) {
	if err == nil {
		ctx = context.WithoutCancel(ctx)
		job, err = a.opts.Exchange.Dial(ctx, d)
	}
	if err != nil {
		a.opts.Log.Warn("dial: "+err.Error(), "room", d.Room)
		job.Cause = causeOf(err, d.Address)
	}
	if job.Cause == engine.CauseSuccess {
		ctx, cancel := brief(ctx)
		defer cancel()
		_ = a.opts.Exchange.Await(ctx, job.Leg) // he may have to answer to a prompt, or be gone: he was called all the same
	}
	return job
}

// dialInBackground is dial without the waiting: bgdial-result tells.
func (c *call) dialInBackground() bool {
	if len(c.words) == 0 {
		c.printf("-ERR Bad Args\n")
		return false
	}
	id := esl.NewUUID()
	d, err := c.order()
	d.Job = engine.JobID(bgJob + id)
	if err == nil {
		_, err = c.a.opts.Exchange.BgDial(c.ctx, d)
	}
	if err != nil {
		c.a.opts.Log.Warn("bgdial: "+err.Error(), "room", c.name)
		c.a.put(again{instance: c.view.Instance, action: conference.DialResult, more: esl.Headers{
			{Name: "Result", Value: string(causeOf(err, d.Address))}, {Name: "Job-UUID", Value: id},
		}})
	}
	c.printf("+OK Job-UUID: %s\n", id)
	return true
}

// causeOf is the switch's word for a call that was not even made.
func causeOf(err error, address string) engine.Cause {
	refused, isRefusal := errors.AsType[*engine.RefusalError](err)
	switch {
	case errors.Is(err, engine.ErrNoRoute):
		return noWayTo(address)
	case errors.Is(err, engine.ErrBadRoomName):
		return "NO_ROUTE_DESTINATION"
	case errors.Is(err, esl.ErrArgument):
		return outOfOrder
	case isRefusal && refused.Reason == engine.ReasonNodeBusy, errors.Is(err, engine.ErrTooManyDials):
		return "SWITCH_CONGESTION"
	default:
		return "NORMAL_UNSPECIFIED"
	}
}

// outOfOrder is the switch's word for what it cannot read, and for an
// application that does not exist.
const outOfOrder engine.Cause = "DESTINATION_OUT_OF_ORDER"

// noWayTo is the switch's word for an address that nothing is behind. "error/CAUSE"
// is there for nothing else.
func noWayTo(address string) engine.Cause {
	kind, rest, _ := strings.Cut(address, "/")
	switch {
	case strings.ContainsAny(address, ",|"): // several: none of them is called
		return outOfOrder
	case strings.EqualFold(kind, "error"):
		if cause := causeIn(rest); cause != engine.CauseSuccess {
			return cause
		}
		return outOfOrder
	case kind == "sofia" && strings.HasPrefix(rest, "gateway/"):
		return "INVALID_GATEWAY"
	case kind == "sofia":
		return "USER_NOT_REGISTERED"
	case kind == "user":
		return "SUBSCRIBER_ABSENT"
	default:
		return "CHAN_NOT_IMPLEMENTED"
	}
}
