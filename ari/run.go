package ari

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/coder/websocket"
)

const (
	pauseMin = 500 * time.Millisecond // between two tries to connect
	pauseMax = 10 * time.Second
	// pauseReplaced is how long the application is left to the client that
	// took it: two that took turns at once would lose events all the time.
	pauseReplaced = time.Minute

	pingEvery = 10 * time.Second // Asterisk sends none of its own
	pingWait  = 5 * time.Second

	// maxEvent is the longest event read. A full Channel has 600 bytes; a
	// bridge event lists the members of its bridge.
	maxEvent = 4 << 20
)

// Events is the one stream of everything Run learns, in order. It has one
// reader. A reader that lets the mailbox fill up loses the connection, not
// single events: Lost with ErrSlow, then Connected when it has caught up.
func (c *Client) Events() <-chan Event { return c.events }

// Run connects to Asterisk's events, again and again, until ctx ends.
func (c *Client) Run(ctx context.Context) error {
	var told error // the trouble last reported
	reported := false
	pause := pauseMin
	for {
		connected, err := c.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if connected {
			reported, pause = false, pauseMin
		}
		if class := classify(err); !reported || !errors.Is(class, told) {
			told, reported = class, true
			if !c.post(ctx, &Lost{Err: err}) {
				return ctx.Err()
			}
		}
		wait := pause
		if errors.Is(err, ErrReplaced) {
			wait = pauseReplaced
		}
		if !sleep(ctx, jitter(wait)) {
			return ctx.Err()
		}
		pause = min(2*pause, pauseMax)
	}
}

// classify finds the sentinel of err, nil when it has none.
func classify(err error) error {
	for _, class := range []error{ErrAuth, ErrReadOnly, ErrNotFound, ErrConflict, ErrState, ErrSwitch, ErrReplaced, ErrSlow, ErrTooLarge} {
		if errors.Is(err, class) {
			return class
		}
	}
	return nil
}

// jitter spreads d over d/2..d, so that many clients do not come back at once.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// post waits for room; Connected and Lost are never dropped.
func (c *Client) post(ctx context.Context, e Event) bool {
	select {
	case c.events <- e:
		return true
	case <-ctx.Done():
		return false
	}
}

// session lives as long as one connection and returns why it ended.
func (c *Client) session(ctx context.Context) (connected bool, err error) {
	info, err := c.check(ctx)
	if err != nil {
		return false, err
	}
	ws, err := c.dial(ctx)
	if err != nil {
		return false, err
	}
	defer ws.CloseNow() //nolint:errcheck // a close frame would wait for a peer that may be gone
	if err := c.filter(ctx); err != nil {
		return false, err
	}
	if !c.post(ctx, &Connected{Info: info}) {
		return false, ctx.Err()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		cancel(keepAlive(ctx, ws))
	}()
	err = c.read(ctx, ws)
	cancel(err)
	<-done
	return true, context.Cause(ctx)
}

// dial opens the events socket; Asterisk's refusals are *Error.
func (c *Client) dial(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	u := *c.base
	u.Path += "/events"
	u.RawPath = ""
	u.RawQuery = url.Values{"app": {c.o.App}}.Encode()
	h := http.Header{}
	r := http.Request{Header: h}
	r.SetBasicAuth(c.o.User, c.o.Password)
	ws, resp, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{HTTPClient: c.http, HTTPHeader: h})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
			return nil, &Error{Method: http.MethodGet, Path: "events", Status: resp.StatusCode, Message: http.StatusText(resp.StatusCode)}
		}
		return nil, fmt.Errorf("ari: events: %w", withoutURL(err))
	}
	ws.SetReadLimit(maxEvent)
	return ws, nil
}

// check finds out whether requests will be obeyed, before the application is
// taken from whoever has it: the events socket is open to a user who may only
// read.
func (c *Client) check(ctx context.Context) (*Info, error) {
	info, err := c.Info(ctx)
	if err != nil {
		return nil, err
	}
	return info, c.filter(ctx)
}

// filter sets the event filter. ErrNotFound is no error: the application is
// not there yet, or this Asterisk is older than event filters.
func (c *Client) filter(ctx context.Context) error {
	if err := c.ignore(ctx, c.o.Ignore); !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

// keepAlive pings until ctx ends or the peer does not answer.
func keepAlive(ctx context.Context, ws *websocket.Conn) error {
	for sleep(ctx, pingEvery) {
		ping, cancel := context.WithTimeout(ctx, pingWait)
		err := ws.Ping(ping)
		cancel()
		if err != nil {
			return fmt.Errorf("ari: events: no answer to a ping: %w", err)
		}
	}
	return context.Cause(ctx)
}

// read posts what comes until the connection ends. It never waits for the
// reader of the events.
func (c *Client) read(ctx context.Context, ws *websocket.Conn) error {
	for {
		kind, data, err := ws.Read(ctx)
		if err != nil {
			if errors.Is(err, websocket.ErrMessageTooBig) {
				return fmt.Errorf("%w: event of more than %d bytes", ErrTooLarge, maxEvent)
			}
			return fmt.Errorf("ari: events: %w", err)
		}
		if kind != websocket.MessageText {
			continue
		}
		e, err := Decode(data)
		if err != nil {
			e = &Unknown{Raw: data, Err: err}
		}
		select {
		case c.events <- e:
		default:
			return ErrSlow
		}
		if r, ok := e.(*ApplicationReplaced); ok && r.Application == c.o.App {
			return ErrReplaced
		}
	}
}
