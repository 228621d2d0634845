package config

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
		if len(u.Password.Reveal()) < minPassword && !loopback(l.config.HTTP.Listen) {
			d.problem(item, "weak_password", "ARI user %s must have a password of at least %d characters: http.listen can be reached from other machines.",
				u.Name, minPassword)
			continue
		}
		l.config.ARIServer.Users = append(l.config.ARIServer.Users, u)
	}
}
