//go:build integration

package integration

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/esl"
	"parley/sip"
	"parley/sip/siptest"
)

// The conformance suite: testdata/conformance.script is done at a FreeSWITCH,
// which PARLEY_UPDATE=1 records into testdata/conformance.txt,
//
//	PARLEY_UPDATE=1 go test -tags integration -count=1 -run TestConformanceIsRecorded .
//
// and at Parley. What differs must stand in testdata/conformance.reviewed.
//
// The suites of recordings, of what plays, and of calls, are other scripts, done
// in the same way.

// suite is the name of a script and of what belongs to it.
type suite string

const (
	conformance suite = "conformance"
	recordings  suite = "recordings"
	plays       suite = "plays"
	calls       suite = "calls"
)

func (s suite) script() string   { return "testdata/" + string(s) + ".script" }
func (s suite) record() string   { return "testdata/" + string(s) + ".txt" }
func (s suite) reviewed() string { return "testdata/" + string(s) + ".reviewed" }

// events are those of channels that a suite looks at.
func (s suite) events() string {
	if s == calls {
		return "CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_HANGUP RECORD_START RECORD_STOP"
	}
	return ""
}

// step is one line of the script and what came of it.
type step struct {
	line   string
	answer string   // of the api, without what is another each time
	events []string // of the rooms, in order
}

// scriptFolder is where the scripts' files are.
const scriptFolder = "/tmp/parley-conformance"

// stage is a switch on which the script is done.
type stage struct {
	t      *testing.T
	nc     net.Conn
	sip    string
	folder string   // that stands for scriptFolder there
	names  []string // in the script, each with what it stands for
	inbox  chan *esl.Message
	calls  map[string]*siptest.Call
	shapes map[string]string // names of an event's headers, by action
	record map[string][]int  // how many events each step had, by its line; nil while that is recorded
}

func enter(t *testing.T, of suite, address, password, phones string) *stage {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, nc: nc, sip: phones, folder: scriptFolder, inbox: make(chan *esl.Message, 10_000), calls: map[string]*siptest.Call{}, shapes: map[string]string{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(s.inbox)
		for r := esl.NewReader(nc); ; {
			m, err := r.Message()
			if err != nil {
				return
			}
			s.inbox <- m
		}
	}()
	t.Cleanup(func() {
		_ = nc.Close()
		<-done
	})
	s.send("auth " + password)
	s.send("event plain PRESENCE_IN " + of.events() + " CUSTOM conference::maintenance conference::cdr")
	for range 3 { // the greeting and two replies
		<-s.inbox
	}
	return s
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (s *stage) send(line string) {
	s.t.Helper()
	if _, err := s.nc.Write([]byte(line + "\n\n")); err != nil {
		s.t.Fatal(err)
	}
}

// counts reads how many events each step of a transcript has.
func counts(transcript string) map[string][]int {
	all := map[string][]int{}
	for step := range strings.SplitSeq("\n"+transcript, "\n> ") {
		line, rest, _ := strings.Cut(step, "\n")
		all[line] = append(all[line], strings.Count("\n"+rest, "\n! "))
	}
	return all
}

// perform does the whole script.
func (s *stage) perform(of suite) (steps []step) {
	s.t.Helper()
	text, err := os.ReadFile(of.script())
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			steps = append(steps, s.do(line))
		}
	}
	return steps
}

// expected takes what is recorded of a line: how many events it has.
func (s *stage) expected(line string) (n int) {
	if counts := s.record[line]; len(counts) > 0 {
		n, s.record[line] = counts[0], counts[1:]
	}
	return n
}

// quiet is how long nothing must come until a step is over: long while that is
// recorded, and short where what was recorded has come.
func (s *stage) quiet(line string, missing int) time.Duration {
	switch {
	case missing > 0:
		return 5 * time.Second
	case s.record == nil && strings.HasPrefix(line, "hangup"):
		return 4 * time.Second
	case s.record == nil && slices.ContainsFunc([]string{"call ", " play ", "kick ", "hup ", " transfer ", "originate {", "uuid_kill", "uuid_transfer", "uuid_park"}, func(w string) bool { return strings.Contains(line, w) }):
		return 1500 * time.Millisecond
	case s.record == nil:
		return 700 * time.Millisecond
	default:
		return 100 * time.Millisecond
	}
}

// do does one line, and waits until nothing follows any more.
func (s *stage) do(line string) step {
	s.t.Helper()
	st := step{line: line}
	words := strings.Fields(line)
	waits := false
	switch words[0] {
	case "call":
		s.call(words[1], words[2], words[3], slices.Clone(words[4:]))
	case "hangup":
		s.calls[words[1]].Hangup()
	case "phone":
		s.phone(words[1], words[2])
	default:
		s.send("api " + strings.NewReplacer(append(s.names, scriptFolder, s.folder)...).Replace(line))
		waits = true
	}
	want := s.expected(line)
	for {
		limit := s.quiet(line, want-len(st.events))
		if waits {
			limit = 20 * time.Second // uuid_deflect waits 10 s at the switch
		}
		select {
		case m, ok := <-s.inbox:
			switch {
			case !ok:
				s.t.Fatalf("%s: the connection has ended", line)
			case m.Type() == "api/response":
				st.answer, waits = answer(line, s.asScript(string(m.Body))), false
			default:
				if e := s.event(m); e != "" {
					st.events = append(st.events, e)
				}
			}
		case <-time.After(limit):
			if waits {
				s.t.Fatalf("%s: no answer", line)
			}
			return st
		}
	}
}

func (s *stage) call(name, number, room string, flags []string) {
	s.t.Helper()
	p, err := siptest.New(siptest.Options{User: number})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(p.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	o := siptest.CallOptions{Name: name}
	for _, f := range flags {
		o.Headers = append(o.Headers, sip.Header{Name: "X-Flags", Value: f}, sip.Header{Name: "X-Parley-Flags", Value: f})
	}
	if s.calls[name], err = p.Dial(ctx, "sip:"+room+"@"+s.sip, o); err != nil {
		s.t.Fatal(err)
	}
}

// TestConformanceIsRecorded does the script at a real switch, which has to do
// what was recorded.
func TestConformanceIsRecorded(t *testing.T) { isRecorded(t, conformance) }

func isRecorded(t *testing.T, of suite) {
	t.Parallel()
	at := newPlace()
	startFreeSWITCH(t, at)
	s := enter(t, of, at.fsESL, "parley-test", at.fsSIP)
	if os.Getenv("PARLEY_UPDATE") == "" {
		s.record = counts(readFile(t, of.record()))
	}
	have := s.transcript(s.perform(of))
	if os.Getenv("PARLEY_UPDATE") != "" {
		if err := os.WriteFile(of.record(), []byte(have), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, d := range differ(tapesLast(readFile(t, of.record())), tapesLast(have)) {
		t.Errorf("the switch itself differs from its record:\n%s", d)
	}
}

// TestConformance does the script at Parley.
func TestConformance(t *testing.T) { conforms(t, conformance) }

func conforms(t *testing.T, of suite) {
	t.Parallel()
	at := newPlace()
	folder := t.TempDir()
	run(t, at, at.base(false)+fmt.Sprintf("\nrecord_dir: %q", folder)+`
profiles:
  - name: conformance
    max_participants: 0
    play_entry_tone: false
    play_exit_tone: false
    alone_sound: none
    moh_sound: none
    kicked_sound: none
    gate: -47
rooms:
  - {name: "5501", profile: conformance}
  - {name: "5502", profile: conformance}
`)
	want := readFile(t, of.record())
	s := enter(t, of, at.server, "ClueCon", at.sip)
	s.folder, s.record = folder, counts(want)
	have := s.transcript(s.perform(of))
	if dir := os.Getenv("PARLEY_TEST_LOGS"); dir != "" {
		_ = os.WriteFile(filepath.Join(dir, string(of)+".parley.txt"), []byte(have), 0o644)
	}
	reviewed := readReviewed(t, of)
	used := map[string]bool{}
	found := differ(want, have)
	accepted := 0
	for _, d := range found {
		key := reviewed.fits(d.line)
		if key == "" {
			t.Errorf("%s", d)
			continue
		}
		used[key] = true
		accepted++
	}
	for key := range reviewed {
		if !used[key] {
			t.Errorf("%s: %q stands there and does not differ", of.reviewed(), key)
		}
	}
	t.Logf("%d steps and shapes, %d differ as reviewed", strings.Count(have, "\n> ")+1, accepted)
}
