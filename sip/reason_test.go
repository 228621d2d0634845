package sip

import "testing"

// q850Cases are Reason headers and the cause that each names; 0 = none.
func q850Cases() map[string]int {
	return map[string]int{
		``:                                       0,
		`Q.850`:                                  0,
		`Q.850;cause=16;text="Terminated"`:       16,
		`q.850 ; Cause = 17`:                     17,
		`Q.850;text="a;cause=1, Q.850";cause=34`: 34,
		`Q.850;text="a \";cause=1";cause=34`:     34,
		`SIP;cause=200;text="Call completed"`:    0,
		`SIP;cause=603;text="a, b" , Q.850;cause=21`:  0,
		`Q.850;text="a, b" ; cause=21, Q.850;cause=1`: 21,
		`Q.850, Q.850;cause=21`:                       0,
		`Q.850;cause=21, SIP;cause=200`:               21,
		`Q.850;cause=0`:                               0,
		`Q.850;cause=128`:                             0,
		`Q.850;cause=-1`:                              0,
		`Q.850;cause=x`:                               0,
		`Q.850;cause`:                                 0,
		`Q.850;text="`:                                0,
		`Q.850x;cause=16`:                             0,
	}
}

func TestTheCauseThatAReasonNames(t *testing.T) {
	for reason, want := range q850Cases() {
		if have, ok := Q850(reason); ok != (want > 0) || ok && have != want {
			t.Errorf("%q: %d %v, want %d", reason, have, ok, want)
		}
	}
}

func FuzzQ850(f *testing.F) {
	for reason := range q850Cases() {
		f.Add(reason)
	}
	f.Fuzz(func(t *testing.T, reason string) {
		if n, ok := Q850(reason); ok && (n < 1 || n > 127) {
			t.Errorf("%q names %d", reason, n)
		}
	})
}
