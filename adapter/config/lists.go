package config

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"parley/engine"
)

// name is what other keys and messages call a record by.
func name(at *string) value {
	return matching(at, token, "a word of letters, digits and . _ - @ +")
}

func userFields(u *User) []field {
	return []field{
		{"name", name(&u.Name), restart},
		{"password", secretField(&u.Password), restart},
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
		{"ami", matching(&s.AMI, emptyOr(hostPort), "HOST:PORT, for example 127.0.0.1:5038"), restart},
		{"ami_user", matching(&s.AMIUser, emptyOr(token), "a word"), restart},
		{"ami_password", secretField(&s.AMIPassword), restart},
		{"ami_password_file", secretFile{&s.AMIPassword}, spelling},
		{"websocket", oneOf(&s.WebSocket, WebSocketInbound, WebSocketOutbound), restart},
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
		s := Switch{App: "parley", WebSocket: WebSocketInbound}
		if !d.record(item, switchFields(&s), "name", "kind") || !l.define(d, item, "switch", s.Name) {
			continue
		}
		if !d.suits(item, s.Kind) || !l.switchSecret(d, item, s.Name, "password", &s.Password) {
			continue
		}
		if child(item, "ami") != nil {
			d.require(item, []string{"ami_user"})
			if !l.switchSecret(d, item, s.Name, "ami_password", &s.AMIPassword) {
				continue
			}
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
		needed, foreign = []string{"esl"}, []string{"ari", "app", "user", "websocket", "ami", "ami_user", "ami_password", "ami_password_file"}
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

// readMenus defines the menus of all files.
func (l *loader) readMenus() {
	menus := builtinMenus()
	for _, d := range l.docs {
		for _, item := range d.elements("controls", child(d.root, "controls")) {
			var c engine.Controls
			if d.record(item, controlsFields(&c), "name", "keys") && l.define(d, item, "controls", c.Name) {
				menus = replace(menus, c, func(m engine.Controls) string { return m.Name })
			}
		}
	}
	l.config.Controls = menus
	for _, m := range menus {
		l.menus[m.Name] = m
	}
}

func controlsFields(c *engine.Controls) []field {
	unused := func(text string) bool { return token(text) && text != "none" && text != "inline" }
	return []field{
		{"name", matching(&c.Name, unused, "a word of letters, digits and . _ - @ +, not none and not inline"), 0},
		{"keys", menuKeys{&c.Keys}, 0},
	}
}

// replace puts one in the place of the one with its name, or at the end.
func replace[T any](all []T, one T, name func(T) string) []T {
	i := slices.IndexFunc(all, func(other T) bool { return name(other) == name(one) })
	if i < 0 {
		return append(all, one)
	}
	all[i] = one
	return all
}

// baseProfile is what every profile is laid over.
func baseProfile(language string, menus []engine.Controls) engine.Profile {
	p := engine.DefaultProfile()
	p.Language = language
	for _, m := range menus {
		switch m.Name {
		case p.Member.Controls.Name:
			p.Member.Controls = m
		case p.Moderator.Controls.Name:
			p.Moderator.Controls = m
		}
	}
	return p
}

// readProfiles defines the profiles of all files.
func (l *loader) readProfiles() {
	base := baseProfile(l.config.Language, l.config.Controls)
	l.config.Profiles = []engine.Profile{base}
	l.profiles[base.Name] = definedProfile{profile: &base}
	for _, d := range l.docs {
		for _, item := range d.elements("profiles", child(d.root, "profiles")) {
			l.profile(d, item, &base)
		}
	}
}

func (l *loader) profile(d *document, item *yaml.Node, base *engine.Profile) {
	own := d.patch(item, "name")
	title, ok := d.name(item)
	if !ok || !l.define(d, item, "profile", title) {
		return
	}
	p := own.over(base)
	p.Name = title
	def := definedProfile{profile: p}
	def.member, def.moderator = d.pinsOf(item)
	d.comparePINs(p, def.member, def.moderator)
	l.profiles[title], l.config.patches[title] = def, own
	l.noteWait(d, item, p)
	l.config.Profiles = replace(l.config.Profiles, *p, func(p engine.Profile) string { return p.Name })
}

// name reads the name of a profile or room.
func (d *document) name(item *yaml.Node) (string, bool) {
	d.require(item, []string{"name"})
	n := child(item, "name")
	if n == nil {
		return "", false
	}
	text, ok := d.scalar("name", n)
	if !ok {
		return "", false
	}
	if _, err := engine.ParseRoomName(text); err != nil {
		d.bad(n, "name", fmt.Errorf("must be 1 to %d of A-Z a-z 0-9 . _ - and not begin with a dot", engine.MaxRoomName))
		return "", false
	}
	return text, true
}

// rooms reads the list of rooms of a file.
func (l *loader) rooms(d *document) {
	for _, item := range d.elements("rooms", child(d.root, "rooms")) {
		room := Room{Profile: "default"}
		room.own = d.patch(item, "name", "title", "profile")
		name, ok := d.name(item)
		if !ok || !l.define(d, item, "room", name) {
			continue
		}
		room.Name = engine.RoomName(name)
		if t := child(item, "title"); t != nil {
			free(&room.Title).read(d, "title", t)
		}
		if p := child(item, "profile"); p != nil {
			if room.Profile, ok = d.scalar("profile", p); !ok {
				continue
			}
			if _, ok = l.profiles[room.Profile]; !ok {
				d.problem(p, "unknown_profile", "profile %q is not defined (known: %s).", clip(room.Profile), known(l.profiles))
				continue
			}
		}
		l.checkRoom(d, item, room)
		l.checkWait(d, item, room)
		l.config.Rooms = append(l.config.Rooms, room)
	}
}

// checkRoom compares the PINs of a room that has own ones, or an own
// terminator, with those it has from its profile.
func (l *loader) checkRoom(d *document, item *yaml.Node, room Room) {
	p := l.profiles[room.Profile]
	member, moderator := d.pinsOf(item)
	if !room.own.set["member.pins"] {
		member = inherited(p.member, item)
	}
	if !room.own.set["moderator.pins"] {
		moderator = inherited(p.moderator, item)
	}
	for _, key := range []string{"member.pins", "moderator.pins", "pin_terminator"} {
		if room.own.set[key] {
			d.comparePINs(room.Apply(p.profile), member, moderator)
			return
		}
	}
}

// pinsOf lists the PINs that a profile or room has itself.
func (d *document) pinsOf(item *yaml.Node) (member, moderator []knownPIN) {
	return knownPINs("member", child(child(item, "member"), "pins")),
		knownPINs("moderator", child(child(item, "moderator"), "pins"))
}

// inherited are the PINs of a profile where a message is about a room.
func inherited(pins []knownPIN, room *yaml.Node) []knownPIN {
	pins = slices.Clone(pins)
	for i := range pins {
		pins[i].at, pins[i].inherited = room, true
	}
	return pins
}

// comparePINs reports a PIN that both roles have where the PIN decides the
// role, and warns of one that begins another when no key ends it.
func (d *document) comparePINs(p *engine.Profile, member, moderator []knownPIN) {
	own := make(map[string]knownPIN, len(member))
	for _, pin := range member {
		own[pin.digits] = pin
	}
	for _, pin := range moderator {
		if other, both := own[pin.digits]; both && p.JoinAs == engine.RoleUnset {
			at := pin.at
			if pin.inherited {
				at = other.at
			}
			d.problem(at, "pin_ambiguous", "one PIN is in member.pins and moderator.pins; the role would be ambiguous.")
		}
	}
	if p.PINTerminator != "" {
		return
	}
	all := slices.Concat(member, moderator)
	slices.SortStableFunc(all, func(a, b knownPIN) int { return cmp.Compare(a.digits, b.digits) })
	for i := 1; i < len(all); i++ {
		a, b := all[i-1], all[i]
		if a.digits != b.digits && strings.HasPrefix(b.digits, a.digits) {
			d.warn(a.at, "pin_prefix", `%s is the beginning of %s; needs pin_terminator "#" or 2 s wait.`, a.name, b.name)
		}
	}
}

// known lists what is defined, for a message.
func known[T any](defined map[string]T) string {
	names := slices.Sorted(maps.Keys(defined))
	if len(names) > 10 {
		names = append(names[:10], "…")
	}
	return strings.Join(names, ", ")
}
