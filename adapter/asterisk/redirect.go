package asterisk

import (
	"context"
	"errors"
	"fmt"

	"parley/ari"
	"parley/engine"
)

// Redirect implements engine.Redirecter: the switch sends a REFER. It does not tell
// what the phone says to that: who hangs up afterwards has gone there.
func (l *leg) Redirect(op engine.OpID, to string) {
	l.tasks.Put(func() {
		ctx, cancel := context.WithTimeout(context.Background(), giveBack)
		defer cancel()
		err := l.link.client.Redirect(ctx, l.channel, "PJSIP/"+to)
		l.redirected = l.redirected || err == nil
		if refused := new(ari.Error); errors.As(err, &refused) {
			err = fmt.Errorf("%w: %w", engine.ErrCannot, err)
		}
		l.sink.Post(engine.Redirected{Leg: l.leg, Op: op, Err: err})
	})
}
