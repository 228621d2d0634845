package control_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"parley/adapter/control"
	"parley/engine"
)

// TestEndedLegsAreCountedOnce: by how much they lost, and how late they were;
// nobody's name is on the page of all.
func TestEndedLegsAreCountedOnce(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		a := h.join(t, "3001", "a")
		h.join(t, "3001", "b")
		wantLines(t, h.scraped(t), "parley_leg_loss_ratio_count 0", "parley_rtp_packets_received_total 180", "parley_rtp_packets_lost_total 20")
		a.sink.Post(engine.LegGone{Leg: "a", Reason: engine.ReasonHangup})
		synctest.Wait()
		h.turn()
		<-a.out
		text := h.scraped(t)
		wantLines(t, text, "parley_rtp_packets_lost_total 20",
			`parley_leg_loss_ratio_bucket{le="0.05"} 0`, `parley_leg_loss_ratio_bucket{le="0.1"} 1`,
			`parley_leg_late_ratio_bucket{le="0.02"} 0`, `parley_leg_late_ratio_bucket{le="0.05"} 1`,
			`parley_leg_delay_seconds_bucket{le="0.06"} 0`, `parley_leg_delay_seconds_bucket{le="0.08"} 1`,
			`parley_leg_jitter_seconds_bucket{le="0.002"} 0`, `parley_leg_jitter_seconds_bucket{le="0.005"} 1`, "parley_leg_jitter_seconds_sum 0.003")
		if strings.Contains(text, `"3001"`) {
			t.Error("the page of all names a room")
		}
	})
}

// TestALegThatNeverCameIsNotJudged.
func TestALegThatNeverCameIsNotJudged(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.metrics.Ended(control.Stream{Lost: 3})
		wantLines(t, h.scraped(t), "parley_leg_loss_ratio_count 0")
	})
}

func TestMetricsOfRooms(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.join(t, "3001", "a")
		h.join(t, "3001", "b")
		h.join(t, "3002", "c")
		page := func(query string) string {
			t.Helper()
			a := h.get(t, "/metrics?"+query)
			if a.Code != http.StatusOK || !strings.HasPrefix(a.Header().Get("Content-Type"), "text/plain") {
				t.Fatalf("%s: %d %v %s", query, a.Code, a.Header(), a.Body)
			}
			return "\n" + a.Body.String()
		}
		rooms := page("by=room")
		wantLines(t, rooms, `parley_room_members{room="3001"} 2`, `parley_room_members{room="3002"} 1`, `parley_room_talking{room="3001"} 0`,
			`parley_room_loss_ratio_max{room="3001"} 0.1`, `parley_room_delay_seconds_max{room="3002"} 0.07`)
		if strings.Contains(rooms, "parley_member_") || strings.Contains(rooms, "go_goroutines") {
			t.Errorf("more than rooms:\n%s", rooms)
		}
		one := page("room=3001&room=3001&room=9999")
		wantLines(t, one, `parley_room_members{room="3001"} 2`, `parley_room_members{room="9999"} 0`,
			`parley_member_loss_ratio{codec="PCMU/8000",member="2",room="3001"} 0.1`, `parley_member_late_packets_total{codec="PCMU/8000",member="1",room="3001"} 4`,
			`parley_member_delay_seconds{codec="PCMU/8000",member="1",room="3001"} 0.07`, `parley_member_jitter_seconds{codec="PCMU/8000",member="1",room="3001"} 0.003`,
			`parley_member_level_dbov{codec="PCMU/8000",member="1",room="3001"} -127`, `parley_member_talking{codec="PCMU/8000",member="1",room="3001"} 0`,
			`parley_member_floor{codec="PCMU/8000",member="2",room="3001"} 0`, "# TYPE parley_member_late_packets_total counter")
		if strings.Contains(one, `"3002"`) {
			t.Errorf("of another room:\n%s", one)
		}
		for _, query := range []string{"by=leg", "by=", "by=room&room=3001", strings.Repeat("room=1&", 101)} {
			h.get(t, "/metrics?"+query).want(http.StatusBadRequest, "bad_query")
		}
	})
}
