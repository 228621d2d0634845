package ariserver

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"parley/engine"
)

// playback is what a client has something play.
type playback struct {
	ID       string `json:"id"`
	Media    string `json:"media_uri"`
	Target   string `json:"target_uri"`
	Language string `json:"language"`
	State    string `json:"state"`

	subject subject
	room    engine.RoomName
	member  engine.MemberID // 0 = all of the room
}

// ofPlayback is PlaybackStarted and PlaybackFinished.
type ofPlayback struct {
	head
	Playback playback `json:"playback"`
}

// maxPlaybacks is how many may wait or play at one time.
const maxPlaybacks = 1000

// musicSound is the music of a class of Asterisk's.
func musicSound(class string) string {
	if class == "" || class == "default" {
		class = "moh"
	}
	return "local_stream://" + class
}

// sounds are media URIs in our grammar. What begins otherwise is no media.
func sounds(uris []string) (items []string, bad string) {
	for _, uri := range uris {
		kind, name, _ := strings.Cut(uri, ":")
		switch kind {
		case "sound":
			items = append(items, name)
		case "number":
			items = append(items, "number:"+name)
		case "digits":
			for _, d := range name {
				items = append(items, "number:"+string(d))
			}
		case "tone":
			name, _, _ = strings.Cut(name, ";")
			items = append(items, "tone:"+name)
		default:
			return nil, uri
		}
	}
	return items, ""
}

// play plays to a member, or to a room, whoever find finds.
func (s *Server) play(find func(*request) (playback, *answer)) func(context.Context, *request) answer {
	return func(ctx context.Context, q *request) answer {
		items, wrong := sounds(q.list("media"))
		if wrong != "" {
			return no(http.StatusBadRequest, "Media "+wrong+" is not sound:, number:, digits: or tone:")
		}
		s.mu.Lock()
		p, bad := find(q)
		p.ID, p.Media, p.Language, p.State = q.get("playbackId"), strings.Join(q.list("media"), ","), q.get("lang"), "queued"
		if p.ID == "" {
			p.ID = newID()
		}
		if p.Language == "" {
			p.Language = "en"
		}
		switch {
		case bad != nil:
		case s.playbacks[p.ID] != nil:
			a := no(http.StatusConflict, "Playback with given unique ID already exists")
			bad = &a
		case len(s.playbacks) >= maxPlaybacks || len(p.ID) > maxID:
			a := no(http.StatusServiceUnavailable, "Too many playbacks, or too long an id")
			bad = &a
		default:
			s.playbacks[p.ID] = &p
		}
		queued := p
		s.mu.Unlock()
		if bad != nil {
			return *bad
		}
		what := engine.Media{Items: items, Language: q.get("lang")}
		if err := s.ask(ctx, p.room, engine.Play{Member: p.member, ID: p.ID, What: what}); err != nil {
			s.mu.Lock()
			delete(s.playbacks, p.ID)
			s.mu.Unlock()
			return failed(err)
		}
		return answer{status: http.StatusCreated, body: queued, location: "/ari/playbacks/" + queued.ID}
	}
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
	if e.Type == engine.EventPlaying {
		p.State = "playing"
		s.tell("PlaybackStarted", e.Time, &ofPlayback{Playback: *p}, p.subject)
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

// stopPlayback ends what plays to a member; to a room, all that plays.
func (s *Server) stopPlayback(ctx context.Context, q *request) answer {
	s.mu.Lock()
	p := s.playbacks[q.get("playbackId")]
	s.mu.Unlock()
	if p == nil {
		return no(http.StatusNotFound, "Playback not found")
	}
	if err := s.ask(ctx, p.room, engine.StopPlay{Member: p.member}); err != nil && !errors.Is(err, engine.ErrNoMember) {
		return failed(err)
	}
	return done()
}

// music plays to a member until it is stopped.
func (s *Server) music(ctx context.Context, q *request) answer {
	c, bad := s.present(q)
	if bad != nil {
		return *bad
	}
	what := engine.Media{Items: []string{musicSound(q.get("mohClass"))}, Loop: true}
	return s.all(ctx, c.room, []engine.Command{engine.Play{Member: c.member, What: what}})
}

func (s *Server) noMusic(ctx context.Context, q *request) answer {
	c, bad := s.present(q)
	if bad != nil {
		return *bad
	}
	return s.all(ctx, c.room, []engine.Command{engine.StopPlay{Member: c.member}})
}
