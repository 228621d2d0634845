package ariserver

import (
	"context"
	"net/http"
	"strings"

	"parley/engine"
)

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
	if r.State == engine.RecordingFailed {
		t.State, t.Cause = "failed", r.Error
		if t.member != 0 && strings.HasPrefix(r.Error, engine.ErrCannot.Error()) {
			t.Cause = inBridge
		}
		return "RecordingFailed"
	}
	t.State = "done" // also where it was thrown away
	whole, talked := int(r.DurationMS/1000), int(r.TalkedMS/1000)
	if t.Duration = &whole; t.measured {
		silent := whole - talked
		t.Talking, t.Silence = &talked, &silent
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

// onTape asks the room about a recording, and about one that has not begun only
// whether it can end.
func (s *Server) onTape(command func(file string) engine.Command) func(context.Context, *request) answer {
	return func(ctx context.Context, q *request) answer {
		t, found := s.tape(q)
		if !found {
			return noRecording()
		}
		if _, stop := command("").(engine.StopRecord); !stop && t.State == "queued" {
			return no(http.StatusConflict, "Recording not in session")
		}
		if err := s.ask(ctx, t.room, command(t.file)); err != nil {
			return recordFailed(err)
		}
		return done()
	}
}

// cancel ends a recording and throws its file away.
func (s *Server) cancel(ctx context.Context, q *request) answer {
	t, found := s.tape(q)
	if !found {
		return noRecording()
	}
	if err := s.ask(ctx, t.room, engine.StopRecord{File: t.file}); err != nil {
		return recordFailed(err)
	}
	return s.removeStored(ctx, q)
}

// recordingRoutes are the operations about recordings.
func (s *Server) recordingRoutes() []route {
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	params := "name!~ format!~ maxDurationSeconds# maxSilenceSeconds# ifExists beep? terminateOn"
	pause := func(on bool) func(string) engine.Command {
		return func(file string) engine.Command { return engine.PauseRecord{File: file, On: on} }
	}
	mute := func(on bool) func(string) engine.Command {
		return func(file string) engine.Command { return engine.MuteRecord{File: file, On: on} }
	}
	return []route{
		on(post, "/bridges/{bridgeId}/record", "record", "LiveRecording", params+" recorder_format", s.record(s.ofBridge)),
		on(post, "/channels/{channelId}/record", "record", "LiveRecording", params, s.inside(s.record(s.ofChannel))),
		on(get, "/recordings/stored", "listStored", "List[StoredRecording]", "", s.listStored),
		on(get, "/recordings/stored/{recordingName}", "getStored", "StoredRecording", "", s.getStored),
		on(del, "/recordings/stored/{recordingName}", "deleteStored", "void", "", s.removeStored),
		on(get, "/recordings/stored/{recordingName}/file", "getStoredFile", "binary", "", s.getStoredFile),
		on(post, "/recordings/stored/{recordingName}/copy", "copyStored", "StoredRecording", "destinationRecordingName!~", s.copyStored),
		on(get, "/recordings/live/{recordingName}", "getLive", "LiveRecording", "", s.getLive),
		on(del, "/recordings/live/{recordingName}", "cancel", "void", "", s.cancel),
		on(post, "/recordings/live/{recordingName}/stop", "stop", "void", "", s.onTape(func(file string) engine.Command { return engine.StopRecord{File: file} })),
		on(post, "/recordings/live/{recordingName}/pause", "pause", "void", "", s.onTape(pause(true))),
		on(del, "/recordings/live/{recordingName}/pause", "unpause", "void", "", s.onTape(pause(false))),
		on(post, "/recordings/live/{recordingName}/mute", "mute", "void", "", s.onTape(mute(true))),
		on(del, "/recordings/live/{recordingName}/mute", "unmute", "void", "", s.onTape(mute(false))),
	}
}
