package mediasocket

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455 §4.2.2 has it so; it guards nothing
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"parley/internal/rawtcp"
)

// ErrRefused: the web server did not open a media websocket.
var ErrRefused = errors.New("mediasocket: refused")

const (
	// sendBuffer is what the kernel may hold for a peer that does not read,
	// doubled by it for its own needs: some 25 frames, 0.5 s.
	sendBuffer = 16 * 1024

	// guid is what RFC 6455 §1.3 adds to a key.
	guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

	subprotocol = "media"
)

// URL is where the channel of a connection id is to be found, beside an ARI
// base URL such as http://host:8088/ari. There is none for https: TLS cannot be
// read without waiting.
func URL(ari, id string) (string, error) {
	u, err := url.Parse(ari)
	if err != nil {
		return "", fmt.Errorf("mediasocket: %w", err)
	}
	if u.Scheme != "http" {
		return "", fmt.Errorf("%w: %s has no plain http", errors.ErrUnsupported, ari)
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/ari") + "/media/" + id
	return u.String(), nil
}

// Dial connects to a media URL. Audio is linear, 16 bit, little endian; frame is
// the bytes of 20 ms of it.
func Dial(ctx context.Context, at string, frame int) (*Conn, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, fmt.Errorf("mediasocket: %w", err)
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), "80")
	}
	d := net.Dialer{Control: bounded}
	tcp, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, fmt.Errorf("mediasocket: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { tcp.Close() })
	early, err := upgrade(tcp, u)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		tcp.Close()
		return nil, err
	}
	sock, err := rawtcp.Detach(tcp.(*net.TCPConn))
	if err != nil {
		return nil, err
	}
	c := newConn(sock, frame)
	if err := c.Feed(early, 0); err != nil {
		c.Fail()
		return nil, err
	}
	return c, nil
}

// upgrade is the opening handshake, RFC 6455 §4.1. early came behind the answer.
func upgrade(tcp net.Conn, u *url.URL) (early []byte, err error) {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // never fails, crypto/rand
	key := base64.StdEncoding.EncodeToString(nonce[:])
	req := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{
		"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-WebSocket-Version": {"13"},
		"Sec-WebSocket-Key": {key}, "Sec-WebSocket-Protocol": {subprotocol},
	}}
	if err := req.Write(tcp); err != nil {
		return nil, fmt.Errorf("mediasocket: %w", err)
	}
	r := bufio.NewReader(tcp)
	resp, err := http.ReadResponse(r, req)
	if err != nil {
		return nil, fmt.Errorf("mediasocket: %w", err)
	}
	defer resp.Body.Close()
	sum := sha1.Sum([]byte(key + guid)) //nolint:gosec // see its import
	switch {
	case resp.StatusCode != http.StatusSwitchingProtocols:
		return nil, fmt.Errorf("%w: %s answers %s", ErrRefused, u.Path, resp.Status)
	case resp.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]):
		return nil, fmt.Errorf("%w: %s is no websocket", ErrRefused, u.Path)
	}
	return r.Peek(r.Buffered())
}

// bounded sets the send buffer.
func bounded(_, _ string, c syscall.RawConn) error {
	var setErr error
	err := c.Control(func(fd uintptr) {
		setErr = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer)
	})
	return errors.Join(err, setErr)
}
