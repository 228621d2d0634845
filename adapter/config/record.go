package config

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"
)

// name is what other keys and messages call a record by.
func name(at *string) value {
	return matching(at, token, "a word of letters, digits and . _ - @ +")
}

func userFields(u *User) []field {
	return []field{
		{"name", name(&u.Name), 0},
		{"password", secretField(&u.Password), 0},
		{"password_file", secretFile{&u.Password}, spelling},
	}
}

func tokenFields(t *Token) []field {
	return []field{
		{"name", name(&t.Name), 0},
		{"token", secretField(&t.Token), 0},
		{"token_file", secretFile{&t.Token}, spelling},
	}
}

func switchFields(s *Switch) []field {
	return []field{
		{"name", name(&s.Name), restart},
		{"kind", oneOf(&s.Kind, KindAsterisk, KindFreeSWITCH), restart},
		{"ari", matching(&s.ARI, emptyOr(ariURL), "http://HOST:PORT/ari, without user and password in it"), restart},
		{"app", matching(&s.App, token, "a word"), restart},
		{"user", matching(&s.User, emptyOr(token), "a word"), restart},
		{"esl", matching(&s.ESL, emptyOr(hostPort), "HOST:PORT, for example 127.0.0.1:8021"), restart},
		{"password", secretField(&s.Password), restart},
		{"password_file", secretFile{&s.Password}, spelling},
	}
}

func ariURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		u.User == nil && u.RawQuery == "" && u.Fragment == "" && !strings.ContainsFunc(text, control)
}

func (l *loader) users(d *document) {
	for _, item := range d.elements("sip.users", child(child(d.root, "sip"), "users")) {
		var u User
		if d.record(item, userFields(&u), "name") && l.define(d, item, "user", u.Name) && d.secret(item, "password") {
			l.config.SIP.Users = append(l.config.SIP.Users, u)
		}
	}
}

func (l *loader) tokens(d *document) {
	for _, item := range d.elements("auth.tokens", child(child(d.root, "auth"), "tokens")) {
		var t Token
		if !d.record(item, tokenFields(&t), "name") || !l.define(d, item, "token", t.Name) || !d.secret(item, "token") {
			continue
		}
		if text := t.Token.Reveal(); len(text) < 16 || strings.Trim(text, letters+"-._~+/=") != "" {
			d.problem(item, "weak_token", "token %s must have at least 16 characters, letters, digits and -._~+/= only.", t.Name)
			continue
		}
		l.config.Auth.Tokens = append(l.config.Auth.Tokens, t)
	}
}

func (l *loader) switches(d *document) {
	for _, item := range d.elements("switches", child(d.root, "switches")) {
		s := Switch{App: "parley"}
		if !d.record(item, switchFields(&s), "name", "kind") || !l.define(d, item, "switch", s.Name) {
			continue
		}
		if !d.suits(item, s.Kind) || !d.secret(item, "password") {
			continue
		}
		if s.Kind == KindFreeSWITCH && s.Password.Reveal() == "ClueCon" && !loopback(s.ESL) {
			d.warn(item, "esl_default_password",
				"switch %s has FreeSWITCH's well-known default password; change it in event_socket.conf.xml.", s.Name)
		}
		l.config.Switches = append(l.config.Switches, s)
	}
}

// suits says whether a switch has the keys of its kind, all and only them.
func (d *document) suits(item *yaml.Node, kind Kind) bool {
	before := len(d.problems)
	needed, foreign := []string{"ari", "user"}, []string{"esl"}
	if kind == KindFreeSWITCH {
		needed, foreign = []string{"esl"}, []string{"ari", "app", "user"}
	}
	d.require(item, needed)
	for _, key := range foreign {
		if child(item, key) != nil {
			d.problem(item, "unknown_key", "key %q has no meaning for a switch of kind %s.", key, kind)
		}
	}
	return len(d.problems) == before
}

// secret says whether a record has its secret, under key or in a file, and
// reports it if not.
func (d *document) secret(item *yaml.Node, key string) bool {
	plain, file := child(item, key), child(item, key+"_file")
	if (plain == nil) == (file == nil) {
		d.problem(item, "missing_key", "one of %q and %q is needed, and not both.", key, key+"_file")
		return false
	}
	return true
}

// loopback says whether HOST:PORT can be reached from this machine only.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	ip, _ := netip.ParseAddr(host)
	return err == nil && (host == "localhost" || ip.Unmap().IsLoopback())
}
