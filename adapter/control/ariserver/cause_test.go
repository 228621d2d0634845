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
