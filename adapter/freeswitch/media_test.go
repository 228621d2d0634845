package freeswitch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"parley/adapter/freeswitch"
	"parley/codec"
	"parley/engine"
	"parley/engine/native"
	"parley/esl/esltest"
)

// tickets stands for our SIP endpoint: it gives out tokens, each good for one
// call.
type tickets struct {
	rig     *rig
	mu      sync.Mutex
	waiting map[string]*ticket // guarded by mu
	count   int                // guarded by mu
}

type ticket struct {
	all   *tickets
	token string
	id    engine.LegID
	came  chan freeswitch.Media // capacity 1
	no    chan error            // capacity 1
}

var errUnclaimed = errors.New("nobody brought the token")

func (t *tickets) issue(id engine.LegID) freeswitch.Ticket {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	one := &ticket{all: t, token: fmt.Sprintf("~token%d", t.count), id: id, came: make(chan freeswitch.Media, 1), no: make(chan error, 1)}
	t.waiting[one.token] = one
	return one
}

// claim is a call of the switch that brings a token; a used one is refused.
func (t *tickets) claim(c *esltest.Call, token string) (*media, error) {
	t.mu.Lock()
	one := t.waiting[token]
	delete(t.waiting, token)
	t.mu.Unlock()
	if one == nil {
		return nil, errUnclaimed
	}
	m := &media{line: &line{}, call: c, done: make(chan struct{})}
	var err error
	if m.Leg, err = t.rig.mixer.NewLeg(one.id, m.line, codec.PCMU()); err != nil {
		return nil, err
	}
	m.Leg.SetMediaLost(0)
	one.came <- m
	return m, nil
}

// refuse is our refusal of the call that brings a token, which the switch hears
// of as of any other.
func (t *tickets) refuse(c *esltest.Call, token string, why error) {
	t.mu.Lock()
	one := t.waiting[token]
	delete(t.waiting, token)
	t.mu.Unlock()
	one.no <- why
	time.Sleep(time.Millisecond)
	c.Finish(map[string]string{"originate_disposition": "NORMAL_TEMPORARY_FAILURE"})
}

// open is how many tokens could still be used.
func (t *tickets) open() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.waiting)
}

func (t *ticket) Token() string { return t.token }

func (t *ticket) Wait(ctx context.Context) (freeswitch.Media, error) {
	select {
	case m := <-t.came:
		return m, nil
	case err := <-t.no:
		return nil, err
	case <-ctx.Done():
		t.Drop()
		return nil, errUnclaimed
	}
}

func (t *ticket) Drop() {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	delete(t.all.waiting, t.token)
}

// media is the switch's call to our SIP endpoint, as both ends see it.
type media struct {
	*native.Leg
	*line
	call *esltest.Call
	once sync.Once
	done chan struct{}
}

func (m *media) Done() <-chan struct{} { return m.done }

func (m *media) Close() error { return m.Leg.Close() }

// end is the end of the SIP call.
func (m *media) end() (first bool) {
	m.once.Do(func() {
		first = true
		close(m.done)
		_ = m.Leg.Close()
	})
	return first
}

// HangUp is our hanging up: the bridge at the switch ends a little later.
func (m *media) HangUp() {
	if m.end() {
		time.AfterFunc(byeTime, func() { m.call.Unbridge() })
	}
}

// hangUp is the caller's hanging up at the switch: both its sides end.
func (m *media) hangUp() {
	m.call.Hangup("NORMAL_CLEARING")
	m.end()
}

// line is audio in memory: silence, and keys.
type line struct {
	mu   sync.Mutex
	keys []byte // guarded by mu
}

func (l *line) press(keys string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keys = append(l.keys, keys...)
}

func (l *line) Digit() (byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.keys) == 0 {
		return 0, false
	}
	d := l.keys[0]
	l.keys = l.keys[1:]
	return d, true
}

func (*line) Drain(int64)               {}
func (*line) Take([]byte) (int, bool)   { return 0, false }
func (*line) Send([]byte, uint32, bool) {}
func (*line) LastArrival() int64        { return 0 }
func (*line) Report(int64)              {}
func (*line) Close() error              { return nil }

// journal is a log.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// pipes is a listener whose connections are net.Pipes.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8084} }

// connect is a new connection to the listener, from the switch's side.
func (p *pipes) connect() net.Conn {
	near, far := net.Pipe()
	p.conns <- near
	return far
}
