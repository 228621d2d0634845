package fsapi

import (
	"context"
	"fmt"
	"strings"

	"parley/engine"
	"parley/esl/conference"
)

const originateSyntax = "<call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]"

// originate calls somebody and, when he has answered, has him in a room: that of
// the application conference, or of the extension's name. What else the switch
// could do with him there is no dialplan of ours for: nobody is called, and the
// answer is the cause by which the switch ends a call whose application does not
// exist.
func (a *API) originate(ctx context.Context, arguments string) string {
	o, err := conference.ParseOriginate(arguments)
	if err != nil {
		return usage(originateSyntax)
	}
	if o.Application != "" && o.Application != "conference" {
		a.opts.Log.Warn("originate: only conference is there", "application", o.Application)
		cause := outOfOrder
		if to, err := conference.ParseDialString(o.To); err == nil && strings.HasPrefix(strings.ToLower(to.Address), "error/") {
			cause = noWayTo(to.Address)
		}
		return fmt.Sprintf("-ERR %s\n", cause)
	}
	d := engine.Dial{Room: engine.RoomName(o.Extension), Timeout: answerTime, Caller: engine.Caller{Number: o.Number, Name: o.Name}}
	if o.Timeout > 0 {
		d.Timeout = o.Timeout
	}
	err = a.address(&d, o.To, o.Argument)
	if o.Application != "" {
		d.Room = engine.RoomName(d.Variables["room"])
	}
	job := a.dial(ctx, d, err)
	if job.Cause != engine.CauseSuccess {
		return fmt.Sprintf("-ERR %s\n", job.Cause)
	}
	return fmt.Sprintf("+OK %s\n", job.Leg)
}
