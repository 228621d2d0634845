package sip

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// What is settled is only an answer that may be wanted again: no machine, no
// request, no call.
func TestSettledRequestsAreAnswersOnly(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		inv := l.invite(pcmuSDP)
		l.send(inv)
		r.p.response(100)
		tag := tagIn(r.p.response(200).get("To"))
		if n := r.servers.len(); n != 0 {
			t.Errorf("%d machines of an answered INVITE", n)
		}
		l.send(inv) // a copy: what was answered is repeated by the call, not for it
		r.p.quiet(timerT1 / 2)
		l.send(l.request("CANCEL")) // too late, but it is known what for
		if ok := r.p.response(200); ok.get("CSeq") != "1 CANCEL" || tagIn(ok.get("To")) != tag {
			t.Errorf("CANCEL answered with %+v", ok)
		}
		l.remote = tag
		l.send(l.request("ACK"))
		bye := l.request("BYE")
		l.send(bye)
		first := r.p.response(200)
		if n := r.servers.len(); n != 0 {
			t.Errorf("%d machines of a BYE that is answered", n)
		}
		time.Sleep(giveUp - time.Second)
		l.send(bye)
		if again := r.p.response(200); fmt.Sprint(again) != fmt.Sprint(first) {
			t.Errorf("answered with %+v, then %+v", first, again)
		}
		time.Sleep(2 * time.Second)
		if n := r.answers.len(); n != 0 {
			t.Errorf("%d answers kept", n)
		}
		l.send(bye)
		r.p.response(481)
	})
}

func TestAnswersAreForgottenInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a answers
		for i := range 3 {
			a.add(fmt.Sprint(i), answer{tag: fmt.Sprint(i)}, time.Now())
			time.Sleep(time.Second)
		}
		time.Sleep(giveUp - 3*time.Second - time.Millisecond)
		for i := range 3 {
			synctest.Wait()
			if got, ok := a.find(fmt.Sprint(i)); !ok || got.tag != fmt.Sprint(i) {
				t.Errorf("answer %d: %+v, %v", i, got, ok)
			}
			time.Sleep(time.Millisecond)
			synctest.Wait()
			if _, ok := a.find(fmt.Sprint(i)); ok || a.len() != 2-i {
				t.Errorf("answer %d kept; %d in all", i, a.len())
			}
			time.Sleep(time.Second - time.Millisecond)
		}
	})
}
