package fsapi

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/engine"
)

// mobile is a phone that can be sent elsewhere, where there is what answers says.
type mobile struct {
	*phone
	answers []engine.Fact
}

func (p mobile) Redirect(op engine.OpID, _ string) {
	for i, f := range p.answers {
		if r, is := f.(engine.Redirected); is {
			r.Leg, r.Op = p.id, op
			f = r
		}
		time.AfterFunc(time.Duration(i)*time.Second, func() { p.sink.Post(f) })
	}
}

// TestACallIsDeflected in the words of a FreeSWITCH 1.11.1 with such phones, and is
// over then.
func TestACallIsDeflected(t *testing.T) {
	taken := engine.Redirected{}
	for want, tt := range map[string]struct {
		answers []engine.Fact
		to      string
		took    time.Duration
		stays   bool
	}{
		"+OK:SIP/2.0 200 OK\r\n\n": {
			answers: []engine.Fact{taken, engine.LegGone{Leg: onTheWay, Reason: engine.ReasonTransferred, Cause: engine.CauseBlindTransfer}}, took: time.Second,
		},
		"+OK:SIP/2.0 486 Busy Here\r\n\n": {answers: []engine.Fact{taken, engine.Redirected{Err: &engine.StaysError{Code: 486, Text: "Busy Here"}}}, took: time.Second},
		"+OK:no reply\n":                  {answers: []engine.Fact{taken}, took: deflectTime},
		"-ERR \"bob\" is no sip:, sips: or tel: URI of up to 512 plain characters\n": {to: "bob", stays: true},
		"-ERR the switch is away\n": {answers: []engine.Fact{engine.Redirected{Err: fmt.Errorf("%w: the switch is away", engine.ErrCannot)}}, stays: true},
	} {
		bubble(t, func(r *rig) {
			r.call("3001", "1", nil)
			p := mobile{&phone{id: onTheWay, out: make(chan engine.Outcome, 1)}, tt.answers}
			p.sink = r.x.Arrive(p, engine.Invite{Room: "3001", Kind: "sip"})
			p.sink.Post(engine.MediaUp{Leg: p.id})
			r.wait()
			if tt.to == "" {
				tt.to = "sip:bob@h"
			}
			began := time.Now()
			r.says("uuid_deflect "+onTheWay+" "+tt.to, want)
			if took := time.Since(began); took != tt.took {
				t.Errorf("%q took %v", want, took)
			}
			if have := r.hungUp(); !tt.stays && !slices.Equal(have, []string{onTheWay + " BLIND_TRANSFER"}) || tt.stays && have != nil {
				t.Errorf("%q: told %q", want, have)
			}
		})
	}
}
