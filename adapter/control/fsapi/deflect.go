package fsapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/engine"
)

// deflectTime is how long the switch waits for a phone to tell how its call elsewhere
// went.
const deflectTime = 10 * time.Second

// deflect has a phone call elsewhere in place of us. As at the switch it is told what
// its phone was answered there, and hung up whatever that was, unless it could not be
// asked.
func (a *API) deflect(ctx context.Context, arguments string) string {
	id, uri, _ := strings.Cut(arguments, " ")
	c, ok := a.member(ctx, id)
	switch {
	case !ok:
		return "-ERR No such channel " + id + "!\n"
	case c.member.ID == 0:
		return operationFailed
	}
	waiting, cancel := context.WithTimeout(ctx, deflectTime)
	defer cancel()
	reply, err := referred(a.opts.Exchange.Do(waiting, c.room.Name, engine.Redirect{Member: c.member.ID, To: uri, Wait: true}))
	if err != nil {
		return refusal(err)
	}
	ending, cancel := brief(ctx)
	defer cancel()
	_ = a.opts.Exchange.HangUp(ending, c.member.CallID, engine.CauseBlindTransfer) // it mostly is over
	return "+OK:" + reply + "\n"
}

// referred is what a phone was answered where it was sent, as far as it has told; an
// error is why it was not sent.
func referred(err error) (reply string, refused error) {
	stays, asked := errors.AsType[*engine.StaysError](err)
	switch {
	case err == nil:
		return "SIP/2.0 200 OK\r\n", nil
	case asked && stays.Code != 0:
		return fmt.Sprintf("SIP/2.0 %d %s\r\n", stays.Code, stays.Text), nil
	case asked, errors.Is(err, context.DeadlineExceeded), errors.Is(err, engine.ErrNoMember), errors.Is(err, engine.ErrNoRoom), errors.Is(err, engine.ErrClosed):
		return "no reply", nil
	default:
		return "", err
	}
}
