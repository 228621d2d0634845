package ariserver

import (
	"bufio"
	"context"
	"encoding/json"
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
	names := strings.FieldsFunc(q.Get("app"), func(c rune) bool { return c == ',' })
	if len(names) == 0 || len(names) > maxApps || len(q.Get("app")) > 1024 {
		http.Error(w, "HTTP request is missing param: [app]", http.StatusBadRequest)
		return
	}
	if why := s.seat(); why != "" {
		s.opt.Log.Warn("ari: a websocket is refused", "why", why, "user", u.Name, "from", r.RemoteAddr)
		refuse(w, http.StatusServiceUnavailable, why)
		return
	}
	defer s.unseat()
	k := newSocket(&s.pacer)
	k.user = u
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
	why := s.serveSocket(r.Context(), ws, k, r)
	s.dismiss(k)
	_ = ws.CloseNow()
	s.opt.Log.Info("ari: a client has gone", "apps", names, "why", why, "from", r.RemoteAddr)
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

// restRequest is a request that comes over the socket, and its answer.
type (
	restRequest struct {
		Type        string `json:"type"`
		Transaction string `json:"transaction_id"`
		Request     string `json:"request_id"`
		Method      string `json:"method"`
		URI         string `json:"uri"`
		Query       []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"query_strings"`
		ContentType string `json:"content_type"`
		Body        string `json:"message_body"`
	}
	restResponse struct {
		head
		Transaction string `json:"transaction_id"`
		Request     string `json:"request_id"`
		Status      int    `json:"status_code"`
		Reason      string `json:"reason_phrase"`
		URI         string `json:"uri"`
		ContentType string `json:"content_type,omitempty"`
		Body        string `json:"message_body,omitempty"`
	}
)

// readSocket serves the requests that come over the socket, one after another.
func (s *Server) readSocket(ctx context.Context, ws *websocket.Conn, k *socket, r *http.Request) {
	ws.SetReadLimit(maxRequest)
	for {
		kind, data, err := ws.Read(ctx)
		if err != nil {
			return
		}
		if kind == websocket.MessageText {
			k.answer(addressed(frame(s.answer(ctx, data, r, k.user)), r.URL.Query().Get("app")))
		}
	}
}

// answer serves one request of a socket.
func (s *Server) answer(ctx context.Context, data []byte, r *http.Request, u User) *restResponse {
	var q restRequest
	out := &restResponse{}
	out.begin("RESTResponse", time.Now(), s.entity)
	err := json.Unmarshal(data, &q)
	out.Transaction, out.Request, out.URI = q.Transaction, q.Request, q.URI
	if err != nil || q.Type != "RESTRequest" {
		out.Status, out.Reason = http.StatusBadRequest, "Bad request"
		return out
	}
	asked, err := http.NewRequestWithContext(ctx, q.Method, "http://"+hostOf(r.Host)+"/"+strings.TrimPrefix(q.URI, "/"), strings.NewReader(q.Body))
	if err != nil {
		out.Status, out.Reason = http.StatusBadRequest, "Bad request"
		return out
	}
	query := asked.URL.Query()
	for _, one := range q.Query {
		query.Set(one.Name, one.Value)
	}
	asked.URL.RawQuery = query.Encode()
	asked.Header.Set("Content-Type", q.ContentType)
	a := no(http.StatusUnauthorized, unknownUser)
	if u, on := s.current(u); on {
		a = s.serve(asked, u)
	}
	if a.file != nil { // sound goes over HTTP only, as with Asterisk
		_ = a.file.Close() // nothing was read
		a = no(http.StatusNotAcceptable, "Not acceptable")
	}
	out.Status, out.Reason = a.status, http.StatusText(a.status)
	if a.body != nil {
		text, _ := json.Marshal(a.body) // of our own types
		out.ContentType, out.Body = "application/json", string(text)
	}
	return out
}

func hostOf(host string) string {
	if host == "" {
		return "localhost"
	}
	return host
}
