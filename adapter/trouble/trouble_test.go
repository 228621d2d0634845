package trouble_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"

	"parley/adapter/trouble"
)

func TestReasonIsTheSystemsWordsAlone(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   error
		want string
	}{
		{"refused", fmt.Errorf("ari: GET x: %w", &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}), "connection refused"},
		{"no such name", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "pbx1.invalid", Server: "10.0.0.1:53"}}, "pbx1.invalid: no such host"},
		{"another of the network", &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, "i/o timeout"},
		{"any other", errors.New("ari: events: EOF"), "ari: events: EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := trouble.Reason(tt.in); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestOnceIsUntilItIsForgotten(t *testing.T) {
	var o trouble.Once
	var got []bool
	for _, w := range []string{"a", "b", "a", "b", "a"} {
		got = append(got, o.First(w))
	}
	if want := "[true true false false false]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	if o.Forget(); !o.First("a") {
		t.Error("not forgotten")
	}
	for i := range 5000 {
		o.First(strconv.Itoa(i))
	}
	if o.First("4999") || !o.First("a") {
		t.Error("the newest is remembered, the oldest is not")
	}
}
