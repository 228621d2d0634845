package control_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestRecordingsThatCannotBe(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.join(t, "3001", "a")
		for _, tt := range []struct {
			method, path, body string
			status             int
			code               string
		}{
			{"GET", "/v1/rooms/3002/recordings", "", http.StatusNotFound, "room_not_running"},
			{"POST", "/v1/rooms/3002/recordings", `{}`, http.StatusNotFound, "room_not_running"},
			{"POST", "/v1/rooms/3001/recordings", `{"file":"x"}`, http.StatusConflict, "not_possible"}, // this bridge records nothing
			{"POST", "/v1/rooms/3001/recordings", `{"name":"x"}`, http.StatusUnprocessableEntity, "unknown_field"},
			{"DELETE", "/v1/rooms/3001/recordings", "", http.StatusConflict, "not_recording"},
			{"POST", "/v1/rooms/3001/recordings/pause", `{"file":"x"}`, http.StatusConflict, "not_recording"},
			{"POST", "/v1/rooms/3001/recordings/resume", `{}`, http.StatusConflict, "not_recording"},
		} {
			h.send(t, request(tt.method, tt.path, tt.body)).want(tt.status, tt.code)
		}
		if a := h.get(t, "/v1/rooms/3001/recordings"); a.Code != http.StatusOK || !strings.Contains(a.Body.String(), `"recordings": []`) {
			t.Errorf("%d %s", a.Code, a.Body)
		}
	})
}
