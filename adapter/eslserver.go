package adapter

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"

	"parley/adapter/config"
	"parley/adapter/control/fsapi"
	"parley/engine"
	"parley/esl/eventsocket"
)

// openFace sets up what we answer with as a FreeSWITCH, before the first call,
// whose events are to be told.
func (a *App) openFace(_ context.Context, c *config.Config) error {
	if c.ESLServer.Listen == "" {
		return nil
	}
	var commands *fsapi.API
	socket := eventsocket.New(eventsocket.Options{
		Password: c.ESLServer.Password.Reveal(), Allowed: c.ESLServer.ACL, Log: a.opt.Log, Users: a.eslUsers,
		API: func(ctx context.Context, command, arguments string) (string, bool) {
			return commands.Do(ctx, command, arguments)
		},
	})
	commands = fsapi.New(fsapi.Options{
		Exchange: a.exchange, Fire: socket.Fire, Head: socket.Head, Hostname: socket.Hostname(), Version: a.opt.Version, Log: a.opt.Log,
		Playable: func(spec string) error { return a.playable(spec, "") }, SIP: c.SIP.Listen, Sessions: c.Limits.MaxLegs,
		Reload: func(ctx context.Context) error {
			_, err := a.Reload(ctx)
			return err
		},
	})
	a.commands = commands
	a.socket.Store(socket)
	a.serve = append(a.serve, commands.Run)
	return nil
}

// playable says why a sound cannot be played; "" is the default language.
func (a *App) playable(spec, language string) error {
	_, err := a.sounds.Load(spec, cmp.Or(language, a.config.Load().Language))
	return err
}

// eslUsers are those of the configuration in force.
func (a *App) eslUsers() []eventsocket.User {
	var list []eventsocket.User
	for _, u := range a.config.Load().ESLServer.Users {
		list = append(list, eventsocket.User{Name: u.Name, Password: u.Password.Reveal(), API: u.API, Events: u.Events, NoLog: !u.Log})
	}
	return list
}

// openESLServer opens the event socket for it.
func (a *App) openESLServer(ctx context.Context, c *config.Config) error {
	socket := a.socket.Load()
	if socket == nil {
		return nil
	}
	l, err := listen(ctx, "esl_server.listen", c.ESLServer.Listen)
	if err != nil {
		return err
	}
	a.eslServer = l
	a.serve = append(a.serve, func(ctx context.Context) error { return socket.Serve(ctx, l) })
	return nil
}

// switchEvents is the observer of those who see us as a switch.
func (a *App) switchEvents(e engine.Event) {
	if a.commands != nil {
		a.commands.Observe(e)
	}
}

// telling passes lines of the log on to clients of the event socket.
type telling struct {
	slog.Handler
	to    *atomic.Pointer[eventsocket.Server]
	attrs []slog.Attr
}

// Handle implements slog.Handler.
func (h telling) Handle(ctx context.Context, r slog.Record) error {
	if s := h.to.Load(); s != nil {
		var b strings.Builder
		b.WriteString(r.Message)
		add := func(at slog.Attr) bool {
			b.WriteString(" " + at.String())
			return true
		}
		for _, at := range h.attrs {
			add(at)
		}
		r.Attrs(add)
		s.Log(eventsocket.Line{Level: syslogLevel(r.Level), Text: b.String()})
	}
	return h.Handler.Handle(ctx, r)
}

// syslogLevel is the level as the switch counts, like syslog.
func syslogLevel(l slog.Level) int {
	switch {
	case l >= slog.LevelError:
		return 3
	case l >= slog.LevelWarn:
		return 4
	case l >= slog.LevelInfo:
		return 6
	default:
		return 7
	}
}

// WithAttrs implements slog.Handler.
func (h telling) WithAttrs(attrs []slog.Attr) slog.Handler {
	return telling{h.Handler.WithAttrs(attrs), h.to, slices.Concat(h.attrs, attrs)}
}

// WithGroup implements slog.Handler.
func (h telling) WithGroup(name string) slog.Handler {
	return telling{h.Handler.WithGroup(name), h.to, h.attrs}
}
