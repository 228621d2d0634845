// Package ariserver answers as an Asterisk does: clients of its REST interface
// see rooms as bridges and calls as channels, drive them, and hear what becomes
// of them. What it keeps is a picture of the engine, drawn from its events in
// their order; what is asked of it is asked of the engine.
package ariserver

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley/engine"
	"parley/internal/brake"
	"parley/internal/pace"
	"parley/recording"
)

// Limits of what clients can make us keep.
const (
	maxBody     = 40 << 10 // bytes, Asterisk's own
	maxDrained  = 16 << 20 // bytes of a body that nobody wants: what is longer is cut off
	maxSockets  = 256
	maxApps     = 32     // of one socket
	maxAppName  = 73     // bytes, Asterisk's own
	maxSources  = 10_000 // subscriptions of one application
	maxMade     = 1000   // bridges that clients have made
	maxID       = 149    // bytes, Asterisk's own
	commandTime = 5 * time.Second
	judgeTime   = 5 * time.Second // that a password waits for its turn
)

// User may use the interface.
type User struct {
	Name, Password string
	ReadOnly       bool
}

// Options sets up a Server. Users and Log must be set.
type Options struct {
	Users   func() []User // in force; none = nobody may
	App     string        // application of the calls that no client has ordered; "" = "parley"
	Version string        // of Parley
	Started time.Time
	Log     *slog.Logger

	Recordings *recording.Dir // required
	// Playable says why a sound could not be played, in a language or, with "",
	// the default one; nil = anything can.
	Playable func(spec, language string) error
	// Callable says why nobody can be called at an address: the error wraps
	// engine.ErrNoRoute. nil = anybody can.
	Callable func(address string) error
	// Referral is the URI at which others reach what can be dialled by an address; an
	// error wraps engine.ErrNoRoute. nil = of no address.
	Referral func(address string) (uri string, err error)
	// OpenMedia opens RTP to an address, in a format of Asterisk's, and says where
	// it comes from. It waits for a room to call "rtp/…" with the same leg, or for
	// DropMedia, which does not wait. nil = externalMedia is not there.
	OpenMedia func(leg engine.LegID, format string, to netip.AddrPort) (from netip.AddrPort, err error)
	DropMedia func(leg engine.LegID)
	// Snoop makes a leg that hears what another one says ("in"), hears ("out"), or both,
	// and whispers to it likewise. It is there as what OpenMedia has opened, until
	// Unsnooped is to be called, and does not wait. An error wraps engine.ErrCannot where
	// the audio of the other is not here. nil = snoop is not there.
	Snoop func(leg, of engine.LegID, spy, whisper string) error
}

// Server is an Asterisk to those who ask.
type Server struct {
	opt      Options
	exchange *engine.Exchange // set by Drive
	routes   []route
	entity   string
	brake    brake.Brake
	pacer    pace.Pacer // of those who have events to write
	sockets  sync.WaitGroup
	quit     chan struct{}
	stop     sync.Once

	mu        sync.Mutex
	rooms     map[string]*room          // guarded by mu, as all below: by id
	calls     map[string]*call          // by id
	apps      map[string]*app           // by name
	orders    map[engine.LegID]*ordered // calls that are being ordered
	made      uint32                    // channels so far
	playbacks map[string]*playback      // by id: queued or playing
	tapes     map[string]*live          // by name
	open      int                       // sockets
	draining  bool                      // nothing is made any more
	closed    bool                      // no socket is opened any more
}

// New makes a server. Before it is asked anything it needs the engine, which
// in turn needs its Observe: see Drive.
func New(o Options) *Server {
	if o.App == "" {
		o.App = "parley"
	}
	s := &Server{
		opt: o, entity: entityID(), quit: make(chan struct{}), rooms: map[string]*room{}, calls: map[string]*call{},
		apps: map[string]*app{}, orders: map[engine.LegID]*ordered{}, playbacks: map[string]*playback{}, tapes: map[string]*live{},
	}
	s.routes = s.table()
	return s
}

// Drive says which engine is asked.
func (s *Server) Drive(x *engine.Exchange) { s.exchange = x }

// entityID looks like the MAC address that Asterisk names itself by: a random
// one, locally administered.
func entityID() string {
	b := make([]byte, 5)
	_, _ = rand.Read(b) // it never fails
	return fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4])
}

// Beside has a Server serve what stands under /ari, and other what does not. A ServeMux
// would clean paths, and ids may be ".." and the like.
func Beside(s *Server, other http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/ari/") {
			s.ServeHTTP(w, r)
			return
		}
		other.ServeHTTP(w, r)
	})
}

// ServeHTTP serves what stands under /ari.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, _ := strings.CutPrefix(r.URL.Path, "/ari")
	u, ok := s.user(w, r)
	switch {
	case !ok:
	case r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.URL.Query().Get("api_key") == "":
		refuse(w, http.StatusForbidden, "A page of another site must name an api_key") // the password is the browser's, not its own
	case path == "/events" && r.Method == http.MethodGet && r.Header.Get("Upgrade") != "":
		s.events(w, r, u)
	case strings.HasPrefix(path, "/api-docs/") && r.Method == http.MethodGet:
		s.describe(w, r, strings.TrimPrefix(path, "/api-docs/"))
	default:
		r2 := r.Clone(r.Context())
		r2.URL.Path, r2.URL.RawPath = path, strings.TrimPrefix(r.URL.RawPath, "/ari")
		a := s.serve(r2, u)
		_, _ = io.CopyN(io.Discard, r.Body, maxDrained) // or a client that is still sending never sees the answer
		if a.file != nil {
			download(w, r2, a.file)
			return
		}
		write(w, a)
	}
}

// user finds out who asks, by Basic or by api_key=USER:PASSWORD.
func (s *Server) user(w http.ResponseWriter, r *http.Request) (User, bool) {
	users := s.opt.Users()
	if len(users) == 0 {
		refuse(w, http.StatusForbidden, "There is no ARI here: nobody is named in ari_server.users")
		return User{}, false
	}
	name, password, given := r.BasicAuth()
	if key := r.URL.Query().Get("api_key"); key != "" {
		name, password, given = strings.Cut(key, ":")
	}
	if given {
		u, ok := match(users, name, password)
		account := name
		if !slices.ContainsFunc(users, func(u User) bool { return u.Name == name }) {
			account = "" // strangers are braked as one
		}
		if wait := s.judge(r, account, name+":"+password, ok); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
			refuse(w, http.StatusTooManyRequests, "Too many wrong passwords")
			return User{}, false
		}
		if ok {
			return u, true
		}
		s.opt.Log.Warn("ari: wrong name or password. [ari_auth]", "from", r.RemoteAddr)
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="Asterisk REST Interface"`)
	refuse(w, http.StatusUnauthorized, unknownUser)
	return User{}, false
}

// match compares with every user, each in constant time.
func match(users []User, name, password string) (found User, ok bool) {
	given := sha256.Sum256([]byte(name + "\x00" + password))
	for _, u := range users {
		want := sha256.Sum256([]byte(u.Name + "\x00" + u.Password))
		if subtle.ConstantTimeCompare(given[:], want[:]) == 1 {
			found, ok = u, true
		}
	}
	return found, ok
}

// answer is what a request comes to.
type answer struct {
	status   int
	body     any // nil = nothing
	location string
	allow    string
	file     *os.File // instead of all that: closed when it is written
}

// problem is how Asterisk words what is wrong.
type problem struct {
	Message string `json:"message"`
}

func no(status int, message string) answer { return answer{status: status, body: problem{message}} }

func done() answer { return answer{status: http.StatusNoContent} }

func ok(body any) answer { return answer{status: http.StatusOK, body: body} }

func refuse(w http.ResponseWriter, status int, message string) { write(w, no(status, message)) }

func write(w http.ResponseWriter, a answer) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache, no-store")
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if a.allow != "" {
		h.Set("Allow", a.allow)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	text, _ := json.Marshal(a.body) // of our own types
	_, _ = w.Write(text)            // the client is gone: nobody to tell
}

// serve answers one request, whose path is without /ari.
func (s *Server) serve(r *http.Request, u User) answer {
	if u.ReadOnly && r.Method != http.MethodGet && r.Method != http.MethodOptions {
		return no(http.StatusForbidden, "Write access denied")
	}
	var methods []string
	for i := range s.routes {
		vars, fits := s.routes[i].match(r.URL.EscapedPath())
		if !fits {
			continue
		}
		if s.routes[i].method == r.Method {
			q, bad := read(r, vars)
			if bad != nil {
				return *bad
			}
			if missing := s.routes[i].missing(q); missing != "" {
				return no(http.StatusBadRequest, "Missing parameter "+missing)
			}
			return s.routes[i].do(r.Context(), q)
		}
		methods = append(methods, s.routes[i].method)
	}
	switch path := r.URL.EscapedPath(); {
	case methods == nil && len(path) > 1 && strings.HasSuffix(path, "/"):
		return no(http.StatusNotFound, "ARI URLs do not end with a slash. Try /ari"+strings.TrimSuffix(path, "/"))
	case methods == nil && path != "/" && !strings.HasPrefix(path, "//"): // these are the root, as there
		return no(http.StatusNotFound, "Resource not found")
	}
	allow := strings.Join(append([]string{"OPTIONS"}, methods...), ",")
	if r.Method == http.MethodOptions {
		return answer{status: http.StatusNoContent, allow: allow}
	}
	a := no(http.StatusMethodNotAllowed, "Invalid method")
	a.allow = allow
	return a
}
