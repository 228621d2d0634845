package asterisk_test

import (
	"bytes"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// front stands between the link and the switch. It can do something just
// before a request gets there, and tells what has been answered.
type front struct {
	*httptest.Server
	answered chan string

	mu     sync.Mutex
	before map[string]func()
	after  map[string]func()
	log    []string
}

func newFront(t *testing.T, target string) *front {
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = ""
	f := &front{answered: make(chan string, 1<<14), before: map[string]func(){}, after: map[string]func(){}}
	proxy := httputil.NewSingleHostReverseProxy(u)
	proxy.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	proxy.FlushInterval = -1
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		op := operation(q)
		f.mu.Lock()
		before, after := f.before[op], f.after[op]
		delete(f.before, op)
		delete(f.after, op)
		f.log = append(f.log, op)
		f.mu.Unlock()
		if before != nil {
			before()
		}
		if after == nil {
			proxy.ServeHTTP(w, q)
		} else {
			reply := httptest.NewRecorder()
			proxy.ServeHTTP(reply, q)
			after()
			maps.Copy(w.Header(), reply.Header())
			w.WriteHeader(reply.Code)
			_, _ = w.Write(reply.Body.Bytes())
		}
		f.answered <- op
	}))
	t.Cleanup(f.CloseClientConnections)
	t.Cleanup(f.Close)
	return f
}

// operation names a request without its ids: "POST answer". Results by name.
func operation(q *http.Request) string {
	path := strings.Split(strings.TrimPrefix(q.URL.Path, "/ari/"), "/")
	name := path[len(path)-1]
	if len(path) == 2 && name != "externalMedia" {
		name = strings.TrimSuffix(path[0], "s") // a channel or bridge itself
	}
	if q.Method == http.MethodPost && name == "variable" {
		body, _ := io.ReadAll(q.Body)
		q.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body))
		name = form.Get("variable")
	}
	return q.Method + " " + name
}

// on has something done once, before the next request of that name.
func (f *front) on(op string, do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before[op] = do
}

// then has something done once, after the next request of that name and before
// its reply.
func (f *front) then(op string, do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.after[op] = do
}

// requests are those so far.
func (f *front) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log)
}

// await waits until a request of that name has been answered.
func (f *front) await(t *testing.T, op string) {
	t.Helper()
	limit := time.After(soon)
	for {
		select {
		case got := <-f.answered:
			if got == op {
				return
			}
		case <-limit:
			t.Fatalf("no %s", op)
		}
	}
}

// relay is a piece of network between the switch and our AudioSocket.
type relay struct {
	net.Listener
	mu    sync.Mutex
	ours  []net.Conn    // guarded by mu: to us
	to    chan string   // capacity 1: where we are
	still chan struct{} // closed: nothing gets through to the switch any more
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &relay{Listener: l, to: make(chan string, 1), still: make(chan struct{})}
	narrow := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error { // little audio is underway
		return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
	}}
	over := make(chan struct{})
	t.Cleanup(func() { close(over); _ = l.Close() })
	go func() {
		for {
			theirs, err := l.Accept()
			if err != nil {
				return
			}
			to := <-n.to
			n.to <- to
			ours, err := narrow.Dial("tcp", to)
			if err != nil {
				theirs.Close()
				continue
			}
			n.mu.Lock()
			n.ours = append(n.ours, ours)
			n.mu.Unlock()
			go func() { // the switch notices nothing when our side is cut
				_, _ = io.Copy(ours, theirs)
				ours.Close()
			}()
			go n.carry(theirs, ours, over)
		}
	}()
	return n
}

// carry takes our audio to the switch until it stands still.
func (n *relay) carry(theirs, ours net.Conn, over chan struct{}) {
	defer theirs.Close()
	buf := make([]byte, 4096)
	for {
		k, err := ours.Read(buf)
		select {
		case <-n.still:
			<-over
			return
		default:
		}
		if err != nil {
			<-over
			return
		}
		if _, err := theirs.Write(buf[:k]); err != nil {
			ours.Close()
			return
		}
	}
}

// cut ends the connections on our side only.
func (n *relay) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.ours {
		c.Close()
	}
}
