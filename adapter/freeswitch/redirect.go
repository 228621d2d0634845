package freeswitch

import (
	"context"
	"fmt"
	"strings"
	"time"

	"parley/engine"
)

// deflecting is the time for uuid_deflect: the switch waits 5 s for the phone to tell
// how its call went.
const deflecting = 10 * time.Second

// Redirect implements engine.Redirecter. The switch hangs up when the phone has told
// how its call elsewhere went, however that was.
func (l *leg) Redirect(op engine.OpID, to string) {
	go func() { // beside the call, which goes on meanwhile
		l.sink.Post(engine.Redirected{Leg: l.id(), Op: op, Err: l.deflect(to)})
	}()
}

// deflect has the switch send a REFER, and takes its word on what came of it.
func (l *leg) deflect(to string) error {
	if l.link == nil {
		return fmt.Errorf("%w: %w", engine.ErrCannot, errLink)
	}
	client := l.link.connection()
	if client == nil {
		return fmt.Errorf("%w: %w", engine.ErrCannot, errLink)
	}
	l.deflected.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), deflecting)
	defer cancel()
	text, err := client.Background(ctx, "uuid_deflect", l.uuid+" "+to)
	answer := strings.TrimSpace(strings.TrimPrefix(text, "+OK:"))
	if err == nil && strings.HasPrefix(answer, "SIP/2.0 ") {
		return nil
	}
	l.deflected.Store(false)
	if err == nil { // "no reply": refused, or nothing was told
		return &engine.StaysError{Text: fmt.Sprintf("freeswitch: uuid_deflect: %.100s", answer)}
	}
	return fmt.Errorf("%w: %w", engine.ErrCannot, err)
}
