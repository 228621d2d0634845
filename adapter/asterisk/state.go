package asterisk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"time"

	"parley/adapter/trouble"
	"parley/ari"
)

// shadow is how long after a loss of the connection a loss of audio counts as
// the same trouble: the switch has gone, or has been restarted.
const shadow = 5 * time.Second

// connected begins a connection: what happened before is found by comparison.
// Calls that come from now on are not part of that.
func (l *Link) connected(ctx context.Context, e *ari.Connected) {
	version := e.Info.SystemInfo.Version
	l.mu.Lock()
	l.version, l.up, l.replaced = version, true, false
	l.text = fmt.Sprintf("Asterisk %s at %s, app %s", version, l.opt.URL, l.opt.App)
	l.told.Forget()
	before := make([]*call, 0, len(l.calls))
	for _, c := range l.calls {
		before = append(before, c)
	}
	l.mu.Unlock()
	l.log.Info("ari "+l.opt.Name+": connected", "version", version, "app", l.opt.App)
	if ctx.Err() == nil {
		l.running.Go(func() { l.resync(ctx, before) })
	}
}

// lost ends a connection. Calls stay: their audio has a connection of its own.
// Each kind of trouble is told once until there is a connection again: a switch
// that goes down gives several reasons in turn.
func (l *Link) lost(err error) {
	l.mu.Lock()
	text := l.opt.trouble(err, trouble.Since(l.version != ""))
	if l.up {
		l.lostAt = time.Now()
	}
	l.up, l.text, l.replaced = false, text, errors.Is(err, ari.ErrReplaced)
	l.mu.Unlock()
	if code := text[strings.LastIndexByte(text, '[')+1:]; l.told.First(code) {
		l.log.Error(text)
	}
}

// isReplaced says whether another client has the application. Calls that are
// here stay here; what becomes of them at the switch only a look tells.
func (l *Link) isReplaced() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.replaced
}

// troubled says whether the connection is, or was a moment ago, lost.
func (l *Link) troubled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.up || time.Since(l.lostAt) < shadow
}

// gravity is that of a request that fails: while the connection is lost, the
// one line about that is enough.
func (l *Link) gravity() slog.Level {
	if l.troubled() {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// versionOf is the version of the Asterisk that was connected last.
func (l *Link) versionOf() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.version
}

// trouble is an error in Asterisk's own words, with what to do and a code.
func (o Options) trouble(err error, was trouble.Link) string {
	words := ""
	if refusal, ok := errors.AsType[*ari.Error](err); ok {
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
	case was != trouble.Lost && errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("ari %s %s: %s: connection refused. Does Asterisk run, has its http.conf enabled=yes, and is this its bindaddr "+
			"and bindport? [ari_refused]", o.Name, o.URL, was)
	}
	if text := o.doorTrouble(err); text != "" {
		return text
	}
	if was != trouble.Lost {
		return fmt.Sprintf("ari %s %s: %s: %s. [ari_unreachable]", o.Name, o.URL, was, trouble.Reason(err))
	}
	return fmt.Sprintf("ari %s: %s: %s. [ari_lost]", o.Name, was, trouble.Reason(err))
}

// doorTrouble is what may be wrong where Asterisk is to connect to us; "" for
// any other error.
func (o Options) doorTrouble(err error) string {
	switch {
	case errors.Is(err, ari.ErrAbsent):
		return fmt.Sprintf("ari %s: Asterisk has not connected to us. websocket_client.conf needs a section with connection_type = persistent, "+
			"protocols = ari and uri = %s, and ari.conf an outbound_websocket of it. [ari_absent]", o.Name, o.Door)
	case errors.Is(err, ari.ErrDenied):
		return fmt.Sprintf("ari %s: Asterisk connects with a wrong user or password. Set username and password in websocket_client.conf "+
			"to user and password of switch %s. [ari_in_auth]", o.Name, o.Name)
	case errors.Is(err, ari.ErrOtherApp):
		return fmt.Sprintf("ari %s: Asterisk has connected, but not for application %q. Add it to apps of the outbound_websocket in ari.conf. "+
			"[ari_in_app]", o.Name, o.App)
	case errors.Is(err, ari.ErrUnregistered):
		return fmt.Sprintf("ari %s: Asterisk is connected, but has lost application %q, which a client that connected to it (websocket: inbound) "+
			"had taken. Its configuration is right: comment the outbound_websocket section of ari.conf out, \"module reload res_ari.so\", put it back, "+
			"\"module reload res_ari.so\" again. Calls go to the fallback until then. [ari_unregistered]", o.Name, o.App)
	}
	return ""
}
