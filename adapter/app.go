package adapter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/adapter/config"
	"parley/adapter/control"
	"parley/adapter/control/ariserver"
	"parley/adapter/control/fsapi"
	"parley/adapter/freeswitch"
	"parley/adapter/phone"
	"parley/adapter/seal"
	"parley/adapter/trouble"
	"parley/ari/audiosocket"
	"parley/codec"
	"parley/engine"
	"parley/engine/native"
	"parley/esl/eventsocket"
	"parley/internal/priority"
	"parley/internal/tick"
	"parley/recording"
	"parley/rtp"
	"parley/sip"
	"parley/sound"
)

// Times of a shutdown: for calls to hear why, and for servers to end.
const (
	partingTime = 8 * time.Second
	closingTime = 3 * time.Second
)

// Options sets up an App.
type Options struct {
	Source   config.Source // read again by a reload
	Warnings []config.Warning
	Version  string
	Log      *slog.Logger
	Tidy     func()  // gives memory back; called when many have come or gone and no more do; nil = nothing
	MaxLoad  float64 // above which no calls are taken; 0 means native.DefaultMaxLoad
}

// App is a whole running Parley.
type App struct {
	opt        Options
	notes      *notes
	unplayed   trouble.Once // sounds that were told of
	aside      aside
	since      time.Time
	config     atomic.Pointer[config.Config]
	started    *config.Config // what the listeners and switches are
	reloads    sync.Mutex     // one reload at a time
	sounds     sounds
	pool       *tick.Pool
	native     *native.Switch
	recordings *recording.Dir
	exchange   *engine.Exchange
	metrics    *control.Metrics
	ari        *ariserver.Server
	phones     *phone.Phones
	endpoint   *sip.Endpoint
	freeswitch *freeswitch.Adapter
	api        net.Listener
	esl        net.Listener
	eslServer  net.Listener
	commands   *fsapi.API // what we answer with as a switch; nil = we do not
	socket     atomic.Pointer[eventsocket.Server]
	sockets    *audiosocket.Listener
	reattach   seal.Reattach
	links      []link
	serve      []func(context.Context) error // run until their context ends
}

// link is a connection to a switch.
type link interface {
	Run(ctx context.Context) error
	Check() (name string, ready bool, text string)
}

// Start opens everything that c names. On an error nothing stays open; its
// text says what to change.
func Start(ctx context.Context, c *config.Config, o Options) (*App, error) {
	notes := &notes{}
	for _, w := range o.Warnings {
		notes.add(time.Now(), w.String())
	}
	a := &App{started: c, notes: notes, since: time.Now()}
	o.Log = slog.New(telling{noting{o.Log.Handler(), notes}, &a.socket, nil})
	a.opt = o
	a.config.Store(c)
	for _, open := range []func(context.Context, *config.Config) error{
		a.openMixer, a.openEngine, a.openFace, a.openSIP, a.openFreeSWITCH, a.openAsterisk, a.openHTTP, a.openESLServer,
	} {
		if err := open(ctx, c); err != nil {
			a.part(ctx)
			a.close()
			return nil, err
		}
	}
	if is, warning := priority.Read(); warning != "" {
		o.Log.Warn(warning)
	} else if is != "" {
		o.Log.Info("priority: " + is)
	}
	return a, nil
}

func (a *App) openSIP(_ context.Context, c *config.Config) error {
	bind := c.RTP.Bind
	if bind == "" {
		bind = hostOf(c.SIP.Listen)
	}
	local, err := localIP(bind)
	if err != nil {
		return err
	}
	listenOn, err := netip.ParseAddr(bind)
	if err != nil {
		listenOn = local
	}
	ports, err := rtp.NewPorts(listenOn, uint16(c.RTP.Ports.First), uint16(c.RTP.Ports.Last))
	if err != nil {
		return fmt.Errorf("rtp.ports: %w. [bad_value]", err)
	}
	advertise, _ := netip.ParseAddr(c.Media.Advertise)
	a.phones = phone.New(phone.Options{
		Exchange: a.exchange, Switch: a.native, Ports: ports, OwnPorts: !c.RTP.Shared, Local: local, Advertise: advertise,
		Trusted: c.SIP.Trusted, Codecs: codecs(c.SIP), MediaLost: c.Media.Timeout, Jitter: c.Media.Jitter, JitterMax: c.Media.JitterMax,
		Levels: c.Media.Levels,
		Taken:  a.taken,
		Log:    a.opt.Log,
	})
	a.endpoint, err = sip.New(a.sipOptions(c))
	if err != nil {
		return explainBind("sip.listen", c.SIP.Listen, err)
	}
	a.serve = append(a.serve, a.endpoint.Run)
	return nil
}

// taken says whether a call or channel has that name.
func (a *App) taken(id engine.LegID) bool { return a.exchange.Knows(id) || a.ari.Taken(id) }

func (a *App) sipOptions(c *config.Config) sip.Options {
	o := sip.Options{
		Advertise: hostOf(c.SIP.Advertise), User: phone.Attendant, UserAgent: "Parley/" + a.opt.Version,
		Codecs: codecs(c.SIP), Incoming: a.phones.Incoming, MaxCalls: unlimited(c.Limits.MaxLegs), Realm: c.SIP.Realm,
		Expected: a.phones.Expects,
		Busy:     func() bool { return a.native.Busy() != nil },
		Rate:     sip.Rate{Requests: float64(c.SIP.RatePerSource), Burst: c.SIP.BurstPerSource}, Log: a.opt.Log,
	}
	for _, u := range c.SIP.Users {
		o.Users = append(o.Users, sip.User{Name: u.Name, Password: u.Password.Reveal()})
	}
	if len(o.Users) > 0 { // the media that a switch of ours sends has no password; without users nobody needs one
		o.Trusted = c.SIP.Trusted
	}
	if slices.Contains(c.SIP.Transports, "udp") {
		o.UDP = []string{c.SIP.Listen}
	}
	if slices.Contains(c.SIP.Transports, "tcp") {
		o.TCP = []string{c.SIP.Listen}
	}
	return o
}

// unlimited is a limit as those take it for whom 0 is a default.
func unlimited[T int | time.Duration](limit T) T {
	if limit == 0 {
		return math.MaxInt
	}
	return limit
}

// codecs are the formats of the configured encoding names, in that order.
func codecs(c config.SIP) []codec.Format {
	var list []codec.Format
	for _, name := range c.Codecs {
		for _, f := range codec.Known() {
			if f.Name == name {
				f.Opus.FEC = c.OpusFEC && name == "opus"
				list = append(list, f)
			}
		}
	}
	return list
}

func (a *App) openHTTP(ctx context.Context, c *config.Config) error {
	l, err := listen(ctx, "http.listen", c.HTTP.Listen)
	if err != nil {
		return err
	}
	a.api = l
	mux := http.NewServeMux()
	mux.Handle("/", control.Handler(control.Options{
		Exchange: a.exchange, Reload: a.Reload, Checks: a.checks, State: a.state,
		Conferences: conferences{a.freeswitch, a.links}, Auditor: auditor(a.links),
		Metrics: a.metrics.Handler(), Version: a.opt.Version, Tokens: a.tokens, Log: a.opt.Log,
	}))
	mux.HandleFunc("GET "+asteriskDoor+"{name}", a.openDoor)
	server := &http.Server{
		Handler: ariserver.Beside(a.ari, mux), ConnContext: ariserver.ConnContext,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(a.opt.Log.Handler(), slog.LevelDebug),
	}
	doors := limited(server, l, httpLimits(), a.opt.Log)
	a.serve = append(a.serve, func(ctx context.Context) error { return serveHTTP(ctx, server, doors) })
	return nil
}

// tokens are those of the configuration in force.
func (a *App) tokens() []string {
	var list []string
	for _, t := range a.config.Load().Auth.Tokens {
		list = append(list, t.Token.Reveal())
	}
	return list
}

// ariUsers are those of the configuration in force.
func (a *App) ariUsers() []ariserver.User {
	var list []ariserver.User
	for _, u := range a.config.Load().ARIServer.Users {
		list = append(list, ariserver.User{Name: u.Name, Password: u.Password.Reveal(), ReadOnly: u.ReadOnly})
	}
	return list
}

// serveHTTP serves until ctx ends; then answers that are under way have a
// while to be written.
func serveHTTP(ctx context.Context, server *http.Server, l net.Listener) error {
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(over)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), closingTime)
		defer cancel()
		if server.Shutdown(grace) != nil {
			_ = server.Close() // their time is over
		}
	})
	err := server.Serve(l)
	if !stop() {
		<-over
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// NewSounds makes the library of a configuration.
func NewSounds(c *config.Config) (*sound.Library, error) {
	l, err := sound.New(sound.Options{
		Dir: c.SoundsDir, Language: c.Language, Speech: sound.Speech{Command: c.TTSCommand},
	})
	if err != nil {
		return nil, fmt.Errorf("%w. Set sounds_dir. [media_missing]", err)
	}
	return l, nil
}

// Run serves until ctx ends, then gives every call back and closes all.
func (a *App) Run(ctx context.Context) error {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, failed := errgroup.WithContext(serving)
	for _, serve := range a.serve {
		g.Go(func() error { return serve(serving) })
	}
	for _, l := range a.links {
		g.Go(func() error { return l.Run(serving) })
	}
	select {
	case <-ctx.Done():
	case <-failed.Done():
	}
	a.opt.Log.Info("stopping: calls are given back")
	if a.commands != nil {
		a.commands.Stopping()
	}
	a.part(ctx)
	if a.commands != nil {
		a.commands.Tell() // how the last calls ended, while there are clients
	}
	stop()
	a.ari.Close()
	err := g.Wait()
	a.close()
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		return nil
	}
	return err
}

// part takes no more calls and says goodbye to those that are here.
func (a *App) part(ctx context.Context) {
	if a.endpoint != nil {
		a.endpoint.Drain()
	}
	if a.exchange == nil {
		return
	}
	a.ari.Drain()
	if a.freeswitch != nil {
		a.freeswitch.Retreat()
	}
	for _, ast := range asterisks(a.links) {
		ast.Retreat()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), partingTime)
	defer cancel()
	if err := a.exchange.Close(ctx); err != nil {
		a.opt.Log.Warn("some calls did not end in time", "error", err)
	}
	if a.freeswitch != nil {
		ctx, cancel := context.WithTimeout(ctx, closingTime)
		defer cancel()
		a.freeswitch.Wait(ctx) // while its links are up
	}
}

// close closes what is open, in the order of the audio's way.
func (a *App) close() {
	if a.endpoint != nil {
		a.endpoint.Close()
	}
	for _, l := range []net.Listener{a.esl, a.api, a.eslServer} {
		if l != nil {
			_ = l.Close()
		}
	}
	if a.sockets != nil {
		_ = a.sockets.Close()
	}
	if a.native != nil {
		a.native.Close()
	}
	if a.pool != nil {
		a.pool.Close()
	}
}
