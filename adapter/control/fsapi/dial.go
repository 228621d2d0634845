package fsapi

import (
	"context"
	"errors"
	"strings"
	"time"

	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
)

// bgJob begins the jobs that "bgdial" has ordered, whose results are told.
const bgJob = "bgdial-"

// order reads [{VARIABLES}]ADDRESS, NUMBER and NAME. A variable counts before a word.
func (c *call) order() (engine.Dial, error) {
	d := engine.Dial{Room: engine.RoomName(c.name), Timeout: time.Minute, Variables: map[string]string{}, Channel: map[string]string{}}
	r := c.a.runOf(c.view.Instance)
	d.Caller = engine.Caller{Number: r.set["caller_id_number"], Name: r.set["caller_id_name"]}
	if len(c.words) > 1 {
		d.Caller.Number = c.words[1]
	}
	if len(c.words) > 2 {
		d.Caller.Name = c.words[2]
	}
	to, err := conference.ParseDialString(c.words[0])
	if err != nil {
		return d, err
	}
	d.Address = to.Address
	var unknown []string
	for _, v := range to.Variables {
		if !order(&d, v.Name, v.Value) {
			unknown = append(unknown, v.Name)
		}
	}
	if unknown != nil {
		c.a.opts.Log.Warn("dial: variables that mean nothing here", "room", c.name, "variables", strings.Join(unknown, " "))
	}
	return d, nil
}

// headerBytes are what the name of a header that somebody orders is made of:
// less than RFC 3261 §25.1 allows, and what a switch's variables have, too.
const headerBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// order takes a variable of a dial string into an order. False: there is nothing
// of ours that it is about.
func order(d *engine.Dial, name, value string) bool {
	switch name {
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
		if s := leadingNumber(value); s > 0 {
			d.Timeout = time.Duration(s) * time.Second
		}
	case "ignore_early_media": // what comes before the answer is nothing to a room
	default:
		if ours, ok := strings.CutPrefix(name, "parley_"); ok {
			d.Variables[ours] = value
			return true
		}
		header, ok := strings.CutPrefix(name, "sip_h_")
		if !ok || len(header) < 3 || !strings.EqualFold(header[:2], "X-") || strings.Trim(header, headerBytes) != "" {
			return false
		}
		d.Channel[name], d.Channel[header] = value, value // of a switch's channel, and by our own SIP
	}
	return true
}

// dial calls somebody into the room and waits for the result.
func (c *call) dial() bool {
	if len(c.words) == 0 {
		c.printf("-ERR Bad Args\n")
		return false
	}
	var job engine.Job
	d, err := c.order()
	if err == nil {
		job, err = c.a.opts.Exchange.Dial(context.WithoutCancel(c.ctx), d)
	}
	if err != nil {
		c.a.opts.Log.Warn("dial: "+err.Error(), "room", c.name)
		job.Cause = causeOf(err)
	}
	c.printf("+OK Call Requested: result: [%s]\n", job.Cause)
	return true
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
			{Name: "Result", Value: string(causeOf(err))}, {Name: "Job-UUID", Value: id},
		}})
	}
	c.printf("+OK Job-UUID: %s\n", id)
	return true
}

// causeOf is the switch's word for a call that was not even made.
func causeOf(err error) engine.Cause {
	refused, isRefusal := errors.AsType[*engine.RefusalError](err)
	switch {
	case errors.Is(err, engine.ErrNoRoute):
		return "NO_ROUTE_DESTINATION"
	case isRefusal && refused.Reason == engine.ReasonNodeBusy, errors.Is(err, engine.ErrTooManyDials):
		return "SWITCH_CONGESTION"
	default:
		return "NORMAL_UNSPECIFIED"
	}
}
