package sip

import "testing"

func TestStates(t *testing.T) {
	const no = state(-1)
	for s, row := range map[state]map[step]state{
		offering: {stepAnswer: answered, stepRefuse: over, stepACK: no, stepLeave: no, stepEnd: no},
		answered: {stepAnswer: no, stepRefuse: no, stepACK: up, stepLeave: leaving, stepEnd: over},
		leaving:  {stepAnswer: no, stepRefuse: no, stepACK: up, stepLeave: no, stepEnd: over},
		up:       {stepAnswer: no, stepRefuse: no, stepACK: no, stepLeave: no, stepEnd: over},
		over:     {stepAnswer: no, stepRefuse: no, stepACK: no, stepLeave: no, stepEnd: no},
	} {
		for p := stepAnswer; p <= stepEnd; p++ {
			want, there := row[p]
			if !there {
				t.Fatalf("state %d has no row for step %d", s, p)
			}
			to, ok := s.next(p)
			if ok != (want != no) || (ok && to != want) || (!ok && to != s) {
				t.Errorf("state %d, step %d: %d %v, want %d", s, p, to, ok, want)
			}
		}
	}
}
