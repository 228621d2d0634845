package freeswitch

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"parley/esl"
)

// Pauses between tries to connect, and between looks at a connected switch.
const (
	pauseFirst = time.Second
	pauseLast  = 30 * time.Second
	lookEvery  = 10 * time.Second
)

// LinkOptions sets up a Link.
type LinkOptions struct {
	Name     string // of the switch, as configured
	Address  string // HOST:PORT of mod_event_socket
	Password string
	Log      *slog.Logger // nil = silence
}

// Link watches one FreeSWITCH over its event socket: is it there, which
// version is it, how fast does it answer. Calls do not need it: they come by
// the socket application. It heals itself.
type Link struct {
	opt LinkOptions
	log *slog.Logger

	mu   sync.Mutex
	up   bool   // guarded by mu
	text string // guarded by mu
}

// NewLink makes a link; Run connects.
func NewLink(o LinkOptions) *Link {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Link{opt: o, log: o.Log.With("switch", o.Name), text: "connecting to " + o.Address}
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
	told, pause := "", pauseFirst
	for {
		connected, err := l.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if connected {
			told, pause = "", pauseFirst
		}
		wait := pause/2 + rand.N(pause/2)
		text, code := l.explain(err)
		l.set(false, fmt.Sprintf("%s Next try in %ds. [%s]", text, int(wait.Seconds()+0.5), code))
		if code != told {
			told = code
			l.log.Error(text + " [" + code + "]")
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		pause = min(2*pause, pauseLast)
	}
}

// session lives as long as one connection.
func (l *Link) session(ctx context.Context) (connected bool, err error) {
	c, err := esl.Dial(ctx, esl.ClientOptions{Address: l.opt.Address, Password: l.opt.Password})
	if err != nil {
		return false, err
	}
	defer func() { _ = c.Close() }()
	version, err := c.API(ctx, "version", "short")
	if err != nil {
		return false, err
	}
	l.log.Info("esl "+l.opt.Name+": connected", "version", strings.TrimSpace(version))
	for {
		if err := l.look(ctx, c, strings.TrimSpace(version)); err != nil {
			return true, err
		}
		select {
		case <-time.After(lookEvery):
		case <-c.Done():
			return true, c.Err()
		case <-c.Events(): // none was asked for but results of our own jobs
		case <-ctx.Done():
			return true, ctx.Err()
		}
	}
}

// look measures how fast the switch answers.
func (l *Link) look(ctx context.Context, c *esl.Client, version string) error {
	began := time.Now()
	if _, err := c.API(ctx, "switchname", ""); err != nil {
		return err
	}
	l.set(true, fmt.Sprintf("FreeSWITCH %s at %s, answers in %v", version, l.opt.Address,
		time.Since(began).Round(100*time.Microsecond)))
	return nil
}

// explain says what is wrong and what to do, and the code of that trouble.
func (l *Link) explain(err error) (text, code string) {
	return Trouble(l.opt.Name, l.opt.Address, err)
}
