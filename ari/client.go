// Package ari is a client of Asterisk's REST interface: bounded requests, and
// one ordered stream of events that says when it had gaps. It uses the types
// and the event decoder of CyCoreSystems/ari, on connections of its own.
package ari

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"parley/internal/brake"
)

const (
	// DefaultTimeout bounds one request.
	DefaultTimeout = 5 * time.Second
	// DefaultMailbox is how many events may wait to be taken.
	DefaultMailbox = 8192

	// maxReply is the longest reply read: GET /channels takes about 500
	// bytes per channel.
	maxReply = 16 << 20
	// requests at a time: Asterisk's default is 100 connections in all.
	requests = 16
	// idle must be shorter than the 15 s Asterisk keeps a connection, or a
	// request may go out on one that is just being closed.
	idle = 10 * time.Second
)

// Options of a Client.
type Options struct {
	URL      string // of the interface, e.g. http://127.0.0.1:8088/ari
	User     string
	Password string
	App      string // Stasis application; one client at a time has its events
	Outbound bool   // Asterisk makes the connection for events, to Accept

	Timeout time.Duration     // of one request, 0 means DefaultTimeout
	Mailbox int               // events that may wait, 0 means DefaultMailbox
	Ignore  []string          // event types Asterisk is asked not to send
	Denied  func(from string) // Accept: told of each wrong user or password that was judged; nil: nobody is
	HTTP    *http.Client      // for TLS or tests; nil means one of the client's own
}

// Client talks to one Asterisk for one application. Its requests may be made
// by any goroutine at any time; Run keeps the events coming.
type Client struct {
	o      Options
	base   *url.URL
	http   *http.Client
	events chan Event
	door   door
	brake  brake.Brake
	renew  chan struct{} // capacity 1: to try at once
}

// New checks the options. Nothing is sent yet.
func New(o Options) (*Client, error) {
	base, err := url.Parse(strings.TrimSuffix(o.URL, "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("%w: URL %q, want http://host:port/ari", ErrOptions, o.URL)
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("%w: URL has more than scheme, host and path", ErrOptions)
	}
	if o.App == "" || strings.Contains(o.App, ",") {
		return nil, fmt.Errorf("%w: App %q, want one name", ErrOptions, o.App)
	}
	if o.Timeout < 0 || o.Mailbox < 0 {
		return nil, fmt.Errorf("%w: Timeout %v, Mailbox %d", ErrOptions, o.Timeout, o.Mailbox)
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Mailbox == 0 {
		o.Mailbox = DefaultMailbox
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Transport: &http.Transport{
			MaxConnsPerHost: requests, MaxIdleConnsPerHost: requests, IdleConnTimeout: idle,
		}}
	}
	return &Client{
		o: o, base: base, http: o.HTTP, events: make(chan Event, o.Mailbox), door: newDoor(), renew: make(chan struct{}, 1),
	}, nil
}

// App is the name of the Stasis application.
func (c *Client) App() string { return c.o.App }

// call makes a request and decodes the reply into reply, unless that is nil.
// path consists of segments, which are escaped. body goes out as JSON; without
// one, params go into the query of a GET or DELETE and into the form of others,
// where they may be long.
func (c *Client) call(ctx context.Context, method string, path []string, params url.Values, body, reply any) error {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	req, err := c.request(ctx, method, path, params, body)
	if err != nil {
		return err
	}
	name := strings.Join(path, "/")
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ari: %s %s: %w", method, name, withoutURL(err))
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	switch {
	case err != nil:
		return fmt.Errorf("ari: %s %s: %w", method, name, err)
	case len(data) > maxReply:
		return fmt.Errorf("%w: reply to %s %s", ErrTooLarge, method, name)
	case resp.StatusCode >= http.StatusMultipleChoices:
		return &Error{Method: method, Path: name, Status: resp.StatusCode, Message: message(data)}
	case reply == nil:
		return nil
	}
	if err := json.Unmarshal(data, reply); err != nil {
		return fmt.Errorf("ari: %s %s: reply: %w", method, name, err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, method string, path []string, params url.Values, body any) (*http.Request, error) {
	u := *c.base
	name := strings.Join(path, "/")
	u.Path, u.RawPath = u.Path+"/"+name, u.EscapedPath()+"/"+escaped(path)
	payload, kind := "", ""
	switch {
	case body != nil:
		b, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("ari: %s %s: %w", method, name, err)
		}
		payload, kind = string(b), "application/json"
	case method == http.MethodGet || method == http.MethodDelete:
		u.RawQuery = params.Encode()
	case len(params) > 0:
		payload, kind = params.Encode(), "application/x-www-form-urlencoded"
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("ari: %s %s: %w", method, name, withoutURL(err))
	}
	req.SetBasicAuth(c.o.User, c.o.Password)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	// Every operation here may be repeated, ids are ours. Present but empty,
	// this lets net/http do so on a connection that turned out to be dead.
	req.Header["Idempotency-Key"] = nil
	return req, nil
}

// escaped makes each segment one segment, whatever it holds.
func escaped(path []string) string {
	var b strings.Builder
	for i, s := range path {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

// withoutURL drops the URL that net/http puts before the cause: it may hold
// values of variables.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// message finds Asterisk's words in an error reply; anything but its JSON is
// a proxy's page and not worth quoting.
func message(data []byte) string {
	var m struct{ Message, Error string }
	if json.Unmarshal(data, &m) != nil {
		return ""
	}
	if m.Message == "" {
		m.Message = m.Error
	}
	return fmt.Sprintf("%.200s", m.Message)
}
