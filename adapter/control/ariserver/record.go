package ariserver

import (
	"context"
	"errors"
	"net/http"
	"slices"
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
		Duration *int   `json:"duration,omitempty"`         // s, once it has ended
		Talking  *int   `json:"talking_duration,omitempty"` // likewise, if silence could have ended it
		Silence  *int   `json:"silence_duration,omitempty"`
		Cause    string `json:"cause,omitempty"`

		subject   subject
		room      engine.RoomName
		member    engine.MemberID // 0 = it is of the bridge
		file      string
		terminate string // keys that end it
		measured  bool   // silence ends it
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
	wav           = "wav" // the only format
	maxDuration   = 24 * 60 * 60
	internalError = "Internal Server Error"
	invalidName   = "Recording name invalid"
	inBridge      = "Cannot record channel while in bridge" // Asterisk's, always; ours, where a switch mixes
)

// ofBridge and ofChannel are what record records. The caller holds mu.
func (s *Server) ofBridge(q *request) (live, *answer) {
	r := s.find(q.get("bridgeId"))
	if r == nil {
		a := no(http.StatusNotFound, "Bridge not found")
		return live{}, &a
	}
	return live{Target: "bridge:" + r.ID, subject: subject{bridge: r.ID}, room: r.name}, nil
}

func (s *Server) ofChannel(q *request) (live, *answer) {
	p, bad := s.toChannel(q)
	return live{Target: p.Target, subject: p.subject, room: p.room, member: p.member}, bad
}

// record begins a recording of what find finds.
func (s *Server) record(find func(*request) (live, *answer)) func(context.Context, *request) answer {
	return func(ctx context.Context, q *request) answer {
		command, bad := s.recordOrder(q)
		if bad != nil {
			return *bad
		}
		name := q.get("name")
		s.mu.Lock()
		t, bad := find(q)
		if bad == nil && s.tapes[name] != nil {
			a := recorded(name)
			bad = &a
		}
		if bad != nil {
			s.mu.Unlock()
			return *bad
		}
		t.Name, t.Format, t.State, t.file = name, wav, "queued", command.File
		t.terminate, t.measured = terminators(q.get("terminateOn")), command.MaxSilence > 0
		command.Member = t.member
		s.tapes[name] = &t
		queued := t
		s.mu.Unlock()
		if bad := s.begin(ctx, &t, command, truth(q.get("beep"))); bad != nil {
			return *bad
		}
		return answer{status: http.StatusCreated, body: queued, location: "/ari/recordings/live/" + name}
	}
}

// begin has the room record. As in Asterisk, that a channel cannot be recorded
// where it is, is told by an event.
func (s *Server) begin(ctx context.Context, t *live, command engine.Record, beep bool) *answer {
	var err error
	if beep {
		err = s.ask(ctx, t.room, engine.Play{Member: t.member, What: engine.Media{Items: []string{"tone:beep"}}})
	}
	if err == nil {
		err = s.ask(ctx, t.room, command)
	}
	if err == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.tapes[t.Name] == t // else its end has been told
	if known {
		delete(s.tapes, t.Name)
	}
	if t.member != 0 && errors.Is(err, engine.ErrCannot) {
		if known {
			t.State, t.Cause = "failed", inBridge
			s.tell("RecordingFailed", time.Now(), &ofRecording{Recording: *t}, t.subject)
		}
		return nil
	}
	a := recordFailed(err)
	if errors.Is(err, engine.ErrInUse) {
		a = recorded(t.Name)
	}
	return &a
}

// endTape ends a recording that has perhaps ended already.
func (s *Server) endTape(ctx context.Context, name engine.RoomName, file string) {
	_ = s.ask(ctx, name, engine.StopRecord{File: file}) // then there is nothing to say
}

// pressed ends what a key ends: the recording of its channel, and that of the
// bridge it is in. The caller holds mu, and is the room itself: it is asked
// later.
func (s *Server) pressed(c *call, key byte) {
	for _, t := range s.tapes {
		if strings.IndexByte(t.terminate, key) >= 0 && (t.member == 0 && t.room == c.room || t.member != 0 && t.subject.channel == c.ID) {
			go s.endTape(context.Background(), t.room, t.file)
		}
	}
}

func recorded(name string) answer {
	return no(http.StatusConflict, "Recording '"+name+"' already exists and can not be overwritten")
}

// terminators are the keys that terminateOn means.
func terminators(text string) string {
	switch text {
	case "any":
		return "0123456789*#ABCD"
	case "none":
		return ""
	}
	return text
}

// recordOrder reads what a client wants.
func (s *Server) recordOrder(q *request) (c engine.Record, bad *answer) {
	refuse := func(status int, text string) (engine.Record, *answer) {
		a := no(status, text)
		return engine.Record{}, &a
	}
	exists := map[string]engine.Exists{
		"": engine.ExistsFail, "fail": engine.ExistsFail, "overwrite": engine.ExistsReplace, "append": engine.ExistsAppend,
	}
	var known bool
	c.File = q.get("name") + recording.Extension
	c.Exists, known = exists[q.get("ifExists")]
	_, badName := s.opt.Recordings.Name(c.File)
	switch {
	case q.get("name") == "":
		return refuse(http.StatusInternalServerError, "Error parsing request")
	case q.get("format") != wav:
		return refuse(http.StatusUnprocessableEntity, "specified format is unknown on this system")
	case !known:
		return refuse(http.StatusBadRequest, "ifExists invalid")
	case badName != nil:
		return refuse(http.StatusBadRequest, invalidName)
	case !slices.Contains([]string{"", "none", "any", "*", "#"}, q.get("terminateOn")):
		return refuse(http.StatusBadRequest, "terminateOn invalid")
	}
	if c.MaxDuration, bad = q.seconds("maxDurationSeconds", "max_duration_seconds"); bad == nil {
		c.MaxSilence, bad = q.seconds("maxSilenceSeconds", "max_silence_seconds")
	}
	if c.Exists == engine.ExistsAppend {
		c.Rate = s.rateOf(c.File)
	}
	return c, bad
}

// seconds reads one of the two limits of a recording; words are its name where
// Asterisk refuses it.
func (q *request) seconds(name, words string) (time.Duration, *answer) {
	text := q.get(name)
	n, err := strconv.Atoi(text)
	var bad answer
	switch {
	case text == "":
		return 0, nil
	case n < 0:
		bad = no(http.StatusBadRequest, words+" cannot be negative")
	case err != nil || n > maxDuration:
		bad = no(http.StatusBadRequest, name+" must be 0 to "+strconv.Itoa(maxDuration))
	default:
		return time.Duration(n) * time.Second, nil
	}
	return 0, &bad
}

// rateOf is the rate of a recording that is to be added to; 0 = there is none
// here. What cannot be added to is refused by the place that records.
func (s *Server) rateOf(file string) int {
	name, err := s.opt.Recordings.Name(file)
	if err != nil {
		return 0
	}
	rate, err := s.opt.Recordings.Rate(name)
	if err != nil {
		return 0
	}
	return int(rate)
}

// recordFailed is an error about a recording in Asterisk's words.
func recordFailed(err error) answer {
	switch {
	case errors.Is(err, engine.ErrCannot):
		return no(http.StatusConflict, engine.Detail(err))
	case errors.Is(err, engine.ErrBadCommand): // a link leads out of the folder: the words tell where it is
		return no(http.StatusBadRequest, invalidName)
	case errors.Is(err, engine.ErrNoRoom), errors.Is(err, engine.ErrNoMember):
		return no(http.StatusConflict, "Bridge is empty: there is nothing to record")
	case errors.Is(err, engine.ErrNoRecording):
		return no(http.StatusNotFound, "Recording not found")
	case errors.Is(err, engine.ErrNotRecorded): // the log has why: the system's words tell where the folder is
		return no(http.StatusInternalServerError, internalError)
	default:
		return failed(err)
	}
}
