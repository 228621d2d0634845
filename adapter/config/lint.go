package config

import (
	"cmp"
	"net"
	"net/netip"
	"slices"

	"go.yaml.in/yaml/v3"

	"parley/engine"
)

// checkListeners reports two listeners that cannot both have their address.
// SIP over UDP is in nobody's way.
func (l *loader) checkListeners(d *document) {
	c := l.config
	all := []struct{ section, address string }{
		{"freeswitch", c.FreeSWITCH.Listen},
		{"audiosocket", c.AudioSocket.Listen},
		{"http", c.HTTP.Listen},
		{"esl_server", c.ESLServer.Listen},
	}
	if slices.Contains(c.SIP.Transports, "tcp") {
		all = slices.Insert(all, 0, struct{ section, address string }{"sip", c.SIP.Listen})
	}
	for i, a := range all {
		for _, b := range all[i+1:] {
			if !clash(a.address, b.address) {
				continue
			}
			at := child(child(d.root, b.section), "listen")
			if at == nil {
				a, b = b, a
				at = cmp.Or(child(child(d.root, b.section), "listen"), &yaml.Node{})
			}
			d.problem(at, "port_twice", "%s.listen %s is the address of %s.listen, too.", b.section, b.address, a.section)
		}
	}
}

// clash says whether only one can listen on a and b.
func clash(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return everywhereOrSame(hostA, hostB)
}

func everywhereOrSame(a, b string) bool {
	all := func(host string) bool {
		ip, err := netip.ParseAddr(host)
		return host == "" || err == nil && ip.IsUnspecified()
	}
	name := func(host string) string {
		if host == "localhost" {
			return "127.0.0.1"
		}
		return host
	}
	return all(a) || all(b) || name(a) == name(b)
}

// wait is a profile that waits for a moderator whom no PIN makes one.
type wait struct {
	doc  *document
	at   *yaml.Node
	name string
	open bool // anybody who calls a room of no name in the configuration gets it
	used int  // rooms that have it
	good int  // of them, those that help themselves
}

// hopeless says whether a profile waits for somebody who cannot come by PIN,
// and never stops to.
func hopeless(p *engine.Profile) bool {
	opens := p.OnWaitTimeout == engine.WaitOpen && p.WaitTimeout > 0
	return p.JoinAs != engine.RoleModerator && (p.WaitForModerator || p.RequireModerator) && len(p.Moderator.PINs) == 0 && !opens
}

// noteWait remembers a hopeless profile until it is known who uses it.
func (l *loader) noteWait(d *document, item *yaml.Node, p *engine.Profile) {
	if hopeless(p) {
		at := cmp.Or(child(item, "wait_for_moderator"), child(item, "require_moderator"), item)
		l.waits = append(l.waits, &wait{doc: d, at: at, name: p.Name, open: p.Name == "default" && p.Create == engine.CreateOnDemand})
	}
}

// checkWait judges a room. One that waits by its own doing is told of itself.
func (l *loader) checkWait(d *document, item *yaml.Node, room Room) {
	p := room.Apply(l.profiles[room.Profile].profile)
	i := slices.IndexFunc(l.waits, func(w *wait) bool { return w.name == room.Profile })
	if i >= 0 {
		l.waits[i].used++
		if !hopeless(p) {
			l.waits[i].good++
		}
		return
	}
	if hopeless(p) {
		at := cmp.Or(child(item, "wait_for_moderator"), child(item, "require_moderator"), item)
		d.hopeless(at, "room "+string(room.Name))
	}
}

// checkWaits tells of the profiles in which somebody would wait. Where another
// profile makes moderators of those who name it, they may come to any room.
func (l *loader) checkWaits() {
	for _, p := range l.profiles {
		if p.profile.JoinAs == engine.RoleModerator {
			return
		}
	}
	for _, w := range l.waits {
		if w.open || w.used == 0 || w.good < w.used {
			w.doc.hopeless(w.at, "profile "+w.name)
		}
	}
}

func (d *document) hopeless(at *yaml.Node, who string) {
	d.warn(at, "no_moderator_pin", "%s waits for a moderator and has no moderator.pins; only calls with parley_role=moderator can be one.", who)
}
