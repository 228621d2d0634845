package ariserver

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/engine"
	"parley/recording"
)

// live is a recording that a client has begun, and stored one that is complete.
type (
	live struct {
		Name     string `json:"name"`
		Format   string `json:"format"`
		Target   string `json:"target_uri"`
		State    string `json:"state"`
		Duration int    `json:"duration,omitempty"` // s, once it has ended
		Cause    string `json:"cause,omitempty"`

		subject  subject
		room     engine.RoomName
		file     string
		canceled bool
		limit    *time.Timer // maxDurationSeconds
	}
	stored struct {
		Name   string `json:"name"`
		Format string `json:"format"`
	}
	// ofRecording is RecordingStarted, RecordingFinished and RecordingFailed.
	ofRecording struct {
		head
		Recording live `json:"recording"`
	}
)

const (
	wav         = "wav" // the only format
	maxDuration = 24 * 60 * 60
)

// record begins a recording of a room.
func (s *Server) record(ctx context.Context, q *request) answer {
	command, limit, bad := recordOrder(q)
	if bad != nil {
		return *bad
	}
	name := q.get("name")
	s.mu.Lock()
	r := s.find(q.get("bridgeId"))
	switch {
	case r == nil:
		s.mu.Unlock()
		return no(http.StatusNotFound, "Bridge not found")
	case s.tapes[name] != nil:
		s.mu.Unlock()
		return no(http.StatusConflict, "Recording '"+name+"' already in progress")
	}
	t := &live{Name: name, Format: wav, Target: "bridge:" + r.ID, State: "queued", subject: subject{bridge: r.ID}, room: r.name, file: command.File}
	s.tapes[name] = t
	s.mu.Unlock()
	if truth(q.get("beep")) {
		if err := s.ask(ctx, t.room, engine.Play{What: engine.Media{Items: []string{"tone:beep"}}}); err != nil {
			s.untape(name)
			return recordFailed(err)
		}
	}
	if err := s.ask(ctx, t.room, command); err != nil {
		s.untape(name)
		return recordFailed(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if limit > 0 && s.tapes[name] == t {
		t.limit = time.AfterFunc(limit, func() { //nolint:contextcheck // the request is over by then
			_ = s.ask(context.Background(), t.room, engine.StopRecord{File: t.file}) // else it has ended already
		})
	}
	return answer{status: http.StatusCreated, body: *t, location: "/ari/recordings/live/" + name}
}

// recordOrder reads what a client wants; what we cannot do is refused.
func recordOrder(q *request) (c engine.Record, limit time.Duration, bad *answer) {
	refuse := func(status int, text string) (engine.Record, time.Duration, *answer) {
		a := no(status, text)
		return engine.Record{}, 0, &a
	}
	c.File = q.get("name") + recording.Extension
	switch q.get("ifExists") {
	case "", "fail":
	case "overwrite":
		c.Exists = engine.ExistsReplace
	default:
		return refuse(http.StatusBadRequest, "ifExists can be fail or overwrite here")
	}
	seconds, err := strconv.Atoi(q.get("maxDurationSeconds"))
	switch {
	case q.get("format") != wav:
		return refuse(http.StatusUnprocessableEntity, "Format '"+q.get("format")+"' is unknown; recordings are wav")
	case q.get("maxDurationSeconds") != "" && (err != nil || seconds < 0 || seconds > maxDuration):
		return refuse(http.StatusBadRequest, "maxDurationSeconds must be 0 to "+strconv.Itoa(maxDuration))
	case q.get("maxSilenceSeconds") != "" && q.get("maxSilenceSeconds") != "0":
		return refuse(http.StatusBadRequest, "maxSilenceSeconds: a recording does not end because nobody talks")
	case q.get("terminateOn") != "" && q.get("terminateOn") != "none":
		return refuse(http.StatusBadRequest, "terminateOn: no key ends the recording of a room")
	}
	return c, time.Duration(seconds) * time.Second, nil
}

func (s *Server) untape(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tapes, name)
}

// recordFailed is an error about a recording in Asterisk's words.
func recordFailed(err error) answer {
	switch {
	case errors.Is(err, engine.ErrInUse):
		return no(http.StatusConflict, "Recording already exists: "+err.Error())
	case errors.Is(err, engine.ErrNoRoom), errors.Is(err, engine.ErrNoMember):
		return no(http.StatusConflict, "Bridge is empty: there is nothing to record")
	case errors.Is(err, engine.ErrNoRecording):
		return no(http.StatusNotFound, "Recording not found")
	default:
		return failed(err)
	}
}

// records follows the recordings that clients have begun. The caller holds mu.
func (s *Server) records(e engine.Event) {
	var t *live
	for _, one := range s.tapes {
		if one.room == e.Room && one.file == e.Recording.Name {
			t = one
		}
	}
	if t == nil {
		return // somebody else's
	}
	kind := ""
	switch e.Type {
	case engine.EventRecordStarted:
		t.State, kind = "recording", "RecordingStarted"
	case engine.EventRecordPaused:
		t.State = "paused"
	case engine.EventRecordResumed:
		t.State = "recording"
	default:
		kind = s.ended(t, e.Recording)
	}
	if kind != "" {
		s.tell(kind, e.Time, &ofRecording{Recording: *t}, t.subject)
	}
}

// ended notes the end of a recording, and says which event tells it.
func (s *Server) ended(t *live, r *engine.Recording) string {
	delete(s.tapes, t.Name)
	if t.limit != nil {
		t.limit.Stop()
	}
	t.Duration = int(r.DurationMS / 1000)
	switch {
	case r.State == engine.RecordingFailed:
		t.State, t.Cause = "failed", r.Error
		return "RecordingFailed"
	case t.canceled:
		t.State = "canceled"
	default:
		t.State = "done"
	}
	return "RecordingFinished"
}

// tape finds a recording that runs.
func (s *Server) tape(q *request) (t live, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.tapes[q.get("recordingName")]; one != nil {
		return *one, true
	}
	return live{}, false
}

func noRecording() answer { return no(http.StatusNotFound, "Recording not found") }

func (s *Server) getLive(_ context.Context, q *request) answer {
	if t, found := s.tape(q); found {
		return ok(t)
	}
	return noRecording()
}

// onTape asks the room about a recording.
func (s *Server) onTape(command func(file string) engine.Command) func(context.Context, *request) answer {
	return func(ctx context.Context, q *request) answer {
		t, found := s.tape(q)
		if !found {
			return noRecording()
		}
		if err := s.ask(ctx, t.room, command(t.file)); err != nil {
			return recordFailed(err)
		}
		return done()
	}
}

// cancel ends a recording and throws its file away.
func (s *Server) cancel(ctx context.Context, q *request) answer {
	s.mu.Lock()
	t := s.tapes[q.get("recordingName")]
	if t == nil {
		s.mu.Unlock()
		return noRecording()
	}
	t.canceled = true
	s.mu.Unlock()
	if err := s.ask(ctx, t.room, engine.StopRecord{File: t.file}); err != nil {
		return recordFailed(err)
	}
	return s.removeStored(ctx, q)
}

// The complete recordings, whoever has made them.

func (s *Server) listStored(context.Context, *request) answer {
	list, err := s.opt.Recordings.List()
	if err != nil {
		return no(http.StatusInternalServerError, err.Error())
	}
	all := make([]stored, 0, len(list))
	for _, one := range list {
		all = append(all, stored{strings.TrimSuffix(one.Name, recording.Extension), wav})
	}
	return ok(all)
}

// storedFile opens a complete recording.
func (s *Server) storedFile(q *request, with func(name string) answer) answer {
	name, err := s.opt.Recordings.Name(q.get("recordingName") + recording.Extension)
	if err != nil {
		return noRecording()
	}
	return with(name)
}

func storedFailed(err error) answer {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return noRecording()
	case errors.Is(err, recording.ErrInUse):
		return no(http.StatusConflict, "Recording is in progress")
	default:
		return no(http.StatusInternalServerError, err.Error())
	}
}

func (s *Server) getStored(_ context.Context, q *request) answer {
	return s.storedFile(q, func(name string) answer {
		f, err := s.opt.Recordings.Open(name)
		if err != nil {
			return storedFailed(err)
		}
		_ = f.Close() // it was only looked for
		return ok(stored{q.get("recordingName"), wav})
	})
}

func (s *Server) getStoredFile(_ context.Context, q *request) answer {
	return s.storedFile(q, func(name string) answer {
		f, err := s.opt.Recordings.Open(name)
		if err != nil {
			return storedFailed(err)
		}
		return answer{status: http.StatusOK, file: f}
	})
}

func (s *Server) removeStored(_ context.Context, q *request) answer {
	return s.storedFile(q, func(name string) answer {
		if err := s.opt.Recordings.Remove(name); err != nil {
			return storedFailed(err)
		}
		return done()
	})
}

// recordingRoutes are the operations about recordings.
func (s *Server) recordingRoutes() []route {
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	params := "name! format! maxDurationSeconds# maxSilenceSeconds# ifExists beep? terminateOn"
	pause := func(on bool) func(string) engine.Command {
		return func(file string) engine.Command { return engine.PauseRecord{File: file, On: on} }
	}
	return []route{
		on(post, "/bridges/{bridgeId}/record", "record", "LiveRecording", params, s.record),
		on(post, "/channels/{channelId}/record", "record", "LiveRecording", params, unsupported("a bridge is recorded, not a channel")),
		on(get, "/recordings/stored", "listStored", "List[StoredRecording]", "", s.listStored),
		on(get, "/recordings/stored/{recordingName}", "getStored", "StoredRecording", "", s.getStored),
		on(del, "/recordings/stored/{recordingName}", "deleteStored", "void", "", s.removeStored),
		on(get, "/recordings/stored/{recordingName}/file", "getStoredFile", "binary", "", s.getStoredFile),
		on(post, "/recordings/stored/{recordingName}/copy", "copyStored", "StoredRecording", "destinationRecordingName!", unsupported("a recording is fetched, and not copied")),
		on(get, "/recordings/live/{recordingName}", "getLive", "LiveRecording", "", s.getLive),
		on(del, "/recordings/live/{recordingName}", "cancel", "void", "", s.cancel),
		on(post, "/recordings/live/{recordingName}/stop", "stop", "void", "", s.onTape(func(file string) engine.Command { return engine.StopRecord{File: file} })),
		on(post, "/recordings/live/{recordingName}/pause", "pause", "void", "", s.onTape(pause(true))),
		on(del, "/recordings/live/{recordingName}/pause", "unpause", "void", "", s.onTape(pause(false))),
		on(post, "/recordings/live/{recordingName}/mute", "mute", "void", "", unsupported("a recording is paused, and not muted")),
		on(del, "/recordings/live/{recordingName}/mute", "unmute", "void", "", unsupported("a recording is paused, and not muted")),
	}
}
