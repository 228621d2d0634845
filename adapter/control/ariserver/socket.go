package ariserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"parley/internal/pace"
)

// Limits of an events socket. A client that does not read is cut off when its
// queue is full: it costs no more than that, and lies to nobody. Before that come
// the buffers of the system, ours of which is kept small: left alone it grows, and
// holds thousands of events that nobody reads.
const (
	queueFrames = 2000
	queueBytes  = 4 << 20
	writeBuffer = 64 << 10 // bytes that the system keeps for a client; Linux takes it twice
	writeTime   = 5 * time.Second
	partTime    = time.Second // for a client to take the last events and say goodbye when we stop
	maxRequest  = 64 << 10    // bytes of a frame that a client sends
	pingEvery   = 20 * time.Second
	pongTime    = 2 * commandTime // a client's pong may stand behind a request of its own
)

// socket is one client's events.
type socket struct {
	frames chan []byte
	size   atomic.Int64  // bytes in frames
	full   chan struct{} // closed when a frame had no place
	cut    sync.Once
	wake   *pace.Turn  // there are frames to write
	pacer  *pace.Pacer // of all clients

	user   User          // who opened it, as he was then
	app    string        // that answers are for: the first one
	barred chan struct{} // closed when he may not have it any more
	bar    sync.Once
}

func newSocket(p *pace.Pacer) *socket {
	return &socket{frames: make(chan []byte, queueFrames), full: make(chan struct{}), wake: pace.NewTurn(), pacer: p, barred: make(chan struct{})}
}

// send queues an event, to be written when it is the client's turn. It never waits.
func (k *socket) send(frame []byte) {
	k.queue(frame)
	k.pacer.Ask(k.wake)
}

// answer queues the answer to a request, to be written at once, after the events
// that came before it.
func (k *socket) answer(frame []byte) {
	k.queue(frame)
	k.wake.Go()
}

func (k *socket) queue(frame []byte) {
	if k.size.Add(int64(len(frame))) <= queueBytes {
		select {
		case k.frames <- frame:
			return
		default:
		}
	}
	k.cut.Do(func() { close(k.full) })
}

// events serves GET /events.
func (s *Server) events(w http.ResponseWriter, r *http.Request, u User) {
	q := r.URL.Query()
	if q.Get("app") == "" {
		http.Error(w, "HTTP request is missing param: [app]", http.StatusBadRequest)
		return
	}
	names, why := appNames(q.Get("app"))
	if why != "" {
		refuse(w, http.StatusInternalServerError, why) // Asterisk has no words for it
		return
	}
	if why = s.seat(); why != "" {
		s.opt.Log.Warn("ari: a websocket is refused", "why", why, "user", u.Name, "from", r.RemoteAddr)
		refuse(w, http.StatusServiceUnavailable, why)
		return
	}
	defer s.unseat()
	k := newSocket(&s.pacer)
	k.user, k.app = u, names[0]
	enlist := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.enlist(k, names, truth(q.Get("subscribeAll")))
	}
	ws, err := websocket.Accept(narrow{w, enlist}, r, &websocket.AcceptOptions{Subprotocols: []string{"ari"}, InsecureSkipVerify: true}) // who is asking has shown a password
	if err != nil {
		s.dismiss(k)
		return // Accept has answered
	}
	s.opt.Log.Info("ari: a client listens", "apps", names, "user", u.Name, "from", r.RemoteAddr)
	s.UsersChanged() // he may have been taken away since he was judged
	why = s.serveSocket(r.Context(), ws, k, r)
	s.dismiss(k)
	_ = ws.CloseNow()
	s.opt.Log.Info("ari: a client has gone", "apps", names, "why", why, "from", r.RemoteAddr)
}

// appNames are the applications of a socket, or why it cannot have these.
func appNames(text string) (names []string, why string) {
	names = strings.Split(text, ",")
	if len(names) > maxApps {
		return nil, "Too many applications"
	}
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
		if names[i] == "" || len(names[i]) > maxAppName {
			return nil, fmt.Sprintf("An application's name has 1 to %d bytes", maxAppName)
		}
	}
	return names, ""
}

// seat counts one more socket, or says why there may be none.
func (s *Server) seat() (why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return "We stop"
	case s.open >= maxSockets:
		return "Too many websockets"
	}
	s.open++
	s.sockets.Add(1)
	return ""
}

func (s *Server) unseat() {
	s.mu.Lock()
	s.open--
	s.mu.Unlock()
	s.sockets.Done()
}

// narrow is a response whose connection has a small write buffer. open is called
// before the client hears that the socket is open: what it asks then it is told of.
type narrow struct {
	http.ResponseWriter
	open func()
}

// Hijack implements http.Hijacker.
func (n narrow) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	n.open()
	c, b, err := http.NewResponseController(n.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("ariserver: %w", err)
	}
	if tcp, ok := c.(interface{ SetWriteBuffer(bytes int) error }); ok { // a TCPConn, or what holds one
		_ = tcp.SetWriteBuffer(writeBuffer) // else it is as large as the system likes
	}
	return c, b, nil
}

// serveSocket writes what is queued until the client is gone, or too slow.
func (s *Server) serveSocket(ctx context.Context, ws *websocket.Conn, k *socket, r *http.Request) (why string) {
	ctx, cancel := context.WithCancelCause(ctx)
	var others sync.WaitGroup
	defer others.Wait()
	defer cancel(nil)
	others.Go(func() {
		s.readSocket(ctx, ws, k, r)
		cancel(errors.New("closed"))
	})
	others.Go(func() { cancel(pings(ctx, ws)) })
	for {
		select {
		case <-k.wake.C:
			if err := k.write(ctx, ws); err != nil {
				return err.Error()
			}
		case <-k.full:
			return "it does not read: cut off"
		case <-k.barred:
			k.part(ctx, cancel, ws, websocket.StatusPolicyViolation)
			return "its user is not let in any more"
		case <-s.quit:
			k.part(ctx, cancel, ws, websocket.StatusGoingAway)
			return "we stop"
		case <-ctx.Done():
			return context.Cause(ctx).Error()
		}
	}
}

// part tells a client what it has not heard yet, when we stop how the calls have
// ended, and says goodbye. One that does not read or answer is cut off.
func (k *socket) part(ctx context.Context, cancel context.CancelCauseFunc, ws *websocket.Conn, code websocket.StatusCode) {
	late := time.AfterFunc(partTime, func() { cancel(nil) })
	defer late.Stop()
	_ = k.write(ctx, ws) // where it fails Close does
	_ = ws.Close(code, "")
}

// write writes what is queued now.
func (k *socket) write(ctx context.Context, ws *websocket.Conn) error {
	for range len(k.frames) {
		f := <-k.frames
		k.size.Add(-int64(len(f)))
		if err := writeFrame(ctx, ws, f); err != nil {
			return err
		}
	}
	return nil
}

func writeFrame(ctx context.Context, ws *websocket.Conn, f []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	return ws.Write(ctx, websocket.MessageText, f)
}

// pings asks the client whether it is there until it does not answer.
func pings(ctx context.Context, ws *websocket.Conn) error {
	every := time.NewTicker(pingEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-every.C:
		}
		in, cancel := context.WithTimeout(ctx, pongTime)
		err := ws.Ping(in)
		cancel()
		if err != nil {
			return fmt.Errorf("it does not answer pings: %w", err)
		}
	}
}
