package ariserver

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
)

// told are the names of the events since it was last asked, with what they say.
func (k *socket) told(t *testing.T) (list []string) {
	t.Helper()
	for {
		select {
		case frame := <-k.frames:
			var e struct {
				Type string
				Args []string
				Text string `json:"cause_txt"`
			}
			if err := json.Unmarshal(frame, &e); err != nil {
				t.Fatalf("%v of %s", err, frame)
			}
			list = append(list, strings.TrimSpace(strings.Join(append(append([]string{e.Type}, e.Args...), e.Text), " ")))
		default:
			return list
		}
	}
}

// arrives has the phone call a room by itself.
func (p *quietPhone) arrives(s *Server, room string) engine.Sink {
	sink := s.exchange.Arrive(p, engine.Invite{Room: room, Kind: "asterisk", Switch: "pbx2", Dialplan: true, Caller: engine.Caller{Number: "1001"}})
	sink.Post(engine.MediaUp{Leg: p.id})
	synctest.Wait()
	return sink
}

// TestACallerIsAChannelFromHisArrival: in its application as soon as he comes in.
func TestACallerIsAChannelFromHisArrival(t *testing.T) {
	slowly(t, "", func(t *testing.T, s *Server, p *quietPhone) {
		k := newSocket(&s.pacer)
		s.enlist(k, []string{"parley"}, false)
		sink := p.arrives(s, "1")
		if have, want := k.told(t), []string{"ChannelCreated"}; !slices.Equal(have, want) {
			t.Errorf("told %q, want %q", have, want)
		}
		time.Sleep(2 * time.Second)
		if have, want := k.told(t), []string{"StasisStart 1 member", "ChannelEnteredBridge"}; !slices.Equal(have, want) {
			t.Errorf("told %q, want %q", have, want)
		}
		sink.Post(engine.LegGone{Leg: p.id, Reason: engine.ReasonHangup})
		synctest.Wait()
		if have, want := k.told(t), []string{"ChannelLeftBridge", "StasisEnd", "ChannelDestroyed Normal Clearing", "BridgeDestroyed"}; !slices.Equal(have, want) {
			t.Errorf("told %q, want %q", have, want)
		}
	})
}

// TestWhoNeverComesInIsAChannel: at a greeting, and asked for a room's number.
func TestWhoNeverComesInIsAChannel(t *testing.T) {
	for room, how := range map[string]string{"1": "welcome", "": ""} {
		for end, want := range map[string][]string{
			"/channels/c":             {"ChannelHangupRequest", "ChannelDestroyed Normal Clearing"},
			"/channels/c?reason=busy": {"ChannelHangupRequest", "ChannelDestroyed User busy"},
			"he hangs up":             {"ChannelDestroyed Normal Clearing"},
		} {
			slowly(t, how, func(t *testing.T, s *Server, p *quietPhone) {
				k := newSocket(&s.pacer)
				s.enlist(k, []string{"parley"}, false)
				sink := p.arrives(s, room)
				if list := get(t, s, "/channels").Body.String(); !strings.Contains(list, `"state":"Up"`) || !strings.Contains(list, `"exten":"`+room+`"`) {
					t.Errorf("channels %s", list)
				}
				for _, path := range []string{"mute", "play?media=sound:x", "continue"} {
					if got := order(t, s, http.MethodPost, "/channels/c/"+path); got != http.StatusPreconditionFailed {
						t.Errorf("%s: %d", path, got)
					}
				}
				if strings.HasPrefix(end, "/") {
					if got := order(t, s, http.MethodDelete, end); got != http.StatusNoContent {
						t.Errorf("%d", got)
					}
				} else {
					sink.Post(engine.LegGone{Leg: p.id, Reason: engine.ReasonHangup})
				}
				<-p.out
				synctest.Wait()
				if have := k.told(t); !slices.Equal(have, append([]string{"ChannelCreated"}, want...)) {
					t.Errorf("told %q, want %q", have, want)
				}
				if got := get(t, s, "/channels/c").Code; got != http.StatusNotFound {
					t.Errorf("then %d", got)
				}
			})
		}
	}
}
