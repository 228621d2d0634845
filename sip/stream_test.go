package sip

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// doorman is a TCP listener in memory.
type doorman struct {
	in   chan net.Conn
	gone chan struct{}
	once sync.Once
}

func (d *doorman) Accept() (net.Conn, error) {
	select {
	case c := <-d.in:
		return c, nil
	case <-d.gone:
		return nil, net.ErrClosed
	}
}
func (d *doorman) Close() error   { d.once.Do(func() { close(d.gone) }); return nil }
func (d *doorman) Addr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(homeAddr)) }

// placed is a connection with addresses.
type placed struct {
	net.Conn
	near, far net.Addr
}

func (p placed) LocalAddr() net.Addr  { return p.near }
func (p placed) RemoteAddr() net.Addr { return p.far }

// line is the peer's end of a TCP connection.
type line struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func tcp(a string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(a)) }

// connect makes a connection to the endpoint.
func (d *doorman) connect(t *testing.T, from string) *line {
	t.Helper()
	a, b := net.Pipe()
	d.in <- placed{b, tcp(homeAddr), tcp(from)}
	return &line{t, a, bufio.NewReader(a)}
}

func (l *line) write(s string) {
	l.t.Helper()
	if _, err := io.WriteString(l.conn, s); err != nil {
		l.t.Error(err)
	}
}

// next reads a message; nil when the connection has ended.
func (l *line) next() *text {
	var head strings.Builder
	for !strings.HasSuffix(head.String(), "\r\n\r\n") {
		s, err := l.r.ReadString('\n')
		if err != nil {
			return nil
		}
		head.WriteString(s)
	}
	m := readText([]byte(head.String()))
	var n int
	_, _ = fmt.Sscan(m.get("Content-Length"), &n)
	body := make([]byte, n)
	if _, err := io.ReadFull(l.r, body); err != nil {
		return nil
	}
	m.body = string(body)
	return m
}

func (l *line) response(code int) *text {
	l.t.Helper()
	m := l.next()
	if m == nil || m.code() != code {
		l.t.Fatalf("got %+v, want %d", m, code)
	}
	synctest.Wait()
	return m
}

// ended waits for the end of the connection.
func (l *line) ended() time.Duration {
	start := time.Now()
	for l.next() != nil {
	}
	return time.Since(start)
}

// overTCP is bubble with a TCP listener.
func overTCP(t *testing.T, o Options, f func(*testing.T, *rig, *doorman)) {
	t.Helper()
	d := &doorman{}
	o.TCP = []string{homeAddr}
	o.Listen = func(string, string) (net.Listener, error) {
		d.in, d.gone = make(chan net.Conn, 100), make(chan struct{})
		return d, nil
	}
	bubble(t, o, func(t *testing.T, r *rig) { f(t, r, d) })
}

// tcpLeg is a leg whose messages say TCP.
func tcpLeg(r *rig) (*leg, func(*text) string) {
	l := r.p.leg()
	return l, func(m *text) string {
		m.set("Via", strings.Replace(m.get("Via"), "/UDP", "/TCP", 1))
		return string(m.set("Contact", "<sip:ann@10.0.0.2:5060;transport=tcp>").bytes())
	}
}

func TestCallOverTCP(t *testing.T) {
	overTCP(t, Options{}, func(t *testing.T, r *rig, d *doorman) {
		l, tcp := tcpLeg(r)
		c := d.connect(t, "10.0.0.2:33000")
		c.write(tcp(l.invite(pcmuSDP)))
		c.response(100)
		ok := c.response(200)
		if ok.get("Contact") != "<sip:parley@10.0.0.1:5070;transport=tcp>" {
			t.Errorf("contact %q", ok.get("Contact"))
		}
		c.response(200) // no ACK yet: again, on TCP too
		l.remote = tagIn(ok.get("To"))
		c.write(tcp(l.request("ACK")))
		time.Sleep(time.Hour) // far beyond what an idle connection may last
		(<-r.last).HangUp()
		bye := c.next()
		if bye == nil || bye.method() != "BYE" || !strings.HasPrefix(bye.get("Via"), "SIP/2.0/TCP 10.0.0.1:5070;") {
			t.Fatalf("%+v", bye)
		}
		c.write(string(r.p.answer(bye, 200, "").bytes()))
		if got := c.ended(); got > giveUp+streamIdle {
			t.Errorf("closed after %v", got)
		}
		r.told.is(t, mediaUp, "ended us 0")
	})
}

func TestPiecesOfMessages(t *testing.T) {
	overTCP(t, Options{}, func(t *testing.T, r *rig, d *doorman) {
		c := d.connect(t, "10.0.0.2:33000")
		go c.write("\r\n\r\n")
		if b, _ := c.r.Peek(2); string(b) != "\r\n" {
			t.Errorf("pong %q", b)
		}
		_, _ = c.r.Discard(2)
		l, tcp := tcpLeg(r)
		m := tcp(l.request("OPTIONS")) + "\r\n" + tcp(l.request("OPTIONS")) + "\r\n\r\n" + tcp(l.request("OPTIONS"))
		go func() {
			for i := range m {
				c.write(m[i : i+1])
			}
		}()
		for range 3 {
			c.response(200)
		}
		go c.write(m)
		for range 3 {
			c.response(200)
		}
		c.write("\r")
		c.write("\n")
		if got := c.ended(); got != streamIdle {
			t.Errorf("closed after %v", got)
		}
	})
}

func TestStreamsThatMisbehave(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(*line, func(*text) string, *leg)
		ends time.Duration
	}{
		{"says nothing", func(*line, func(*text) string, *leg) {}, streamIdle},
		{"garbage", func(c *line, _ func(*text) string, _ *leg) { c.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n") }, 0},
		{"no length", func(c *line, _ func(*text) string, _ *leg) {
			c.write("OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK1\r\n\r\n")
		}, 0},
		{"a line without end", func(c *line, _ func(*text) string, _ *leg) {
			for range 2 * maxMessage / 1000 {
				if _, err := io.WriteString(c.conn, strings.Repeat("x", 1000)); err != nil {
					return
				}
			}
		}, 0},
		{"headers without end", func(c *line, _ func(*text) string, _ *leg) {
			c.write("OPTIONS sip:a@b SIP/2.0\r\n")
			for range 2 * maxMessage / 1000 {
				if _, err := io.WriteString(c.conn, "X: "+strings.Repeat("x", 1000)+"\r\n"); err != nil {
					return
				}
			}
		}, 0},
		{"a body beyond all measure", func(c *line, tcp func(*text) string, l *leg) {
			c.write(tcp(l.request("OPTIONS").set("Content-Length", "2000000000")))
		}, 0},
		{"half a message", func(c *line, tcp func(*text) string, l *leg) { c.write(tcp(l.request("OPTIONS"))[:50]) }, streamMessage},
		{"a byte a second", func(c *line, tcp func(*text) string, l *leg) {
			m := tcp(l.request("OPTIONS"))
			go func() {
				for i := range m {
					if _, err := io.WriteString(c.conn, m[i:i+1]); err != nil {
						return
					}
					time.Sleep(time.Second)
				}
			}()
		}, streamMessage},
	} {
		t.Run(tt.name, func(t *testing.T) {
			overTCP(t, Options{}, func(t *testing.T, r *rig, d *doorman) {
				c := d.connect(t, "10.0.0.2:33000")
				l, tcp := tcpLeg(r)
				tt.do(c, tcp, l)
				if got := c.ended(); got != tt.ends {
					t.Errorf("closed after %v, want %v", got, tt.ends)
				}
				time.Sleep(time.Minute) // what still writes finds out
				if n := r.Stats().Streams.Load(); n != 0 || len(r.streams.all()) != 0 || len(r.streams.perPeer) != 0 {
					t.Errorf("%d connections left", n)
				}
			})
		})
	}
}

func TestPeerThatStopsReadingHurtsNobody(t *testing.T) {
	overTCP(t, Options{Rate: Rate{Off: true}}, func(t *testing.T, r *rig, d *doorman) {
		c := d.connect(t, "10.0.0.2:33000")
		l, tcp := tcpLeg(r)
		start := time.Now()
		for range 3 * streamBacklog {
			if _, err := io.WriteString(c.conn, tcp(l.request("OPTIONS"))); err != nil {
				break
			}
		}
		other := d.connect(t, "10.0.0.3:33000")
		o, _ := tcpLeg(r)
		o.p = r.peer("10.0.0.3:33000")
		other.write(tcp(o.request("OPTIONS")))
		other.response(200)
		if d := time.Since(start); d != 0 {
			t.Errorf("the other peer waited %v", d)
		}
		c.ended()
		if n := r.Stats().Streams.Load(); n != 1 {
			t.Errorf("%d connections", n)
		}
	})
}

func TestTooManyConnections(t *testing.T) {
	overTCP(t, Options{}, func(t *testing.T, r *rig, d *doorman) {
		for i := range 80 {
			d.connect(t, fmt.Sprintf("10.0.0.2:%d", 33000+i))
		}
		synctest.Wait()
		if n, m := r.Stats().Streams.Load(), r.Stats().StreamsRefused.Load(); n != streamPerPeer || m != 80-streamPerPeer {
			t.Errorf("%d open, %d refused", n, m)
		}
		o := d.connect(t, "10.0.0.3:33000")
		l, tcp := tcpLeg(r)
		o.write(tcp(l.request("OPTIONS")))
		o.response(200)
	})
}

func TestByeFindsItsWayWhenTheConnectionIsGone(t *testing.T) {
	dialled := make(chan string, 1)
	var far net.Conn
	o := Options{Dial: func(_ context.Context, _, a string) (net.Conn, error) {
		var near net.Conn
		near, far = net.Pipe()
		dialled <- a
		return placed{near, tcp("10.0.0.1:44444"), tcp(a)}, nil
	}}
	overTCP(t, o, func(t *testing.T, r *rig, d *doorman) {
		l, tcp := tcpLeg(r)
		c := d.connect(t, "10.0.0.2:33000")
		c.write(tcp(l.invite(pcmuSDP)))
		c.response(100)
		l.remote = tagIn(c.response(200).get("To"))
		c.write(tcp(l.request("ACK")))
		_ = c.conn.Close()
		synctest.Wait()
		(<-r.last).HangUp()
		synctest.Wait()
		if a := <-dialled; a != "10.0.0.2:5060" {
			t.Errorf("dialled %s", a)
		}
		bye := (&line{t, far, bufio.NewReader(far)}).next()
		if bye == nil || bye.method() != "BYE" {
			t.Errorf("%+v", bye)
		}
	})
}
