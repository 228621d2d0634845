package sip

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
)

// sendTries is how often a datagram is given to a socket that fails with what was
// told of another one.
const sendTries = 10

// send gives a datagram to the socket. What the network has told of earlier ones is
// an error of this call, too, of one for each: it is read, and b is sent again.
func (l *packetLink) send(b []byte, to netip.AddrPort) error {
	addr := net.UDPAddrFromAddrPort(to)
	_, err := l.conn.WriteTo(b, addr)
	for try := 1; try < sendTries && err != nil && l.errors != nil && !errors.Is(err, net.ErrClosed); try++ {
		l.readErrors()
		_, err = l.conn.WriteTo(b, addr)
	}
	return err
}

// unreachable takes what the network tells of an INVITE that begins a call: to an
// address where nobody listens (RFC 3261 §18.4). Anybody can send us that, so it
// counts only if it quotes what strangers cannot know, the branch. It does not wait.
func (e *Endpoint) unreachable(sent []byte, to netip.AddrPort) {
	line, headers, _ := bytes.Cut(sent, []byte("\r\n"))
	_, branch, _ := bytes.Cut(headers, []byte(";branch=")) // of our Via, which is the first
	branch, _, whole := bytes.Cut(branch, []byte(";"))
	if !whole || !bytes.HasPrefix(line, []byte("INVITE ")) {
		return
	}
	tx, ok := e.clients.find(string(branch) + "\nINVITE")
	if !ok || tx.hop.to != to {
		return
	}
	select {
	case tx.unreachable <- struct{}{}:
	default:
	}
}
