package ariserver

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"parley/engine"
)

// defaultSkip is Asterisk's: how far forward and reverse go.
const defaultSkip = 3 * time.Second

// steps reads where a play begins, and how far it goes at a time.
func steps(q *request) (offset, skip time.Duration, bad *answer) {
	skip = defaultSkip
	for name, into := range map[string]*time.Duration{"offsetms": &offset, "skipms": &skip} {
		if q.get(name) == "" {
			continue
		}
		n, err := strconv.Atoi(q.get(name))
		if err == nil && n < 0 {
			a := no(http.StatusBadRequest, name+" cannot be negative")
			return 0, 0, &a
		}
		if err != nil || n > maxDuration*1000 {
			a := no(http.StatusBadRequest, name+" is a number of milliseconds, up to "+strconv.Itoa(maxDuration*1000))
			return 0, 0, &a
		}
		*into = time.Duration(n) * time.Millisecond
	}
	return offset, skip, nil
}

// change is what an operation on a playback means; ok is false for none.
func change(operation string, skip time.Duration) (c engine.PlayControl, ok bool) {
	on, off := true, false
	switch operation {
	case "restart":
		c.Seek = &engine.Seek{}
	case "pause":
		c.Pause = &on
	case "unpause":
		c.Pause = &off
	case "forward":
		c.Seek = &engine.Seek{To: skip, By: true}
	case "reverse":
		c.Seek = &engine.Seek{To: -skip, By: true}
	default:
		return c, false
	}
	return c, true
}

// control changes what plays. As in Asterisk only what plays goes elsewhere.
func (s *Server) control(ctx context.Context, q *request) answer {
	operation := q.get("operation")
	s.mu.Lock()
	found := s.playbacks[q.get("playbackId")]
	var p playback
	if found != nil {
		p = *found
	}
	s.mu.Unlock()
	c, known := change(operation, p.skip)
	cannot := no(http.StatusConflict, "Can only "+operation+" while media is playing")
	switch {
	case operation == "" && !q.empty("operation"):
		return no(http.StatusBadRequest, "Missing operation")
	case found == nil:
		return no(http.StatusNotFound, "Playback not found")
	case !known:
		return no(http.StatusBadRequest, "Invalid operation "+operation)
	case p.State == "queued", p.State == "paused" && c.Pause == nil:
		return cannot
	}
	err := s.ask(ctx, p.room, engine.ControlPlay{Member: p.member, ID: p.ID, PlayControl: c})
	switch {
	case err == nil:
		return done()
	case errors.Is(err, engine.ErrNoPlay):
		return no(http.StatusNotFound, "Playback not found")
	case errors.Is(err, engine.ErrCannot) && operation == "restart" && p.member != 0:
		return s.anew(ctx, found, p)
	case errors.Is(err, engine.ErrCannot):
		return cannot
	default:
		return failed(err)
	}
}

// anew plays to a member again what a switch plays, unseen by events.
func (s *Server) anew(ctx context.Context, found *playback, p playback) answer {
	s.mu.Lock()
	found.again++
	s.mu.Unlock()
	if err := s.ask(ctx, p.room, p.order()); err != nil {
		s.mu.Lock()
		found.again = max(0, found.again-1)
		s.mu.Unlock()
		return failed(err)
	}
	return done()
}
