package engine

import (
	"testing"
)

// TestAdmissionMatrix writes down where every step leads from every phase;
// a step that is not listed leaves the call where it is.
func TestAdmissionMatrix(t *testing.T) {
	type move struct {
		s  step
		to phase
	}
	refuse, gone, losing := move{stepRefuse, phaseParting}, move{stepLost, phaseGone}, move{stepLost, phaseLosing}
	removed, dismiss := move{stepRemoved, phaseParting}, move{stepDismiss, phaseRemoving}
	table := map[phase][]move{
		phaseArriving:  {{stepMediaUp, phaseGreeting}, {stepAskNumber, phaseNumber}, refuse, gone},
		phaseNumber:    {refuse, gone},
		phaseGreeting:  {{stepAskPIN, phasePIN}, {stepSeat, phaseNaming}, {stepEnter, phaseEntering}, refuse, gone},
		phasePIN:       {{stepSeat, phaseNaming}, {stepEnter, phaseEntering}, refuse, gone},
		phaseNaming:    {{stepEnter, phaseEntering}, refuse, gone},
		phaseEntering:  {{stepAdmit, phaseAdmitting}, refuse, gone},
		phaseAdmitting: {{stepWait, phaseWaiting}, {stepJoin, phaseJoined}, dismiss, removed, losing},
		phaseWaiting:   {{stepJoin, phaseJoined}, dismiss, removed, losing},
		phaseJoined:    {{stepWait, phaseWaiting}, dismiss, removed, losing},
		phaseRemoving:  {removed, losing},
		phaseLosing:    {{stepRemoved, phaseGone}},
		phaseParting:   {{stepRelease, phaseGone}, gone},
		phaseGone:      {},
	}
	for p := range phases {
		want := map[step]phase{}
		for _, m := range table[p] {
			want[m.s] = m.to
		}
		for s := range steps {
			to, ok := p.next(s)
			wantTo, wantOK := want[s]
			if ok != wantOK || ok && to != wantTo {
				t.Errorf("%v, %v: got %v %v, want %v %v", p, s, to, ok, wantTo, wantOK)
			}
		}
	}
}

// TestPhasesFollowRules holds what must be true of any phase.
func TestPhasesFollowRules(t *testing.T) {
	for p := range phases {
		if p.inBridge() && p != phaseLosing && !p.seated() {
			t.Errorf("%v is in the bridge without a seat", p)
		}
		for s := range steps {
			to, ok := p.next(s)
			if !ok {
				continue
			}
			if p == phaseGone {
				t.Errorf("%v leads out of gone", s)
			}
			if p.inBridge() && to == phaseGone && s != stepRemoved {
				t.Errorf("%v, %v: forgotten while the bridge has it", p, s)
			}
			if !p.seated() && to.seated() && s != stepSeat && s != stepEnter {
				t.Errorf("%v, %v: a seat out of nothing", p, s)
			}
		}
		if to, ok := p.next(stepLost); ok && to.seated() {
			t.Errorf("%v: a lost call keeps its seat in %v", p, to)
		}
	}
}

func TestRoomNames(t *testing.T) {
	long := make([]byte, MaxRoomName+1)
	for i := range long {
		long[i] = 'a'
	}
	for name, ok := range map[string]bool{
		"3001": true, "Board-room_2.b": true, string(long[1:]): true,
		"": false, string(long): false, "../x": false, ".x": false, "a/b": false, "😀": false, "a b": false, "a\n": false,
	} {
		if _, err := ParseRoomName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
