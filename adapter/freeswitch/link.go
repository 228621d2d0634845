package freeswitch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/adapter/trouble"
	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
	"parley/internal/tasks"
)

// Pauses between tries to connect, and between looks at a connected switch.
const (
	pauseFirst = time.Second
	pauseLast  = 5 * time.Second
	pauseAuth  = 30 * time.Second // after a wrong password
	lookEvery  = 10 * time.Second
	lookSoon   = time.Second // after a conference has begun or ended
)

// burst is how many events a switch may send faster than we take them.
const burst = 1 << 16

// LinkOptions sets up a Link.
type LinkOptions struct {
	Name     string // of the switch, as configured
	Address  string // HOST:PORT of mod_event_socket
	Password string
	// Dial opens the connection; nil means TCP to Address.
	Dial func(context.Context) (net.Conn, error)
}

// Link is one FreeSWITCH over its event socket. It watches the switch: is it
// there, which version is it, how fast does it answer, which conferences run on
// it; it drives those that are rooms of ours, and calls that have no socket of
// their own. Calls of a dialplan do not need it. It heals itself: after each
// connection, and every ten seconds, what we believe is compared with what the
// switch says.
type Link struct {
	opt     LinkOptions
	adapter *Adapter
	log     *slog.Logger
	stale   bool  // Run's, as all below: what we know may be old since the last look
	blind   bool  // it has been told that the switch drops events
	order   order // of events

	dropped, overtaken atomic.Uint64 // events

	mu      sync.Mutex
	up      bool                // guarded by mu, as all below
	text    string              // for people
	client  *esl.Client         // nil while down
	core    string              // Core-UUID of the switch, as last seen
	downAt  time.Time           // when the connection ended
	sees    bool                // the switch can read our shared sounds
	hosts   map[string]*Bridge  // rooms of ours, by conference
	lines   map[string]*line    // calls without a socket, by channel
	running map[string]bool     // conferences that run now
	foreign []conference.Room   // those that are no rooms of ours, as of the last look
	judged  map[string]bool     // by UUID: conferences that were no rooms of ours when first seen
	drift   map[Difference]bool // as of the last look
	count   uint64              // of differences there ever were
}

// Check says whether the switch answers.
func (l *Link) Check() (name string, ready bool, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.opt.Name, l.up, l.text
}

func (l *Link) set(up bool, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up, l.text = up, text
}

// Run connects again and again until ctx ends. Each kind of trouble is logged
// once, not once per try.
func (l *Link) Run(ctx context.Context) error {
	var told trouble.Once // codes, of this loss
	stood, pause := false, pauseFirst
	for {
		connected, err := l.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if connected {
			told.Forget()
			stood, pause = true, pauseFirst
		}
		if errors.Is(err, esl.ErrAuth) {
			pause = pauseAuth
		}
		wait := pause - rand.N(min(pause, time.Second)/2) // so that it is not in step with others
		line, code := l.problem(err, trouble.Since(stood), wait)
		l.set(false, line)
		if told.First(code) {
			l.log.Error(line)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		l.giveUpLines()
		pause = min(2*pause, pauseLast)
	}
}

// session lives as long as one connection.
func (l *Link) session(ctx context.Context) (connected bool, err error) {
	c, err := esl.Dial(ctx, esl.ClientOptions{
		Address: l.opt.Address, Password: l.opt.Password, Dial: l.opt.Dial, Conn: esl.ConnOptions{Queue: burst},
	})
	if err != nil {
		return false, err
	}
	defer func() { _ = c.Close() }()
	version, err := l.greet(ctx, c)
	if err != nil {
		return false, err
	}
	defer l.parted()
	l.blind, l.order = false, order{}
	l.log.Info("esl "+l.opt.Name+": connected", "version", version)
	return true, l.watch(ctx, c, version)
}

// watch takes what a connection brings until its end, and looks at the switch
// every now and then.
func (l *Link) watch(ctx context.Context, c *esl.Client, version string) error {
	look, due := time.NewTimer(0), time.Now()
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if err := l.look(ctx, c, version); err != nil {
				return err
			}
			look.Reset(lookEvery)
			due, l.stale = time.Now().Add(lookEvery), false
		case loss := <-c.Losses():
			l.missed(loss)
			look.Reset(0)
		case e := <-c.Events():
			if e == nil {
				return c.Err()
			}
			if l.event(e); l.stale && time.Until(due) > lookSoon {
				look.Reset(lookSoon)
				due = time.Now().Add(lookSoon)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// greet takes a connection into use: from now on orders go over it.
func (l *Link) greet(ctx context.Context, c *esl.Client) (version string, err error) {
	if version, err = c.API(ctx, "version", "short"); err != nil {
		return "", err
	}
	core, err := c.API(ctx, "global_getvar", "core_uuid")
	if err != nil {
		return "", err
	}
	if err := l.subscribe(ctx, c); err != nil {
		return "", err
	}
	sees := l.probe(ctx, c)
	l.mu.Lock()
	restarted := l.core != "" && l.core != core
	l.client, l.core, l.sees = c, core, sees
	l.mu.Unlock()
	for _, call := range l.adapter.of(l) {
		call.echoes.forget()
	}
	for _, b := range l.hosted() {
		b.echoes.forget()
	}
	if restarted {
		l.log.Warn("esl " + l.opt.Name + ": the switch has been restarted; its calls are over")
		l.dropLines(func(*line) bool { return true })
	}
	return strings.TrimSpace(version), nil
}

// subscribe asks for what conferences do, and for all about the calls that we
// drive without a socket of their own.
func (l *Link) subscribe(ctx context.Context, c *esl.Client) error {
	wanted := [][2]string{{"Event-Name", "BACKGROUND_JOB"}, {"Event-Subclass", conference.Subclass}}
	for _, uuid := range l.lineIDs() {
		wanted = append(wanted, [2]string{"Unique-ID", uuid})
	}
	for _, f := range wanted {
		if err := c.Filter(ctx, f[0], f[1]); err != nil {
			return err
		}
	}
	if err := l.watchLoss(ctx, c); err != nil {
		return err
	}
	return c.Subscribe(ctx, "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_BRIDGE", "CHANNEL_HANGUP", "DTMF", "CUSTOM", conference.Subclass)
}

// parted notes the end of the connection.
func (l *Link) parted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.client, l.downAt = nil, time.Now()
}

// runs says whether the switch is the one with that Core-UUID.
func (l *Link) runs(core string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return core != "" && l.core == core
}

// shares says whether the switch can read the sounds that we share.
func (l *Link) shares() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sees
}

// probe looks whether the switch can read the sounds that we share.
func (l *Link) probe(ctx context.Context, c *esl.Client) bool {
	share := l.adapter.opt.Share
	if share.File == nil {
		return false
	}
	path, err := share.File("silence:20", "en")
	if err != nil {
		l.log.Warn("freeswitch: sounds cannot be shared with the switch", "error", err)
		return false
	}
	there, err := c.API(ctx, "file_exists", path)
	return err == nil && strings.TrimSpace(there) == "true"
}

// bridge begins a room in a conference.
func (l *Link) bridge(room string, sink engine.Sink) *Bridge {
	b := &Bridge{
		link: l, room: room, sink: sink, tasks: tasks.New(), quit: make(chan struct{}), related: map[pair]bool{}, run: esl.NewUUID(),
	}
	l.mu.Lock()
	l.hosts[room] = b
	l.mu.Unlock()
	go b.work()
	return b
}

// connection is the one in use, or nil.
func (l *Link) connection() *esl.Client {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.client
}

// api runs a command of the switch.
func (l *Link) api(cmd, arguments string) (string, error) {
	c := l.connection()
	if c == nil {
		return "", errLink
	}
	ctx, cancel := brief()
	defer cancel()
	return c.API(ctx, cmd, arguments)
}

// problem is the line about what is wrong with the switch, and the code of it.
// Who has been refused by an access list knows who has to act; else the line
// says when it is tried again.
func (l *Link) problem(err error, was trouble.Link, again time.Duration) (line, code string) {
	text, code := Trouble(l.opt.Name, l.opt.Address, was, err)
	if code != codeACL {
		text += fmt.Sprintf(" Next try in %.0fs.", again.Seconds())
	}
	return text + " [" + code + "]", code
}
