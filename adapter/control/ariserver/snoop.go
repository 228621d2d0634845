package ariserver

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"parley/engine"
)

// How the address begins of a channel whose audio is there without a call.
const (
	MediaAddress = "rtp/"   // of a program, HOST:PORT
	SnoopAddress = "snoop/" // of the channel whose id follows
)

// snoop makes a channel of what another one says, hears, or both, which is whispered
// what it hears.
func (s *Server) snoop(_ context.Context, q *request) answer {
	spy, whisper, words := directions(q)
	of, id := q.get("channelId"), engine.LegID(cmp.Or(q.get("snoopId"), newID()))
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case words != "":
		return no(http.StatusBadRequest, words)
	case s.calls[of] == nil:
		return no(http.StatusNotFound, "Provided channel was not found")
	case s.taken(id):
		return no(http.StatusInternalServerError, "Snoop channel could not be created")
	case s.opt.Snoop == nil:
		return missing("there is no audio here")
	}
	d := engine.Dial{
		Address: SnoopAddress + of, Leg: id, Party: engine.Caller{Name: "Snoop/" + of},
		Variables: map[string]string{}, Channel: map[string]string{}, Timeout: defaultRing,
	}
	if err := s.opt.Snoop(id, engine.LegID(of), spy, whisper); err != nil {
		return unsnooped(err)
	}
	c, bad := s.newCreated(q, d)
	if bad != nil {
		s.opt.DropMedia(id)
		return *bad
	}
	c.external = true
	made := c.channel
	s.enters(c, time.Now(), q.list("appArgs"))
	return ok(made)
}

// directions are what a snoop does, "" for nothing, or Asterisk's words for what is
// wrong with them.
func directions(q *request) (spy, whisper, wrong string) {
	known := []string{"", "none", "in", "out", "both"}
	spy, whisper = q.get("spy"), q.get("whisper")
	switch {
	case !slices.Contains(known, spy):
		wrong = "Invalid direction specified for spy"
	case !slices.Contains(known, whisper):
		wrong = "Invalid direction specified for whisper"
	case slices.Index(known, spy) < 2 && slices.Index(known, whisper) < 2:
		wrong = "Direction must be specified for at least spy or whisper"
	case q.get("app") == "":
		wrong = "Application name is required"
	}
	return spy, whisper, wrong
}

func unsnooped(err error) answer {
	if errors.Is(err, engine.ErrCannot) {
		return no(http.StatusConflict, "Channel cannot be snooped on: "+engine.Detail(err))
	}
	return no(http.StatusInternalServerError, "Snoop channel could not be created: "+engine.Detail(err))
}

// Unsnooped ends a channel that snoops on one whose audio has ended. It waits until it
// has.
func (s *Server) Unsnooped(leg engine.LegID) {
	const cause = engine.CauseSuccess // which Asterisk has for none
	s.mu.Lock()
	c := s.calls[string(leg)]
	if c == nil {
		s.mu.Unlock()
		return
	}
	order := c.created
	s.mu.Unlock()
	if order != nil && s.forget(string(leg), order, cause) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	_ = s.exchange.HangUp(ctx, leg, cause) // or it has ended by itself
}
