// Package esltest plays FreeSWITCH's part of an event socket, for tests of
// what talks to it. Call is a call that a dialplan hands to an outbound
// socket; Switch is the inbound server. Both are small programs that speak the
// protocol, verify what they are sent, and run over any net.Conn, net.Pipe in
// a synctest bubble included.
package esltest

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/esl"
)

// wire writes a switch's messages. Its caller keeps them in order.
type wire struct {
	tb  testing.TB
	nc  net.Conn
	seq int // Event-Sequence
}

// put writes; a peer that has gone is not the fake's concern.
func (w *wire) put(format string, args ...any) {
	_, _ = fmt.Fprintf(w.nc, format, args...)
}

func (w *wire) reply(text string) {
	w.put("Content-Type: command/reply\nReply-Text: %s\n\n", text)
}

func (w *wire) api(body string) {
	if body == "" {
		body = "-ERR no reply\n"
	}
	w.put("Content-Type: api/response\nContent-Length: %d\n\n%s", len(body), body)
}

func (w *wire) event(e *esl.Event) {
	if w.seq++; e.Value("Event-Sequence") == "" {
		e = &esl.Event{Body: e.Body, Headers: append(slices.Clip(e.Headers), esl.Header{Name: "Event-Sequence", Value: fmt.Sprint(w.seq)})}
	}
	body := e.AppendPlain(nil)
	w.put("Content-Length: %d\nContent-Type: text/event-plain\n\n%s", len(body), body)
}

// log writes a line of the log as the switch does, its time and place in front.
func (w *wire) log(level int, file, text string) {
	body := fmt.Sprintf("2026-01-02 03:04:05.000006 99.97%% [CRIT] %s:389 %s\n", file, text)
	w.put("Content-Type: log/data\nContent-Length: %d\nLog-Level: %d\nText-Channel: 0\nLog-File: %s\nLog-Func: event_handler\nLog-Line: 389\nUser-Data: \n\n%s",
		len(body), level, file, body)
}

// outbox holds events back: every socket of a switch has its own queue, and
// which is faster nobody promises. What is put comes out in order, a lag later.
type outbox struct {
	lag  func() time.Duration
	wake chan struct{} // capacity 1
	done chan struct{}

	mu   sync.Mutex
	list []parcel // guarded by mu
}

type parcel struct {
	due   time.Time
	write func()
}

func newOutbox(lag func() time.Duration) *outbox {
	o := &outbox{lag: lag, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go o.run()
	return o
}

func (o *outbox) close() { close(o.done) }

func (o *outbox) put(write func()) {
	o.mu.Lock()
	o.list = append(o.list, parcel{time.Now().Add(o.lag()), write})
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outbox) take() []parcel {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := o.list
	o.list = nil
	return list
}

// wait is false when the outbox is closed meanwhile.
func (o *outbox) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	late := time.NewTimer(d)
	defer late.Stop()
	select {
	case <-late.C:
		return true
	case <-o.done:
		return false
	}
}

func (o *outbox) run() {
	for {
		select {
		case <-o.wake:
		case <-o.done:
			return
		}
		for _, p := range o.take() {
			if !o.wait(time.Until(p.due)) {
				return
			}
			p.write()
		}
	}
}

const goodbye = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"

// Event builds an event from a name and pairs of header name and value.
func Event(name string, pairs ...string) *esl.Event {
	e := &esl.Event{Headers: esl.Headers{{Name: "Event-Name", Value: name}}}
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Headers = append(e.Headers, esl.Header{Name: pairs[i], Value: pairs[i+1]})
	}
	return e
}

// is reports whether a command line begins with a word, as the switch compares.
func is(line, word string) (rest string, ok bool) {
	if len(line) < len(word) || !strings.EqualFold(line[:len(word)], word) {
		return "", false
	}
	return strings.TrimLeft(line[len(word):], " "), true
}
