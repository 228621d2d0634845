package fsapi

import (
	"cmp"
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
	gone := func(cause engine.Cause) engine.Fact {
		return engine.LegGone{Leg: onTheWay, Reason: engine.ReasonTransferred, Cause: cause}
	}
	for _, tt := range []struct {
		want    string
		answers []engine.Fact
		to      string
		took    time.Duration
		ends    string // with this cause; "": it stays
	}{
		{"+OK:SIP/2.0 200 OK\r\n\n", []engine.Fact{taken, gone(engine.CauseBlindTransfer)}, "", time.Second, "BLIND_TRANSFER"},
		{"+OK:SIP/2.0 486 Busy Here\r\n\n", []engine.Fact{taken, engine.Redirected{Err: &engine.StaysError{Code: 486, Text: "Busy Here"}}}, "", time.Second, "BLIND_TRANSFER"},
		{"+OK:no reply\n", []engine.Fact{taken}, "", deflectTime, "BLIND_TRANSFER"},
		{"+OK:no reply\n", []engine.Fact{taken, gone("")}, "", time.Second, "NORMAL_CLEARING"}, // its phone hangs up
		{"-ERR \"bob\" is no sip:, sips: or tel: URI of up to 512 plain characters\n", nil, "bob", 0, ""},
		{"-ERR the switch is away\n", []engine.Fact{engine.Redirected{Err: fmt.Errorf("%w: the switch is away", engine.ErrCannot)}}, "", 0, ""},
	} {
		bubble(t, func(r *rig) {
			r.call("3001", "1", nil)
			p := mobile{&phone{id: onTheWay, out: make(chan engine.Outcome, 1)}, tt.answers}
			p.sink = r.x.Arrive(p, engine.Invite{Room: "3001", Kind: "sip"})
			p.sink.Post(engine.MediaUp{Leg: p.id})
			r.wait()
			began := time.Now()
			r.says("uuid_deflect "+onTheWay+" "+cmp.Or(tt.to, "sip:bob@h"), tt.want)
			if took := time.Since(began); took != tt.took {
				t.Errorf("%q took %v", tt.want, took)
			}
			var ended []string
			if tt.ends != "" {
				ended = []string{onTheWay + " " + tt.ends}
			}
			if have := r.hungUp(); !slices.Equal(have, ended) {
				t.Errorf("%q: told %q, want %q", tt.want, have, ended)
			}
		})
	}
}
