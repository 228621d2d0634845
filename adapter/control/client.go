package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"parley/engine"
)

// ErrNotRunning: nothing answers at the API's address.
var ErrNotRunning = errors.New("control: parley is not running")

// Problem is how the API refuses. It is an error for its clients.
type Problem struct {
	Code    string      `json:"code"`
	Message string      `json:"message"`
	Calls   []Straggler `json:"calls,omitempty"` // of a take-over that failed
}

// Straggler is a call that a take-over could not bring along, or not back.
type Straggler struct {
	Call   engine.LegID `json:"call"`
	Number string       `json:"number"`
	Name   string       `json:"name"`
	Why    string       `json:"why"`
	Where  string       `json:"where"` // "conference", or "room": he could not be sent back
}

func (p *Problem) Error() string { return p.Message + ". [" + p.Code + "]" }

// Client talks to a running Parley.
type Client struct {
	Base  string // http://127.0.0.1:8085
	Token string // "" = none
	HTTP  *http.Client
}

// Rooms lists the running rooms.
func (c *Client) Rooms(ctx context.Context) ([]engine.RoomView, error) {
	var body struct{ Rooms []engine.RoomView }
	err := c.call(ctx, http.MethodGet, "/v1/rooms", nil, &body)
	return body.Rooms, err
}

// Room shows one room.
func (c *Client) Room(ctx context.Context, name string) (engine.RoomView, error) {
	var view engine.RoomView
	err := c.call(ctx, http.MethodGet, roomPath(name), nil, &view)
	return view, err
}

// ExplainRoom says where the settings of a room come from.
func (c *Client) ExplainRoom(ctx context.Context, name string) (engine.Explanation, error) {
	var e engine.Explanation
	err := c.call(ctx, http.MethodGet, roomPath(name)+"/explain", nil, &e)
	return e, err
}

// ExplainCall says where the settings of a call come from.
func (c *Client) ExplainCall(ctx context.Context, id string) (engine.Explanation, error) {
	var e engine.Explanation
	err := c.call(ctx, http.MethodGet, "/v1/calls/"+url.PathEscape(id)+"/explain", nil, &e)
	return e, err
}

// Signal interrupts the stay of a call by a named signal.
func (c *Client) Signal(ctx context.Context, id, name string) (engine.Signalled, error) {
	var a engine.Signalled
	err := c.call(ctx, http.MethodPost, "/v1/calls/"+url.PathEscape(id)+"/signal", map[string]string{"name": name}, &a)
	return a, err
}

// Lock locks or unlocks a room.
func (c *Client) Lock(ctx context.Context, name string, on bool) error {
	verb := "/unlock"
	if on {
		verb = "/lock"
	}
	return c.call(ctx, http.MethodPost, roomPath(name)+verb, nil, nil)
}

// End ends a room.
func (c *Client) End(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, roomPath(name)+"/run", nil, nil)
}

// Recordings are those of a room that run.
func (c *Client) Recordings(ctx context.Context, name string) ([]engine.Recording, error) {
	var body struct{ Recordings []engine.Recording }
	err := c.call(ctx, http.MethodGet, roomPath(name)+"/recordings", nil, &body)
	return body.Recordings, err
}

// Record begins a recording of a room; "" = as its profile names it.
func (c *Client) Record(ctx context.Context, name, file string, replace bool) (engine.Recording, error) {
	var is engine.Recording
	err := c.call(ctx, http.MethodPost, roomPath(name)+"/recordings", recordOrder{File: file, Replace: replace}, &is)
	return is, err
}

// StopRecord ends a recording of a room, or all; PauseRecord has it leave out
// what comes, or go on.
func (c *Client) StopRecord(ctx context.Context, name, file string) error {
	return c.call(ctx, http.MethodDelete, roomPath(name)+"/recordings?file="+url.QueryEscape(file), nil, nil)
}

// PauseRecord is described at StopRecord.
func (c *Client) PauseRecord(ctx context.Context, name, file string, on bool) error {
	verb := "/recordings/resume"
	if on {
		verb = "/recordings/pause"
	}
	return c.call(ctx, http.MethodPost, roomPath(name)+verb, recordOrder{File: file}, nil)
}

// Move is how a room moved: where it is mixed now, and its members' gaps.
type Move struct {
	Mixer string  `json:"mixer"`
	Moves []Moved `json:"moves"`
	// Warnings are what has not come along, such as a recording.
	Warnings []string `json:"warnings,omitempty"`
}

// TakeOver brings a room, or a conference that is not ours yet, to our mixer.
func (c *Client) TakeOver(ctx context.Context, name string) (m Move, err error) {
	err = c.call(ctx, http.MethodPost, roomPath(name)+"/takeover", nil, &m)
	return m, err
}

// HandBack brings a room to the conference of its members' switch.
func (c *Client) HandBack(ctx context.Context, name string) (m Move, err error) {
	err = c.call(ctx, http.MethodPost, roomPath(name)+"/handback", nil, &m)
	return m, err
}

// Audit asks what the switches and we do not see alike.
func (c *Client) Audit(ctx context.Context) ([]Difference, error) {
	var body struct{ Differences []Difference }
	err := c.call(ctx, http.MethodGet, "/v1/audit", nil, &body)
	return body.Differences, err
}

// Set changes a member ("all" or a number): key is "muted" or "deaf".
func (c *Client) Set(ctx context.Context, name, member, key string, on bool) error {
	return c.call(ctx, http.MethodPatch, memberPath(name, member), map[string]bool{key: on}, nil)
}

// Kick takes a member, or all, out of the room.
func (c *Client) Kick(ctx context.Context, name, member string) error {
	return c.call(ctx, http.MethodDelete, memberPath(name, member), nil, nil)
}

// Reload makes the process read its configuration again.
func (c *Client) Reload(ctx context.Context) ([]string, error) {
	var body struct{ Report []string }
	err := c.call(ctx, http.MethodPost, "/v1/reload", nil, &body)
	return body.Report, err
}

// Status is what `parley status` shows.
type Status struct {
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	Uptime    int64     `json:"uptime_s"`
	Priority  string    `json:"priority,omitempty"` // what the system lets it have of the processors: "nice -11"
	Rooms     int       `json:"rooms"`
	Legs      int       `json:"legs"`
	Throttled int       `json:"throttled_sources"` // that may try one PIN per period
	Checks    []Check   `json:"checks"`
	Recent    []Note    `json:"recent,omitempty"`
}

// Status asks how the process is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	err := c.call(ctx, http.MethodGet, "/v1/status", nil, &s)
	return s, err
}

func roomPath(name string) string { return "/v1/rooms/" + url.PathEscape(name) }

func memberPath(name, member string) string {
	return roomPath(name) + "/participants/" + url.PathEscape(member)
}

// call does one request; a refusal comes back as *Problem.
func (c *Client) call(ctx context.Context, method, path string, body, into any) error {
	var send io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("control: %w", err)
		}
		send = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, send)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	resp, err := c.HTTP.Do(req)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w at %s", ErrNotRunning, c.Base)
	}
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	defer resp.Body.Close()
	return read(resp, into)
}

func read(resp *http.Response, into any) error {
	limited := io.LimitReader(resp.Body, 64<<20)
	if resp.StatusCode >= http.StatusBadRequest {
		p := &Problem{}
		if err := json.NewDecoder(limited).Decode(p); err != nil || p.Message == "" {
			return fmt.Errorf("control: %s", resp.Status)
		}
		return p
	}
	if into == nil || resp.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(limited).Decode(into); err != nil {
		return fmt.Errorf("control: answer of %s: %w", resp.Request.URL.Path, err)
	}
	return nil
}

// member reads the {id} of a path: a number, or "all".
func member(r *http.Request) (engine.MemberID, error) {
	id := r.PathValue("id")
	if id == "all" {
		return 0, nil
	}
	n, err := strconv.ParseUint(id, 10, 32)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%w: member %.20q is neither a number nor all", engine.ErrBadCommand, id)
	}
	return engine.MemberID(n), nil
}
