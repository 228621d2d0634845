package ariserver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"

	"parley/engine"
)

// endings are what is told of how calls were made and have ended, since it was last
// asked.
func (k *socket) endings(t *testing.T) (list []string) {
	t.Helper()
	for {
		select {
		case frame := <-k.frames:
			var e struct {
				Type, Dialstatus string
				Cause            int
				Text             string `json:"cause_txt"`
			}
			if err := json.Unmarshal(frame, &e); err != nil {
				t.Fatalf("%v of %s", err, frame)
			}
			switch e.Type {
			case "Dial":
				list = append(list, e.Dialstatus)
			case "ChannelDestroyed":
				list = append(list, fmt.Sprint(e.Cause, " ", e.Text))
			}
		default:
			return list
		}
	}
}

// TestTheEndOfACallInAsterisksWords: asked of an Asterisk 22, with one phone.
func TestTheEndOfACallInAsterisksWords(t *testing.T) {
	for cause, want := range map[engine.Cause][]string{
		engine.CauseNone:        {"", "RINGING", "NOANSWER", "16 Normal Clearing"}, // a client has given it up
		engine.CauseBusy:        {"", "RINGING", "BUSY", "17 User busy"},
		engine.CauseNoResponse:  {"", "RINGING", "NOANSWER", "18 No user responding"},
		engine.CauseNoAnswer:    {"", "RINGING", "NOANSWER", "19 User alerting, no answer"},
		engine.CauseRejected:    {"", "RINGING", "NOANSWER", "21 Call Rejected"},
		engine.CauseUnallocated: {"", "RINGING", "NOANSWER", "1 Unallocated (unassigned) number"},
		engine.CauseCircuits:    {"", "RINGING", "CONGESTION", "34 Circuit/channel congestion"},
		engine.CauseNoRoute:     {"", "RINGING", "CHANUNAVAIL", "3 No route to destination"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer()
			calls(t, s, func(ctx context.Context, c engine.OutCall) error {
				c.Ringing(180)
				if cause != engine.CauseNone {
					return &engine.CallError{Cause: cause}
				}
				<-ctx.Done()
				return ctx.Err()
			})
			k := newSocket(&s.pacer)
			s.enlist(k, []string{"all"}, true)
			if got := order(t, s, http.MethodPost, "/channels/c?app=a&extension=1&endpoint=sip:x@y"); got != http.StatusOK {
				t.Fatal(got)
			}
			if synctest.Wait(); cause == engine.CauseNone {
				order(t, s, http.MethodDelete, "/channels/c")
				synctest.Wait()
			}
			if got := k.endings(t); !slices.Equal(got, want) {
				t.Errorf("%s: told %q, want %q", cause, got, want)
			}
		})
	}
}

// TestACallEndsByTheCauseThatAClientNames, as at an Asterisk 22 with the same phone.
func TestACallEndsByTheCauseThatAClientNames(t *testing.T) {
	for _, tt := range []struct{ query, dial, over string }{
		{"", "NOANSWER", "16 Normal Clearing"},
		{"?reason=normal", "NOANSWER", "16 Normal Clearing"},
		{"?reason=busy", "BUSY", "17 User busy"},
		{"?reason=congestion", "CONGESTION", "34 Circuit/channel congestion"},
		{"?reason=no_answer", "NOANSWER", "19 User alerting, no answer"},
		{"?reason=timeout", "NOANSWER", "18 No user responding"},
		{"?reason=rejected", "NOANSWER", "21 Call Rejected"},
		{"?reason=unallocated", "NOANSWER", "1 Unallocated (unassigned) number"},
		{"?reason=normal_unspecified", "NOANSWER", "31 Normal, unspecified"},
		{"?reason=number_incomplete", "NOANSWER", "28 Invalid number format"},
		{"?reason=codec_mismatch", "NOANSWER", "58 Bearer capability not available"},
		{"?reason=interworking", "NOANSWER", "127 Interworking, unspecified"},
		{"?reason=failure", "NOANSWER", "38 Network out of order"},
		{"?reason=answered_elsewhere", "NOANSWER", "26 Answered elsewhere"},
		{"?reason_code=38", "NOANSWER", "38 Network out of order"},
		{"?reason_code=5", "NOANSWER", "31 Normal, unspecified"}, // there 5
	} {
		synctest.Test(t, func(t *testing.T) { // one that rings
			s := newServer()
			calls(t, s, func(ctx context.Context, c engine.OutCall) error {
				c.Ringing(180)
				<-ctx.Done()
				return ctx.Err()
			})
			ends(t, s, tt.query, []string{"", "RINGING", tt.dial, tt.over})
		})
		slowly(t, "", func(t *testing.T, s *Server, _ *quietPhone) { // one that was answered
			ends(t, s, tt.query, []string{"", "ANSWER", tt.over})
		})
	}
}

// ends has a call made and hung up, and checks what was told of it.
func ends(t *testing.T, s *Server, query string, want []string) {
	t.Helper()
	k := newSocket(&s.pacer)
	s.enlist(k, []string{"all"}, true)
	comes(t, s)
	if got := order(t, s, http.MethodDelete, "/channels/c"+query); got != http.StatusNoContent {
		t.Errorf("%s: %d", query, got)
	}
	synctest.Wait()
	if got := k.endings(t); !slices.Equal(got, want) {
		t.Errorf("%s: told %q, want %q", query, got, want)
	}
}

// TestACreatedCallEndsByItsReason: a name of Asterisk's, or a number.
func TestACreatedCallEndsByItsReason(t *testing.T) {
	for query, want := range map[string]string{
		"": "16 Normal Clearing", "?reason=busy": "17 User busy", "?reason=congestion": "34 Circuit/channel congestion", "?reason=no_answer": "19 User alerting, no answer",
		"?reason=answered_elsewhere": "26 Answered elsewhere", "?reason_code=38": "38 Network out of order", "?reason_code=5": "31 Normal, unspecified", // there 5
	} {
		s := newServer()
		k := newSocket(&s.pacer)
		s.enlist(k, []string{"all"}, true)
		if got := order(t, s, http.MethodPost, "/channels/create?app=a&endpoint=sip:x@y&channelId=c"); got != http.StatusOK {
			t.Fatal(got)
		}
		order(t, s, http.MethodDelete, "/channels/c"+query)
		if got := k.endings(t); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: told %q, want %q", query, got, want)
		}
	}
}
