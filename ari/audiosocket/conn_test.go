package audiosocket

import (
	"bytes"
	"errors"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"parley/internal/audiotest"
	"parley/internal/rawtcp"
)

// pair is a Conn and the descriptor at its other end, where Asterisk would be.
func pair(t testing.TB, k Kind) (*Conn, int) {
	t.Helper()
	return pairOf(t, k, sendBuffer)
}

// pairOf is pair with a send buffer of so many bytes.
func pairOf(t testing.TB, k Kind, buffer int) (*Conn, int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptInt(fds[0], unix.SOL_SOCKET, unix.SO_SNDBUF, buffer); err != nil {
		t.Fatal(err)
	}
	c, err := newConn(rawtcp.New(fds[0]), k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		unix.Close(fds[1])
	})
	return c, fds[1]
}

func write(t testing.TB, fd int, b []byte) {
	t.Helper()
	for len(b) > 0 {
		n, err := unix.Write(fd, b)
		if err != nil {
			t.Fatal(err)
		}
		b = b[n:]
	}
}

// received reads all that is there.
func received(t testing.TB, fd int) []byte {
	t.Helper()
	var all []byte
	buf := make([]byte, 65536)
	for {
		n, err := unix.Read(fd, buf)
		if n <= 0 || err != nil {
			return all
		}
		all = append(all, buf[:n]...)
	}
}

func TestConnPlaysWhatAsteriskSends(t *testing.T) {
	c, peer := pair(t, KindSLIN16)
	var src audiotest.Ramp
	dst := make([]byte, 640)
	if n, lost := c.Take(dst); n != 0 || lost {
		t.Errorf("before any audio: %d, %v; want nothing due", n, lost)
	}
	var want, got []byte
	for i := range 10 {
		b := src.Bytes(640)
		want = append(want, b...)
		write(t, peer, AppendFrame(nil, KindSLIN16, b))
		c.Drain(int64(1000 + i))
		n, _ := c.Take(dst)
		got = append(got, dst[:n]...)
	}
	if len(got) != 9*640 || !bytes.HasPrefix(want, got) {
		t.Errorf("%d bytes came out, want the first nine frames", len(got))
	}
	if c.LastArrival() != 1009 || c.Stats().Received.Load() != 10 || c.Delay() != 20*time.Millisecond {
		t.Errorf("last arrival %d, received %d, delay %v", c.LastArrival(), c.Stats().Received.Load(), c.Delay())
	}
}

func TestConnKeepsPartialFramesBetweenTicks(t *testing.T) {
	c, peer := pair(t, KindSLIN8)
	wire := AppendFrame(nil, KindSLIN8, (&audiotest.Ramp{}).Bytes(320))
	for _, b := range wire {
		write(t, peer, []byte{b})
		c.Drain(1)
	}
	if c.Stats().Received.Load() != 1 || c.Held() != 320 {
		t.Errorf("received %d, held %d bytes; want one whole frame", c.Stats().Received.Load(), c.Held())
	}
}

func TestConnDigits(t *testing.T) {
	c, peer := pair(t, KindSLIN8)
	for _, d := range []byte("12\x00a#*Zx9") {
		write(t, peer, AppendFrame(nil, KindDigit, []byte{d}))
	}
	c.Drain(1)
	var got []byte
	for d, ok := c.Digit(); ok; d, ok = c.Digit() {
		got = append(got, d)
	}
	if string(got) != "12A#*9" {
		t.Errorf("got %q, want the keys of a telephone", got)
	}
	for range 40 {
		write(t, peer, []byte{3, 0, 1, '1'})
	}
	c.Drain(2)
	if c.Stats().LostKeys.Load() != 8 || c.Stats().Digits.Load() != 46 {
		t.Errorf("%d of %d keys lost, want 8 of 46", c.Stats().LostKeys.Load(), c.Stats().Digits.Load())
	}
}

func TestConnCountsAudioOfAnotherRate(t *testing.T) {
	c, peer := pair(t, KindSLIN16)
	write(t, peer, audio(KindSLIN8, 320))
	c.Drain(1)
	if c.Stats().WrongKind.Load() != 1 || c.Held() != 0 || c.LastArrival() != 0 {
		t.Errorf("wrong kind %d, held %d", c.Stats().WrongKind.Load(), c.Held())
	}
}

func TestConnEnds(t *testing.T) {
	for _, c := range []struct {
		name      string
		do        func(t *testing.T, c *Conn, peer int)
		malformed uint64
	}{
		{"when Asterisk closes", func(t *testing.T, _ *Conn, peer int) { unix.Shutdown(peer, unix.SHUT_RDWR) }, 0},
		{"on a hangup frame", func(t *testing.T, _ *Conn, peer int) { write(t, peer, []byte{0, 0, 0}) }, 0},
		{"on an error frame", func(t *testing.T, _ *Conn, peer int) { write(t, peer, []byte{0xff, 0, 1, 1}) }, 0},
		{"on a broken frame", func(t *testing.T, _ *Conn, peer int) { write(t, peer, []byte{0x12, 0xff, 0xff}) }, 1},
		{"when we close", func(_ *testing.T, c *Conn, _ int) { c.Close() }, 0},
	} {
		conn, peer := pair(t, KindSLIN16)
		if conn.Closed() {
			t.Errorf("%s: closed from the start", c.name)
		}
		c.do(t, conn, peer)
		conn.Drain(1)
		if !conn.Closed() || conn.Stats().Malformed.Load() != c.malformed {
			t.Errorf("%s: closed %v, malformed %d", c.name, conn.Closed(), conn.Stats().Malformed.Load())
		}
		conn.Drain(2)
		conn.Send(make([]byte, 640), 0, false)
		if conn.Stats().Sent.Load() != 0 {
			t.Errorf("%s: sent after the end", c.name)
		}
	}
}

// TestConnNeverBreaksFraming sends to a peer that reads in bits and pauses.
func TestConnNeverBreaksFraming(t *testing.T) {
	c, peer := pairOf(t, KindSLIN16, 4096)
	var wire []byte
	var src audiotest.Ramp
	buf := make([]byte, 700)
	for i := range 500 {
		c.Send(src.Bytes(640), 0, false)
		if i%3 == 0 {
			n, _ := unix.Read(peer, buf[:1+i%700])
			wire = append(wire, buf[:max(n, 0)]...)
		}
	}
	for done := false; !done; {
		done = c.Ready()
		wire = append(wire, received(t, peer)...)
	}
	frames := 0
	for r := bytes.NewReader(wire); r.Len() > 0; frames++ {
		k, b, err := ReadFrame(r, buf)
		if err != nil || k != KindSLIN16 || len(b) != 640 {
			t.Fatalf("frame %d: %v of %d bytes, %v", frames, k, len(b), err)
		}
	}
	sent, full := c.Stats().Sent.Load(), c.Stats().Full.Load()
	if uint64(frames) != sent || sent+full != 500 || full == 0 || sent == 0 {
		t.Errorf("%d frames arrived; sent %d, dropped %d", frames, sent, full)
	}
}

func TestConnRefusesAFrameThatIsTooLong(t *testing.T) {
	c, peer := pair(t, KindSLIN8)
	c.Send(make([]byte, 640), 0, false)
	if c.Stats().Full.Load() != 1 || len(received(t, peer)) != 0 {
		t.Error("a frame of the wrong rate was sent")
	}
}

func TestConnBoundsWhatItReadsInATick(t *testing.T) {
	c, peer := pair(t, KindSLIN16)
	unix.SetsockoptInt(peer, unix.SOL_SOCKET, unix.SO_SNDBUF, 1<<20)
	for range 60 {
		write(t, peer, audio(KindSLIN16, 640))
	}
	c.Drain(1)
	if n := c.Stats().Received.Load(); n < 48 || n > 55 {
		t.Errorf("%d frames read in one tick, want about one second's", n)
	}
}

func TestNewConnOfAKindThatIsNotServed(t *testing.T) {
	if _, err := newConn(rawtcp.New(-1), Kind(0x18)); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v, want ErrUnsupported", err)
	}
}

// TestCloseWhileInUse closes under a running tick: the descriptor must be
// closed exactly once, by whoever used it last.
func TestCloseWhileInUse(t *testing.T) {
	for range 200 {
		c, peer := pair(t, KindSLIN16)
		write(t, peer, audio(KindSLIN16, 640))
		var wg sync.WaitGroup
		wg.Go(func() {
			for !c.Closed() {
				c.Drain(1)
				c.Send(make([]byte, 640), 0, false)
			}
		})
		wg.Go(func() { c.Close() })
		wg.Go(func() { c.Close() })
		wg.Wait()
		if !c.Released() {
			t.Fatal("the descriptor was closed never or twice")
		}
	}
}

func TestTickAllocatesNothing(t *testing.T) {
	c, peer := pair(t, KindSLIN16)
	in, dst, drain := audio(KindSLIN16, 640), make([]byte, 640), make([]byte, 8192)
	step := func() {
		unix.Write(peer, in)
		c.Drain(1)
		n, _ := c.Take(dst)
		c.Send(dst[:n], 0, false)
		c.Digit()
		c.Report(1)
		unix.Read(peer, drain)
	}
	step()
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("%v allocations per tick", n)
	}
	if c.Stats().Received.Load() < 1000 || c.Stats().Sent.Load() < 1000 {
		t.Errorf("received %d, sent %d: the measured path did not run", c.Stats().Received.Load(), c.Stats().Sent.Load())
	}
}

func BenchmarkTick(b *testing.B) {
	c, peer := pair(b, KindSLIN16)
	in, dst, drain := audio(KindSLIN16, 640), make([]byte, 640), make([]byte, 8192)
	b.ReportAllocs()
	for b.Loop() {
		unix.Write(peer, in)
		c.Drain(1)
		n, _ := c.Take(dst)
		c.Send(dst[:n], 0, false)
		unix.Read(peer, drain)
	}
}

// FuzzConn gives a Conn any stream in any pieces: no panic, no growth, and
// every take is a whole frame or none.
func FuzzConn(f *testing.F) {
	for _, s := range streams() {
		f.Add(s.in, 7)
	}
	f.Fuzz(func(t *testing.T, in []byte, step int) {
		c, err := newConn(rawtcp.New(-1), KindSLIN8)
		if err != nil {
			t.Fatal(err)
		}
		step = max(1, min(step, 4096))
		dst := make([]byte, 320)
		for len(in) > 0 {
			n := min(step, len(in))
			if err := c.Feed(in[:n], 1); err != nil {
				return
			}
			in = in[n:]
			if n, _ := c.Take(dst); n != 0 && n != 320 {
				t.Fatalf("took %d bytes", n)
			}
			if c.Held() > 16*320 {
				t.Fatalf("%d bytes held", c.Held())
			}
		}
	})
}
