package control

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"parley/engine"
	"parley/internal/door"
)

// CommandTimeout is how long a command may wait for the fact that confirms it.
const CommandTimeout = 5 * time.Second

// maxBody is the largest request body in bytes.
const maxBody = 64 << 10

// Check is one part of Parley and whether it works.
type Check struct {
	Name  string `json:"name"` // e.g. "sip", "ast1"
	Ready bool   `json:"ready"`
	Text  string `json:"text"`           // what an operator reads
	Code  string `json:"code,omitempty"` // of the trouble that Text tells
}

// State is the whole process at one moment.
type State struct {
	StartedAt time.Time
	Priority  string // what the system lets us have beside others; "" = not known
	Legs      int    // with media
	Recent    []Note // troubles of the last hour, the newest last
}

// Note is a line of the log that says what is wrong.
type Note struct {
	Time  time.Time `json:"time"` // the last one
	Code  string    `json:"code"`
	Text  string    `json:"text"`
	Times int       `json:"times"`
}

// SameAs says whether a check says it already, with more about what comes next.
func (n Note) SameAs(c Check) bool {
	return n.Code == c.Code && strings.HasPrefix(c.Text, strings.TrimSuffix(n.Text, "["+n.Code+"]"))
}

// Options sets up the API.
type Options struct {
	Exchange *engine.Exchange
	// Reload reads the configuration again and puts it in force. Its lines
	// are the report; an error holds every problem, and nothing was changed.
	Reload func(context.Context) ([]string, error)
	Checks func() []Check // of listeners and switches
	State  func() State
	// Conferences and Auditor are of the switches; nil where none is asked.
	Conferences Conferences
	Auditor     Auditor
	Metrics     http.Handler
	Version     string
	// Tokens are those in force, accepted as "Authorization: Bearer …". None:
	// no credentials are asked, and only this machine is answered.
	Tokens func() []string
	Log    *slog.Logger
}

type server struct{ Options }

// Handler serves the API.
func Handler(o Options) http.Handler {
	s := &server{o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, map[string]bool{"ok": true}) })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("GET /v1/version", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"version": o.Version})
	})
	mux.HandleFunc("GET /v1/status", s.status)
	mux.HandleFunc("POST /v1/reload", s.reload)
	mux.HandleFunc("GET /v1/calls/{id}/explain", s.explainCall)
	mux.HandleFunc("POST /v1/calls/{id}/signal", s.signal)
	mux.HandleFunc("GET /v1/jobs/{id}", s.job)
	mux.HandleFunc("DELETE /v1/jobs/{id}", s.giveUp)
	mux.HandleFunc("GET /v1/audit", s.audit)
	s.roomRoutes(mux)
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusForbidden, "cross_origin", "a page of another site may not ask for this")
	}))
	return s.guard(origin.Handler(http.MaxBytesHandler(routed(mux), maxBody)))
}

// roomRoutes are those about one room, or all.
func (s *server) roomRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/rooms", s.rooms)
	mux.HandleFunc("GET /v1/rooms/{room}", s.room)
	mux.HandleFunc("GET /v1/rooms/{room}/sound", s.sound)
	mux.HandleFunc("GET /v1/rooms/{room}/explain", s.explainRoom)
	mux.HandleFunc("DELETE /v1/rooms/{room}/run", s.command(func(*http.Request) (engine.Command, error) { return engine.End{}, nil }))
	mux.HandleFunc("POST /v1/rooms/{room}/lock", s.command(func(*http.Request) (engine.Command, error) { return engine.Lock{On: true}, nil }))
	mux.HandleFunc("POST /v1/rooms/{room}/unlock", s.command(func(*http.Request) (engine.Command, error) { return engine.Lock{}, nil }))
	mux.HandleFunc("POST /v1/rooms/{room}/takeover", s.takeOver)
	mux.HandleFunc("POST /v1/rooms/{room}/handback", s.handBack)
	mux.HandleFunc("POST /v1/rooms/{room}/dial", s.dial)
	mux.HandleFunc("GET /v1/rooms/{room}/recordings", s.recordings)
	mux.HandleFunc("POST /v1/rooms/{room}/recordings", s.record)
	mux.HandleFunc("DELETE /v1/rooms/{room}/recordings", s.command(func(r *http.Request) (engine.Command, error) {
		return engine.StopRecord{File: r.URL.Query().Get("file")}, nil
	}))
	mux.HandleFunc("POST /v1/rooms/{room}/recordings/pause", s.pauseRecord(true))
	mux.HandleFunc("POST /v1/rooms/{room}/recordings/resume", s.pauseRecord(false))
	mux.HandleFunc("PATCH /v1/rooms/{room}/participants/{id}", s.patch)
	mux.HandleFunc("DELETE /v1/rooms/{room}/participants/{id}", s.command(func(r *http.Request) (engine.Command, error) {
		id, err := member(r)
		return engine.Kick{Member: id}, err
	}))
}

// guard lets in who may: the token where there is one, and where there is
// none only requests of this machine that name it by its loopback address, so
// that no web page can reach the API through a name of its own.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens := s.Tokens()
		open := r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
		switch {
		case open:
		case len(tokens) > 0 && !authorized(r, tokens):
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, http.StatusUnauthorized, "no_auth", "a bearer token is needed")
			return
		case len(tokens) == 0 && (!loopbackHost(r.Host) || !loopbackHost(r.RemoteAddr)):
			fail(w, http.StatusMisdirectedRequest, "bad_host", "without tokens the API answers to loopback names only")
			return
		case len(tokens) > 0:
			door.Of(r.Context()).Welcome() // or it has just made room, and is closed
		}
		next.ServeHTTP(w, r)
	})
}

// authorized compares all tokens, each in constant time.
func authorized(r *http.Request, tokens []string) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	sum := sha256.Sum256([]byte(given))
	found := 0
	for _, t := range tokens {
		want := sha256.Sum256([]byte(t))
		found |= subtle.ConstantTimeCompare(want[:], sum[:])
	}
	return ok && found == 1
}

func loopbackHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *server) ready(w http.ResponseWriter, _ *http.Request) {
	checks, parts := s.Checks(), map[string]string{}
	status := http.StatusOK
	for _, c := range checks {
		parts[c.Name] = "up"
		if !c.Ready {
			status, parts[c.Name] = http.StatusServiceUnavailable, "down"
		}
	}
	reply(w, status, map[string]any{"ready": status == http.StatusOK, "parts": parts, "checks": checks})
}

func (s *server) status(w http.ResponseWriter, r *http.Request) {
	rooms, err := s.Exchange.Rooms(r.Context())
	if err != nil {
		s.refuse(w, err)
		return
	}
	now, is := time.Now(), s.State()
	reply(w, http.StatusOK, Status{
		Version: s.Version, StartedAt: is.StartedAt, Priority: is.Priority, Uptime: int64(now.Sub(is.StartedAt) / time.Second), Rooms: len(rooms),
		Legs: is.Legs + elsewhere(rooms), Throttled: s.Exchange.Throttled(now), Checks: s.Checks(), Recent: is.Recent,
	})
}

// elsewhere is how many members are mixed by a switch: no leg of our mixer is
// theirs.
func elsewhere(rooms []engine.RoomView) (n int) {
	for _, r := range rooms {
		if r.Mixer != (engine.Place{}).String() {
			n += len(r.Members)
		}
	}
	return n
}

func (s *server) reload(w http.ResponseWriter, r *http.Request) {
	lines, err := s.Reload(r.Context())
	if err != nil {
		fail(w, http.StatusUnprocessableEntity, "config", err.Error())
		return
	}
	reply(w, http.StatusOK, map[string][]string{"report": lines})
}

func (s *server) rooms(w http.ResponseWriter, r *http.Request) {
	rooms, err := s.Exchange.Rooms(r.Context())
	if err != nil {
		s.refuse(w, err)
		return
	}
	reply(w, http.StatusOK, map[string]any{"rooms": s.withForeign(rooms)})
}

func (s *server) room(w http.ResponseWriter, r *http.Request) {
	name := engine.RoomName(r.PathValue("room"))
	view, err := s.Exchange.Room(r.Context(), name)
	switch {
	case err == nil:
		view = s.withForeign([]engine.RoomView{view})[0]
	case errors.Is(err, engine.ErrNoRoom):
		if f, ours := s.foreign(name); ours != nil {
			view, err = f, nil
		}
	}
	if err != nil {
		s.refuseRoom(w, r, err)
		return
	}
	reply(w, http.StatusOK, view)
}

func (s *server) explainRoom(w http.ResponseWriter, r *http.Request) {
	e, err := s.Exchange.ExplainRoom(r.Context(), engine.RoomName(r.PathValue("room")))
	s.explain(w, r, e, err)
}

func (s *server) explainCall(w http.ResponseWriter, r *http.Request) {
	e, err := s.Exchange.ExplainCall(r.Context(), engine.LegID(r.PathValue("id")))
	s.explain(w, r, e, err)
}

func (s *server) explain(w http.ResponseWriter, r *http.Request, e engine.Explanation, err error) {
	if err != nil {
		s.refuseRoom(w, r, err)
		return
	}
	reply(w, http.StatusOK, e)
}

// patch sets the state of one participant, or of "all".
func (s *server) patch(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Muted *bool `json:"muted"`
		Deaf  *bool `json:"deaf"`
	}
	if !decode(w, r, &body) {
		return
	}
	id, err := member(r)
	if err != nil {
		s.refuse(w, err)
		return
	}
	var commands []engine.Command
	if body.Muted != nil {
		commands = append(commands, engine.Mute{Member: id, On: *body.Muted})
	}
	if body.Deaf != nil {
		commands = append(commands, engine.Deafen{Member: id, On: *body.Deaf})
	}
	if commands == nil {
		fail(w, http.StatusUnprocessableEntity, "bad_body", "nothing to change; set muted, deaf or both")
		return
	}
	s.do(w, r, commands...)
}

// decode reads a body whole, or refuses it.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	err := strictlyFrom(r.Body, into)
	var large *http.MaxBytesError
	text := ""
	if err != nil {
		text = strings.TrimPrefix(err.Error(), "json: ")
	}
	switch {
	case err == nil:
		return true
	case errors.As(err, &large):
		fail(w, http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the body has more than %d bytes", large.Limit))
	case strings.HasPrefix(text, "unknown field"):
		fail(w, http.StatusUnprocessableEntity, "unknown_field", text)
	default:
		fail(w, http.StatusUnprocessableEntity, "bad_body", text)
	}
	return false
}

// strictly decodes one JSON value that has no unknown fields.
func strictly(data []byte, into any) error { return strictlyFrom(bytes.NewReader(data), into) }

func strictlyFrom(from io.Reader, into any) error {
	d := json.NewDecoder(from)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && d.More() {
		err = errors.New("more than one JSON value")
	}
	return err
}

func (s *server) command(read func(*http.Request) (engine.Command, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := read(r)
		if err != nil {
			s.refuse(w, err)
			return
		}
		s.do(w, r, c)
	}
}

// do asks the room and answers 204 when all of it has come true.
func (s *server) do(w http.ResponseWriter, r *http.Request, commands ...engine.Command) {
	ctx, cancel := context.WithTimeout(r.Context(), CommandTimeout)
	defer cancel()
	for _, c := range commands {
		if err := s.Exchange.Do(ctx, engine.RoomName(r.PathValue("room")), c); err != nil {
			s.refuseRoom(w, r, err)
			return
		}
		s.Log.Info("command", "room", r.PathValue("room"), "command", describe(c), "from", r.RemoteAddr)
	}
	w.WriteHeader(http.StatusNoContent)
}

// describe is a command as the log shows it, e.g. "mute {Member:1 On:true}".
func describe(c engine.Command) string {
	return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", c), "engine.")) + fmt.Sprintf(" %+v", c)
}
