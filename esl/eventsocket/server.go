package eventsocket

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley/esl"
	"parley/internal/brake"
	"parley/internal/door"
	"parley/internal/pace"
)

// Defaults of Options, and times.
const (
	DefaultMaxConns     = 1000
	DefaultMaxPerSource = 500
	DefaultMaxGuests    = 96               // of one source that have not logged in: a turn each within loginTime, by four a second
	loginTime           = 25 * time.Second // as at the switch
	guestHead           = 4 << 10          // bytes of a request before that
	writeTime           = 10 * time.Second // a client that takes nothing for so long is cut off
	partTime            = time.Second      // for a last word
	writeBuffer         = 64 << 10         // bytes that the system keeps for a client, or it keeps 4 MB; Linux takes it twice
)

// Options sets up a Server. The zero value of a number is its default.
type Options struct {
	Password string         // for "auth"; "" lets nobody in
	Users    func() []User  // for "userauth"; nil is nobody
	Allowed  []netip.Prefix // peers must be in one; none = all may try
	// API runs an api command and returns what it prints. ok is false when
	// there is no such command. It may be called from many goroutines.
	API func(ctx context.Context, command, arguments string) (printed string, ok bool)

	Queue int // messages kept for one client; 0 means DefaultQueue
	// Where one of these is reached, the oldest connection that has not logged in
	// makes room, if there is one; at the limits of one address not one that has
	// given a password and waits for its turn.
	MaxConns     int // clients at once; 0 means DefaultMaxConns
	MaxPerSource int // of these from one address; 0 means DefaultMaxPerSource
	MaxGuests    int // of these not logged in; 0 means DefaultMaxGuests
	Log          *slog.Logger
}

// User is who logs in by "userauth NAME:PASSWORD". An empty list allows all.
type User struct {
	Name     string // user@domain
	Password string
	API      []string // commands
	Events   []string // names, and subclasses
	NoLog    bool
}

// Server is a switch's event socket. Its methods may be called from any
// goroutine, and none of them waits for a client.
type Server struct {
	opts     Options
	core     string // Core-UUID: of this run of ours
	hostname string
	brake    brake.Brake
	patience time.Duration  // writeTime
	buffer   int            // writeBuffer
	jobs     sync.WaitGroup // of bgapi
	door     *door.Door
	pacer    pace.Pacer // of those who have something to write

	mu        sync.Mutex
	listeners map[*listener]bool // guarded by mu, as below
	list      []*listener        // the same, made when it is asked for; never changed, nil when others are there

	firing   sync.Mutex  // held over "number an event, put it into every queue": all see one order
	sequence uint64      // guarded by firing, as below
	address  string      // of ours, that events name
	headers  esl.Headers // of the event that is being fired: written, it is not needed any more
}

// New returns a Server for one call of Serve.
func New(o Options) *Server {
	orDefault := func(n *int, value int) {
		if *n <= 0 {
			*n = value
		}
	}
	orDefault(&o.Queue, DefaultQueue)
	orDefault(&o.MaxConns, DefaultMaxConns)
	orDefault(&o.MaxPerSource, DefaultMaxPerSource)
	orDefault(&o.MaxGuests, DefaultMaxGuests)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		opts: o, core: esl.NewUUID(), listeners: map[*listener]bool{}, address: "127.0.0.1", patience: writeTime, buffer: writeBuffer,
		door: door.New(door.Limits{All: o.MaxConns, PerSource: o.MaxPerSource, Guests: o.MaxGuests}),
	}
	s.hostname, _ = os.Hostname() // "" will do
	return s
}

// CoreUUID names this run of ours in every event.
func (s *Server) CoreUUID() string { return s.core }

// Hostname is what events, fs_cli's prompt and "api hostname" say.
func (s *Server) Hostname() string { return s.hostname }

// Clients is how many are logged in.
func (s *Server) Clients() int {
	n := 0
	for _, l := range s.all() {
		l.mu.Lock()
		if l.user != nil {
			n++
		}
		l.mu.Unlock()
	}
	return n
}

// Serve takes clients on l until ctx ends; then it tells them, closes all and
// returns nil.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	defer s.jobs.Wait()
	if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsUnspecified() {
		s.firing.Lock()
		s.address = a.IP.String()
		s.firing.Unlock()
	}
	return esl.Accept(ctx, l, func(nc net.Conn) { s.Talk(ctx, nc) })
}

// Talk serves one connection until it ends, or ctx does.
func (s *Server) Talk(ctx context.Context, nc net.Conn) {
	defer func() { _ = nc.Close() }()
	l := newListener(s, nc)
	if !s.allowed(l.peer) {
		s.opts.Log.Warn("esl_server: "+nc.RemoteAddr().String()+" is not in esl_server.acl. [esl_server_acl]", "from", nc.RemoteAddr().String())
		l.reject()
		return
	}
	l.visitor = s.door.Admit(l.peer, l.makeRoom)
	if l.visitor == nil {
		s.opts.Log.Warn("esl_server: too many connections; one is refused", "from", nc.RemoteAddr().String())
		return
	}
	defer l.visitor.Leave()
	s.enter(l)
	defer s.leave(l)
	if tcp, ok := nc.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(s.buffer) // else it is as large as the system likes
	}
	l.run(ctx)
}

func (s *Server) allowed(from netip.Addr) bool {
	if len(s.opts.Allowed) == 0 || !from.IsValid() {
		return true
	}
	for _, p := range s.opts.Allowed {
		if p.Contains(from) {
			return true
		}
	}
	return false
}

func (s *Server) enter(l *listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners[l] = true
	s.list = nil
}

func (s *Server) leave(l *listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
	s.list = nil
}

// all are the clients. The list is not to be changed.
func (s *Server) all() []*listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.list == nil {
		s.list = slices.Collect(maps.Keys(s.listeners))
	}
	return s.list
}

// Fire sends an event to every client that wants it. name is the event's, and
// subclass, of CUSTOM, may be ""; the switch's own headers come before the
// given ones. It returns the event's number.
func (s *Server) Fire(name, subclass string, headers esl.Headers, body []byte) uint64 {
	return s.fire(body, func(h esl.Headers) esl.Headers { return append(s.head(h, time.Now(), name, subclass), headers...) })
}

// pass sends a client's event to every client that wants it. The switch's own
// headers come behind the given ones, but for the subclass.
func (s *Server) pass(name, subclass string, headers esl.Headers, body []byte) {
	s.fire(body, func(h esl.Headers) esl.Headers {
		if subclass != "" {
			h = append(h, esl.Header{Name: "Event-Subclass", Value: subclass})
		}
		return s.head(append(h, headers...), time.Now(), name, "")
	})
}

// fire numbers an event, whose headers are made then, and offers it.
func (s *Server) fire(body []byte, headers func(esl.Headers) esl.Headers) uint64 {
	s.firing.Lock()
	defer s.firing.Unlock()
	s.sequence++
	clients := s.all()
	if len(clients) == 0 {
		return s.sequence
	}
	s.headers = headers(s.headers[:0])
	p := &parcel{event: &esl.Event{Headers: s.headers, Body: body}}
	for _, l := range clients {
		l.offer(p)
	}
	return s.sequence
}

// Head are the headers that Fire would put before the given ones. No number is
// used up for them.
func (s *Server) Head(name string) esl.Headers {
	s.firing.Lock()
	defer s.firing.Unlock()
	return s.head(nil, time.Now(), name, "")
}

// head appends the switch's own headers. The caller holds firing.
func (s *Server) head(h esl.Headers, now time.Time, name, subclass string) esl.Headers {
	add := func(name, value string) { h = append(h, esl.Header{Name: name, Value: value}) }
	if subclass != "" {
		add("Event-Subclass", subclass)
	}
	add("Event-Name", name)
	add("Core-UUID", s.core)
	add("FreeSWITCH-Hostname", s.hostname)
	add("FreeSWITCH-Switchname", s.hostname)
	add("FreeSWITCH-IPv4", s.address)
	add("FreeSWITCH-IPv6", "::1")
	add("Event-Date-Local", now.Format(time.DateTime))
	add("Event-Date-GMT", now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	add("Event-Date-Timestamp", strconv.FormatInt(now.UnixMicro(), 10))
	add("Event-Calling-File", "parley")
	add("Event-Calling-Function", "fire")
	add("Event-Calling-Line-Number", "0")
	add("Event-Sequence", strconv.FormatUint(s.sequence, 10))
	return h
}

// Line is one line of our log, for clients that asked for it. Level is
// syslog's, 0 to 7.
type Line struct {
	Level int
	Text  string // without a line break at its end
}

// Log sends a line to every client that asked for lines of its level.
func (s *Server) Log(line Line) {
	var message []byte
	for _, l := range s.all() {
		if message == nil {
			message = line.message()
		}
		l.offerLine(line.Level, message)
	}
}

// message is the line as it goes over the wire.
func (line Line) message() []byte {
	text := line.Text + "\n"
	var b strings.Builder
	b.WriteString("Content-Type: log/data\nContent-Length: " + strconv.Itoa(len(text)) + "\nLog-Level: " + strconv.Itoa(line.Level))
	b.WriteString("\nText-Channel: 0\nLog-File: parley\nLog-Func: log\nLog-Line: 0\nUser-Data: \n\n" + text)
	return []byte(b.String())
}
