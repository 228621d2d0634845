package esl

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/percipia/eslgo/command"
)

// ClientOptions say how to reach a switch's event socket.
type ClientOptions struct {
	Conn     ConnOptions
	Address  string // host:port; ignored with Dial set to something that knows better
	User     string // user@domain for userauth; "" logs in with the password alone
	Password string
	// Dial opens the connection; nil means TCP to Address.
	Dial func(ctx context.Context) (net.Conn, error)
}

// Client is our connection to a switch's event socket. Events it subscribed
// to must be read; results of Background are not among them.
type Client struct{ *Conn }

// Dial connects and logs in, within ctx and ConnOptions.Timeout. A refused
// password is ErrAuth; an address the switch's access list refuses, ErrRejected.
func Dial(ctx context.Context, o ClientOptions) (*Client, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.Conn.withDefaults().Timeout, ErrSilent)
	defer cancel()
	nc, err := o.dial(ctx)
	if err != nil {
		return nil, err
	}
	c := &Client{newConn(nc, o.Conn)}
	if err := c.logIn(ctx, o); err != nil {
		_ = c.Close() // always nil
		return nil, err
	}
	return c, nil
}

func (o ClientOptions) dial(ctx context.Context) (net.Conn, error) {
	if o.Dial != nil {
		return o.Dial(ctx)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", o.Address)
}

func (c *Client) logIn(ctx context.Context, o ClientOptions) error {
	select {
	case <-c.hello:
	case <-c.Done():
		return c.Err()
	case <-ctx.Done():
		return fmt.Errorf("esl: no greeting: %w", context.Cause(ctx))
	}
	m, err := c.Do(ctx, command.Auth{User: o.User, Password: o.Password})
	var refused *ReplyError
	switch {
	case errors.As(err, &refused):
		return fmt.Errorf("%w: %q", ErrAuth, refused.Text)
	case err != nil:
		return err
	case m.Value("Reply-Text") != "+OK accepted":
		return fmt.Errorf("%w: %.80q", ErrAuth, m.Value("Reply-Text"))
	}
	return c.Subscribe(ctx, "BACKGROUND_JOB")
}

// Subscribe adds events by name. After "CUSTOM" every further name is taken
// as a subclass.
func (c *Client) Subscribe(ctx context.Context, names ...string) error {
	_, err := c.Do(ctx, command.Event{Format: "plain", Listen: names})
	return err
}

// Filter lets only those events through, of those subscribed to, that have one
// of the values that were given for one of the headers; Unfilter takes a value
// back. Without any filter all come.
func (c *Client) Filter(ctx context.Context, header, value string) error {
	_, err := c.Do(ctx, command.Filter{EventHeader: header, FilterValue: value})
	return err
}

// Unfilter is the reverse of Filter.
func (c *Client) Unfilter(ctx context.Context, header, value string) error {
	_, err := c.Do(ctx, command.Filter{Delete: true, EventHeader: header, FilterValue: value})
	return err
}

// Background runs an api command without blocking the socket and returns what
// it printed, however long that takes. Its errors are those of Conn.API.
func (c *Client) Background(ctx context.Context, cmd, arguments string) (string, error) {
	job := NewUUID()
	place := c.expect(job)
	defer c.forget(job)
	if _, err := c.Do(ctx, bgapi{command: cmd, arguments: arguments, job: job}); err != nil {
		return "", err
	}
	e, err := c.wait(ctx, place)
	if err != nil {
		return "", err
	}
	return apiResult(cmd, e.Body)
}
