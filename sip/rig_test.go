package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// diary is Events that writes down what it is told.
type diary struct {
	mu    sync.Mutex
	lines []string
	panic string // word of the line that it panics at
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	line := fmt.Sprintf(format, args...)
	d.lines = append(d.lines, line)
	d.mu.Unlock()
	if d.panic != "" && strings.HasPrefix(line, d.panic) {
		panic("diary")
	}
}

func (d *diary) Media(s Session) {
	d.note("media %s/%d %s %v", s.Codec.Name, s.Codec.Clock, s.Direction, s.Remote)
}
func (d *diary) Digit(b byte)  { d.note("digit %c", b) }
func (d *diary) Ended(end End) { d.note("ended %s %d", end.Cause, end.Code) }

// is compares what was told so far, and forgets it.
func (d *diary) is(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(d.lines, want) {
		t.Fatalf("told %q, want %q", d.lines, want)
	}
	d.lines = nil
}

// bench is an endpoint and a peer on a wire.
type rig struct {
	*Endpoint
	t    *testing.T
	w    *wire
	p    *peer
	told *diary
	last chan *Call
}

func ours() Local { return Local{Addr: netip.MustParseAddrPort("10.0.0.1:40000")} }

// bubble runs f with an endpoint that answers every call, unless o says
// otherwise. It checks that all ends with the endpoint.
func bubble(t *testing.T, o Options, f func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, w: newWire(20_000), told: &diary{}, last: make(chan *Call, 20_000)}
		o.UDP, o.ListenPacket = []string{homeAddr}, r.w.listen
		if o.Incoming == nil {
			o.Incoming = func(c *Call) Events {
				r.last <- c
				if err := c.Answer(ours()); err != nil {
					t.Error(err)
				}
				return r.told
			}
		}
		e, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		r.Endpoint = e
		r.p = r.peer(peerAddr)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = e.Run(ctx) }()
		synctest.Wait()
		defer func() {
			cancel()
			<-done
			if n := e.Calls(); n != 0 {
				t.Errorf("%d calls left", n)
			}
		}()
		f(t, r)
	})
}

func (r *rig) peer(address string) *peer {
	return &peer{t: r.t, sock: r.w.open(address), to: net.UDPAddrFromAddrPort(netip.MustParseAddrPort(homeAddr))}
}
