package sip

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	sipgo "github.com/emiago/sipgo/sip"
)

// allowed are the methods we take, supported the extensions.
const (
	allowed   = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, NOTIFY"
	supported = "timer"
	accepted  = "application/sdp, application/dtmf-relay, application/dtmf"
)

// Header is one header of a request or a response.
type Header struct{ Name, Value string }

// StatusError is a request that the peer refused.
type StatusError struct {
	Method string
	Code   int // 300 to 699; 408 also when it did not answer at all, 503 when the network said that nobody listens there
	Reason string
	Header string // its Reason header (RFC 3326), if it has one to show
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("sip: %s refused: %d %s", e.Method, e.Code, e.Reason)
}

// reason is the usual text of a status code.
func reason(code int) string {
	for _, s := range [...]struct {
		code int
		text string
	}{
		{100, "Trying"},
		{180, "Ringing"},
		{200, "OK"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{408, "Request Timeout"},
		{415, "Unsupported Media Type"},
		{416, "Unsupported URI Scheme"},
		{420, "Bad Extension"},
		{422, "Session Interval Too Small"},
		{480, "Temporarily Unavailable"},
		{481, "Call/Transaction Does Not Exist"},
		{482, "Loop Detected"},
		{483, "Too Many Hops"},
		{486, "Busy Here"},
		{487, "Request Terminated"},
		{488, "Not Acceptable Here"},
		{491, "Request Pending"},
		{500, "Server Internal Error"},
		{503, "Service Unavailable"},
		{505, "Version Not Supported"},
		{513, "Message Too Large"},
		{603, "Decline"},
	} {
		if s.code == code {
			return s.text
		}
	}
	return "Unnamed"
}

func header(name, value string) sipgo.Header { return sipgo.NewHeader(name, value) }

// plain are headers that somebody else has chosen, less those that cannot stand in
// a message.
func plain(all []Header) (hs []sipgo.Header) {
	for _, h := range all {
		if printable(h.Name) && printable(h.Value) {
			hs = append(hs, header(h.Name, h.Value))
		}
	}
	return hs
}

// seconds writes a number of seconds, at least one.
func seconds(n int64) string { return strconv.FormatInt(max(1, n), 10) }

// first is the value of the first header under any of its names.
func first(m sipgo.Message, names ...string) string {
	for _, n := range names {
		if h := m.GetHeaders(n); len(h) > 0 {
			return strings.TrimSpace(h[0].Value())
		}
	}
	return ""
}

// tokens are the comma-separated values of all headers under any of its names,
// in lower case.
func tokens(m sipgo.Message, names ...string) []string {
	var out []string
	for _, n := range names {
		for _, h := range m.GetHeaders(n) {
			for t := range strings.SplitSeq(h.Value(), ",") {
				if t = strings.ToLower(strings.TrimSpace(t)); t != "" {
					out = append(out, t)
				}
			}
		}
	}
	return out
}

// ill says what makes a request unusable; "" means nothing does.
func ill(req *sipgo.Request) string {
	via, n := req.Via(), countOf(req.Headers())
	switch {
	case controlled(req.Headers()):
		return "Control Character"
	case via == nil || via.Host == "":
		return "Bad Via"
	case n.from != 1 || n.to != 1 || n.id != 1 || n.seq != 1:
		return "From, To, Call-ID and CSeq must be there once"
	case req.From() == nil: // it cannot be read
		return "Bad From"
	case n.length > 1 || n.forwards > 1:
		return "Repeated Header"
	case !strings.EqualFold(strings.TrimSpace(string(req.CSeq().MethodName)), string(req.Method)):
		return "CSeq Method Differs"
	}
	branch, _ := via.Params.Get("branch")
	for _, s := range []string{req.CallID().Value(), tagOf(req.From().Params), tagOf(req.To().Params), branch} {
		if len(s) > 256 || !printable(s) {
			return "Bad Identifier"
		}
	}
	if tagOf(req.From().Params) == "" {
		return "No From Tag"
	}
	return ""
}

// counts are how often headers are there that a request has once at most.
type counts struct{ from, to, id, seq, length, forwards int }

func countOf(hs []sipgo.Header) (n counts) {
	for _, h := range hs {
		switch h.(type) {
		case *sipgo.FromHeader:
			n.from++
		case *sipgo.ToHeader:
			n.to++
		case *sipgo.CallIDHeader:
			n.id++
		case *sipgo.CSeqHeader:
			n.seq++
		case *sipgo.ContentLengthHeader:
			n.length++
		case *sipgo.MaxForwardsHeader:
			n.forwards++
		}
	}
	return n
}

// controlled says whether there are control characters in headers: a line
// feed alone passes the parser, and would begin a line of its own in what we
// make of it.
func controlled(hs []sipgo.Header) bool {
	for _, h := range hs {
		if strings.ContainsFunc(h.Name()+h.Value(), func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return true
		}
	}
	return false
}

func tagOf(p sipgo.HeaderParams) string {
	t, _ := p.Get("tag")
	return t
}

// printable says whether a text may go into a header, a log and a dialplan:
// UTF-8 without control characters.
func printable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return false
		}
	}
	return true
}

// token says whether a text may stand in a URI or between quotes as it is.
func token(s string) bool {
	return s != "" && printable(s) && !strings.ContainsAny(s, " \"\\<>@,;:/?=&")
}

// unescape undoes %xx in the user part of a URI.
func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// transactionKey tells transactions apart, RFC 3261 §17.2.3. Requests of
// peers from before it have no unique branch; more goes into the key then.
func transactionKey(req *sipgo.Request, method sipgo.RequestMethod) string {
	if method == sipgo.ACK {
		method = sipgo.INVITE
	}
	via := req.Via()
	branch, _ := via.Params.Get("branch")
	key := branch + "\n" + via.Host + "\n" + strconv.Itoa(via.Port) + "\n" + string(method)
	if strings.HasPrefix(branch, sipgo.RFC3261BranchMagicCookie) {
		return key
	}
	from := ""
	if f := req.From(); f != nil { // else it cannot be read, and is refused
		from = tagOf(f.Params)
	}
	return key + "\n" + req.CallID().Value() + "\n" + from + "\n" + strconv.Itoa(int(req.CSeq().SeqNo))
}

// escape writes a name as the user part of a URI.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.!~*'()+", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// back is the way of a request's responses (RFC 3261 §18.2.2, RFC 3581). It
// notes in the Via where the request really came from.
func back(req *sipgo.Request, from *hop) *hop {
	via := req.Via()
	_, rport := via.Params.Get("rport") // sipgo fills it in
	if source := from.to.Addr().String(); !rport && strings.Trim(via.Host, "[]") != source {
		via.Params.Add("received", source)
	}
	if from.network() != "UDP" || rport {
		return from
	}
	port := via.Port
	if port <= 0 || port > 65535 {
		port = sipgo.DefaultUdpPort
	}
	return from.with(netip.AddrPortFrom(from.to.Addr(), uint16(port)))
}

// newResponse makes a response with our tag and name.
func (e *Endpoint) newResponse(req *sipgo.Request, code int, tag string, hs ...sipgo.Header) *sipgo.Response {
	res := sipgo.NewResponseFromRequest(req, code, reason(code), nil)
	if tagOf(req.To().Params) == "" {
		if code == 100 {
			res.To().Params.Remove("tag")
		} else {
			res.To().Params.Add("tag", tag)
		}
	}
	res.AppendHeader(header("Server", e.opt.UserAgent))
	for _, h := range hs {
		res.AppendHeader(h)
	}
	return res
}

// reply answers without keeping state. The tag is the same for each copy of
// the request (RFC 3261 §8.2.7).
func (e *Endpoint) reply(req *sipgo.Request, h *hop, code int, hs ...sipgo.Header) {
	if req.Method == sipgo.ACK {
		return
	}
	if err := h.WriteMsg(e.newResponse(req, code, e.tagFor(req), hs...)); err != nil {
		e.log.Debug("sip: reply", "to", h.to, "code", code, "error", err)
	}
}

// malformed answers a request that cannot be used, if it says enough.
func (e *Endpoint) malformed(req *sipgo.Request, from *hop, why string) {
	e.stats.Malformed.Add(1)
	e.log.Debug("sip: malformed request", "from", from.to, "why", why)
	unread := req.GetHeader("From")
	if req.Via() == nil || unread == nil || req.To() == nil || req.CallID() == nil || req.CSeq() == nil {
		return
	}
	hs := []sipgo.Header{header("Warning", warning(399, why))}
	if req.From() == nil { // it goes back as it came
		hs = append(hs, unread)
	}
	e.reply(req, back(req, from), 400, hs...)
}

// warning is a Warning header (RFC 3261 §20.43).
func warning(code int, text string) string {
	return strconv.Itoa(code) + " parley " + Quoted(text)
}

// tagFor derives a tag from a request.
func (e *Endpoint) tagFor(req *sipgo.Request) string {
	m := hmac.New(sha256.New, e.secret[:])
	m.Write([]byte(transactionKey(req, req.Method) + "\n" + req.CallID().Value()))
	return hex.EncodeToString(m.Sum(nil)[:8])
}

// random is n random bytes in hex.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// here is how the peer of a hop reaches us.
func (e *Endpoint) here(h *hop) (host string, port uint16) {
	near := h.local()
	port = near.Port()
	if h.network() == "TCP" && len(e.listeners) > 0 {
		port = addrPort(e.listeners[0].Addr()).Port()
	}
	if e.opt.Advertise != "" {
		return e.opt.Advertise, port
	}
	if near.Addr().IsUnspecified() {
		if c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(h.to)); err == nil { // sends nothing: asks for the route
			near = addrPort(c.LocalAddr())
			_ = c.Close()
		}
	}
	return near.Addr().String(), port
}

// contact is our Contact towards a peer.
func (e *Endpoint) contact(h *hop) sipgo.Header {
	host, port := e.here(h)
	value := "<sip:" + e.opt.User + "@" + hostPort(host, port)
	if h.network() == "TCP" {
		value += ";transport=tcp"
	}
	return header("Contact", value+">")
}

// stamp adds the Via of a new transaction.
func (e *Endpoint) stamp(req *sipgo.Request, h *hop) {
	host, port := e.here(h)
	via := &sipgo.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: h.network(), Host: host, Port: int(port),
	}
	via.Params.Add("branch", sipgo.RFC3261BranchMagicCookie+random(12))
	via.Params.Add("rport", "")
	req.PrependHeader(via)
	req.SetTransport(h.network())
}
