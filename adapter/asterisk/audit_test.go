package asterisk_test

import (
	"strings"
	"testing"
	"time"

	"parley/ari/aritest"
	"parley/engine"
)

// audited is a rig that compares itself with the switch all the time.
func audited(t *testing.T) *rig {
	return newRig(t, func(s *setup) { s.audit = 50 * time.Millisecond }).ready()
}

// mended waits until so many differences have been told, and none is left.
func (r *rig) mended(n uint64) {
	r.Helper()
	r.until("all differences are mended", func() bool {
		left, err := r.link.Audit(r.Context())
		return err == nil && len(left) == 0 && r.link.Mismatches() == n
	})
}

func TestNothingDiffersInAQuietRoom(t *testing.T) {
	r := audited(t)
	a, _ := r.pair()
	r.relocate("3200", engine.Place{})
	r.relocate("3200", ast1())
	a.Press("#")
	r.exit(a, aritest.Exit{How: aritest.Continued})
	r.mended(0)
}

func TestACallThatEndsUnseenIsFoundOut(t *testing.T) {
	r := audited(t)
	a, b := r.pair()
	r.ast.Unseen(a.Hangup)
	if e := r.await(engine.EventLeft, a.ID()); e.Reason != engine.ReasonHangup {
		t.Errorf("left by %s", e.Reason)
	}
	r.log.await(t, `audit.mismatch switch=ast1 room="" call=`+a.ID()+` what="on the roster, not at the switch"`)
	r.mended(1)
	b.Hangup()
}

func TestWhoIsPutOutUnseenIsFoundOut(t *testing.T) {
	r := audited(t)
	a, b := r.pair()
	r.ast.Unseen(a.PutOut)
	r.continued(a, map[string]string{"result": "joined", "reason": "kicked", "exit": "kicked", "member_id": "1"})
	r.mended(1)
	b.Hangup()
}

func TestACallThatComesUnseenIsServed(t *testing.T) {
	r := audited(t)
	var a *aritest.Call
	r.ast.Unseen(func() { a = r.ast.Call("room=3000") })
	r.joined(a)
	r.mended(1)
	a.Hangup()
}

func TestABridgeThatIsDestroyedUnseenIsMadeAgain(t *testing.T) {
	r := audited(t)
	a, b := r.pair()
	old := r.mixed("3200", a, b)
	r.ast.Unseen(func() { r.ast.DestroyBridge(old) })
	r.until("both are in another bridge", func() bool {
		id, _, n := a.Bridge()
		other, _, _ := b.Bridge()
		return id != old && id == other && n == 3 && strings.HasPrefix(id, "parley-room-")
	})
	if v, _ := r.exchange.Room(t.Context(), "3200"); len(v.Members) != 2 {
		t.Errorf("members %+v", v.Members)
	}
}

func TestBridgesOfADeadPredecessorAreRemoved(t *testing.T) {
	r := audited(t)
	const id = "-0b1c2d3e-1111-4111-8111-111111111111"
	for _, name := range []string{"parley-room-parley", "parley-bridge-parley", "parley-room-other", "parley-room-parley-two"} {
		r.ast.MakeBridge(name + id)
	}
	r.mended(2)
	if _, bridges := r.ast.Count(); bridges != 2 {
		t.Errorf("%d bridges are left, want those of others", bridges)
	}
}
