package esltest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/esl"
)

// Core is a whole switch: its channels and conferences, seen over any number
// of sockets. A Call is a channel of it, a Switch a connection to it, when its
// options name it. Its methods may be called from any goroutine.
type Core struct {
	tb testing.TB

	mu       sync.Mutex // held over a change and the events that report it
	uuid     string     // guarded by mu, as all below
	calls    []*Call
	links    []*Switch
	rooms    []*conference
	members  int // the last member's number
	stalled  bool
	linkLag  time.Duration
	callLag  time.Duration
	refusals map[string]string // answers to api commands, by their beginning
	referred string            // what phones tell of where they are sent
	files    map[string]bool   // guarded by mu
}

// NewCore makes a switch.
func NewCore(tb testing.TB) *Core {
	return &Core{tb: tb, uuid: "c0000000-0000-4000-8000-000000000001", refusals: map[string]string{}, referred: "SIP/2.0 200 OK\r\n"}
}

// Lag makes events come later over the connections to the switch, and over the
// sockets of its calls. Answers come at once.
func (k *Core) Lag(links, calls time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.linkLag, k.callLag = links, calls
}

// Refuse makes the switch answer api commands that begin with a text by another
// one; "" is the end of that.
func (k *Core) Refuse(begin, answer string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if answer == "" {
		delete(k.refusals, begin)
		return
	}
	k.refusals[begin] = answer
}

// Stall makes the switch take everything and answer nothing; Go makes it do
// what it was sent meanwhile.
func (k *Core) Stall() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stalled = true
}

// Go is the end of Stall.
func (k *Core) Go() {
	k.mu.Lock()
	k.stalled = false
	for _, c := range k.calls {
		for _, q := range c.held {
			c.serve(q)
		}
		c.held = nil
	}
	links := slices.Clone(k.links)
	k.mu.Unlock()
	for _, s := range links {
		k.mu.Lock()
		held := s.held
		s.held = nil
		k.mu.Unlock()
		for _, q := range held {
			s.serve(q)
		}
	}
}

// Restart is another run of the switch: its channels and conferences are gone
// without a word.
func (k *Core) Restart() {
	k.mu.Lock()
	k.uuid = "c0000000-0000-4000-8000-000000000002"
	calls, links := k.calls, slices.Clone(k.links)
	k.calls, k.rooms = nil, nil
	k.mu.Unlock()
	for _, c := range calls {
		if c.w.nc != nil {
			_ = c.w.nc.Close()
		}
	}
	for _, s := range links {
		s.Close()
	}
}

// Connect serves a connection to the switch.
func (k *Core) Connect(nc net.Conn) *Switch { return NewSwitch(k.tb, nc, SwitchOptions{Core: k}) }

// Cut ends every connection to the switch; sockets of calls stay.
func (k *Core) Cut() {
	k.mu.Lock()
	links := slices.Clone(k.links)
	k.mu.Unlock()
	for _, s := range links {
		s.Close()
	}
}

// Enter is a call that a dialplan of the switch's own brings into a conference.
func (k *Core) Enter(o CallOptions, conference string) *Call {
	o.Core = k
	c := &Call{
		opts: o, w: wire{tb: k.tb}, vars: maps.Clone(o.Vars), mu: &k.mu, core: k, cut: true, answered: true,
		apps: make(chan App, 256), ended: make(chan Ending, 2),
	}
	if c.vars == nil {
		c.vars = map[string]string{}
	}
	k.enter(c)
	k.mu.Lock()
	defer k.mu.Unlock()
	c.queue = append(c.queue, App{Name: "conference", Arg: conference, ID: "dialplan-" + o.UUID})
	c.begin()
	return c
}

// Requests are the first lines of all commands over the connections there are.
func (k *Core) Requests() (all []string) {
	k.mu.Lock()
	links := slices.Clone(k.links)
	k.mu.Unlock()
	for _, s := range links {
		all = append(all, s.Requests()...)
	}
	return all
}

func (k *Core) outbox(link bool) *outbox {
	return newOutbox(func() time.Duration {
		if link {
			return k.linkLag
		}
		return k.callLag
	})
}

func (k *Core) enter(c *Call) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls = append(slices.DeleteFunc(k.calls, func(o *Call) bool { return o.opts.UUID == c.opts.UUID }), c)
}

func (k *Core) link(s *Switch) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.links = append(k.links, s)
}

func (k *Core) unlink(s *Switch) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.links = slices.DeleteFunc(k.links, func(o *Switch) bool { return o == s })
	s.out.close()
}

// holds keeps a command for later while the switch is stalled.
func (k *Core) holds(s *Switch, q *esl.Request) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stalled {
		s.held = append(s.held, q)
	}
	return k.stalled
}

// report sends an event over every connection that wants it.
func (k *Core) report(e *esl.Event) {
	for _, s := range k.links {
		s.out.put(func() { s.Fire(e) })
	}
}

// find returns the channel of a UUID that has not hung up, or nil.
func (k *Core) find(uuid string) *Call {
	for _, c := range k.calls {
		if c.opts.UUID == uuid && !c.hungUp {
			return c
		}
	}
	return nil
}

// message takes a sendmsg for a channel.
func (k *Core) message(uuid string, q *esl.Request) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.find(uuid)
	if c == nil {
		return "-ERR invalid session id [" + uuid + "]"
	}
	reply := c.message(q)
	c.begin()
	return reply
}

// API runs a command, as fs_cli does.
func (k *Core) API(cmd, args string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.api(cmd, args)
}

func (k *Core) api(cmd, args string) string {
	for begin, answer := range k.refusals {
		if strings.HasPrefix(cmd+" "+args, begin) {
			return answer
		}
	}
	switch cmd {
	case "version":
		return "1.11.1\n"
	case "switchname":
		return "vm"
	case "global_getvar":
		if args == "core_uuid" {
			return k.uuid
		}
		if args == "recordings_dir" {
			return RecordDir
		}
		return ""
	case "file_exists":
		return fmt.Sprint(k.files[args])
	case "conference":
		return k.confer(args)
	case "show":
		return k.channels(args)
	case "uuid_exists":
		return fmt.Sprint(k.find(args) != nil)
	}
	if strings.HasPrefix(cmd, "uuid_") {
		return k.channel(cmd, args)
	}
	k.tb.Errorf("api %s %s: the switch does not know this", cmd, args)
	return "-ERR " + cmd + " Command not found!\n"
}

// channel runs a command about one channel.
func (k *Core) channel(cmd, args string) string {
	uuid, rest, _ := strings.Cut(args, " ")
	for _, o := range k.calls {
		if cmd == "uuid_kill" && o.isPeer(uuid) {
			o.finish("_none_")
			return "+OK\n"
		}
	}
	c := k.find(uuid)
	if c == nil {
		return "-ERR No such channel!\n"
	}
	switch cmd {
	case "uuid_kill":
		c.hangup(rest)
		return "+OK\n"
	case "uuid_break":
		if c.runs("playback") || c.runs("endless_playback") || c.runs("record") {
			c.finish("_none_")
		}
		return "+OK\n"
	case "uuid_dump":
		return c.dump()
	case "uuid_deflect":
		return c.deflect()
	}
	return c.call(cmd, args)
}

// dump is the answer to uuid_dump UUID json.
func (c *Call) dump() string {
	all := map[string]string{
		"Event-Name": "CHANNEL_DATA", "Unique-ID": c.opts.UUID, "Channel-Name": "sofia/internal/" + c.caller("Number") + "@127.0.0.1",
		"Channel-Read-Codec-Name": "PCMU", "Channel-Read-Codec-Rate": "8000", "Caller-Destination-Number": c.opts.Number,
	}
	for name, value := range c.vars {
		all["variable_"+name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		c.w.tb.Error(err)
	}
	return string(text)
}

// caller is a part of the caller's ID: Name or Number.
func (c *Call) caller(part string) string {
	if v, ok := c.opts.Headers["Caller-Caller-ID-"+part]; ok {
		return v
	}
	return map[string]string{"Name": "Alice", "Number": "1001"}[part]
}

// channels is the answer to show channels as json.
func (k *Core) channels(args string) string {
	if args != "channels as json" {
		k.tb.Errorf("show %s: nobody parses that", args)
	}
	rows := []map[string]string{}
	for _, c := range k.calls {
		if c.hungUp {
			continue
		}
		r := map[string]string{
			"uuid": c.opts.UUID, "direction": "inbound", "name": "sofia/internal/" + c.caller("Number") + "@127.0.0.1",
			"state": "CS_EXECUTE", "callstate": "ACTIVE", "cid_name": c.caller("Name"), "cid_num": c.caller("Number"),
		}
		if n := len(c.running); n > 0 {
			r["application"], r["application_data"] = c.running[n-1].Name, c.running[n-1].Arg
		}
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		return "{\"row_count\": 0}\n"
	}
	text, err := json.Marshal(map[string]any{"row_count": len(rows), "rows": rows})
	if err != nil {
		k.tb.Error(err)
	}
	return string(text) + "\n"
}

// Broadcast is an application that somebody else has started on the call; it
// runs until Finish.
func (c *Call) Broadcast(app, arg string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, App{Name: app, Arg: arg, ID: "somebody-elses", locked: true})
	c.begin()
}
