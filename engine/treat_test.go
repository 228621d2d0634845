package engine

import (
	"errors"
	"testing"
	"testing/synctest"
)

// Treat is engine.Treater's, on the stage.
func (b *stage) Treat(op OpID, m MemberID, t Treatment) {
	b.mu.Lock()
	if b.treated == nil {
		b.treated = map[MemberID]Treatment{}
	}
	b.treated[m] = t
	s := b.states[m]
	b.mu.Unlock()
	b.post(Applied{Op: op, Member: m, State: s})
}

// Press is engine.Presser's.
func (p *phone) Press(digits string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.attent {
		return errors.New("no way for keys")
	}
	p.keys += digits
	return nil
}

func TestAMembersOwnTreatment(t *testing.T) {
	if got := (Treatment{OwnGate: true, Gate: -40}).Of(Sound{Gate: -30, AGC: true, Noise: -60}); got != (Sound{Gate: -40, AGC: true, Noise: -60}) {
		t.Errorf("%+v", got)
	}
	switched(t, nil, func(t *testing.T, th *theatre) {
		th.dial("a", "1", pbx1, pbx1, nil)
		th.dial("b", "1", pbx1, pbx1, nil)
		synctest.Wait()
		own := Treatment{OwnAGC: true, AGC: true}
		live(t, th, Treat{Member: 2, To: func() Treatment { return own }})
		if got := th.stageAt(pbx1).treated; got[2] != own || got[1] != (Treatment{}) {
			t.Errorf("%+v", got)
		}
		if err := th.Do(t.Context(), "1", Treat{Member: 7}); !errors.Is(err, ErrNoMember) {
			t.Errorf("%v", err)
		}
		if _, err := th.Relocate(t.Context(), "1", Place{}); err != nil {
			t.Fatal(err)
		}
		if got := th.stageAt(Place{}).treated; got[2] != own || len(got) != 1 {
			t.Errorf("after the move %+v", got)
		}
	})
}

func TestKeysForAMember(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a := th.call("a", "1", nil)
		synctest.Wait()
		live(t, th, Press{Member: 1, Digits: "1#"})
		live(t, th, Press{Member: 1, Digits: "A"})
		want(t, "keys", a.keys, "1#A")
		for c, class := range map[Press]error{
			{Member: 1}:                ErrBadCommand,
			{Member: 1, Digits: "1 2"}: ErrBadCommand,
			{Member: 9, Digits: "1"}:   ErrNoMember,
		} {
			if err := th.Do(t.Context(), "1", c); !errors.Is(err, class) {
				t.Errorf("%+v: %v", c, err)
			}
		}
		a.listen()
		if err := th.Do(t.Context(), "1", Press{Member: 1, Digits: "1"}); !errors.Is(err, ErrCannot) {
			t.Errorf("%v", err)
		}
	})
}

func TestMusicIsChangedWhileItPlays(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a := th.call("a", "1", nil)
		synctest.Wait()
		a.sounds()
		live(t, th, Rule{Name: "moh_sound", Value: "other"})
		want(t, "heard", a.sounds(), "*other")
		live(t, th, Rule{Name: "moh_sound"})
		want(t, "heard", a.sounds(), "")
		live(t, th, Rule{Name: "moh_sound", Value: "again"})
		want(t, "heard", a.sounds(), "*again")
	})
}
