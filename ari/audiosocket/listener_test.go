package audiosocket

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"parley/internal/rawtcp"
)

func listen(t *testing.T, o Options) *Listener {
	t.Helper()
	l, err := Listen(t.Context(), "127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// dial connects like Asterisk does and says hello.
func dial(t *testing.T, l *Listener, hello []byte) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := c.Write(hello); err != nil {
		t.Fatal(err)
	}
	return c
}

func greeting(id UUID) []byte { return AppendFrame(nil, KindUUID, id[:]) }

// closed waits for the end of c.
func closed(t *testing.T, c net.Conn) bool {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, err := c.Read(make([]byte, 1))
	var timeout net.Error
	return err != nil && (!errors.As(err, &timeout) || !timeout.Timeout())
}

func TestListenerHandsOverTheExpectedCall(t *testing.T) {
	l := listen(t, Options{})
	id := NewUUID()
	ticket, err := l.Expect(id, KindSLIN16)
	if err != nil {
		t.Fatal(err)
	}
	peer := dial(t, l, greeting(id))
	conn, err := ticket.Wait(t.Context())
	if err != nil || conn.Kind() != KindSLIN16 || ticket.ID() != id {
		t.Fatalf("got %v, %v", conn, err)
	}
	conn.Send(make([]byte, 640), 0, false)
	k, b, err := ReadFrame(peer, make([]byte, 1000))
	if err != nil || k != KindSLIN16 || len(b) != 640 {
		t.Errorf("the peer got %v of %d bytes, %v", k, len(b), err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if conn.Drain(1); conn.Closed() {
		t.Error("closing the listener ended a call")
	}
	conn.Close()
	if !closed(t, peer) {
		t.Error("the peer did not see the end")
	}
}

func TestListenerAdmitsAUUIDOnce(t *testing.T) {
	l := listen(t, Options{})
	id := NewUUID()
	ticket, err := l.Expect(id, KindSLIN8)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Expect(id, KindSLIN8); !errors.Is(err, ErrDuplicate) {
		t.Errorf("second ticket: %v, want ErrDuplicate", err)
	}
	dial(t, l, greeting(id))
	conn, err := ticket.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if second := dial(t, l, greeting(id)); !closed(t, second) || l.Refused().Unknown.Load() != 1 {
		t.Errorf("a second connection came in; refused %d", l.Refused().Unknown.Load())
	}
}

func TestListenerRefuses(t *testing.T) {
	for _, c := range []struct {
		name      string
		hello     []byte
		unknown   uint64
		malformed uint64
	}{
		{"a UUID nobody expects", greeting(NewUUID()), 1, 0},
		{"audio first", audio(KindSLIN8, 16), 0, 1},
		{"a short UUID", AppendFrame(nil, KindUUID, make([]byte, 15)), 0, 1},
		{"a long UUID", AppendFrame(nil, KindUUID, make([]byte, 17)), 0, 1},
		{"HTTP", []byte("GET / HTTP/1.1\r\n\r\n"), 0, 1},
		{"silence", nil, 0, 1},
	} {
		l := listen(t, Options{Handshake: 50 * time.Millisecond})
		peer := dial(t, l, c.hello)
		if !closed(t, peer) {
			t.Errorf("%s: was let in", c.name)
		}
		l.Close()
		if u, m := l.Refused().Unknown.Load(), l.Refused().Malformed.Load(); u != c.unknown || m != c.malformed {
			t.Errorf("%s: unknown %d, malformed %d; want %d, %d", c.name, u, m, c.unknown, c.malformed)
		}
	}
}

// TestListenerLimitsStrangers: the oldest makes room, so that who is awaited comes in.
func TestListenerLimitsStrangers(t *testing.T) {
	l := listen(t, Options{Strangers: 2, Handshake: time.Minute})
	first := dial(t, l, nil)
	dial(t, l, nil)
	ticket, err := l.Expect(NewUUID(), KindSLIN8)
	if err != nil {
		t.Fatal(err)
	}
	dial(t, l, greeting(ticket.ID()))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	c, err := ticket.Wait(ctx)
	if err != nil {
		t.Fatalf("who is awaited: %v", err)
	}
	defer c.Close()
	if !closed(t, first) || l.Refused().Crowded.Load() != 1 || l.Refused().Malformed.Load() != 0 {
		t.Errorf("crowded %d, malformed %d", l.Refused().Crowded.Load(), l.Refused().Malformed.Load())
	}
}

func TestTicketGivesUp(t *testing.T) {
	l := listen(t, Options{})
	id := NewUUID()
	ticket, err := l.Expect(id, KindSLIN8)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ticket.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	if late := dial(t, l, greeting(id)); !closed(t, late) {
		t.Error("a connection came in on a void ticket")
	}
}

func TestTicketOfAClosedListener(t *testing.T) {
	l := listen(t, Options{})
	ticket, err := l.Expect(NewUUID(), KindSLIN8)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	l.Close()
	if _, err := ticket.Wait(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
}

// TestCancelRacesWithArrival: whoever is first, the connection is either taken
// or closed, never left open.
func TestCancelRacesWithArrival(t *testing.T) {
	l := listen(t, Options{})
	for range 100 {
		id := NewUUID()
		ticket, err := l.Expect(id, KindSLIN8)
		if err != nil {
			t.Fatal(err)
		}
		peer := dial(t, l, greeting(id))
		var wg sync.WaitGroup
		wg.Go(ticket.Cancel)
		wg.Wait()
		if !closed(t, peer) {
			t.Fatal("a connection outlived its ticket")
		}
	}
}

// TestConnectionOfAVoidTicket arrives between Cancel and its own delivery.
func TestConnectionOfAVoidTicket(t *testing.T) {
	l := listen(t, Options{})
	ticket, err := l.Expect(NewUUID(), KindSLIN8)
	if err != nil {
		t.Fatal(err)
	}
	ticket.Cancel()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[1])
	s := rawtcp.New(fds[0])
	if ticket.deliver(s); !s.Released() {
		t.Error("the connection was left open")
	}
}

func TestExpectOfAKindThatIsNotServed(t *testing.T) {
	l := listen(t, Options{})
	if _, err := l.Expect(NewUUID(), KindDigit); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v, want ErrUnsupported", err)
	}
}

func TestListenOnABadAddress(t *testing.T) {
	if _, err := Listen(t.Context(), "127.0.0.1:nope", Options{}); err == nil {
		t.Error("no error")
	}
}

func TestListenerEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l, err := Listen(ctx, "127.0.0.1:0", Options{})
	if err != nil {
		t.Fatal(err)
	}
	stranger := dial(t, l, nil)
	cancel()
	l.Close()
	if _, err := stranger.Read(make([]byte, 1)); err == nil || errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a stranger outlived the listener: %v", err)
	}
}
