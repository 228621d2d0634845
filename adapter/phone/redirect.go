package phone

import (
	"errors"
	"fmt"

	"parley/engine"
	"parley/sip"
)

// Redirect implements engine.Redirecter: by REFER.
func (l leg) Redirect(op engine.OpID, to string) {
	l.call.Do(func() { l.talk.referred = op })
	l.call.Refer(to, func(err error) {
		if err == nil && l.talk.referred == op { // what came of it may be told before
			l.talk.sent = to
		}
		l.talk.sink.Post(engine.Redirected{Leg: l.ID(), Op: op, Err: unreferred(err)})
	})
}

// unreferred is why a call stays, in the engine's words.
func unreferred(err error) error {
	refused, ok := errors.AsType[*sip.StatusError](err)
	switch {
	case err == nil:
		return nil
	case ok:
		return &engine.StaysError{Text: fmt.Sprintf("the phone answers %d %s", refused.Code, refused.Reason)}
	default:
		return fmt.Errorf("%w: %w", engine.ErrCannot, err)
	}
}

// Referred implements sip.Referrer. A phone whose call elsewhere has come about is
// let go: some wait for that.
func (t *talk) Referred(code int, reason string) {
	id := t.voice.ID()
	if code < 300 {
		t.sink.Post(engine.LegGone{Leg: id, Reason: engine.ReasonTransferred, Cause: engine.CauseBlindTransfer})
		return
	}
	t.phones.opt.Log.Info("sip: a call stays that was to go elsewhere", "call", id, "to", t.sent, "answer", code, "reason", reason)
	t.sink.Post(engine.Redirected{Leg: id, Op: t.referred, Err: &engine.StaysError{Code: code, Text: reason}})
	t.sent, t.referred = "", 0
}
