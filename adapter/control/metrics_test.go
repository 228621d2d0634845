package control_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"parley/engine"
)

// scraped are the lines of /metrics.
func (h *house) scraped(t *testing.T) string {
	t.Helper()
	a := h.get(t, "/metrics")
	if a.Code != http.StatusOK || !strings.HasPrefix(a.Header().Get("Content-Type"), "text/plain") {
		t.Fatalf("%d %v", a.Code, a.Header())
	}
	return a.Body.String()
}

func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, "\n"+line+"\n") {
			name, _, _ := strings.Cut(line, "{")
			var like []string
			for l := range strings.Lines(text) {
				if strings.HasPrefix(l, name) {
					like = append(like, l)
				}
			}
			t.Errorf("no line %q; there is\n%s", line, strings.Join(like, ""))
		}
	}
}

func TestMetrics(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		wantLines(t, h.scraped(t), `parley_admissions_total{reason="",result="joined"} 0`, "parley_rooms 0", "parley_legs 0",
			`parley_admissions_total{reason="full",result="rejected"} 0`,
			`parley_admissions_total{reason="node_busy",result="failed"} 0`, `parley_leaves_total{reason="kicked"} 0`)
		a := h.join(t, "3001", "a")
		h.join(t, "3001", "b")
		h.join(t, "3001", "c")
		full := h.arrive(t, "3001", "d", map[string]string{"pin": "4711"})
		<-full.out
		wrong := h.arrive(t, "3001", "e", map[string]string{"pin": "1"})
		synctest.Wait()
		wrong.sink.Post(engine.Digit{Leg: "e", Digit: '#'}) // one try that the header made, one by hand
		<-wrong.out
		gone := h.arrive(t, "3001", "f", nil)
		gone.sink.Post(engine.LegGone{Leg: "f", Reason: engine.ReasonHangup})
		<-gone.out
		busy := h.arrive(t, "not a room", "g", nil)
		<-busy.out
		a.sink.Post(engine.LegGone{Leg: "a", Reason: engine.ReasonMediaLost})
		synctest.Wait()
		h.turn()
		<-a.out
		kicked, _ := h.do(t, "DELETE", "/v1/rooms/3001/participants/2", "")
		kicked.want(http.StatusNoContent, "")
		wantLines(t, h.scraped(t),
			`parley_admissions_total{reason="",result="joined"} 3`,
			`parley_admissions_total{reason="full",result="rejected"} 1`,
			`parley_admissions_total{reason="pin_failed",result="rejected"} 1`,
			`parley_admissions_total{reason="hangup",result="failed"} 1`,
			`parley_admissions_total{reason="bad_room_name",result="rejected"} 1`,
			`parley_leaves_total{reason="media_lost"} 1`,
			`parley_leaves_total{reason="kicked"} 1`,
			`parley_pin_failures_total 1`,
			"parley_rooms 1", "parley_legs 1",
			"parley_ticks_total 100", "parley_ticks_late_total 20", "parley_ticks_overdue_total 3",
			`parley_rtp_packets_dropped_total{why="late"} 21`, // of the legs that are gone, too
			`parley_rtp_packets_dropped_total{why="source"} 7`,
			"parley_sip_calls_in_total 7",
		)
		if text := h.scraped(t); !strings.Contains(text, "\ngo_goroutines ") || !strings.Contains(text, "\nprocess_cpu_seconds_total ") {
			t.Error("nothing about the process itself")
		}
	})
}

// TestEveryReasonHasASeries: an alert on a reason that never was works too.
func TestEveryReasonHasASeries(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		text := h.scraped(t)
		for _, r := range engine.Reasons() {
			if !strings.Contains(text, `parley_admissions_total{reason="`+string(r)+`",`) ||
				!strings.Contains(text, `parley_leaves_total{reason="`+string(r)+`"} 0`) {
				t.Errorf("no series of %s", r)
			}
		}
	})
}

// TestAWaitIsOneAdmission: waiting and then joining is one call.
func TestAWaitIsOneAdmission(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		d := silent()
		d.Profiles["default"].WaitForModerator = true
		h.Reload(t.Context(), d)
		h.arrive(t, "3001", "m", map[string]string{"pin": "4711"})
		synctest.Wait()
		h.turn()
		wantLines(t, h.scraped(t), `parley_admissions_total{reason="",result="joined"} 1`)
		h.arrive(t, "3001", "boss", map[string]string{"role": "moderator"})
		for range 3 {
			synctest.Wait()
			h.turn()
		}
		if v, err := h.Room(t.Context(), "3001"); err != nil || v.State != "active" || v.Members[0].State != "joined" {
			t.Fatalf("%+v %v", v, err)
		}
		wantLines(t, h.scraped(t), `parley_admissions_total{reason="",result="joined"} 2`)
	})
}
