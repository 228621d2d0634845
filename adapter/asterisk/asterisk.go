// Package asterisk makes legs of the calls that Asterisk dialplans hand to
// Parley with Stasis(). The call's signalling stays at the switch; its audio
// comes to us by AudioSocket through a private two-party bridge. When the room
// is over, results are set on the channel and the dialplan goes on. If Parley
// dies, the media channel's hangup handler sends the caller on.
package asterisk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"parley/ari"
	"parley/ari/audiosocket"
	"parley/engine"
	"parley/engine/native"
)

// Options sets up a Link. All but Log must be set.
type Options struct {
	Name      string // of the switch, as configured
	URL       string // of ARI
	User      string
	Password  string
	App       string
	Exchange  *engine.Exchange
	Switch    *native.Switch
	Sockets   *audiosocket.Listener
	Advertise string // HOST:PORT of Sockets, as Asterisk reaches it
	Log       *slog.Logger
}

// Link is the connection to one Asterisk. It heals itself.
type Link struct {
	opt    Options
	client *ari.Client
	log    *slog.Logger

	mu      sync.Mutex
	up      bool             // guarded by mu
	text    string           // guarded by mu: of Check
	version string           // guarded by mu: of the Asterisk that was connected last
	calls   map[string]*call // guarded by mu: by the id of the caller's channel
	byMedia map[string]*call // guarded by mu: by the id of the media channel
	running sync.WaitGroup
}

// New checks the options; nothing is sent yet.
func New(o Options) (*Link, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	client, err := ari.New(ari.Options{
		URL: o.URL, User: o.User, Password: o.Password, App: o.App,
		Ignore: []string{"ChannelVarset", "ChannelDialplan", "ChannelTalkingStarted", "ChannelTalkingFinished"},
	})
	if err != nil {
		return nil, fmt.Errorf("switch %s: %w. [bad_value]", o.Name, err)
	}
	return &Link{
		opt: o, client: client, log: o.Log.With("switch", o.Name), text: "connecting to " + o.URL,
		calls: map[string]*call{}, byMedia: map[string]*call{},
	}, nil
}

// Check says whether calls can come from this switch now.
func (l *Link) Check() (name string, ready bool, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.opt.Name, l.up, text1(l.text, len(l.calls))
}

func text1(text string, calls int) string {
	if calls == 0 {
		return text
	}
	return fmt.Sprintf("%s, %d calls", text, calls)
}

// Run serves until ctx ends.
func (l *Link) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.client.Run(ctx) })
	g.Go(func() error {
		for {
			select {
			case e := <-l.client.Events():
				l.take(ctx, e)
			case <-ctx.Done():
				l.running.Wait()
				return ctx.Err()
			}
		}
	})
	return g.Wait()
}

// take sorts an event to the call that it is about. It never waits.
func (l *Link) take(ctx context.Context, e ari.Event) {
	switch e := e.(type) {
	case *ari.Connected:
		l.connected(ctx, e)
	case *ari.Lost:
		l.lost(e.Err)
	case *ari.StasisStart:
		l.arrived(ctx, &e.Channel, e.Args)
	case *ari.StasisEnd:
		l.tell(e.Channel.ID, e)
	case *ari.ChannelDestroyed:
		l.tell(e.Channel.ID, e)
	case *ari.ChannelDtmfReceived:
		l.tell(e.Channel.ID, e)
	case *ari.ChannelHold:
		l.tell(e.Channel.ID, e)
	case *ari.ChannelUnhold:
		l.tell(e.Channel.ID, e)
	case *ari.ChannelLeftBridge:
		l.tell(e.Channel.ID, e)
	}
}

// tell passes an event on to its call.
func (l *Link) tell(channel string, e ari.Event) {
	l.mu.Lock()
	c := l.calls[channel]
	if c == nil {
		c = l.byMedia[channel]
	}
	l.mu.Unlock()
	if c != nil {
		c.tell(e)
	}
}

// arrived starts a call, or notes that a call's media channel is there.
func (l *Link) arrived(ctx context.Context, ch *ari.Channel, args []string) {
	if strings.HasPrefix(ch.ID, mediaPrefix) {
		l.tell(ch.ID, &mediaThere{})
		return
	}
	l.mu.Lock()
	known := l.calls[ch.ID] != nil
	var c *call
	if !known {
		c = newCall(l, ch, args)
		l.calls[ch.ID], l.byMedia[c.mediaID] = c, c
	}
	l.mu.Unlock()
	if known {
		return // found by the comparison after a reconnect already
	}
	l.running.Go(func() {
		defer l.forget(c)
		c.run(ctx)
	})
}

func (l *Link) forget(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.calls, c.channel)
	delete(l.byMedia, c.mediaID)
}

func (l *Link) setState(up bool, text string) (changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed = l.up != up || l.text != text
	l.up, l.text = up, text
	return changed
}

// versionOf is the version of the Asterisk that was connected last.
func (l *Link) versionOf() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.version
}

// isUp says whether the switch is connected.
func (l *Link) isUp() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up
}

// connected begins a connection: what happened before is found by comparison.
func (l *Link) connected(ctx context.Context, e *ari.Connected) {
	version := e.Info.SystemInfo.Version
	l.mu.Lock()
	l.version = version
	l.mu.Unlock()
	l.setState(true, fmt.Sprintf("Asterisk %s at %s, app %s", version, l.opt.URL, l.opt.App))
	l.log.Info("ari "+l.opt.Name+": connected", "version", version, "app", l.opt.App)
	l.running.Go(func() { l.resync(ctx) })
}

// lost ends a connection. Calls stay: their audio has a connection of its own.
func (l *Link) lost(err error) {
	text := l.explain(err)
	if l.setState(false, text) {
		l.log.Error(text)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.calls {
		c.tell(&linkLost{})
	}
}

// explain says what is wrong with the connection and what to do.
func (l *Link) explain(err error) string {
	o := l.opt
	var refusal *ari.Error
	words := ""
	if errors.As(err, &refusal) {
		words = refusal.Message
	}
	switch {
	case errors.Is(err, ari.ErrAuth):
		return fmt.Sprintf("ari %s: 401 %q for user %s. Check [%s] in ari.conf and password_file of switch %s. [ari_auth]",
			o.Name, words, o.User, o.User, o.Name)
	case errors.Is(err, ari.ErrReadOnly):
		return fmt.Sprintf("ari %s: user %s is read-only; conference control needs read_only=no. [ari_readonly]", o.Name, o.User)
	case errors.Is(err, ari.ErrNotFound):
		return fmt.Sprintf("ari %s %s: 404. Is enabled=yes in ari.conf and http.conf, and is the prefix right? [ari_not_found]",
			o.Name, o.URL)
	case errors.Is(err, ari.ErrReplaced):
		return fmt.Sprintf("ari %s: another client replaced application %q (ApplicationReplaced). "+
			"Two adapters with one app name? We do not fight; set app of switch %s. [ari_replaced]", o.Name, o.App, o.Name)
	default:
		return fmt.Sprintf("ari %s: link lost: %v. [ari_lost]", o.Name, err)
	}
}
