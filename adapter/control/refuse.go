package control

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"parley/engine"
)

// refuse turns an error's class into a status and a code.
func (s *server) refuse(w http.ResponseWriter, err error) {
	status, code := class(err)
	p := Problem{Code: code, Message: err.Error()}
	if no, ok := errors.AsType[*engine.NotTakenError](err); ok {
		p.Calls = append(stragglers("conference", no.Absent), stragglers("room", no.Stayed)...)
	}
	reply(w, status, p)
}

func stragglers(where string, calls []engine.Absent) (list []Straggler) {
	for _, a := range calls {
		list = append(list, Straggler{Call: a.Leg, Number: a.Number, Name: a.Name, Why: a.Why, Where: where})
	}
	return list
}

// class is an error's status and code; that of a refusal is its reason.
func class(err error) (status int, code string) {
	if no, ok := errors.AsType[*engine.RefusalError](err); ok {
		if no.Reason == engine.ReasonNodeBusy {
			return http.StatusServiceUnavailable, string(no.Reason)
		}
		return http.StatusConflict, string(no.Reason)
	}
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{engine.ErrNoRoom, http.StatusNotFound, "room_not_running"},
		{engine.ErrNoMember, http.StatusNotFound, "participant_not_found"},
		{engine.ErrNoCall, http.StatusNotFound, "call_not_found"},
		{engine.ErrNoJob, http.StatusNotFound, "job_not_found"},
		{engine.ErrBadRoomName, http.StatusUnprocessableEntity, "bad_room_name"},
		{engine.ErrBadCommand, http.StatusUnprocessableEntity, "bad_value"},
		{engine.ErrNoRoute, http.StatusUnprocessableEntity, "no_endpoint"},
		{engine.ErrTooManyDials, http.StatusTooManyRequests, "limit_dials"},
		{engine.ErrNoRecording, http.StatusConflict, "not_recording"},
		{engine.ErrNotRecorded, http.StatusInternalServerError, "recording_failed"},
		{engine.ErrInUse, http.StatusConflict, "in_use"},
		{engine.ErrMoving, http.StatusConflict, "room_moving"},
		{engine.ErrAway, http.StatusBadGateway, "switch_away"},
		{engine.ErrCannot, http.StatusConflict, "not_possible"},
		{engine.ErrCannotMove, http.StatusConflict, "cannot_move"},
		{engine.ErrNotMoved, http.StatusBadGateway, "not_moved"},
		{ErrNotOurs, http.StatusConflict, "not_ours"},
		{ErrSwitch, http.StatusBadGateway, "switch_failed"},
		{engine.ErrClosed, http.StatusConflict, "room_ended"},
		{context.DeadlineExceeded, http.StatusGatewayTimeout, "not_confirmed"},
	} {
		if errors.Is(err, c.err) {
			return c.status, c.code
		}
	}
	return http.StatusInternalServerError, "internal"
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(body) // the client is gone: nobody to tell
}

func fail(w http.ResponseWriter, status int, code, message string) {
	reply(w, status, Problem{Code: code, Message: message})
}
