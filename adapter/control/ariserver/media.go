package ariserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"parley/engine"
	"parley/recording"
)

// Limits of what one request may have played.
const (
	maxItems  = 100
	maxDigits = 64
)

// musicSound is the music of a class of Asterisk's.
func musicSound(class string) string {
	if class == "" || class == "default" {
		class = "moh"
	}
	return "local_stream://" + class
}

// media are media URIs in our grammar, each a part of what plays. What is none of
// it, or not there, is an error: a client is told before it waits for something to
// play.
func (s *Server) media(uris []string, language string) (parts []engine.Media, err error) {
	n := 0
	for _, uri := range uris {
		items, err := s.items(uri, language)
		if err != nil {
			return nil, err
		}
		if n += len(items); n > maxItems {
			return nil, fmt.Errorf("media of more than %d sounds", maxItems)
		}
		parts = append(parts, engine.Media{Items: items, Language: language})
	}
	return parts, nil
}

// items are what one media URI has play.
func (s *Server) items(uri, language string) (items []string, err error) {
	kind, name, _ := strings.Cut(uri, ":")
	switch kind {
	case "sound":
		items = []string{soundAlias(name)}
	case "number":
		items = []string{"number:" + name}
	case "digits":
		for _, d := range name {
			items = append(items, "number:"+string(d))
		}
	case "tone":
		items = []string{toneAlias(name)}
	case "recording":
		file, wrong := s.storedSound(name, language)
		if wrong != "" {
			return nil, fmt.Errorf("media %.200s cannot be played: %s", uri, wrong)
		}
		items = []string{file}
	default:
		return nil, fmt.Errorf("media %s is none of sound:, recording:, number:, digits: and tone: with what follows", uri)
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("media %.200s names nothing to play", uri)
	}
	if s.opt.Playable == nil {
		return items, nil
	}
	for _, item := range items {
		if err := s.opt.Playable(item, language); err != nil {
			return nil, fmt.Errorf("media cannot be played: %w", err)
		}
	}
	return items, nil
}

// storedSound is a complete recording as a sound: its whole path, which the words for
// what is wrong with it do not tell.
func (s *Server) storedSound(name, language string) (file, wrong string) {
	file, err := s.opt.Recordings.Name(name + recording.Extension)
	if err != nil {
		return "", invalidName
	}
	f, err := s.opt.Recordings.Open(file)
	switch {
	case errors.Is(err, recording.ErrInUse):
		return "", "Recording is in progress"
	case err != nil:
		return "", "Recording not found"
	}
	_ = f.Close() // it was only looked for
	file = filepath.Join(s.opt.Recordings.Path(), file)
	if s.opt.Playable != nil && s.opt.Playable(file, language) != nil {
		return "", "it is no WAV file that can be read, or too long"
	}
	return file, ""
}

// soundAlias is a sound of Asterisk's own that we have under another name.
func soundAlias(name string) string {
	folder, last, _ := strings.Cut(name, "/")
	n, err := strconv.ParseUint(last, 10, 16)
	switch {
	case name == "beep":
		return "tone:beep"
	case folder == "digits" && err == nil:
		return "number:" + last
	case folder == "silence" && err == nil:
		return fmt.Sprintf("silence:%d", max(1, 1000*n))
	default:
		return name
	}
}

// toneAlias is a tone of Asterisk's indications.conf, "ring" or
// "busy;tonezone=de", by ours of that country, or of the nearest we have.
func toneAlias(text string) string {
	name, option, _ := strings.Cut(text, ";")
	zone := "eu"
	switch z := strings.TrimPrefix(option, "tonezone="); z {
	case "", "us", "us-old", "ca":
		zone = "us"
	case "uk", "gb":
		zone = "uk"
	}
	switch name {
	case "ring", "ringing":
		return "tone:ringback-" + zone
	case "busy":
		return "tone:busy-" + zone
	case "dial":
		return "tone:dial-us"
	default:
		return "tone:" + name
	}
}

// music plays to a member until it is stopped.
func (s *Server) music(ctx context.Context, q *request) answer {
	c, bad := s.present(q)
	if bad != nil {
		return *bad
	}
	return s.loop(ctx, q, c.room, c.member)
}

// loop plays the music of a request's class.
func (s *Server) loop(ctx context.Context, q *request, name engine.RoomName, member engine.MemberID) answer {
	item := musicSound(q.get("mohClass"))
	if s.opt.Playable != nil {
		if err := s.opt.Playable(item, ""); err != nil {
			return no(http.StatusBadRequest, "Music cannot be played: "+engine.Detail(err))
		}
	}
	if err := s.ask(ctx, name, engine.Play{Member: member, What: engine.Media{Items: []string{item}, Loop: true}}); err != nil {
		return unplayed(err, member)
	}
	return done()
}

func (s *Server) noMusic(ctx context.Context, q *request) answer {
	c, bad := s.present(q)
	if bad != nil {
		return *bad
	}
	return s.all(ctx, c.room, []engine.Command{engine.StopPlay{Member: c.member}})
}

// bridgeMusic plays to a room, until it is stopped or something else plays
// there; without music it ends all that plays there.
func (s *Server) bridgeMusic(on bool) func(context.Context, *request) answer {
	return func(ctx context.Context, q *request) answer {
		s.mu.Lock()
		r := s.find(q.get("bridgeId"))
		s.mu.Unlock()
		switch {
		case r == nil:
			return no(http.StatusNotFound, "Bridge not found")
		case on:
			return s.loop(ctx, q, r.name, 0)
		default:
			return s.all(ctx, r.name, []engine.Command{engine.StopPlay{}})
		}
	}
}

// sendDTMF plays the tones of keys to a member, in what he hears.
func (s *Server) sendDTMF(ctx context.Context, q *request) answer {
	c, bad := s.present(q)
	if bad != nil {
		return *bad
	}
	keys := strings.ToUpper(q.get("dtmf"))
	if keys == "" {
		return no(http.StatusBadRequest, "DTMF is required")
	}
	if len(keys) > maxDigits || strings.Trim(keys, "0123456789*#ABCD") != "" {
		return no(http.StatusBadRequest, fmt.Sprintf("DTMF is 1 to %d of 0-9 * # A-D", maxDigits))
	}
	var ms [4]int
	for i, p := range []struct {
		name string
		is   int
	}{{"before", 0}, {"between", 100}, {"duration", 100}, {"after", 0}} {
		if ms[i] = p.is; q.get(p.name) == "" {
			continue
		}
		n, err := strconv.Atoi(q.get(p.name))
		if err != nil || n < 0 || n > 10_000 || p.name == "duration" && n < 40 {
			return no(http.StatusBadRequest, p.name+" is a number of milliseconds, up to 10000; duration at least 40")
		}
		ms[i] = n
	}
	what := engine.Media{Items: []string{fmt.Sprintf("tone_stream://v=-10;d=%d;w=%d;%s", ms[2], ms[1], keys)}}
	if ms[0] > 0 {
		what.Items = append([]string{fmt.Sprintf("silence:%d", ms[0])}, what.Items...)
	}
	if ms[3] > 0 {
		what.Items = append(what.Items, fmt.Sprintf("silence:%d", ms[3]))
	}
	return s.all(ctx, c.room, []engine.Command{engine.Play{Member: c.member, What: what}})
}

// move gives a call to another application.
func (s *Server) move(_ context.Context, q *request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[q.get("channelId")]
	to := q.get("app")
	switch {
	case c == nil:
		return no(http.StatusNotFound, "Channel not found")
	case s.apps[to] == nil:
		return no(http.StatusNotFound, "Application not found")
	case !c.entered:
		return no(http.StatusConflict, "Channel not in Stasis application")
	}
	now := time.Now()
	s.tell("StasisEnd", now, &onChannel{Channel: c.channel}, c.own())
	c.each(s.unfollow)
	c.app = to
	c.each(s.follow)
	c.Dialplan.AppData = to + "," + string(c.room)
	args := q.list("appArgs")
	if args == nil {
		args = []string{}
	}
	s.tell("StasisStart", now, &stasisStart{Args: args, Channel: c.channel}, c.own())
	return done()
}
