package config

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The lists of those whom we call and who drive us.

func trunkFields(t *Trunk) []field {
	return []field{
		{"name", name(&t.Name), 0},
		{"address", matching(&t.Address, reachable, "HOST or HOST:PORT"), 0},
		{"transport", oneOf(&t.Transport, "udp", "tcp"), 0},
		{"user", matching(&t.User, emptyOr(token), "a word"), 0},
		{"password", secretField(&t.Password), 0},
		{"password_file", secretFile{&t.Password}, spelling},
		{"caller_number", matching(&t.CallerNumber, emptyOr(token), "a number"), 0},
	}
}

func reachable(text string) bool { return text != "" && advertised(text) }

func (l *loader) trunks(d *document) {
	for _, item := range d.elements("sip.trunks", child(child(d.root, "sip"), "trunks")) {
		t := Trunk{Transport: "udp"}
		if !d.record(item, trunkFields(&t), "name", "address") || !l.define(d, item, "trunk", t.Name) {
			continue
		}
		if t.User != "" && !d.secret(item, "password") {
			continue
		}
		if l.defined["switch "+t.Name] != "" {
			d.problem(item, "duplicate_name", "trunk %q has the name of a switch; an address could mean both.", t.Name)
			continue
		}
		l.config.SIP.Trunks = append(l.config.SIP.Trunks, t)
	}
}

func ariUserFields(u *ARIUser) []field {
	return []field{
		{"name", name(&u.Name), 0},
		{"password", secretField(&u.Password), 0},
		{"password_file", secretFile{&u.Password}, spelling},
		{"read_only", yes(&u.ReadOnly), 0},
	}
}

// minPassword is how long a password must be that a program guesses at.
const minPassword = 8

func (l *loader) ariUsers(d *document) {
	for _, item := range d.elements("ari_server.users", child(child(d.root, "ari_server"), "users")) {
		var u ARIUser
		if !d.record(item, ariUserFields(&u), "name") || !l.define(d, item, "ARI user", u.Name) || !d.secret(item, "password") {
			continue
		}
		if l.weak(d, item, "ARI user "+u.Name, u.Password, "http.listen", l.config.HTTP.Listen) {
			continue
		}
		l.config.ARIServer.Users = append(l.config.ARIServer.Users, u)
	}
}

// weak reports a password that strangers could find by guessing.
func (l *loader) weak(d *document, item *yaml.Node, whose string, p Secret, key, listen string) bool {
	if len(p.Reveal()) >= minPassword || loopback(listen) {
		return false
	}
	d.problem(item, "weak_password", "%s must have a password of at least %d characters: %s can be reached from other machines.", whose, minPassword, key)
	return true
}

// checkESLServer reads the password's file, and refuses an event socket that
// strangers can reach by the password that everybody knows, or a short one.
func (l *loader) checkESLServer(d *document) {
	s, section := &l.config.ESLServer, child(d.root, "esl_server")
	if s.PasswordFile != "" {
		n := cmp.Or(child(section, "password_file"), &yaml.Node{Kind: yaml.ScalarNode, Value: s.PasswordFile})
		if child(section, "password") != nil {
			d.problem(n, "bad_value", `esl_server has both "password" and "password_file".`)
			return
		}
		secretFile{&s.Password}.read(d, "esl_server.password_file", n)
	}
	switch password := s.Password.Reveal(); {
	case s.Listen == "" || loopback(s.Listen):
	case password == DefaultESLPassword:
		l.exposed(d, "esl_server", "no_auth",
			fmt.Sprintf("esl_server.listen %s with FreeSWITCH's own password; set esl_server.password or listen on 127.0.0.1.", s.Listen))
	case len(password) < minPassword:
		l.exposed(d, "esl_server", "weak_password",
			fmt.Sprintf("esl_server.listen %s with a password of fewer than %d characters; set a longer one or listen on 127.0.0.1.", s.Listen, minPassword))
	}
}

// checkFreeSWITCH tells of a socket where strangers can hand calls over.
func (l *loader) checkFreeSWITCH(d *document) {
	s := l.config.FreeSWITCH
	all := func(p netip.Prefix) bool { return p.Bits() == 0 }
	if (len(s.ACL) == 0 || slices.ContainsFunc(s.ACL, all)) && !loopback(s.Listen) {
		at := cmp.Or(child(child(d.root, "freeswitch"), "acl"), d.root)
		d.warn(at, "open_socket", "freeswitch.listen %s, and freeswitch.acl lets everybody in: who reaches it may be any caller, a moderator, too.", s.Listen)
	}
}

func eslUserFields(u *ESLUser) []field {
	return []field{
		{"name", matching(&u.Name, atDomain, "USER@DOMAIN, as fs_cli -u gives it"), 0},
		{"password", secretField(&u.Password), 0},
		{"password_file", secretFile{&u.Password}, spelling},
		{"api", words{at: &u.API}, 0},
		{"events", words{at: &u.Events}, 0},
		{"log", yes(&u.Log), 0},
	}
}

// atDomain says whether a name is USER@DOMAIN.
func atDomain(text string) bool {
	user, domain, _ := strings.Cut(text, "@")
	return token(user) && token(domain) && !strings.Contains(domain, "@")
}

func (l *loader) eslUsers(d *document) {
	for _, item := range d.elements("esl_server.users", child(child(d.root, "esl_server"), "users")) {
		u := ESLUser{Log: true}
		if !d.record(item, eslUserFields(&u), "name") || !l.define(d, item, "ESL user", u.Name) || !d.secret(item, "password") {
			continue
		}
		if l.weak(d, item, "ESL user "+u.Name, u.Password, "esl_server.listen", l.config.ESLServer.Listen) {
			continue
		}
		l.eslWords(d, item, &u)
		l.config.ESLServer.Users = append(l.config.ESLServer.Users, u)
	}
}

// eslWords tells of commands and events that there are none of. A subclass may be
// any that a client sends, so that one is told of only if it is nearly one of ours.
func (l *loader) eslWords(d *document, item *yaml.Node, u *ESLUser) {
	check := func(key, what string, words, known []string, free func(string) bool) {
		for i, word := range words {
			if known == nil || slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, word) }) {
				continue
			}
			near := suggestion(word, known)
			if free(word) && near == "." {
				continue
			}
			at := cmp.Or(child(item, key), item)
			if i < len(at.Content) && at.Kind == yaml.SequenceNode {
				at = at.Content[i]
			}
			d.warn(at, "unknown_"+what, "ESL user %s: there is no %s %q%s", u.Name, what, clip(word), near)
		}
	}
	check("api", "command", u.API, l.commands, func(string) bool { return false })
	check("events", "event", u.Events, l.events, func(word string) bool { return strings.Contains(word, "::") })
}
