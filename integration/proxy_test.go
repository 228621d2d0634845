//go:build integration

package integration

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// proxy stands between two ends of an event socket, and does to them what
// networks do, in both directions.
type proxy struct {
	t      *testing.T
	listen net.Listener
	calls  bool // it is the switch that connects
	plain  bool // what flows is no event socket's
	busy   sync.WaitGroup

	mu    sync.Mutex
	to    string         // guarded by mu: where new connections go
	how   flow           // guarded by mu
	turn  chan struct{}  // guarded by mu: closed when how changes
	lose  string         // guarded by mu: the next message of the switch of that Content-Type gets lost
	lost  int            // guarded by mu
	links map[*link]bool // guarded by mu
}

// link is one connection. Once cut, it stays so.
type link struct {
	near, far net.Conn
	cut       bool // guarded by the proxy's mu
}

// flow is what becomes of bytes.
type flow int

const (
	flowing flow = iota
	held         // they come later, when it flows again
	gone         // they never come, as if the cable were cut
)

// between starts a proxy to an address: of a switch, or calls is true, and it is
// ours, where calls of the switch come to.
func between(t *testing.T, to string, calls bool) *proxy {
	t.Helper()
	return newProxy(t, &proxy{to: to, calls: calls})
}

// plainly is a proxy between any two.
func plainly(t *testing.T, to string) *proxy {
	t.Helper()
	return newProxy(t, &proxy{to: to, plain: true})
}

func newProxy(t *testing.T, p *proxy) *proxy {
	t.Helper()
	p.t, p.turn, p.links = t, make(chan struct{}), map[*link]bool{}
	p.open("127.2.0.1:0") // whose ports no connection to elsewhere takes while it is shut
	t.Cleanup(func() {
		p.set(gone)
		p.shut()
		p.busy.Wait()
	})
	return p
}

func (p *proxy) open(address string) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.listen = l
	p.busy.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.busy.Go(func() { p.carry(c) })
		}
	})
}

// address is where to connect to.
func (p *proxy) address() string { return p.listen.Addr().String() }

// shut closes the port and every connection; reopen takes it back.
func (p *proxy) shut() {
	_ = p.listen.Close()
	p.hangUp()
}

func (p *proxy) reopen() { p.open(p.address()) }

// hangUp closes the connections there are.
func (p *proxy) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		_ = l.near.Close()
		_ = l.far.Close()
	}
}

// set changes what becomes of the bytes.
func (p *proxy) set(how flow) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.how = how
	for l := range p.links {
		l.cut = l.cut || how == gone
	}
	close(p.turn)
	p.turn = make(chan struct{})
}

// aim sends new connections elsewhere, and ends those there are.
func (p *proxy) aim(to string) {
	p.mu.Lock()
	p.to = to
	p.mu.Unlock()
	p.hangUp()
}

// loseNext loses the next message of the switch that is of a Content-Type.
func (p *proxy) loseNext(kind string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose = kind
}

// loses says how many messages got lost.
func (p *proxy) loses() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// carry is one connection.
func (p *proxy) carry(near net.Conn) {
	p.mu.Lock()
	to := p.to
	p.mu.Unlock()
	far, err := net.Dial("tcp", to)
	if err != nil {
		_ = near.Close()
		return
	}
	p.mu.Lock()
	l := &link{near, far, p.how == gone}
	p.links[l] = true
	p.mu.Unlock()
	var both sync.WaitGroup
	toFar, toNear := piece, p.message
	if p.plain {
		toNear = piece
	}
	if p.calls {
		toFar, toNear = toNear, toFar
	}
	both.Go(func() { p.pump(l, far, near, toFar) })
	both.Go(func() { p.pump(l, near, far, toNear) })
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// pump moves what next reads, one after the other, and closes both ends when one
// of them does: but not those of a cut link, where nobody would notice.
func (p *proxy) pump(l *link, to, from net.Conn, next func(*bufio.Reader) ([]byte, error)) {
	r := bufio.NewReader(from)
	for {
		b, err := next(r)
		if !p.pass(l) {
			if err != nil {
				return
			}
			continue
		}
		if _, e := to.Write(b); e != nil || err != nil {
			_ = to.Close()
			_ = from.Close()
			return
		}
	}
}

// pass waits until bytes may flow; it is false when they get lost.
func (p *proxy) pass(l *link) bool {
	for {
		p.mu.Lock()
		how, cut, turn := p.how, l.cut, p.turn
		p.mu.Unlock()
		if how != held || cut {
			return !cut
		}
		<-turn
	}
}

// piece reads what there is.
func piece(r *bufio.Reader) ([]byte, error) {
	b := make([]byte, 32<<10)
	n, err := r.Read(b)
	return b[:n], err
}

// message reads one message of the event socket, and nothing where that is to
// get lost.
func (p *proxy) message(r *bufio.Reader) ([]byte, error) {
	var b []byte
	kind, length := "", 0
	for {
		line, err := r.ReadString('\n')
		b = append(b, line...)
		if err != nil {
			return b, err
		}
		if line == "\n" {
			break
		}
		if v, ok := strings.CutPrefix(line, "Content-Type: "); ok {
			kind = strings.TrimSpace(v)
		}
		if v, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			_, _ = fmt.Sscan(v, &length)
		}
	}
	body := make([]byte, length)
	n, err := io.ReadFull(r, body)
	b = append(b, body[:n]...)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lose != "" && p.lose == kind {
		p.lose = ""
		p.lost++
		return nil, err
	}
	return b, err
}
