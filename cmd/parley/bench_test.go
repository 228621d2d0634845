package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"parley/bench"
)

// TestMain lets the tests' own binary be the server that `parley bench` starts.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "--config" && os.Args[3] == "serve" {
		main()
	}
	os.Exit(m.Run())
}

func TestBenchStartsAServerOfItsOwn(t *testing.T) {
	code, stdout, stderr := parley(t, "bench", "--json", "--callers", "4", "--talkers", "1", "--codec", "g722",
		"--warmup", "300ms", "--duration", "2s", "--watchers", "3", "--events", "20")
	var r bench.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("exit code %d, %v\n%s\n%s", code, err, stdout, stderr)
	}
	if r.Calls.Up != 4 || r.Codec != "G722/16000" || r.Levels.Tones != 1 || r.Levels.Worst > 1 || r.Levels.Worst < -1 {
		t.Errorf("%+v", r)
	}
	if r.Server == nil || r.Server.RSS < 1000 || r.Server.RSS == r.Server.Idle || r.Ticks == nil || r.Ticks.Run == 0 {
		t.Errorf("%+v %+v", r.Server, r.Ticks)
	}
	if w := r.Watchers; w == nil || w.Clients != 3 || w.Asked < 10 || w.Least < uint64(w.Asked) || w.Lost != 0 || w.Broken+w.Cut != 0 {
		t.Errorf("%+v", w)
	}
	if !strings.Contains(stderr, "4 callers are up") {
		t.Errorf("no progress:\n%s", stderr)
	}
}

func TestBenchUsage(t *testing.T) {
	for _, tt := range []struct {
		args, want string
		code       int
	}{
		{"bench --codec GSM", `codec "GSM": one of PCMU`, exitUsage},
		{"bench a b", "accepts at most 1 arg", exitUsage},
		{"bench 127.0.0.1:9 --watchers 2", `2 watchers of 50 events a second at event socket ""`, exitUsage},
		{"bench 127.0.0.1:9 --talkers 40", "40 talkers of 100 callers", exitUsage},
		{"bench 127.0.0.1:9 --loss nan", "NaN is no number", exitUsage},
		{"bench --callers 0", "--callers 0: must be more than 0", exitUsage},
		{"bench 127.0.0.1:9 --rate 0", "--rate 0: must be more than 0", exitUsage},
		{"bench 127.0.0.1:9 --warmup 0s", "--warmup 0s: must be more than 0", exitUsage},
		{"bench --pid 1", "--pid: of which server?", exitUsage},
		{"bench --metrics http://127.0.0.1:9/metrics", "--metrics: of which server?", exitUsage},
		{"bench 127.0.0.1:9 --callers 2 --phases 21", "21 phases", exitUsage}, // of two callers two talk
	} {
		code, _, stderr := parley(t, strings.Fields(tt.args)...)
		if code != tt.code || !strings.Contains(stderr, tt.want) {
			t.Errorf("parley %s: %d, %s", tt.args, code, stderr)
		}
	}
}
