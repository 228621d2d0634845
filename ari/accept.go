package ari

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"parley/internal/brake"
)

// askEvery is the time between two questions that wait for the same answer.
const askEvery = 200 * time.Millisecond

// subprotocol is what Asterisk offers on a connection of its own making.
const subprotocol = "ari"

// Ends of a connection that is not at fault.
var (
	errAnew    = errors.New("ari: events: Asterisk has connected anew")
	errRenewed = errors.New("ari: events: connected again to see whether requests are obeyed")
)

// maxUnproven is how many connections at one time may be on trial.
const maxUnproven = 4

// door is where connections come in that Asterisk makes. The newest counts that
// has shown that it speaks ARI.
type door struct {
	came   chan *websocket.Conn // capacity 1: one that nobody has seen yet
	trial  chan struct{}        // capacity maxUnproven: one for each that has shown nothing yet
	denied atomic.Bool          // since the last look somebody was
	other  atomic.Bool          // since the last look one was not for the application
	silent atomic.Bool          // since the last look one did not answer, and nobody had the application
	closed chan struct{}        // Run is over

	held *websocket.Conn // Run's: seen, and not used yet
}

func newDoor() door {
	return door{came: make(chan *websocket.Conn, 1), trial: make(chan struct{}, maxUnproven), closed: make(chan struct{})}
}

// Accept takes a connection that Asterisk makes by its websocket_client.conf
// and an outbound_websocket of ari.conf. It must bring user and password of the
// Options; others are refused and slowed down, and Run tells so. It returns when
// the connection has shown that it speaks ARI: until then one that came before
// stays as good as it is.
func (c *Client) Accept(w http.ResponseWriter, r *http.Request) {
	if !c.admits(w, r) {
		return
	}
	select {
	case c.door.trial <- struct{}{}:
		defer func() { <-c.door.trial }()
	default:
		http.Error(w, "too many connections that have said nothing yet", http.StatusServiceUnavailable)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}})
	if err != nil {
		return // it has been answered
	}
	if ws.Subprotocol() != subprotocol {
		_ = ws.Close(websocket.StatusPolicyViolation, "the protocol must be "+subprotocol)
		return
	}
	ws.SetReadLimit(maxEvent)
	ctx, cancel := c.door.whileOpen(r.Context())
	defer cancel()
	if err := c.prove(ctx, ws); err != nil {
		_ = ws.CloseNow()
		c.judge(ctx, err)
		return
	}
	c.door.enter(ws)
}

// admits judges user and password of a connection.
func (c *Client) admits(w http.ResponseWriter, r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	right := same(user, c.o.User)&same(password, c.o.Password) == 1
	account := user
	if user != c.o.User {
		account = "" // strangers are braked as one
	}
	if wait := c.brake.Judge(time.Now(), brake.Peer(r.RemoteAddr), account, user+":"+password, right); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		http.Error(w, "too many wrong passwords", http.StatusTooManyRequests)
		return false
	}
	if right {
		return true
	}
	c.door.denied.Store(true)
	if c.o.Denied != nil {
		c.o.Denied(r.RemoteAddr)
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="Parley"`)
	http.Error(w, "wrong user or password", http.StatusUnauthorized)
	return false
}

// proveTime is how long a connection may take to show what it is.
const proveTime = 30 * time.Second

// prove has a connection answer as only Asterisk does. What it sends before has
// been kept for us, and is history.
func (c *Client) prove(ctx context.Context, ws *websocket.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, proveTime)
	defer cancel()
	return c.catchUp(ctx, ws)
}

// whileOpen is a context that ends with the door, too.
func (d *door) whileOpen(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-d.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// judge notes why a connection has not shown that it speaks ARI. Asterisk 22
// answers nothing over one whose application is not registered.
func (c *Client) judge(ctx context.Context, why error) {
	if errors.Is(why, ErrOtherApp) {
		c.door.other.Store(true)
		return
	}
	if has, err := c.Registered(ctx); err == nil && !has {
		c.door.silent.Store(true)
	}
}

// same compares in a time that tells nothing: 1 or 0.
func same(given, want string) int {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:])
}

// enter keeps a connection until Run takes it, or there is a newer one.
func (d *door) enter(ws *websocket.Conn) {
	for {
		select {
		case d.came <- ws:
			return
		case old := <-d.came:
			_ = old.CloseNow()
		}
	}
}

// hold keeps a connection for wait.
func (d *door) hold(ws *websocket.Conn) {
	if d.held != nil {
		_ = d.held.CloseNow()
	}
	d.held = ws
}

// wait returns the next connection. If there is none it is ErrAbsent, ErrDenied,
// ErrOtherApp or ErrUnregistered, once those that are there have shown what they
// are.
func (d *door) wait(ctx context.Context, limit time.Duration) (*websocket.Conn, error) {
	if ws := d.held; ws != nil {
		d.held = nil
		return ws, nil
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	for {
		select {
		case ws := <-d.came:
			return ws, nil
		case <-t.C:
			if err := d.verdict(); err != ErrAbsent || len(d.trial) == 0 { //nolint:errorlint // it is this very one
				return nil, err
			}
			t.Reset(limit)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// verdict is what was wrong with those that came since the last look.
func (d *door) verdict() error {
	denied, other, silent := d.denied.Swap(false), d.other.Swap(false), d.silent.Swap(false)
	switch {
	case other:
		return ErrOtherApp
	case silent:
		return ErrUnregistered
	case denied:
		return ErrDenied
	}
	return ErrAbsent
}

// shut waits until nobody is at the door, and nobody comes: all its places are
// taken then. It closes what came and was not used. It may be called once.
func (d *door) shut() {
	close(d.closed)
	for range cap(d.trial) {
		d.trial <- struct{}{}
	}
	d.hold(nil)
	d.empty()
}

func (d *door) empty() {
	select {
	case ws := <-d.came:
		_ = ws.CloseNow()
	default:
	}
}

// catchUp drops the events that Asterisk has kept while it was not connected:
// they are history, and the lists that are compared next tell what came of it.
// Asterisk answers a request over the connection when it has sent them all.
func (c *Client) catchUp(ctx context.Context, ws *websocket.Conn) error {
	id := rand.Text()
	question, err := json.Marshal(map[string]string{
		"type": "RESTRequest", "transaction_id": id, "request_id": id,
		"method": http.MethodGet, "uri": "applications/" + escaped([]string{c.o.App}),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		askAgain(ctx, ws, question)
	}()
	defer func() {
		cancel()
		<-asked
	}()
	for {
		data, err := c.nextMessage(ctx, ws)
		if err != nil {
			return err
		}
		var answer RESTResponse
		if json.Unmarshal(data, &answer) != nil || answer.RequestID != id {
			continue
		}
		if answer.Status == http.StatusNotFound {
			return ErrOtherApp
		}
		return nil // another refusal than this says nothing of the connection
	}
}

// askAgain asks until ctx ends. What comes together with the answer to its
// request for a connection Asterisk 22.10 does not see until more comes.
func askAgain(ctx context.Context, ws *websocket.Conn, question []byte) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for ws.Write(context.WithoutCancel(ctx), websocket.MessageText, question) == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// nextMessage waits for a message that must come soon.
func (c *Client) nextMessage(ctx context.Context, ws *websocket.Conn) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	_, data, err := ws.Read(ctx)
	if err != nil {
		return nil, fmt.Errorf("ari: events: %w", err)
	}
	return data, nil
}
