// Package aritest is a small Asterisk for tests: the ARI operations a
// conference needs, the events they cause in the order Asterisk 22 sends them,
// and AudioSocket channels that really connect. What a real Asterisk would
// refuse it refuses; what no client should send fails the test.
package aritest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Names the server knows.
const (
	User     = "parley"
	Password = "secret"
	Reader   = "reader" // a user who may only read, same password
	App      = "parley"
	Version  = "22.10.1"

	entity = "02:00:00:00:00:01" // of the switch, in every event
)

// Server is the fake. Fields may be set before the first request.
type Server struct {
	URL     string // of the interface, for ari.Options
	Version string // reported by asterisk/info

	t      testing.TB
	http   http.Server
	client *http.Client
	wg     sync.WaitGroup
	ctx    context.Context //nolint:containedctx // ends what the server started, at Close
	cancel context.CancelFunc

	mu       sync.Mutex
	channels map[string]*channel // guarded by mu, like all below
	bridges  map[string]*bridge
	tapes    map[string]*tape
	stored   map[string]bool
	events   *socket // the newest client of the events, nil without one
	log      []string
	refusals map[string]int
	ignored  []string
	missing  []string // modules
	unseen   bool
	// persistent: the switch connects to us, and keeps what it cannot tell.
	persistent bool
	// unregistered: the switch does not know the application.
	unregistered bool
	kept         [][]byte
	calls        int
}

// New serves on a loopback port until the test ends.
func New(t testing.TB) *Server {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return start(t, ln, ln.Addr().String(), nil)
}

// NewInMemory serves over net.Pipe, reached by Client only: for tests in a
// synctest bubble, which must call Close before it ends.
func NewInMemory(t testing.TB) *Server {
	t.Helper()
	ln := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	return start(t, ln, "asterisk.test", ln.dial)
}

func start(t testing.TB, ln net.Listener, host string, dial func(context.Context, string, string) (net.Conn, error)) *Server {
	tr := &http.Transport{DialContext: dial}
	s := &Server{
		URL: "http://" + host + "/ari", Version: Version, t: t, client: &http.Client{Transport: tr},
		channels: map[string]*channel{}, bridges: map[string]*bridge{}, tapes: map[string]*tape{}, stored: map[string]bool{}, refusals: map[string]int{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.http.Handler = http.HandlerFunc(s.serve)
	s.wg.Go(func() {
		if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("aritest: %v", err)
		}
	})
	t.Cleanup(s.Close)
	return s
}

// Client reaches the server, in memory or not.
func (s *Server) Client() *http.Client { return s.client }

// Close ends the server and everything it started. Idempotent.
func (s *Server) Close() {
	s.cancel()
	s.DropEvents()
	s.http.Close()
	s.client.CloseIdleConnections()
	s.wg.Wait()
}

// Requests lists what was asked so far, like "POST bridges/x/addChannel".
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.log...)
}

// Refuse answers the next request of this name, as Requests lists it, with
// status; "" instead of an id stands for any.
func (s *Server) Refuse(request string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals[request] = status
}

// Unload takes a module away: its channels can no longer be made; or an endpoint,
// TECHNOLOGY/NAME.
func (s *Server) Unload(module string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missing = append(s.missing, module)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/ari/")
	user, password, _ := r.BasicAuth()
	switch {
	case !ok:
		http.NotFound(w, r)
	case password != Password || user != User && user != Reader:
		refuse(w, http.StatusUnauthorized, "Authentication required")
	case path == "events":
		s.serveEvents(w, r)
	case user == Reader && r.Method != http.MethodGet:
		refuse(w, http.StatusForbidden, "Write access denied")
	default:
		s.serveREST(w, r, strings.Split(path, "/"))
	}
}

// serveREST finds the operation and runs it under the lock.
func (s *Server) serveREST(w http.ResponseWriter, r *http.Request, path []string) {
	for i := range path {
		path[i], _ = url.PathUnescape(path[i])
	}
	args, err := arguments(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "Error parsing request body")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, r.Method+" "+strings.Join(path, "/"))
	if status := s.refusal(r.Method, path); status != 0 {
		refuse(w, status, "Refused by the test")
		return
	}
	status, reply := s.operate(r.Method, path, args)
	switch {
	case status >= http.StatusBadRequest:
		refuse(w, status, fmt.Sprint(reply))
	case reply == nil:
		w.WriteHeader(status)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(reply)
	}
}

func (s *Server) refusal(method string, path []string) int {
	any := append([]string(nil), path...)
	if len(any) > 1 {
		any[1] = ""
	}
	for _, name := range []string{strings.Join(path, "/"), strings.Join(any, "/")} {
		if status := s.refusals[method+" "+name]; status != 0 {
			delete(s.refusals, method+" "+name)
			return status
		}
	}
	return 0
}

func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"message": message})
}

// args are the parameters of a request, wherever they stood.
type args struct {
	url.Values
	body map[string]any // JSON
}

// variables are the channel variables of a JSON body.
func (a args) variables() map[string]string {
	out := map[string]string{}
	m, _ := a.body["variables"].(map[string]any)
	for name, value := range m {
		out[name] = fmt.Sprint(value)
	}
	return out
}

// arguments merges like Asterisk: form, then query, then the JSON body's keys.
func arguments(r *http.Request) (args, error) {
	a := args{Values: url.Values{}}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		if err := json.NewDecoder(r.Body).Decode(&a.body); err != nil {
			return a, err
		}
	}
	if err := r.ParseForm(); err != nil {
		return a, err
	}
	for k, v := range r.Form {
		a.Set(k, v[len(v)-1])
	}
	for k, v := range a.body {
		if text, ok := v.(string); ok {
			a.Set(k, text)
		}
	}
	return a, nil
}

// socket is one client of the events.
type socket struct {
	queue chan []byte
	drop  context.CancelFunc
}

// serveEvents registers the application before the upgrade, like Asterisk: no
// event is lost once the client has its answer.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("app") != App {
		http.Error(w, "no such app", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	k := &socket{queue: make(chan []byte, 65536), drop: cancel}
	s.mu.Lock()
	s.emit(map[string]any{"type": "ApplicationReplaced"})
	s.events, s.unregistered = k, false
	s.mu.Unlock()
	defer s.gone(k)
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	s.carry(ws.CloseRead(ctx), ws, k) // which answers pings
}

// carry sends what is queued, until the connection ends.
func (s *Server) carry(ctx context.Context, ws *websocket.Conn, k *socket) {
	defer func() { _ = ws.CloseNow() }() // like a broken link
	for {
		select {
		case b := <-k.queue:
			if ws.Write(ctx, websocket.MessageText, b) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// gone forgets a client, unless a newer one has the application already.
func (s *Server) gone(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events == k {
		s.events = nil
	}
}

// DropEvents breaks the events socket, as trouble in the network would.
func (s *Server) DropEvents() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events != nil {
		s.events.drop()
		s.events = nil
	}
}

// Unseen has things happen of which no event tells.
func (s *Server) Unseen(do func()) {
	set := func(on bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.unseen = on
	}
	set(true)
	defer set(false)
	do()
}

// Emit sends an event as it stands.
func (s *Server) Emit(event map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emit(event)
}

// emit sends to the newest client; with none the event is lost, as in life,
// unless the switch keeps it.
func (s *Server) emit(event map[string]any) {
	name, _ := event["type"].(string)
	if slices.Contains(s.ignored, name) {
		return
	}
	if s.events == nil && !s.persistent || s.unseen {
		return
	}
	event["application"] = App
	event["asterisk_id"] = entity
	if event["timestamp"] == nil {
		event["timestamp"] = stamp(time.Now())
	}
	b, err := json.Marshal(event)
	if err != nil {
		s.t.Errorf("aritest: %v", err)
	}
	if s.events == nil {
		s.kept = append(s.kept, b)
		return
	}
	s.events.queue <- b
}

func stamp(t time.Time) string { return t.Format("2006-01-02T15:04:05.000-0700") }

// pipes is a listener whose connections are net.Pipes.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "asterisk.test"} }
