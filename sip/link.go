package sip

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// maxMessage is the longest SIP message we read, in bytes.
const maxMessage = 32 << 10

// usualMessage has room for most answers, in bytes.
const usualMessage = 512

// link is what messages go out by: a UDP socket or a TCP connection. send never
// waits for the peer and keeps b; to matters to UDP alone.
type link interface {
	send(b []byte, to netip.AddrPort) error
	network() string // as Via has it: "UDP", "TCP"
	local() netip.AddrPort
	alive() bool
}

// hop is the way to one peer. It is what sipgo's transaction machines know as
// a connection; they may close it as they like, links close by themselves.
type hop struct {
	link
	to    netip.AddrPort
	stats *Stats
}

// WriteMsg sends a message.
func (h *hop) WriteMsg(m sipgo.Message) error {
	h.stats.Sent.Add(1)
	return h.send(written(m), h.to)
}

// written is a message as it goes out.
func written(m sipgo.Message) []byte {
	b := bytes.NewBuffer(make([]byte, 0, usualMessage))
	m.StringWrite(b)
	return b.Bytes()
}

// LocalAddr, Ref, TryClose and Close complete sipgo's interface.
func (h *hop) LocalAddr() net.Addr         { return net.UDPAddrFromAddrPort(h.local()) }
func (h *hop) Ref(int) int                 { return 1 }
func (h *hop) TryClose() (int, error)      { return 1, nil }
func (h *hop) Close() error                { return nil }
func (h *hop) peer() netip.Addr            { return h.to.Addr() }
func (h *hop) with(to netip.AddrPort) *hop { return &hop{link: h.link, to: to, stats: h.stats} }

// packetLink is a UDP socket.
type packetLink struct {
	conn   net.PacketConn
	near   netip.AddrPort
	errors *errorQueue // nil: there is none
}

func (l *packetLink) network() string       { return "UDP" }
func (l *packetLink) local() netip.AddrPort { return l.near }
func (l *packetLink) alive() bool           { return true }

// readPackets serves one UDP socket until it is closed.
func (e *Endpoint) readPackets(l *packetLink) {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := l.conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil && l.readErrors() > 0 { // of datagrams that we have sent
			continue
		}
		if err != nil { // of one datagram; but never spin on a socket that is broken
			e.log.Debug("sip: read", "error", err)
			if !e.pause(10 * time.Millisecond) {
				return
			}
			continue
		}
		e.packet(buf[:n], &hop{link: l, to: addrPort(from), stats: &e.stats})
	}
}

// packet reads one datagram.
func (e *Endpoint) packet(data []byte, from *hop) {
	defer e.guard("packet")
	if !e.limit.message(from.peer(), time.Now()) && !e.trusted(from.peer()) {
		e.stats.Flooded.Add(1)
		return
	}
	data = bytes.TrimLeft(data, "\r\n\x00")
	if len(data) == 0 { // keep-alive
		return
	}
	if len(data) > maxMessage {
		e.stats.Malformed.Add(1)
		return
	}
	msg, err := e.parser.ParseSIP(data)
	e.parsed(msg, err, from)
}

// parsed goes on with a message, or answers what can be answered of a bad one.
func (e *Endpoint) parsed(msg sipgo.Message, err error, from *hop) {
	e.stats.Received.Add(1)
	switch m := msg.(type) {
	case *sipgo.Request:
		m.SetTransport(from.network())
		m.SetSource(from.to.String())
		if err != nil {
			e.malformed(m, from, "Unreadable Message")
			return
		}
		e.request(m, from)
	case *sipgo.Response:
		if err == nil {
			e.response(m)
			return
		}
		e.stats.Malformed.Add(1)
	default:
		e.stats.Malformed.Add(1)
	}
}

// addrPort reads an address of package net.
func addrPort(a net.Addr) netip.AddrPort {
	var p netip.AddrPort
	switch a := a.(type) {
	case *net.UDPAddr:
		p = a.AddrPort()
	case *net.TCPAddr:
		p = a.AddrPort()
	case nil:
		return p
	default:
		p, _ = netip.ParseAddrPort(a.String())
	}
	return netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port())
}

// hostPort writes an address as it stands in a Via or a URI.
func hostPort(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}
