package freeswitch

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"parley/engine"
	"parley/esl"
)

// deflecting is the time for uuid_deflect: the switch waits 10 s for the phone to tell
// how its call went.
const deflecting = 12 * time.Second

// deflection is a call's being sent elsewhere by its switch.
type deflection struct {
	op     engine.OpID // 0 = it is not
	answer string      // the switch's; "" = none yet
	end    *esl.Event  // the call's; nil = none yet
}

// asked says whether the switch has not answered yet.
func (d *deflection) asked() bool { return d.op != 0 && d.answer == "" }

// Redirect implements engine.Redirecter. The switch hangs up when the phone has told
// how its call elsewhere went, however that was.
func (l *leg) Redirect(op engine.OpID, to string) {
	l.tasks.Put(func() {
		l.deflected = deflection{op: op}
		go func() { // beside the call, which goes on meanwhile
			answer, err := l.deflect(to)
			l.tasks.Put(func() { l.redirected(op, answer, err) })
		}()
	})
}

// deflect has the switch send a REFER, and returns its word on what came of it.
func (l *leg) deflect(to string) (string, error) {
	if l.link == nil {
		return "", errLink
	}
	client := l.link.connection()
	if client == nil {
		return "", errLink
	}
	ctx, cancel := context.WithTimeout(context.Background(), deflecting)
	defer cancel()
	text, err := client.Background(ctx, "uuid_deflect", l.uuid+" "+to)
	return strings.TrimPrefix(text, "+OK:"), err
}

// redirected follows the switch's answer.
func (c *call) redirected(op engine.OpID, answer string, err error) {
	if err != nil {
		c.deflected.op = 0
		err = fmt.Errorf("%w: %w", engine.ErrCannot, err)
	} else {
		c.deflected.answer, err = answer, referred(answer)
	}
	c.sink.Post(engine.Redirected{Leg: c.id(), Op: op, Err: err})
	c.hungUpThere()
}

// referred is why a call has not gone elsewhere: what its phone was answered there, as
// it has told the switch in the words of SIP. nil = it has gone.
func referred(answer string) error {
	line, _, _ := strings.Cut(strings.TrimSpace(answer), "\r\n")
	version, status, _ := strings.Cut(line, " ")
	number, text, _ := strings.Cut(status, " ")
	switch code, err := strconv.Atoi(number); {
	case version != "SIP/2.0" || err != nil: // "no reply": refused, or nothing was told
		return &engine.StaysError{Text: fmt.Sprintf("freeswitch: uuid_deflect: %.100s", cmp.Or(line, "no reply"))}
	case code < 300:
		return nil
	default:
		return &engine.StaysError{Code: code, Text: text}
	}
}

// goneElsewhere is how a call ended that was being sent elsewhere, by what its phone had
// told, which its end tells, too, and mostly before the switch answers. Who hangs up
// and has told nothing has gone there.
func (c *call) goneElsewhere(gone *engine.LegGone) {
	end := cmp.Or(c.deflected.end, &esl.Event{})
	told := cmp.Or(end.Var("sip_refer_reply"), c.deflected.answer)
	gone.Reason = engine.ReasonTransferred
	if told == "" && end.Value("Hangup-Cause") != string(engine.CauseBlindTransfer) {
		return
	}
	gone.Cause = engine.CauseBlindTransfer
	if err := referred(told); err != nil {
		gone.Reason = engine.ReasonHangup
		c.sink.Post(engine.Redirected{Leg: c.id(), Op: c.deflected.op, Err: err})
	}
}
