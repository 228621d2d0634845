package control

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"time"

	"parley/engine"
)

// Limits of an order to call.
const (
	maxEndpoints = 32
	maxJobWait   = 25 * time.Second // of GET /v1/jobs/{id}?wait=…
)

// Endpoint is somebody to call. In JSON a string is its address alone.
type Endpoint struct {
	Address string            `json:"address"`
	Name    string            `json:"name,omitempty"`   // of the member, in lists
	Number  string            `json:"number,omitempty"` // "" = as the address says
	Role    string            `json:"role,omitempty"`
	Timeout float64           `json:"timeout_s,omitempty"`
	Vars    map[string]string `json:"vars,omitempty"` // of the member, as a dialplan's parley_*
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *Endpoint) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &e.Address)
	}
	type plain Endpoint
	return strictly(data, (*plain)(e))
}

// Order is the body of POST /v1/rooms/{room}/dial: whom to call, and for all of
// them whom they see and how long they may ring.
type Order struct {
	Endpoints    []Endpoint        `json:"endpoints"`
	CallerName   string            `json:"caller_id_name,omitempty"`   // "" = the room's title or name
	CallerNumber string            `json:"caller_id_number,omitempty"` // "" = as configured
	Timeout      float64           `json:"timeout_s,omitempty"`        // 0 = dial.timeout_s
	Channel      map[string]string `json:"channel_vars,omitempty"`
}

// Called is what came of an endpoint: a job, or why there is none.
type Called struct {
	Address string   `json:"address"`
	Job     string   `json:"job_id,omitempty"`
	Call    string   `json:"call_id,omitempty"`
	Problem *Problem `json:"problem,omitempty"`
}

// dial answers 202 with one job or problem for each endpoint, and where nobody
// at all can be called, with the first problem.
func (s *server) dial(w http.ResponseWriter, r *http.Request) {
	var o Order
	if !decode(w, r, &o) {
		return
	}
	if n := len(o.Endpoints); n == 0 || n > maxEndpoints {
		s.refuse(w, fmt.Errorf("%w: %d endpoints, want 1 to %d", engine.ErrBadCommand, n, maxEndpoints))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), CommandTimeout)
	defer cancel()
	list := make([]Called, len(o.Endpoints))
	var first error
	some := false
	for i, e := range o.Endpoints {
		d := o.dial(engine.RoomName(r.PathValue("room")), e)
		id, err := s.Exchange.BgDial(ctx, d)
		list[i] = Called{Address: e.Address, Job: string(id)}
		if err != nil {
			_, code := class(err)
			list[i].Problem = &Problem{Code: code, Message: err.Error()}
			if first == nil {
				first = err
			}
			continue
		}
		some = true
		if j, err := s.Exchange.Job(ctx, id, false); err == nil {
			list[i].Call = string(j.Leg)
		}
		s.Log.Info("dial", "room", r.PathValue("room"), "address", e.Address, "job", id, "from", r.RemoteAddr)
	}
	if !some {
		s.refuseRoom(w, r, first)
		return
	}
	reply(w, http.StatusAccepted, map[string]any{"legs": list})
}

// dial is the engine's order for one of the endpoints.
func (o *Order) dial(room engine.RoomName, e Endpoint) engine.Dial {
	timeout := o.Timeout
	if e.Timeout != 0 {
		timeout = e.Timeout
	}
	vars := map[string]string{}
	maps.Copy(vars, e.Vars)
	if e.Role != "" {
		vars["role"] = e.Role
	}
	return engine.Dial{
		Room: room, Address: e.Address, Caller: engine.Caller{Name: o.CallerName, Number: o.CallerNumber},
		Party: engine.Caller{Name: e.Name, Number: e.Number}, Variables: vars, Channel: o.Channel,
		Timeout: time.Duration(timeout * float64(time.Second)),
	}
}

// job shows an order; ?wait=SECONDS answers when it is over, or then.
func (s *server) job(w http.ResponseWriter, r *http.Request) {
	id := engine.JobID(r.PathValue("id"))
	if text := r.URL.Query().Get("wait"); text != "" {
		wait, err := time.ParseDuration(text)
		if err != nil || wait < 0 || wait > maxJobWait {
			s.refuse(w, fmt.Errorf("%w: wait=%.20q, want a time of up to %v", engine.ErrBadCommand, text, maxJobWait))
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), wait)
		defer cancel()
		_, _ = s.Exchange.Job(ctx, id, true) // what it is by then is told below
	}
	j, err := s.Exchange.Job(r.Context(), id, false)
	if err != nil {
		s.refuse(w, err)
		return
	}
	reply(w, http.StatusOK, j)
}

// giveUp cancels a call that is not answered yet.
func (s *server) giveUp(w http.ResponseWriter, r *http.Request) {
	id := engine.JobID(r.PathValue("id"))
	if _, err := s.Exchange.Job(r.Context(), id, false); err != nil {
		s.refuse(w, err)
		return
	}
	s.Exchange.CancelDial(id)
	w.WriteHeader(http.StatusNoContent)
}

// Dial calls somebody into a room, and returns the job at once.
func (c *Client) Dial(ctx context.Context, room string, o Order) ([]Called, error) {
	var body struct{ Legs []Called }
	err := c.call(ctx, http.MethodPost, roomPath(room)+"/dial", o, &body)
	return body.Legs, err
}

// Job shows an order, when it is over or wait has passed.
func (c *Client) Job(ctx context.Context, id string, wait time.Duration) (engine.Job, error) {
	var j engine.Job
	err := c.call(ctx, http.MethodGet, "/v1/jobs/"+id+"?wait="+wait.String(), nil, &j)
	return j, err
}

// GiveUp cancels a call that is not answered yet.
func (c *Client) GiveUp(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/v1/jobs/"+id, nil, nil)
}
