package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// dialog is what both sides of a call know of each other (RFC 3261 §12).
type dialog struct {
	local     sipgo.FromHeader // we, with our tag
	remote    sipgo.ToHeader
	target    sipgo.Uri      // the peer's Contact
	routes    []sipgo.Uri    // proxies that want to see every request
	link      link           // what the peer was heard on last
	direct    netip.AddrPort // of a peer whose Contact leads nowhere; else zero
	localSeq  uint32
	remoteSeq uint32
}

// accept makes the dialog of an INVITE that came in.
func dialogIn(req *sipgo.Request, tag string) dialog {
	d := dialog{remoteSeq: req.CSeq().SeqNo, localSeq: 1}
	to, from := req.To(), req.From()
	d.local = to.AsFrom()
	d.local.Params.Add("tag", tag)
	d.remote = from.AsTo()
	d.routes = recorded(req)
	return d
}

// dialogOut makes the dialog of a 2xx to an INVITE of ours.
func dialogOut(req *sipgo.Request, res *sipgo.Response) dialog {
	d := dialog{localSeq: req.CSeq().SeqNo}
	d.local = sipgo.FromHeader{
		DisplayName: req.From().DisplayName, Address: *req.From().Address.Clone(), Params: req.From().Params.Clone(),
	}
	d.remote = sipgo.ToHeader{
		DisplayName: res.To().DisplayName, Address: *res.To().Address.Clone(), Params: res.To().Params.Clone(),
	}
	d.routes = recorded(res)
	slices.Reverse(d.routes)
	return d
}

func recorded(m sipgo.Message) []sipgo.Uri {
	var out []sipgo.Uri
	for _, h := range m.GetHeaders("Record-Route") {
		if r, ok := h.(*sipgo.RecordRouteHeader); ok {
			out = append(out, *r.Address.Clone())
		}
	}
	return out
}

// contactOf is the Contact that a message brings, if it can be called.
func contactOf(m interface{ Contact() *sipgo.ContactHeader }) (sipgo.Uri, bool) {
	c := m.Contact()
	if c == nil || c.Address.Wildcard || c.Address.Scheme != "sip" || c.Address.Host == "" || !printable(c.Address.Host) {
		return sipgo.Uri{}, false
	}
	return *c.Address.Clone(), true
}

// retarget takes the peer's Contact, and how it was heard.
func (d *dialog) retarget(contact sipgo.Uri, from *hop) {
	d.target = contact
	d.target.Headers = nil // not for the Request-URI (RFC 3261 §19.1.1)
	d.direct = netip.AddrPort{}
	addr, err := netip.ParseAddr(strings.Trim(contact.Host, "[]"))
	if err == nil && from.network() == "UDP" && len(d.routes) == 0 && !reachable(addr.Unmap(), from.peer()) {
		d.direct = from.to
	}
}

// way is where a request goes next.
type way struct {
	next   sipgo.Uri
	link   link
	direct netip.AddrPort
}

func (d *dialog) way() way {
	w := way{next: d.target, link: d.link, direct: d.direct}
	if len(d.routes) > 0 {
		w.next = d.routes[0]
	}
	return w
}

// request makes a request in the dialog: all but Via and Contact, which depend
// on the way it will go.
func (d *dialog) request(method sipgo.RequestMethod, seq uint32) *sipgo.Request {
	uri, routes := d.target, d.routes
	if len(routes) > 0 && !routes[0].UriParams.Has("lr") { // a strict router, RFC 3261 §12.2.1.1
		uri, routes = routes[0], append(slices.Clone(routes[1:]), d.target)
	}
	req := sipgo.NewRequest(method, *uri.Clone())
	for _, r := range routes {
		req.AppendHeader(&sipgo.RouteHeader{Address: *r.Clone()})
	}
	forwards := sipgo.MaxForwardsHeader(70)
	id := d.local // copies
	peer := d.remote
	req.AppendHeader(&forwards)
	req.AppendHeader(&id)
	req.AppendHeader(&peer)
	req.AppendHeader(&sipgo.CSeqHeader{SeqNo: seq, MethodName: method})
	return req
}

// reach finds the way's socket and address. It may look up names and dial.
func (e *Endpoint) reach(ctx context.Context, w way) (*hop, error) {
	transport, _ := w.next.UriParams.Get("transport")
	s, streamed := w.link.(*stream)
	tcp := strings.EqualFold(transport, "tcp") || (transport == "" && streamed)
	if tcp && streamed && s.alive() {
		return &hop{link: s, to: s.peer, stats: &e.stats}, nil
	}
	if w.direct.IsValid() && !tcp {
		return &hop{link: w.link, to: w.direct, stats: &e.stats}, nil
	}
	if w.next.Scheme == "sips" || (transport != "" && !tcp && !strings.EqualFold(transport, "udp")) {
		return nil, fmt.Errorf("%w: transport of %s", ErrPeer, w.next.String())
	}
	to, err := resolve(ctx, w.next)
	if err != nil {
		return nil, err
	}
	if tcp {
		s, err := e.dial(ctx, to)
		if err != nil {
			return nil, err
		}
		return &hop{link: s, to: to, stats: &e.stats}, nil
	}
	if p, ok := w.link.(*packetLink); ok && p.reaches(to.Addr()) {
		return &hop{link: p, to: to, stats: &e.stats}, nil
	}
	for _, p := range e.packets {
		if p.reaches(to.Addr()) {
			return &hop{link: p, to: to, stats: &e.stats}, nil
		}
	}
	return nil, fmt.Errorf("%w: no socket towards %s", ErrPeer, to)
}

// reaches says whether the socket can send to an address.
func (l *packetLink) reaches(a netip.Addr) bool {
	near := l.near.Addr()
	if near.IsUnspecified() && near.Is6() {
		return true // takes both families
	}
	return near.Is4() == a.Is4() && (!near.IsLoopback() || a.IsLoopback())
}

// lookup is how long a name may take.
const lookup = 5 * time.Second

// resolve finds the address of a URI's host.
func resolve(ctx context.Context, u sipgo.Uri) (netip.AddrPort, error) {
	port := u.Port
	if port == 0 {
		port = sipgo.DefaultUdpPort
	}
	if port < 0 || port > 65535 {
		return netip.AddrPort{}, fmt.Errorf("%w: port %d", ErrPeer, port)
	}
	host := strings.Trim(u.Host, "[]")
	a, err := netip.ParseAddr(host)
	if err != nil {
		ctx, cancel := context.WithTimeout(ctx, lookup)
		defer cancel()
		list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err != nil || len(list) == 0 {
			return netip.AddrPort{}, fmt.Errorf("%w: %w", ErrPeer, err)
		}
		a = list[0]
		if i := slices.IndexFunc(list, netip.Addr.Is4); i >= 0 {
			a = list[i]
		}
	}
	return netip.AddrPortFrom(a.Unmap().WithZone(""), uint16(port)), nil
}
