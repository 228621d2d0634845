package sip

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// wire is a UDP network in memory, for bubbles.
type wire struct {
	mu    sync.Mutex
	ends  map[string]*socket
	depth int // packets that wait at an end
}

type packet struct {
	data []byte
	from net.Addr
}

// socket is one end of a wire.
type socket struct {
	w    *wire
	addr *net.UDPAddr
	in   chan packet
	gone chan struct{}
	once sync.Once
}

func newWire(depth int) *wire { return &wire{ends: map[string]*socket{}, depth: depth} }

func (w *wire) listen(_, address string) (net.PacketConn, error) { return w.open(address), nil }

func (w *wire) open(address string) *socket {
	a := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address))
	s := &socket{w: w, addr: a, in: make(chan packet, w.depth), gone: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ends[a.String()] = s
	return s
}

func (s *socket) WriteTo(b []byte, to net.Addr) (int, error) {
	s.w.mu.Lock()
	peer := s.w.ends[to.String()]
	s.w.mu.Unlock()
	if peer != nil {
		select {
		case peer.in <- packet{slices.Clone(b), s.addr}:
		default: // as UDP does
		}
	}
	return len(b), nil
}

func (s *socket) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-s.in:
		return copy(b, p.data), p.from, nil
	case <-s.gone:
		return 0, nil, net.ErrClosed
	}
}

func (s *socket) Close() error                     { s.once.Do(func() { close(s.gone) }); return nil }
func (s *socket) LocalAddr() net.Addr              { return s.addr }
func (s *socket) SetDeadline(time.Time) error      { return nil }
func (s *socket) SetReadDeadline(time.Time) error  { return nil }
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// text is a SIP message as it is on the wire.
type text struct {
	start  string
	fields []Header
	body   string
}

func (m *text) get(name string) string {
	for _, f := range m.fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

func (m *text) all(name string) []string {
	var out []string
	for _, f := range m.fields {
		if strings.EqualFold(f.Name, name) {
			out = append(out, f.Value)
		}
	}
	return out
}

// set replaces a field, or adds it; "" takes it away.
func (m *text) set(name, value string) *text {
	i := slices.IndexFunc(m.fields, func(f Header) bool { return strings.EqualFold(f.Name, name) })
	switch {
	case value == "" && i >= 0:
		m.fields = slices.Delete(m.fields, i, i+1)
	case value == "":
	case i >= 0:
		m.fields[i].Value = value
	default:
		m.fields = append(m.fields, Header{name, value})
	}
	return m
}

func (m *text) add(name, value string) *text {
	m.fields = append(m.fields, Header{name, value})
	return m
}

func (m *text) with(kind, body string) *text {
	m.body = body
	return m.set("Content-Type", kind)
}

func (m *text) bytes() []byte {
	var b strings.Builder
	b.WriteString(m.start + "\r\n")
	for _, f := range m.fields {
		b.WriteString(f.Name + ": " + f.Value + "\r\n")
	}
	if m.get("Content-Length") == "" {
		b.WriteString("Content-Length: " + strconv.Itoa(len(m.body)) + "\r\n")
	}
	return []byte(b.String() + "\r\n" + m.body)
}

func (m *text) code() int {
	n, _ := strconv.Atoi(strings.Fields(m.start + " 0 0")[1])
	return n
}

func (m *text) method() string { return strings.Fields(m.start)[0] }

func readText(b []byte) *text {
	head, body, _ := strings.Cut(string(b), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	m := &text{start: lines[0], body: body}
	for _, l := range lines[1:] {
		n, v, _ := strings.Cut(l, ":")
		m.fields = append(m.fields, Header{n, strings.TrimSpace(v)})
	}
	return m
}

// peer speaks SIP by hand.
type peer struct {
	t     *testing.T
	sock  *socket
	to    *net.UDPAddr
	calls int
}

// leg is one call of a peer, by hand.
type leg struct {
	p          *peer
	id, tag    string
	remote     string // tag of the endpoint
	uri        string
	seq        int
	branch     int
	lastBranch string
}

const (
	homeAddr = "10.0.0.1:5070"
	peerAddr = "10.0.0.2:5060"
	pcmuSDP  = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n" +
		"m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
)

func (p *peer) leg() *leg {
	p.calls++
	return &leg{p: p, id: fmt.Sprintf("call%d@%s", p.calls, p.sock.addr), tag: "peer" + strconv.Itoa(p.calls), uri: "sip:3001@" + homeAddr}
}

// request makes the next request of the leg.
func (l *leg) request(method string) *text {
	if method != "ACK" && method != "CANCEL" {
		l.seq++
	}
	if method != "CANCEL" {
		l.branch++
		l.lastBranch = fmt.Sprintf("z9hG4bK%s%d%s", l.tag, l.branch, l.p.sock.addr)
	}
	to := "<sip:3001@10.0.0.1>"
	if l.remote != "" {
		to += ";tag=" + l.remote
	}
	m := &text{start: method + " " + l.uri + " SIP/2.0"}
	m.add("Via", fmt.Sprintf("SIP/2.0/UDP %s;branch=%s;rport", l.p.sock.addr, l.lastBranch))
	m.add("Max-Forwards", "70").add("From", `"Ann" <sip:ann@10.0.0.2>;tag=`+l.tag).add("To", to)
	m.add("Call-ID", l.id).add("CSeq", fmt.Sprintf("%d %s", l.seq, method))
	return m.add("Contact", fmt.Sprintf("<sip:ann@%s>", l.p.sock.addr))
}

func (l *leg) invite(sdp string) *text {
	m := l.request("INVITE")
	if sdp != "" {
		m.with("application/sdp", sdp)
	}
	return m
}

func (l *leg) send(m *text) *text {
	l.p.send(m)
	return m
}

func (p *peer) send(m *text) { p.raw(m.bytes()) }

func (p *peer) raw(b []byte) {
	if _, err := p.sock.WriteTo(b, p.to); err != nil {
		p.t.Helper()
		p.t.Fatal(err)
	}
}

// next is the next message, waiting at most d.
func (p *peer) next(d time.Duration) *text {
	select {
	case in := <-p.sock.in:
		synctest.Wait() // whoever sent it is done with what he did besides
		return readText(in.data)
	case <-time.After(d):
		return nil
	}
}

// quiet fails if there is anything for d.
func (p *peer) quiet(d time.Duration) {
	p.t.Helper()
	if m := p.next(d); m != nil {
		p.t.Fatalf("unexpected %q", m.start)
	}
}

// response waits for a response with that code.
func (p *peer) response(code int) *text {
	p.t.Helper()
	m := p.next(10 * time.Second)
	if m == nil {
		p.t.Fatalf("no answer, want %d", code)
	}
	if m.code() != code {
		p.t.Fatalf("got %q, want %d", m.start, code)
	}
	return m
}

// request waits for a request with that method.
func (p *peer) request(method string) *text {
	p.t.Helper()
	m := p.next(time.Hour)
	if m == nil {
		p.t.Fatalf("no %s", method)
	}
	if m.method() != method {
		p.t.Fatalf("got %q, want %s", m.start, method)
	}
	return m
}

// answer makes a response to a request of the endpoint.
func (p *peer) answer(req *text, code int, tag string) *text {
	m := &text{start: fmt.Sprintf("SIP/2.0 %d Whatever", code)}
	for _, v := range req.all("Via") {
		m.add("Via", v)
	}
	to := req.get("To")
	if tag != "" && !strings.Contains(to, "tag=") {
		to += ";tag=" + tag
	}
	m.add("From", req.get("From")).add("To", to).add("Call-ID", req.get("Call-ID")).add("CSeq", req.get("CSeq"))
	if code >= 200 && code < 300 {
		m.add("Contact", fmt.Sprintf("<sip:ann@%s>", p.sock.addr))
	}
	return m
}

// confirm sends the ACK of a refusal, which belongs to the INVITE's transaction.
func (p *peer) confirm(invite, refusal *text) {
	ack := readText(invite.bytes()).set("To", refusal.get("To")).set("Content-Type", "").set("Content-Length", "0")
	ack.set("CSeq", strings.Replace(invite.get("CSeq"), "INVITE", "ACK", 1))
	ack.start, ack.body = strings.Replace(ack.start, "INVITE", "ACK", 1), ""
	p.send(ack)
}

// up makes a call that is answered, up to the ACK.
func (l *leg) up(sdp string) *text {
	l.p.t.Helper()
	l.send(l.invite(sdp))
	l.p.response(100)
	ok := l.p.response(200)
	l.remote = tagIn(ok.get("To"))
	l.send(l.request("ACK"))
	synctest.Wait()
	return ok
}

func tagIn(v string) string {
	_, tag, _ := strings.Cut(v, ";tag=")
	tag, _, _ = strings.Cut(tag, ";")
	return tag
}
