package freeswitch_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"parley/engine"
	"parley/esl/esltest"
)

// TestAConferenceComesToTheRoomOfItsName, which we mix: all of it, or nobody.
func TestAConferenceComesToTheRoomOfItsName(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.join(p.options(9, vars("3000")))
		var calls []*esltest.Call
		for n := 1; n <= 3; n++ {
			calls = append(calls, p.core.Enter(p.options(n, map[string]string{"hangup_after_bridge": "true", "sofia_profile_name": "internal"}), "3000@default"))
		}
		p.core.Refuse("uuid_dump "+uuid(2), "-ERR no reply\n")
		moves, err := p.adopts("3000", calls[0], calls[2])
		no, ok := errors.AsType[*engine.NotTakenError](err)
		if !ok || moves != nil || no.Calls != 3 || len(no.Absent) != 1 || string(no.Absent[0].Leg) != uuid(2) || len(no.Stayed) != 0 {
			t.Fatalf("%+v %v", moves, err)
		}
		if v := p.roster("3000"); len(v.Members) != 1 {
			t.Errorf("%+v", v.Members)
		}
		time.Sleep(11 * time.Second)
		for i, c := range calls {
			if in, ok := p.core.Member(uuid(i + 1)); !ok || in.Conference != "3000" || in.Beside || c.Var("hangup_after_bridge") != "true" || c.Var("parley_borrowed") != "" {
				t.Errorf("caller %d: %+v, %v, %q", i+1, in, ok, c.Var("parley_borrowed"))
			}
		}
		if f := p.adapter.Foreign(); len(f) != 1 || f[0].Name != "3000" || len(f[0].Members) != 3 {
			t.Errorf("%+v", f)
		}
		p.core.Refuse("uuid_dump "+uuid(2), "")
		if moves, err = p.adopts("3000", calls...); err != nil || len(moves) != 3 {
			t.Fatalf("%+v %v", moves, err)
		}
		ids := map[engine.MemberID]bool{}
		for i, m := range p.roster("3000").Members {
			ids[m.ID] = true
			if i < 3 && (moves[i].Member == 0 || moves[i].Gap <= 0 || moves[i].Gap > time.Second) {
				t.Errorf("%+v", moves[i])
			}
		}
		if len(ids) != 4 {
			t.Errorf("%v", ids)
		}
		for i := range calls {
			if in, ok := p.core.Member(uuid(i + 1)); !ok || !in.Beside {
				t.Error(fmt.Sprint("caller ", i+1, " is not with us: "), in, ok)
			}
		}
	})
}

// adopts takes a conference on, whose calls come to us.
func (p *pbx) adopts(room engine.RoomName, calls ...*esltest.Call) (moves []engine.Move, err error) {
	p.Helper()
	var done sync.WaitGroup
	done.Go(func() { moves, err = p.adapter.Adopt(p.Context(), room) })
	p.fetchAll(calls...)
	done.Wait()
	return moves, err
}
