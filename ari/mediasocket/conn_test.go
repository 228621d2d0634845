package mediasocket

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sys/unix"

	"parley/internal/rawtcp"
)

const frame16 = 640 // 20 ms at 16 kHz

const soon = 10 * time.Second

// server is a web server with a websocket of somebody else's making.
func server(t *testing.T, serve func(context.Context, *websocket.Conn)) (url string) {
	t.Helper()
	done := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		if r.URL.Path != "/asterisk/media/abc" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"media"}})
		if err != nil {
			t.Error(err)
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), soon)
		defer cancel()
		serve(ctx, ws)
		_ = ws.CloseNow()
	}))
	t.Cleanup(func() {
		<-done
		s.Close()
	})
	at, err := URL(s.URL+"/asterisk/ari", "abc")
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// until drains a connection until something is so.
func until(t *testing.T, c *Conn, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(soon); ; time.Sleep(time.Millisecond) {
		c.Drain(time.Now().UnixNano())
		switch {
		case is():
			return
		case time.Now().After(end):
			t.Fatalf("not so in time: %s", what)
		}
	}
}

// TestACallOverTheSocket has audio both ways, a ping, and the words that stop
// and start it, with a websocket library at the other end.
func TestACallOverTheSocket(t *testing.T) {
	voice, room := bytes.Repeat([]byte{1, 2}, frame16/2), bytes.Repeat([]byte{3, 4}, frame16/2)
	step := make(chan struct{})
	at := server(t, func(ctx context.Context, ws *websocket.Conn) {
		say := func(kind websocket.MessageType, b []byte) {
			if err := ws.Write(ctx, kind, b); err != nil {
				t.Error(err)
			}
		}
		hear := func() []byte {
			kind, b, err := ws.Read(ctx)
			if err != nil || kind != websocket.MessageBinary {
				t.Errorf("%v of %d bytes, %v", kind, len(b), err)
			}
			return b
		}
		say(websocket.MessageText, []byte("MEDIA_START format:slin16 optimal_frame_size:640"))
		for range 4 {
			say(websocket.MessageBinary, voice)
		}
		if got := hear(); !bytes.Equal(got, room) {
			t.Errorf("%d bytes arrived, want %d others", len(got), len(room))
		}
		pinged := make(chan error, 1)
		go func() { pinged <- ws.Ping(ctx) }()
		step <- struct{}{}
		hear() // reads the pong on its way
		if err := <-pinged; err != nil {
			t.Errorf("ping: %v", err)
		}
		say(websocket.MessageText, []byte("MEDIA_XOFF"))
		<-step
		say(websocket.MessageText, []byte(`{"event":"MEDIA_XON"}`))
		<-step
	})
	c, err := Dial(t.Context(), at, frame16)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	until(t, c, "four frames came", func() bool { return c.Stats().Received.Load() == 4 })
	dst := make([]byte, frame16)
	if n, _ := c.Take(dst); n != frame16 || !bytes.Equal(dst, voice) {
		t.Errorf("%d bytes taken, want the caller's voice", n)
	}
	c.Send(room, 0, false)
	<-step
	until(t, c, "a ping came", func() bool { return c.pinged })
	c.Send(room, 0, false)
	until(t, c, "it is stopped", func() bool { return c.stopped })
	c.Send(room, 0, false)
	if st := c.Stats(); st.Sent.Load() != 2 || st.Shed.Load() != 1 {
		t.Errorf("%d sent, %d shed", st.Sent.Load(), st.Shed.Load())
	}
	step <- struct{}{}
	until(t, c, "it goes on", func() bool { return !c.stopped })
	step <- struct{}{}
	until(t, c, "it is closed", c.Closed)
}

// TestABacklogAtTheSwitchIsShed: what its queue has too many of is not sent.
func TestABacklogAtTheSwitchIsShed(t *testing.T) {
	asked := make(chan string, 1)
	at := server(t, func(ctx context.Context, ws *websocket.Conn) {
		_, b, err := ws.Read(ctx)
		if err != nil {
			t.Error(err)
		}
		asked <- string(b)
		if err := ws.Write(ctx, websocket.MessageText, []byte("STATUS queue_length:8 queue_full:false")); err != nil {
			t.Error(err)
		}
		for range 2 { // the audio that went with the question, and the first after the gap
			if _, _, err := ws.Read(ctx); err != nil {
				t.Error(err)
			}
		}
	})
	c, err := Dial(t.Context(), at, frame16)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Drain(1)
	c.Drain(1 + statusEvery + 1)
	room := make([]byte, frame16)
	c.Send(room, 0, false)
	if got := <-asked; got != "GET_STATUS" {
		t.Errorf("asked %.20q", got)
	}
	now := 1 + statusEvery + 2
	for end := time.Now().Add(soon); c.shed == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		c.Drain(now)
	}
	for range 6 {
		c.Send(room, 0, false)
	}
	if st := c.Stats(); st.Shed.Load() != 5 || st.Sent.Load() != 2 {
		t.Errorf("%d shed, %d sent, want 5 and 2", st.Shed.Load(), st.Sent.Load())
	}
}

func TestDialRefused(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	at, err := URL(s.URL+"/ari", "abc")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), at, frame16); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "404") {
		t.Errorf("%v, want a refusal with its status", err)
	}
	if _, err := URL("https://pbx/ari", "abc"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("https: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	mute := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer mute.Close()
	if _, err := Dial(ctx, mute.URL+"/media/abc", frame16); err == nil {
		t.Error("a server that says nothing was waited for")
	}
}

// pair is a Conn and the descriptor at its other end.
func pair(t testing.TB) (*Conn, int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := newConn(rawtcp.New(fds[0]), frame16)
	t.Cleanup(func() {
		c.Close()
		unix.Close(fds[1])
	})
	return c, fds[1]
}

// TestATickAllocatesNothing, with audio, words and pings on the way.
func TestATickAllocatesNothing(t *testing.T) {
	c, peer := pair(t)
	in := message(OpBinary, make([]byte, frame16))
	in = append(in, message(OpText, []byte(`{"event":"STATUS","queue_length":2}`))...)
	in = append(in, message(OpPing, []byte("are you there"))...)
	dst, sink := make([]byte, frame16), make([]byte, 1<<16)
	now := int64(1)
	tick := func() {
		if _, err := unix.Write(peer, in); err != nil {
			t.Fatal(err)
		}
		now += statusEvery + 1 // a question in each
		c.Drain(now)
		c.Take(dst)
		c.Send(dst, 0, false)
		if _, err := unix.Read(peer, sink); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(500, tick); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if c.Closed() {
		t.Error("it is closed")
	}
}

// TestAPeerThatDoesNotRead costs frames, not framing: what the kernel took a part
// of is finished first.
func TestAPeerThatDoesNotRead(t *testing.T) {
	c, peer := pair(t)
	for i := 0; c.Stats().Full.Load() < 10; i++ {
		if i == 100_000 {
			t.Fatal("the kernel takes everything")
		}
		c.Send(bytes.Repeat([]byte{9}, frame16), 0, false)
	}
	var got []byte
	buf := make([]byte, 1<<16)
	for {
		n, err := unix.Read(peer, buf)
		if err != nil {
			if c.Ready() {
				break
			}
			continue
		}
		got = append(got, buf[:n]...)
	}
	if n, err := unix.Read(peer, buf); err == nil {
		got = append(got, buf[:n]...)
	}
	whole := len(AppendFrame(nil, OpBinary, 0, make([]byte, frame16)))
	if len(got)%whole != 0 || uint64(len(got)/whole) != c.Stats().Sent.Load() {
		t.Errorf("%d bytes are not %d messages of %d", len(got), c.Stats().Sent.Load(), whole)
	}
}
