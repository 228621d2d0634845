package ariserver

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"parley/engine"
)

// playback is what a client has something play.
type playback struct {
	ID       string `json:"id"`
	Media    string `json:"media_uri"` // that plays
	Next     string `json:"next_media_uri,omitempty"`
	Target   string `json:"target_uri"`
	Language string `json:"language"`
	State    string `json:"state"`

	subject subject
	room    engine.RoomName
	member  engine.MemberID // 0 = all of the room
	uris    []string
	parts   []engine.Media // of the same
	part    int            // that plays
	skip    time.Duration
	again   int // how often it is begun anew: so many ends are none
}

// turn says which part plays.
func (p *playback) turn(part int) {
	p.part, p.Media, p.Next = part, p.uris[part], ""
	if part+1 < len(p.uris) {
		p.Next = p.uris[part+1]
	}
}

// order is what the engine is to play, from the part on that has its turn.
func (p *playback) order() engine.Play {
	return engine.Play{Member: p.member, ID: p.ID, What: p.parts[p.part], Then: p.parts[p.part+1:], Part: p.part}
}

// ofPlayback is PlaybackStarted, PlaybackContinuing and PlaybackFinished.
type ofPlayback struct {
	head
	Playback playback `json:"playback"`
}

// maxPlaybacks is how many may wait or play at one time.
const maxPlaybacks = 1000

// play plays to a member, or to a room, whoever find finds.
func (s *Server) play(find func(*request) (playback, *answer)) func(context.Context, *request) answer {
	return func(ctx context.Context, q *request) answer {
		parts, err := s.media(q.list("media"), q.get("lang"))
		switch {
		case err != nil:
			return no(http.StatusBadRequest, engine.Detail(err))
		case len(parts) == 0:
			return no(http.StatusBadRequest, "Missing parameter media")
		}
		offset, skip, bad := steps(q)
		if bad != nil {
			return *bad
		}
		queued, bad := s.queue(find, q, parts, skip)
		if bad != nil {
			return *bad
		}
		if err := s.ask(ctx, queued.room, queued.order()); err != nil {
			s.mu.Lock()
			delete(s.playbacks, queued.ID)
			s.mu.Unlock()
			return unplayed(err, queued.member)
		}
		if offset > 0 {
			seek := engine.PlayControl{Seek: &engine.Seek{To: offset}}
			_ = s.ask(ctx, queued.room, engine.ControlPlay{Member: queued.member, ID: queued.ID, PlayControl: seek}) // else it plays from its beginning
		}
		return answer{status: http.StatusCreated, body: queued, location: "/ari/playbacks/" + queued.ID}
	}
}

// queue notes a play that has not begun.
func (s *Server) queue(find func(*request) (playback, *answer), q *request, parts []engine.Media, skip time.Duration) (playback, *answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, bad := find(q)
	if bad != nil {
		return p, bad
	}
	p.ID, p.Language = cmp.Or(q.get("playbackId"), newID()), cmp.Or(q.get("lang"), "en")
	p.State, p.uris, p.parts, p.skip = "queued", q.list("media"), parts, skip
	p.turn(0)
	switch {
	case s.playbacks[p.ID] != nil:
		a := no(http.StatusConflict, "Playback with given unique ID already exists")
		return p, &a
	case len(s.playbacks) >= maxPlaybacks || !goodID(p.ID):
		a := no(http.StatusServiceUnavailable, "Too many playbacks, or too long an id")
		return p, &a
	}
	kept := p
	s.playbacks[p.ID] = &kept
	return p, nil
}

// toChannel and toBridge are where play plays. The caller holds mu.
func (s *Server) toChannel(q *request) (playback, *answer) {
	c := s.calls[q.get("channelId")]
	switch {
	case c == nil:
		a := no(http.StatusNotFound, "Channel not found")
		return playback{}, &a
	case c.member == 0:
		a := no(http.StatusPreconditionFailed, "Channel in invalid state")
		return playback{}, &a
	}
	return playback{Target: "channel:" + c.ID, subject: c.subject(), room: c.room, member: c.member}, nil
}

func (s *Server) toBridge(q *request) (playback, *answer) {
	r := s.find(q.get("bridgeId"))
	if r == nil {
		a := no(http.StatusNotFound, "Bridge not found")
		return playback{}, &a
	}
	return playback{Target: "bridge:" + r.ID, subject: subject{bridge: r.ID}, room: r.name}, nil
}

// plays follows what is played.
func (s *Server) plays(e engine.Event) {
	p := s.playbacks[e.Play.ID]
	if p == nil {
		return // somebody else's
	}
	p.Language = e.Play.What.Language
	switch e.Type { //nolint:exhaustive // others do not come here
	case engine.EventPlayPaused: // Asterisk does not tell
		p.State = "paused"
		return
	case engine.EventPlaying, engine.EventPlayResumed:
		if p.State != "playing" { // else it is begun anew
			p.State = "playing"
			s.tell("PlaybackStarted", e.Time, &ofPlayback{Playback: *p}, p.subject)
		}
		return
	case engine.EventPlayContinues:
		p.State = "continuing"
		s.tell("PlaybackContinuing", e.Time, &ofPlayback{Playback: *p}, p.subject)
		p.turn(e.Play.Part)
		p.State = "playing"
		s.tell("PlaybackStarted", e.Time, &ofPlayback{Playback: *p}, p.subject)
		return
	}
	if p.again > 0 {
		p.again--
		return
	}
	delete(s.playbacks, p.ID)
	if p.State = "done"; e.Play.Err != nil {
		p.State = "failed"
	}
	s.tell("PlaybackFinished", e.Time, &ofPlayback{Playback: *p}, p.subject)
}

func (s *Server) getPlayback(_ context.Context, q *request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.playbacks[q.get("playbackId")]; p != nil {
		return ok(*p)
	}
	return no(http.StatusNotFound, "Playback not found")
}

// stopPlayback ends what plays; where a switch plays it to a room, all that it
// plays there.
func (s *Server) stopPlayback(ctx context.Context, q *request) answer {
	s.mu.Lock()
	p := s.playbacks[q.get("playbackId")]
	s.mu.Unlock()
	if p == nil {
		return no(http.StatusNotFound, "Playback not found")
	}
	err := s.ask(ctx, p.room, engine.StopPlay{Member: p.member, ID: p.ID})
	if errors.Is(err, engine.ErrCannot) {
		err = s.ask(ctx, p.room, engine.StopPlay{})
	}
	if err != nil && !errors.Is(err, engine.ErrNoMember) && !errors.Is(err, engine.ErrNoPlay) {
		return failed(err)
	}
	return done()
}

// unplayed is why a play was refused.
func unplayed(err error, member engine.MemberID) answer {
	if member == 0 && (errors.Is(err, engine.ErrNoMember) || errors.Is(err, engine.ErrNoRoom)) {
		return no(http.StatusConflict, "Nobody is in the bridge who could hear it")
	}
	return failed(err)
}
