package esltest

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"parley/esl"
)

// SwitchOptions describe an inbound event socket.
type SwitchOptions struct {
	Password string // "" is "ClueCon"
	Reject   bool   // the access list refuses the peer
	// API runs an api command and returns what it prints. nil knows none.
	API func(cmd, args string) string
	// Core answers in place of API, and events of its channels and conferences
	// are sent.
	Core *Core
}

// Switch is the switch's part of one inbound connection.
type Switch struct {
	opts SwitchOptions
	done chan struct{}
	out  *outbox // of the core's events; nil: there is none

	mu       sync.Mutex // held over a change and the messages that report it
	w        wire
	authed   bool
	listens  []string // names of events, and subclasses
	filters  []string // "Header value": one of them must fit
	level    int      // of the log lines it wants; below 0: none
	requests []string
	held     []*esl.Request // guarded by the core's lock
}

// NewSwitch serves nc until the client, or Close, ends it.
func NewSwitch(tb testing.TB, nc net.Conn, o SwitchOptions) *Switch {
	if o.Password == "" {
		o.Password = "ClueCon"
	}
	s := &Switch{opts: o, w: wire{tb: tb, nc: nc}, done: make(chan struct{}), level: -1}
	if o.Core != nil {
		s.out = o.Core.outbox(true)
		o.Core.link(s)
	}
	go s.run()
	return s
}

// Done is closed when the connection has ended.
func (s *Switch) Done() <-chan struct{} { return s.done }

// Close cuts the connection without a word.
func (s *Switch) Close() { _ = s.w.nc.Close() }

// Requests are the first lines of all commands so far.
func (s *Switch) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Fire sends an event to a client that has subscribed to it.
func (s *Switch) Fire(e *esl.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fire(e)
}

func (s *Switch) fire(e *esl.Event) {
	want := func(n string) bool { return slices.Contains(s.listens, n) }
	fits := func(f string) bool {
		header, value, _ := strings.Cut(f, " ")
		return strings.EqualFold(e.Value(header), value)
	}
	if len(s.filters) > 0 && !slices.ContainsFunc(s.filters, fits) {
		return
	}
	if want("all") || want(e.Name()) && (e.Name() != "CUSTOM" || want(e.Value("Event-Subclass"))) {
		s.w.event(e)
	}
}

// filter takes a filter, or takes one back.
func (s *Switch) filter(rest string) {
	f, gone := strings.CutPrefix(rest, "delete ")
	header, value, _ := strings.Cut(f, " ")
	if gone {
		s.filters = slices.DeleteFunc(s.filters, func(o string) bool { return o == f })
		s.w.reply("+OK filter deleted. [" + header + "][" + value + "]")
		return
	}
	s.filters = append(s.filters, f)
	s.w.reply("+OK filter added. [" + header + "]=[" + value + "]")
}

// log sets the level of the log lines that are sent.
func (s *Switch) log(level string) {
	n, err := strconv.Atoi(level)
	if err != nil {
		s.w.reply("-ERR invalid log level")
		return
	}
	s.level = n
	s.w.reply("+OK log level " + level + " [" + level + "]")
}

// Log is a line of the switch's log, for a client that reads it.
func (s *Switch) Log(level int, file, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if level <= s.level {
		s.w.log(level, file, text)
	}
}

func (s *Switch) run() {
	defer close(s.done)
	defer s.Close()
	if s.opts.Core != nil {
		defer s.opts.Core.unlink(s)
	}
	if s.opts.Reject {
		const text = "Access Denied, go away.\n"
		s.w.put("Content-Type: text/rude-rejection\nContent-Length: %d\n\n%s", len(text), text)
		s.disconnect()
		return
	}
	s.w.put("Content-Type: auth/request\n\n")
	r := esl.NewReader(s.w.nc)
	for {
		q, err := r.Request()
		if err != nil {
			return
		}
		if s.opts.Core != nil && s.opts.Core.holds(s, q) {
			continue
		}
		if !s.serve(q) {
			return
		}
	}
}

func (s *Switch) disconnect() {
	s.w.put("Content-Type: text/disconnect-notice\nContent-Length: %d\n\n%s", len(goodbye), goodbye)
}

func (s *Switch) serve(q *esl.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, q.Line)
	if hasWord(q.Line, "exit") {
		s.w.reply("+OK bye")
		s.disconnect()
		return false
	}
	if !s.authed {
		return s.auth(q.Line)
	}
	switch {
	case hasWord(q.Line, "api "):
		s.w.api(s.api(q.Line[len("api "):]))
	case hasWord(q.Line, "sendmsg ") && s.opts.Core != nil:
		uuid, _ := is(q.Line, "sendmsg")
		s.w.reply(s.opts.Core.message(uuid, q))
	case hasWord(q.Line, "bgapi "):
		s.background(q)
	case hasWord(q.Line, "event "):
		s.listens = append(s.listens, strings.Fields(q.Line)[1:]...)
		s.w.reply("+OK event listener enabled plain")
	case hasWord(q.Line, "filter "):
		s.filter(q.Line[len("filter "):])
	case hasWord(q.Line, "log "):
		s.log(q.Line[len("log "):])
	case q.Line == "nixevent":
		s.w.reply("-ERR no keywords supplied")
	default:
		s.w.reply("-ERR command not found")
	}
	return true
}

func (s *Switch) auth(line string) bool {
	password, ok := is(line, "auth ")
	switch {
	case !ok:
		s.w.reply("-ERR command not found")
	case password == s.opts.Password:
		s.authed = true
		s.w.reply("+OK accepted")
	default:
		s.w.reply("-ERR invalid")
		s.disconnect()
		return false
	}
	return true
}

func (s *Switch) api(line string) string {
	cmd, args, _ := strings.Cut(line, " ")
	if s.opts.Core != nil {
		return s.opts.Core.API(cmd, args)
	}
	if s.opts.API == nil {
		return "-ERR " + cmd + " Command not found!\n"
	}
	return s.opts.API(cmd, args)
}

// background reports a job's end before the reply that names the job, as a
// switch sometimes does.
func (s *Switch) background(q *esl.Request) {
	line := q.Line[len("bgapi "):]
	job := q.Value("Job-UUID")
	if job == "" {
		s.w.tb.Errorf("bgapi %q without a Job-UUID of the client's own", line)
	}
	e := Event("BACKGROUND_JOB", "Job-UUID", job, "Job-Command", strings.Fields(line)[0])
	e.Body = []byte(s.api(line))
	s.fire(e)
	s.w.put("Content-Type: command/reply\nReply-Text: +OK Job-UUID: %s\nJob-UUID: %s\n\n", job, job)
}
