package control_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"parley/codec"
	"parley/engine"
)

// route makes calls that the test answers: nowhere is nowhere, busy is busy,
// and whoever is asked for at "up" answers at once.
func (h *house) route(address string) (engine.Way, error) {
	if address == "nowhere" {
		return nil, fmt.Errorf("%w: nowhere", engine.ErrNoRoute)
	}
	return func(ctx context.Context, c engine.OutCall) error {
		h.calls <- c
		switch address {
		case "busy":
			return &engine.CallError{Cause: engine.CauseBusy, SIP: 486, Text: "Busy Here"}
		case "up":
			leg, err := h.sw.NewLeg(c.Leg, &wire{}, codec.PCMU())
			if err != nil {
				return err
			}
			up := &caller{Leg: leg, out: make(chan engine.Outcome, 1)}
			up.sink = h.Arrive(up, c.Invite)
			up.Attach(up.sink)
			up.sink.Post(engine.MediaUp{Leg: c.Leg})
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}, nil
}

// legs is the answer to an order.
type legs struct {
	Legs []struct {
		Address string
		Job     string `json:"job_id"`
		Call    string `json:"call_id"`
		Problem *struct{ Code string }
	}
}

func TestOneBadEndpointDoesNotHinderTheOthers(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		a, _ := h.do(t, "POST", "/v1/rooms/3001/dial", `{"caller_id_name":"Board","caller_id_number":"500","timeout_s":30,"endpoints":
			["up",{"address":"busy","name":"Bob","number":"2","role":"moderator","timeout_s":1.5,"vars":{"muted":"true"}},"nowhere"]}`)
		a.want(http.StatusAccepted, "")
		var got legs
		a.read(&got)
		if len(got.Legs) != 3 || got.Legs[0].Call == "" || got.Legs[2].Job != "" || got.Legs[2].Problem.Code != "no_endpoint" {
			t.Fatalf("%+v", got)
		}
		for range 2 { // the calls begin in any order
			c := <-h.calls
			want := `{500 Board} 30s {"" ""} map[enforce_security:false]`
			if c.Invite.Caller.Name == "Bob" {
				want = `{500 Board} 1.5s {"2" "Bob"} map[enforce_security:false muted:true role:moderator]`
			}
			if s := fmt.Sprintf("%v %v {%q %q} %v", c.Caller, c.Timeout, c.Invite.Caller.Number, c.Invite.Caller.Name, c.Invite.Variables); s != want {
				t.Errorf("got %s, want %s", s, want)
			}
		}
		for i, want := range []string{`"state": "success"`, `"cause": "USER_BUSY"`} {
			a, _ := h.do(t, "GET", "/v1/jobs/"+got.Legs[i].Job+"?wait=5s", "")
			a.want(http.StatusOK, "")
			if !strings.Contains(a.Body.String(), want) {
				t.Errorf("%s is not in %s", want, a.Body)
			}
		}
		h.turn()
		if v, err := h.Room(t.Context(), "3001"); err != nil || len(v.Members) != 1 || string(v.Members[0].CallID) != got.Legs[0].Call {
			t.Errorf("%+v %v", v, err)
		}
	})
}

func TestACallIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		a, _ := h.do(t, "POST", "/v1/rooms/3001/dial", `{"endpoints":["rings"]}`)
		var got legs
		a.read(&got)
		h.get(t, "/v1/jobs/"+got.Legs[0].Job).want(http.StatusOK, "")
		h.send(t, request("DELETE", "/v1/jobs/"+got.Legs[0].Job, "")).want(http.StatusNoContent, "")
		synctest.Wait()
		if a := h.get(t, "/v1/jobs/"+got.Legs[0].Job); !strings.Contains(a.Body.String(), "ORIGINATOR_CANCEL") {
			t.Error(a.Body)
		}
	})
}

func TestOrdersAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		for _, tt := range []struct {
			body   string
			status int
			code   string
		}{
			{`{"endpoints":["nowhere"]}`, http.StatusUnprocessableEntity, "no_endpoint"},
			{`{"endpoints":[]}`, http.StatusUnprocessableEntity, "bad_value"},
			{`{"endpoints":["a\nb"]}`, http.StatusUnprocessableEntity, "bad_value"},
			{`{"endpoints":["up"],"timeout_s":1e300}`, http.StatusUnprocessableEntity, "bad_value"},
			{`{"endpoints":[{"addres":"up"}]}`, http.StatusUnprocessableEntity, "unknown_field"},
			{`{"endpoints":[{"address":7}]}`, http.StatusUnprocessableEntity, "bad_body"},
		} {
			a, _ := h.do(t, "POST", "/v1/rooms/3001/dial", tt.body)
			a.want(tt.status, tt.code)
		}
		a, _ := h.do(t, "POST", "/v1/rooms/3001/dial", `{"endpoints":["rings","rings","rings"]}`) // two are allowed
		if !strings.Contains(a.Body.String(), "limit_dials") {
			t.Error(a.Body)
		}
		a, _ = h.do(t, "POST", "/v1/rooms/3001/dial", `{"endpoints":["rings"]}`)
		a.want(http.StatusTooManyRequests, "limit_dials")
		h.SetBusy(true)
		a, _ = h.do(t, "POST", "/v1/rooms/3002/dial", `{"endpoints":["up"]}`)
		a.want(http.StatusServiceUnavailable, "node_busy")
		h.get(t, "/v1/jobs/x").want(http.StatusNotFound, "job_not_found")
		h.get(t, "/v1/jobs/x?wait=1h").want(http.StatusUnprocessableEntity, "bad_value")
		h.send(t, request("DELETE", "/v1/jobs/x", "")).want(http.StatusNotFound, "job_not_found")
	})
}
