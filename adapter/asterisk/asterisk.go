// Package asterisk makes legs of the calls that Asterisk dialplans hand to
// Parley with Stasis(). The call's signalling stays at the switch; its audio
// comes to us by a media channel in a private two-party bridge, on one of the
// ways of engine.MediaPath. When the room is over, results are set on the channel
// and the dialplan goes on. If Parley dies, the media channel's hangup handler
// sends the caller on.
package asterisk

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"parley/adapter/seal"
	"parley/adapter/trouble"
	"parley/ari"
	"parley/ari/audiosocket"
	"parley/codec"
	"parley/engine"
	"parley/engine/native"
)

// Options sets up a Link. All but Outbound, Door, Reattach, AMI, Log and Audit must be set.
type Options struct {
	Name      string // of the switch, as configured
	URL       string // of ARI
	User      string
	Password  string
	App       string
	Outbound  bool   // Asterisk connects to us, for events: see Accept
	Door      string // URL of Accept, as Asterisk reaches it; with Outbound
	Exchange  *engine.Exchange
	Switch    *native.Switch
	Sockets   *audiosocket.Listener
	Advertise string        // HOST:PORT of Sockets, as Asterisk reaches it
	Reattach  seal.Reattach // who may come back
	AMI       AMI           // to take ConfBridge rooms over
	Log       *slog.Logger
	Audit     time.Duration // between comparisons with the switch; 0 means 10 s

	// Of the ways for audio beside AudioSocket.
	Stream     func(engine.LegID, codec.Format) (Stream, error) // RTP; see phone.Stream
	Ticket     func(engine.LegID) Ticket                        // SIP; see phone.Ticket
	DialString string                                           // of Asterisk, with {token} and {address}
	Address    string                                           // HOST:PORT of our SIP endpoint, as Asterisk reaches it
}

// Link is the connection to one Asterisk. It heals itself.
type Link struct {
	opt      Options
	client   *ari.Client
	log      *slog.Logger
	running  sync.WaitGroup
	auditing atomic.Bool // a comparison is under way
	renewing atomic.Bool // leashes are being renewed
	retreat  atomic.Bool // we are leaving
	returns  *seal.Returns
	orders   engine.Orders // calls that the switch makes for us
	told     trouble.Once  // codes of what was said of this loss

	mu         sync.Mutex
	up         bool                // guarded by mu
	replaced   bool                // guarded by mu: another client has the application
	lostAt     time.Time           // guarded by mu: when the connection was lost last
	text       string              // guarded by mu: of Check
	version    string              // guarded by mu: of the Asterisk that was connected last
	drift      []Difference        // guarded by mu: of the last comparison
	mismatches uint64              // guarded by mu: differences, ever
	calls      map[string]*call    // guarded by mu: those in our application, by the id of the caller's channel
	byMedia    map[string]*media   // guarded by mu: all, by the id of the media channel
	private    map[string]*call    // guarded by mu: all, by the id of their bridge of two
	foreign    []Foreign           // guarded by mu: as of the last look
	adopting   map[string]*adopted // guarded by mu: calls on their way out of ConfBridge rooms, by channel
	rooms      map[string]*Bridge  // guarded by mu: those mixed by the switch, by the id of its bridge
}

// New checks the options; nothing is sent yet.
func New(o Options) (*Link, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Audit == 0 {
		o.Audit = auditEvery
	}
	client, err := ari.New(ari.Options{
		URL: o.URL, User: o.User, Password: o.Password, App: o.App, Outbound: o.Outbound,
		Denied: func(from string) {
			o.Log.Warn("ari "+o.Name+": a connection with a wrong user or password. [ari_in_auth]", "from", from)
		},
		Ignore: []string{"ChannelVarset", "ChannelDialplan"},
	})
	if err != nil {
		return nil, fmt.Errorf("switch %s: %w. [bad_value]", o.Name, err)
	}
	return &Link{
		opt: o, client: client, log: o.Log.With("switch", o.Name), text: "connecting to " + o.URL,
		adopting: map[string]*adopted{}, returns: seal.NewReturns(o.Reattach, time.Now()),
		calls: map[string]*call{}, byMedia: map[string]*media{}, private: map[string]*call{}, rooms: map[string]*Bridge{},
	}, nil
}

// Name is the switch's, as configured.
func (l *Link) Name() string { return l.opt.Name }

// Check says whether calls can come from this switch now.
func (l *Link) Check() (name string, ready bool, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text = l.text
	if n := len(l.calls); n > 0 && l.up { // a line about trouble ends in its code
		text = fmt.Sprintf("%s, %d calls", text, n)
	}
	return l.opt.Name, l.up, text
}

// Accept takes the connection for events that an Asterisk makes to us.
func (l *Link) Accept(w http.ResponseWriter, r *http.Request) {
	if !l.opt.Outbound {
		http.Error(w, "switch "+l.opt.Name+" is not configured with websocket: outbound", http.StatusNotFound)
		return
	}
	l.client.Accept(w, r)
}

// Renew tries at once to connect if it is not connected, and takes the
// application back from a client that took it.
func (l *Link) Renew() {
	if _, up, _ := l.Check(); !up {
		l.client.Renew()
	}
}

// Run serves until ctx ends. Then the calls are given back, over a connection
// that still tells what becomes of them.
func (l *Link) Run(ctx context.Context) error {
	connected, disconnect := context.WithCancel(context.WithoutCancel(ctx))
	defer disconnect()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = l.client.Run(connected) // it only ever says that connected has ended
	}()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	renew := time.NewTicker(renewEvery)
	defer renew.Stop()
	audit := time.NewTicker(l.opt.Audit)
	defer audit.Stop()
	ending := ctx.Done()
	for {
		select {
		case e := <-l.client.Events():
			l.take(ctx, e)
		case <-look.C:
			l.look(time.Now())
		case <-renew.C:
			l.renewLeashes(ctx)
		case <-audit.C:
			if ctx.Err() == nil && (l.isReplaced() || !l.troubled()) && !l.auditing.Swap(true) {
				l.running.Go(func() { l.audit(ctx) })
			}
		case <-ending:
			ending = nil
			go func() {
				l.running.Wait()
				disconnect()
			}()
		case <-done:
			return ctx.Err()
		}
	}
}

// take sorts an event to the call that it is about. It never waits, except
// when Run is about to end.
func (l *Link) take(ctx context.Context, e ari.Event) {
	switch e := e.(type) {
	case *ari.Connected:
		l.connected(ctx, e)
	case *ari.Lost:
		l.lost(e.Err)
	case *ari.StasisStart:
		l.arrived(ctx, &e.Channel, e.Args)
	case *ari.StasisEnd:
		l.ended(e.Channel.ID, "")
	case *ari.ChannelStateChange:
		l.progress(&e.Channel)
	case *ari.ChannelDestroyed: // of a media channel that never got in, or of a call that we wanted
		l.ended(e.Channel.ID, e.CauseTxt)
		l.failed(e)
	case *ari.ChannelDtmfReceived:
		if c := l.call(e.Channel.ID); c != nil {
			c.takeKey(e)
		}
	case *ari.ChannelHangupRequest:
		if c := l.call(e.Channel.ID); c != nil {
			c.hungUp.set()
		}
	default:
		l.takeAudio(e) //nolint:contextcheck // what a room does is not ended with the link
	}
}

// takeAudio takes an event about bridges and what is heard in them.
func (l *Link) takeAudio(e ari.Event) {
	switch e := e.(type) {
	case *ari.ChannelEnteredBridge:
		l.seen(e.Channel.ID, e.Bridge.ID)
	case *ari.ChannelLeftBridge:
		l.unseen(e.Channel.ID, e.Bridge.ID)
	case *ari.BridgeDestroyed:
		l.destroyed(e.Bridge.ID)
	case *ari.ChannelTalkingStarted:
		l.talks(e.Channel.ID, true)
	case *ari.ChannelTalkingFinished:
		l.talks(e.Channel.ID, false)
	case *ari.RecordingStarted:
		l.taped(e.Recording.TargetURI, e.Recording.Name, e.Recording.State, "", 0)
	case *ari.RecordingFinished:
		l.taped(e.Recording.TargetURI, e.Recording.Name, e.Recording.State, "", time.Duration(e.Recording.Duration))
	case *ari.RecordingFailed:
		l.taped(e.Recording.TargetURI, e.Recording.Name, e.Recording.State, e.Recording.Cause, 0)
	case *ari.ChannelHold:
		l.hold(e.Channel.ID, true)
	case *ari.ChannelUnhold:
		l.hold(e.Channel.ID, false)
	}
}

// call finds a call by its caller's channel; nil when there is none.
func (l *Link) call(channel string) *call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls[channel]
}

func (l *Link) hold(channel string, on bool) {
	if c := l.call(channel); c != nil {
		c.hold(on)
		c.tasks.Put(c.follow)
	}
}

// arrived starts a call, or notes that a call's media channel is there. One
// that the comparison after a reconnect has found already is not new.
func (l *Link) arrived(ctx context.Context, ch *ari.Channel, args []string) {
	if l.isMedia(ch.ID) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if c := l.byMedia[ch.ID]; c != nil {
			c.mediaIn.set()
		}
		return
	}
	switch {
	case ctx.Err() != nil:
		l.turnAway(ctx, ch.ID)
		return
	case l.retreat.Load():
		l.running.Go(func() { l.turnAway(ctx, ch.ID) })
		return
	}
	order := l.orders.Find(engine.LegID(ch.ID))
	if stray(order, args) {
		l.giveUp(ctx, engine.LegID(ch.ID), engine.CauseOriginatorCancel)
		return
	}
	c := newCall(l, ch, args)
	c.order = order
	l.mu.Lock()
	known := l.calls[ch.ID] != nil
	if !known {
		l.calls[ch.ID], l.byMedia[c.mediaID], l.private[c.bridgeID] = c, &c.media, c
	}
	l.mu.Unlock()
	if known {
		return
	}
	l.running.Go(func() {
		defer l.forget(c)
		c.run(ctx)
	})
}

// turnAway sends on a call that comes while we are leaving. Without a result
// its dialplan does what it does when nobody is here.
func (l *Link) turnAway(ctx context.Context, channel string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBack)
	defer cancel()
	if err := l.client.Continue(ctx, channel, ari.Place{}); err != nil {
		l.log.Warn("asterisk: call not given back", "call", channel, "error", err)
	}
}

// ended notes that a channel is not in the application any more, and the
// switch's words on it. The caller may come back at once, as a new call.
func (l *Link) ended(channel, words string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.calls[channel]; c != nil {
		delete(l.calls, channel)
		c.left.set()
	}
	if c := l.byMedia[channel]; c != nil {
		c.words.CompareAndSwap(nil, &words)
		c.mediaOut.set()
	}
}

// forget drops a call that is over and cleaned up.
func (l *Link) forget(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls[c.channel] == c {
		delete(l.calls, c.channel)
	}
	delete(l.byMedia, c.mediaID)
	delete(l.private, c.bridgeID)
}

// look examines the audio of all calls.
func (l *Link) look(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	dark := !l.up && now.Sub(l.lostAt) > darkTime
	for _, m := range l.byMedia {
		m.look(now, dark)
	}
}
