package freeswitch

import "testing"

func TestWhichMachine(t *testing.T) {
	for _, tt := range []struct {
		theirs, ours string
		want         bool
	}{
		{"127.0.0.1", "127.0.0.1", false},
		{"127.0.0.2", "127.0.0.1", false},
		{"::1", "it", false},
		{"10.0.0.5", "10.0.0.5", false},
		{"10.0.0.5", "10.0.0.6", true},
		{"", "it", true},
	} {
		if got := elsewhere(tt.theirs, tt.ours); got != tt.want {
			t.Errorf("%s from %s: %v", tt.theirs, tt.ours, got)
		}
	}
}

func TestProfilesAreCounted(t *testing.T) {
	const status = "\t Name\t   Type\t Data\tState\n====\n  internal\tprofile\t sip:mod_sofia@127.0.0.1:5060\tRUNNING (0)\n" +
		"  127.0.0.1\t  alias\t internal\tALIASED\n  external\tprofile\t sip:mod_sofia@127.0.0.1:5080\tRUNNING (0) (TLS)\n" +
		"  gw\tgateway\t sip:x@y\tNOREG\n====\n2 profiles 1 alias\n"
	if n := sofiaProfiles(status); n != 2 {
		t.Errorf("%d profiles", n)
	}
	if n := sofiaProfiles("-ERR sofia Command not found!\n"); n != 0 {
		t.Errorf("%d profiles without mod_sofia", n)
	}
}
