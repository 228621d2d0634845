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
	// lookReplaced is how often it is asked whether the application is free
	// again that another client took.
	lookReplaced = 10 * time.Second

	pingEvery = 4 * time.Second // Asterisk sends none of its own
	pingWait  = 3 * time.Second

	// maxEvent is the longest event read. A full Channel has 600 bytes; a
	// bridge event lists the members of its bridge.
	maxEvent = 4 << 20
)

// Events is the one stream of everything Run learns, in order. It has one
// reader. A reader that lets the mailbox fill up loses the connection, not
// single events: Lost with ErrSlow, then Connected when it has caught up.
func (c *Client) Events() <-chan Event { return c.events }

// Renew has Run connect again at once, whether it is connected, pauses between
// two tries, or was replaced: then it takes the application back.
func (c *Client) Renew() {
	select {
	case c.renew <- struct{}{}:
	default: // one is on its way
	}
}

// Run connects to Asterisk's events, or has Asterisk connect to us, again and
// again until ctx ends. It may be called once.
func (c *Client) Run(ctx context.Context) error {
	defer c.door.shut()
	var told error // the trouble last reported
	reported := false
	pause := pauseMin
	for {
		connected, ws, err := c.session(ctx)
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
		switch {
		case ws != nil:
			c.standAside(ctx, ws)
		case errors.Is(err, errAnew): // the newer connection is at the door
		default:
			c.pause(ctx, jitter(pause))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause = min(2*pause, pauseMax)
	}
}

// pause waits, but not longer than until there is a reason to try again.
func (c *Client) pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.renew:
	case ws := <-c.door.came:
		c.door.hold(ws)
	case <-ctx.Done():
	}
}

// standAside leaves the application to the client that took it, until nobody
// has it any more, or Renew. Two that took turns would lose events all the
// time. Our connection stays open as Asterisk keeps it, silent: it would make
// another one at once, with the application.
func (c *Client) standAside(ctx context.Context, ws *websocket.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, _, err := ws.Read(ctx); err != nil {
				return
			}
		}
	}()
	defer func() {
		cancel()
		<-done
		_ = ws.CloseNow()
	}()
	look := time.NewTicker(lookReplaced)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if taken, err := c.Registered(ctx); err == nil && !taken {
				return
			}
		case ws := <-c.door.came:
			c.door.hold(ws)
			return
		case <-c.renew:
			return
		case <-ctx.Done():
			return
		}
	}
}

// classify finds the sentinel of err, nil when it has none.
func classify(err error) error {
	for _, class := range []error{
		ErrAuth, ErrReadOnly, ErrNotFound, ErrConflict, ErrState, ErrSwitch, ErrReplaced, ErrAbsent, ErrDenied, ErrOtherApp,
		ErrUnregistered, ErrSlow, ErrTooLarge,
	} {
		if errors.Is(err, class) {
			return class
		}
	}
	return nil
}

// jitter spreads d over d/2..d, so that many clients do not come back at once.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// post waits for room; Connected and Lost are never dropped.
func (c *Client) post(ctx context.Context, e Event) bool {
	select {
	case c.events <- e:
		return true
	case <-ctx.Done():
		return false
	}
}

// session lives as long as one connection and returns why it ended. The
// connection is returned if another client has the application now: it is open.
func (c *Client) session(ctx context.Context) (connected bool, open *websocket.Conn, err error) {
	info, err := c.check(ctx)
	if err != nil {
		return false, nil, err
	}
	ws, err := c.connect(ctx)
	if err != nil {
		return false, nil, err
	}
	defer func() {
		if open == nil {
			_ = ws.CloseNow() // a close frame would wait for a peer that may be gone
		}
	}()
	if err := c.filter(ctx); err != nil {
		return false, nil, err
	}
	if !c.post(ctx, &Connected{Info: info}) {
		return false, nil, ctx.Err()
	}
	if err = c.follow(ctx, ws); errors.Is(err, ErrReplaced) {
		open = ws
	}
	return true, open, err
}

// follow posts what comes until the connection ends, or is useless.
func (c *Client) follow(ctx context.Context, ws *websocket.Conn) error {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		cancel(c.keepAlive(ctx, ws))
	}()
	err := c.read(ctx, ws)
	cancel(err)
	<-done
	return context.Cause(ctx)
}

// connect makes the connection for events, or waits for Asterisk's.
func (c *Client) connect(ctx context.Context) (*websocket.Conn, error) {
	if !c.o.Outbound {
		return c.dial(ctx)
	}
	ws, err := c.door.wait(ctx, c.o.Timeout)
	if err != nil {
		c.nudge(ctx)
		return nil, err
	}
	if err := c.catchUp(ctx, ws); err != nil {
		_ = ws.CloseNow()
		return nil, err
	}
	return ws, nil
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

// nudge has Asterisk send an event over its connection, if it believes to have
// one: it sends no pings, and so never learns that we are not there any more.
func (c *Client) nudge(ctx context.Context) {
	_ = c.call(ctx, http.MethodPost, []string{"events", "user", "parley-nudge"}, url.Values{"application": {c.o.App}}, nil, nil)
}

// keepAlive pings until ctx ends, the peer does not answer, or has connected
// anew: then the connection is one that only we believe in.
func (c *Client) keepAlive(ctx context.Context, ws *websocket.Conn) error {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			ping, cancel := context.WithTimeout(ctx, pingWait)
			err := ws.Ping(ping)
			cancel()
			if err != nil {
				return fmt.Errorf("ari: events: no answer to a ping: %w", err)
			}
		case next := <-c.door.came:
			c.door.hold(next)
			return errAnew
		case <-c.renew:
			return errRenewed
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
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
