package eventsocket

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/esl"
)

// logIn takes "auth" and "userauth"; nothing else is known before.
func (l *listener) logIn(ctx context.Context, line string) (on bool) {
	var u *User
	account := "" // whose password it is
	given, ok := begins(line, "auth ")
	if ok {
		u = l.s.byPassword(given)
	} else if given, ok = begins(line, "userauth "); ok {
		u, account = l.s.byName(userAndPassword(given))
	} else {
		l.reply("-ERR command not found")
		return true
	}
	if !l.judged(ctx, account, given, u != nil) {
		return false
	}
	if u == nil {
		l.s.opts.Log.Warn("esl_server: wrong password from "+l.nc.RemoteAddr().String()+". [esl_server_auth]", "from", l.nc.RemoteAddr().String())
		l.reply("-ERR invalid")
		return false
	}
	if !l.visitor.Welcome() {
		return false
	}
	l.mu.Lock()
	l.user = u
	l.mu.Unlock()
	if !l.mayStay() { // he may have changed while his password waited for its turn
		return false
	}
	_ = l.nc.SetReadDeadline(time.Time{}) // a dead socket fails at the next read
	l.in.Limit(esl.MaxHead, esl.MaxBody)
	if account == "" {
		l.reply("+OK accepted")
		return true
	}
	l.reply("+OK accepted", "Allowed-Events: "+allowance(u.Events), "Allowed-API: "+allowance(u.API), "Allowed-LOG: "+strconv.FormatBool(!u.NoLog))
	return true
}

// judged waits until what a client gave counts. It is false where the time to
// log in, or the connection, is over before.
func (l *listener) judged(ctx context.Context, account, given string, right bool) bool {
	l.visitor.Wait()
	ctx, cancel := context.WithDeadline(ctx, l.began.Add(loginTime))
	defer cancel()
	go func() {
		select {
		case <-l.over:
			cancel()
		case <-ctx.Done():
		}
	}()
	return l.s.brake.Await(ctx, l.peer, account, given, right) == 0
}

// byPassword is who logs in by "auth".
func (s *Server) byPassword(password string) *User {
	if s.opts.Password != "" && same(password, s.opts.Password) {
		return &User{}
	}
	return nil
}

// UsersChanged sends away who has logged in by "userauth" and is not among Users any
// more as he was: he may log in again, as he is now. The switch lets him go on.
func (s *Server) UsersChanged() {
	for _, l := range s.all() {
		l.mayStay()
	}
}

// mayStay sends the client away unless its user is as he was.
func (l *listener) mayStay() bool {
	u := l.who()
	if u == nil || u.Name == "" || slices.ContainsFunc(l.s.opts.Users(), u.is) {
		return true
	}
	l.mu.Lock()
	l.barred = true
	l.mu.Unlock()
	l.cut(otherUser)
	return false
}

// is says whether another is the same user, who may do the same.
func (u *User) is(o User) bool {
	same := func(a, b []string) bool {
		return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
	}
	return u.Name == o.Name && u.Password == o.Password && u.NoLog == o.NoLog && same(u.API, o.API) && same(u.Events, o.Events)
}

// byName is who logs in by "userauth", and whose account that would be: "?" is
// nobody's.
func (s *Server) byName(name, password string) (who *User, account string) {
	account = "?"
	if s.opts.Users == nil {
		return nil, account
	}
	for _, u := range s.opts.Users() {
		fits := same(password, u.Password)
		if !strings.EqualFold(u.Name, name) || u.Password == "" {
			continue
		}
		if account = u.Name; fits {
			who = &u
		}
	}
	return who, account
}

// same compares digests, so that neither content nor length shows in the time.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// userAndPassword takes "user@domain:password" or "user:password@domain" apart.
func userAndPassword(text string) (name, password string) {
	colon, at := strings.IndexByte(text, ':'), strings.IndexByte(text, '@')
	switch {
	case colon < 0 || at < 0:
		return "", ""
	case at < colon:
		return text[:colon], text[colon+1:]
	default:
		at = strings.LastIndexByte(text, '@')
		return text[:colon] + text[at:], text[colon+1 : at]
	}
}
