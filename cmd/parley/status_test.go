package main

import (
	"strings"
	"testing"
)

func TestStatusOfASwitchThatIsDown(t *testing.T) {
	s := serveFor(t, "switches: [{name: ast1, kind: asterisk, ari: 'http://127.0.0.1:1/ari', user: u, password: x}]\n")
	for _, args := range [][]string{{"status"}, {"status", "--json"}} {
		code, stdout, stderr := parley(t, append(args, "--config", s.file)...)
		if code != 1 || stderr != "" || !strings.Contains(stdout, "ast1") {
			t.Errorf("%s: %d %q %q", args, code, stdout, stderr)
		}
	}
}
