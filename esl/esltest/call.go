package esltest

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/esl"
)

// CallOptions describe a call. Zero fields get a plain call to 3001.
type CallOptions struct {
	UUID    string
	Number  string            // the number dialled
	Vars    map[string]string // channel variables
	Headers map[string]string // further headers of the reply to connect
	Mode    string            // Socket-Mode; "" is "async"
	Control string            // "" is "full"
	Core    *Core             // the switch that the channel is one of; nil: one that has nothing else
}

// App is an application the controller has started.
type App struct {
	Name, Arg, ID string
	locked        bool // started with event-lock: nothing runs inside of it
}

// Ending is how a call left the socket application.
type Ending struct {
	HungUp  bool
	Moved   bool   // transferred away before
	Broken  string // what still ran when the socket ended, and was broken by resume
	Stuck   string // application that still runs, because nothing resumed the dialplan
	Vars    map[string]string
	Because error // how the connection ended; nil after "exit"
}

// blocking are the applications that run until Call.Finish.
func blocking() []string {
	return []string{"bridge", "playback", "endless_playback", "record", "conference", "echo", "park", "sleep"}
}

// Call is the switch's part of one call on an outbound socket. Its methods may
// be called from any goroutine. It fails the test when it is sent something a
// switch would misread.
type Call struct {
	opts  CallOptions
	apps  chan App
	ended chan Ending
	core  *Core   // nil: none
	out   *outbox // of events; nil: they are written at once

	mu        *sync.Mutex // held over a change and the messages that report it; the core's, where there is one
	w         wire
	vars      map[string]string
	requests  []string
	connected bool
	events    bool
	lingers   bool
	resume    bool
	answered  bool
	hungUp    bool
	moved     bool
	cut       bool  // it has no socket any more, or never had one
	gone      bool  // and its dialplan has gone on
	starved   bool  // see Starve
	running   []App // the last one runs inside of those before it
	queue     []App // what waits
	held      []*esl.Request
	member    *member // its place in a conference; nil: none
	number    int     // of that place, kept for later ones; 0: it had none
}

// NewCall plays a call on nc until the controller, or Hangup, ends it.
func NewCall(tb testing.TB, nc net.Conn, o CallOptions) *Call {
	if o.UUID == "" {
		o.UUID = "a42bc026-62a9-452f-948b-76c56d7e7e28"
	}
	if o.Number == "" {
		o.Number = "3001"
	}
	if o.Mode == "" {
		o.Mode = "async"
	}
	if o.Control == "" {
		o.Control = "full"
	}
	c := &Call{
		opts: o, w: wire{tb: tb, nc: nc}, vars: maps.Clone(o.Vars), mu: &sync.Mutex{},
		apps: make(chan App, 256), ended: make(chan Ending, 2), core: o.Core,
	}
	if c.vars == nil {
		c.vars = make(map[string]string)
	}
	if c.core != nil {
		c.mu, c.out = &c.core.mu, c.core.outbox(false)
		c.core.enter(c)
	}
	go c.run()
	return c
}

// UUID is the call's Unique-ID.
func (c *Call) UUID() string { return c.opts.UUID }

// Apps reports every application as it starts to run. What is not over at once
// (bridge, playback …) runs until Finish.
func (c *Call) Apps() <-chan App { return c.apps }

// Ended reports how the call left the socket application. One that stayed in a
// conference after that, or never was in it, reports when its dialplan goes on.
func (c *Call) Ended() <-chan Ending { return c.ended }

// Var is a channel variable's value now.
func (c *Call) Var(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.vars[name]
}

// Requests are the first lines of all commands so far.
func (c *Call) Requests() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.requests)
}

// Fire sends an event, if the controller has subscribed: one of this call,
// unless pairs name another Unique-ID.
func (c *Call) Fire(name string, pairs ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fire(name, pairs...)
}

// Answer reports that the call has been answered, as a bridge does when its
// other side answers, and that the two are connected.
func (c *Call) Answer() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer()
	c.bridged()
}

// Unbridge ends the bridge that runs, if one does.
func (c *Call) Unbridge() { c.End("bridge") }

// End ends an application, if it is the innermost one that runs.
func (c *Call) End(app string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.runs(app) {
		c.finish("_none_")
	}
}

// Starve stops the caller's audio: what takes effect with the next frame of
// it, as the end of a conference that was ordered, does not.
func (c *Call) Starve() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.starved = true
}

// Finish ends the running application; vars are set on the call first, as a
// bridge does with originate_disposition.
func (c *Call) Finish(vars map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.Copy(c.vars, vars)
	c.finish("_none_")
}

// Hangup hangs the call up.
func (c *Call) Hangup(cause string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hangup(cause)
}

// Transfer moves the call to another extension, as uuid_transfer does: the
// running application and the socket application end, the connection stays.
func (c *Call) Transfer() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved = true
	c.drain("")
	c.fire("CHANNEL_EXECUTE_COMPLETE", "Application", "socket", "Application-Response", "_none_")
}

func (c *Call) run() {
	r := esl.NewReader(c.w.nc)
	for {
		q, err := r.Request()
		if err != nil {
			c.end(err)
			return
		}
		if !c.take(q) {
			c.end(nil)
			return
		}
	}
}

// take is serve, as soon as the switch answers.
func (c *Call) take(q *esl.Request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.core != nil && c.core.stalled {
		c.held = append(c.held, q)
		return true
	}
	return c.serve(q)
}

// end settles what becomes of the call once its connection is gone.
func (c *Call) end(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := Ending{HungUp: c.hungUp, Moved: c.moved, Vars: maps.Clone(c.vars), Because: why}
	resumed := c.resume || c.vars["socket_resume"] == "true"
	switch {
	case c.hungUp:
	case c.moved && resumed:
		e.Broken = "the extension it was moved to"
	case len(c.running) > 0 && resumed:
		e.Broken = c.running[0].Name
		if c.core != nil {
			c.drain("")
		}
	case len(c.running) > 0:
		e.Stuck = c.running[0].Name
	}
	c.cut = true
	_ = c.w.nc.Close()
	if c.out != nil {
		c.out.close()
	}
	c.ended <- e
}

// serve handles one command and reports whether the connection goes on.
func (c *Call) serve(q *esl.Request) bool {
	c.requests = append(c.requests, q.Line)
	if !c.connected {
		if q.Line != "connect" {
			c.w.tb.Errorf("first command on an outbound socket is %q; the switch would not answer it", q.Line)
			return false
		}
		c.connected = true
		c.connect()
		return true
	}
	if _, ok := is(q.Line, "exit"); ok {
		c.w.reply("+OK bye")
		c.notice("disconnect", goodbye)
		return false
	}
	if c.opts.Control != "full" {
		c.w.reply("-ERR command not found")
		return true
	}
	return c.command(q)
}

func (c *Call) command(q *esl.Request) bool {
	switch line := q.Line; {
	case hasWord(line, "sendmsg"):
		c.w.reply(c.message(q))
		c.begin()
	case hasWord(line, "api"):
		rest, _ := is(line, "api ")
		cmd, args, _ := strings.Cut(rest, " ")
		if c.core != nil {
			c.w.api(c.core.api(cmd, args))
			break
		}
		body := c.call(cmd, args)
		c.w.api(body)
		if uuid, cause, _ := strings.Cut(args, " "); cmd == "uuid_kill" && body == "+OK\n" {
			c.kill(uuid, cause)
		}
	case hasWord(line, "linger"):
		c.lingers = true
		n, _ := is(line, "linger")
		c.w.reply("+OK will linger " + n + " seconds")
	case hasWord(line, "myevents"):
		if c.events {
			c.w.reply("-ERR aready enabled.")
			break
		}
		c.events = true
		c.w.reply("+OK Events Enabled")
	case hasWord(line, "resume"):
		c.resume = true
		c.vars["socket_resume"] = "true"
		c.w.reply("+OK")
	case line == "nixevent":
		c.w.reply("-ERR no keywords supplied")
	default:
		c.w.reply("-ERR command not found")
	}
	return true
}

func hasWord(line, word string) bool {
	_, ok := is(line, word)
	return ok
}

func (c *Call) notice(disposition, body string) {
	c.w.put("Content-Type: text/disconnect-notice\nControlled-Session-UUID: %s\nContent-Disposition: %s\n"+
		"Content-Length: %d\n\n%s", c.opts.UUID, disposition, len(body), body)
}

func (c *Call) fire(name string, pairs ...string) {
	if c.core == nil && !c.events {
		return
	}
	state := "ringing"
	switch {
	case c.hungUp:
		state = "hangup"
	case c.answered:
		state = "answered"
	}
	e := Event(name, append(slices.Clip(pairs), "Unique-ID", c.opts.UUID, "Answer-State", state)...)
	for _, k := range slices.Sorted(maps.Keys(c.vars)) {
		e.Headers = append(e.Headers, esl.Header{Name: "variable_" + k, Value: c.vars[k]})
	}
	if c.events && !c.cut {
		c.send(func() { c.w.event(e) })
	}
	if c.core != nil {
		c.core.report(e)
	}
}

// send writes something behind the events that are on their way.
func (c *Call) send(write func()) {
	if c.out == nil {
		write()
		return
	}
	c.out.put(write)
}

func (c *Call) answer() {
	if !c.answered {
		c.answered = true
		c.fire("CHANNEL_ANSWER")
	}
}

func (c *Call) hangup(cause string) {
	if c.hungUp {
		return
	}
	c.hungUp = true
	c.fire("CHANNEL_HANGUP", "Hangup-Cause", cause)
	c.drain(cause)
	if c.cut {
		c.fire("CHANNEL_HANGUP_COMPLETE", "Hangup-Cause", cause)
		return
	}
	c.fire("CHANNEL_EXECUTE_COMPLETE", "Application", "socket", "Application-Response", "_none_")
	c.fire("CHANNEL_HANGUP_COMPLETE", "Hangup-Cause", cause)
	if c.lingers {
		c.send(func() { c.notice("linger", "") })
		return
	}
	c.send(func() {
		c.notice("disconnect", goodbye)
		_ = c.w.nc.Close() // run notices
	})
}

// drain ends what runs, from the inside out, and forgets what waits. cause is
// that of a hang-up.
func (c *Call) drain(cause string) {
	c.queue = nil
	for len(c.running) > 0 {
		c.complete("_none_", cause)
	}
}

// String helps a failing test.
func (a App) String() string { return fmt.Sprintf("%s(%s)", a.Name, a.Arg) }
