package eventsocket

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"parley/esl"
)

func TestReplies(t *testing.T) {
	before := []struct{ command, want string }{
		{"api status", "-ERR command not found"},
		{"event plain all", "-ERR command not found"},
	}
	after := []struct{ command, want string }{
		{"AUTH secret", "-ERR command not found"},
		{"filter Unique-ID u-1", "+OK filter added. [Unique-ID]=[u-1]"},
		{"filter add Unique-ID u-2", "+OK filter added. [Unique-ID]=[u-2]"},
		{"filter Unique-ID", "-ERR invalid syntax"},
		{"filter delete Unique-ID u-1", "+OK filter deleted. [Unique-ID][u-1]"},
		{"filter delete all", "+OK filter deleted. [all][]"},
		{"resume", "-ERR command not found"},
		{"connect", "-ERR command not found"},
		{"getvar x", "-ERR command not found"},
		{"myevents", "-ERR command not found"},
		{"divert_events on", "-ERR not controlling a session."},
		{"linger 5", "-ERR not controlling a session"},
		{"nolinger", "-ERR not controlling a session"},
		{"sendmsg nobody", "-ERR invalid session id [nobody]"},
		{"noevents", "-ERR not listening for events"},
		{"event", "-ERR no keywords supplied"},
		{"event plain", "-ERR no keywords supplied"},
		{"event plain NO_SUCH", "-ERR no keywords supplied"},
		{"event json heartbeat", "+OK event listener enabled json"},
		{"events plain all", "+OK event listener enabled plain"},
		{"EVENT xml SWITCH_EVENT_CHANNEL_CREATE", "+OK event listener enabled xml"},
		{"nixevent", "-ERR no keywords supplied"},
		{"nixevent all", "+OK events nixed"},
		{"noevents", "+OK no longer listening for events"},
		{"noevents", "-ERR not listening for events"},
		{"filter Unique-ID " + strings.Repeat("x", 300), "+OK filter added. [Unique-ID]=[" + strings.Repeat("x", 300) + "]"},
		{"filter Unique-ID a b  c", "+OK filter added. [Unique-ID]=[a b  c]"},
		{"log", "+OK log level  [7]"},
		{"log err", "+OK log level err [3]"},
		{"log 4", "+OK log level 4 [4]"},
		{"log loud", "-ERR invalid log level"},
		{"log  5 6", "+OK log level 5 [5]"},
		{"log 11", "+OK log level 11 [11]"},
		{"log -1", "+OK log level -1 [0]"},
		{"log disable", "+OK log level disable [-1]"},
		{"logx", "-ERR invalid log level"},
		{"nolog", "+OK no longer logging"},
		{"nolog", "-ERR not loging"},
		{"nonsense", "-ERR command not found"},
		{"myevents  ", "-ERR invalid uuid"},
		{"myevents nobody", "+OK Events Enabled"},
	}
	synctest.Test(t, func(t *testing.T) {
		c := dial(t, server())
		for _, row := range before {
			c.says(row.command, row.want)
		}
		c.says("auth secret", "+OK accepted")
		for _, row := range after {
			c.says(row.command, row.want)
		}
		c.says("exit", "+OK bye")
		if m := c.read(); m.Type() != "text/disconnect-notice" || string(m.Body) != goodbye {
			t.Errorf("left with %v %q", m.Headers, m.Body)
		}
		if _, err := c.r.Message(); !errors.Is(err, io.EOF) {
			t.Errorf("after the notice: %v", err)
		}
	})
}

// TestWhatCannotBeReadOnEndsWithTheNotice as at the switch.
func TestWhatCannotBeReadOnEndsWithTheNotice(t *testing.T) {
	for _, length := range []string{"2000000000", "99999999999999999999"} {
		synctest.Test(t, func(t *testing.T) {
			c := enter(t, server())
			m := c.ask("sendevent CUSTOM", "Content-Length: "+length)
			if _, err := c.r.Message(); m.Type() != "text/disconnect-notice" || string(m.Body) != goodbye || !errors.Is(err, io.EOF) {
				t.Errorf("%s: %v %q %v", length, m.Headers, m.Body, err)
			}
		})
	}
}

func TestAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := enter(t, server())
		for _, row := range []struct{ command, header, want string }{
			{"api echo one two", "", "one two"},
			{"api echo", "", "-ERR no reply\n"},
			{"api echo one\ntwo", "", "one"}, // at the line break it ends
			{"api nope 1", "", "-ERR nope Command not found!\n"},
			{"api echo a;;nope 2;;echo b", "console_execute: true", "a-ERR nope 2 Command not found!\nb"},
		} {
			m := c.ask(strings.TrimSpace(row.command + "\n" + row.header))
			if m.Type() != "api/response" || string(m.Body) != row.want {
				t.Errorf("%s: %v %q", row.command, m.Headers, m.Body)
			}
		}
	})
}

func TestBackgroundJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := enter(t, server())
		c.says("event plain BACKGROUND_JOB", "+OK event listener enabled plain")
		m := c.ask("bgapi slow down", "Job-UUID: mine")
		if m.Value("Reply-Text") != "+OK Job-UUID: mine" || m.Value("Job-UUID") != "mine" {
			t.Errorf("%v", m.Headers)
		}
		c.says("nolog", "-ERR not loging") // while it runs
		e := c.event()
		if e.Value("Job-UUID") != "mine" || e.Value("Job-Command-Arg") != "down" || string(e.Body) != "done" {
			t.Errorf("%v %q", e.Headers, e.Body)
		}
		if _, ok := e.Lookup("Job-Owner-UUID"); ok { // that is a call's socket's
			t.Errorf("%v", e.Headers)
		}
	})
}

// TestBackgroundJobOfTheConsole is what "fs_cli -x 'bgapi …'" sends.
func TestBackgroundJobOfTheConsole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := enter(t, server())
		c.says("event plain BACKGROUND_JOB", "+OK event listener enabled plain")
		for _, row := range []struct{ command, job, inner, body string }{
			{"api bgapi uuid:mine echo hello there", "mine", "echo", "hello there"},
			{"api bgapi echo hello there", "", "echo", "hello there"},
			{"api bgapi slow 1\nconsole_execute: true", "", "slow", "done"},
			{"bgapi bgapi uuid:inner nope", "inner", "nope", "-ERR nope Command not found!\n"},
		} {
			m := c.ask(row.command)
			text := strings.TrimSuffix(cmp.Or(string(m.Body), m.Value("Reply-Text")), "\n")
			if id, ok := strings.CutPrefix(text, "+OK Job-UUID: "); !ok || !strings.Contains(row.command, "bgapi bgapi") && row.job != "" && id != row.job {
				t.Errorf("%s: %q", row.command, text)
			}
			e := c.event()
			if strings.HasPrefix(row.command, "bgapi") { // the outer one ends, too, in any order
				if other := c.event(); e.Value("Job-Command") == "bgapi" {
					e = other
				}
			}
			if e.Value("Job-Command") != row.inner || string(e.Body) != row.body || row.job != "" && e.Value("Job-UUID") != row.job {
				t.Errorf("%s: %v %q", row.command, e.Headers, e.Body)
			}
		}
		for _, bad := range []string{"api bgapi", "api bgapi uuid:x"} {
			if m := c.ask(bad); string(m.Body) != "-ERR Invalid syntax\n" {
				t.Errorf("%s: %q", bad, m.Body)
			}
		}
	})
}

func TestEventsComeInOrderAfterTheReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server()
		c := enter(t, s)
		c.says("event json CUSTOM conference::maintenance", "+OK event listener enabled json")
		go func() {
			for i := range 100 {
				s.Fire("CUSTOM", "conference::maintenance", esl.Headers{{Name: "N", Value: strconv.Itoa(i)}}, nil)
				s.Fire("CUSTOM", "other", nil, nil)
				s.Fire("HEARTBEAT", "", nil, nil)
			}
		}()
		last := uint64(0)
		for i := range 100 {
			e := c.event()
			seq, _ := strconv.ParseUint(e.Value("Event-Sequence"), 10, 64)
			if e.Value("N") != strconv.Itoa(i) || seq <= last || e.Value("Core-UUID") != s.CoreUUID() {
				t.Fatalf("event %d: %v", i, e.Headers)
			}
			last = seq
		}
	})
}

func TestFilters(t *testing.T) {
	event := &esl.Event{Headers: esl.Headers{{Name: "Event-Name", Value: "CUSTOM"}, {Name: "Room", Value: "3001"}, {Name: "Action", Value: "mute"}}}
	for _, row := range []struct {
		filters string // "header value", comma
		want    bool
	}{
		{"", true},
		{"Room 3001", true},
		{"room 3002", false},
		{"Room 3002,Action MUTE", true},
		{"Room /^30/", true},
		{"Room /^31/", false},
		{"Room -3001", false},
		{"Room 3001,Action -mute", false},
		{"Action -lock", false}, // only exclusions let nothing pass
		{"Action -lock,Room 3001", true},
		{"Nothing x", false},
		{"Room +3001", true},
		{"Room -/30/", false}, // compared as it stands
	} {
		in := interest{all: true}
		for f := range strings.SplitSeq(row.filters, ",") {
			if header, value, ok := strings.Cut(f, " "); ok {
				if why := in.filter(header, value); why != "" {
					t.Error(why)
				}
			}
		}
		if in.wants(event) != row.want {
			t.Errorf("filters %q: %v", row.filters, !row.want)
		}
	}
}

// TestFiltersAreBounded by what they cost, and taken back whole.
func TestFiltersAreBounded(t *testing.T) {
	for _, row := range []struct {
		name, value string
		most        int
		refusal     string
	}{
		{"many", "x", maxFilters, "-ERR too many filters"},
		{"long ones", strings.Repeat("x", 10_000), maxText / 10_001, "-ERR filters too large"},
		{"one that is too long", strings.Repeat("x", maxText), 0, "-ERR filters too large"},
		{"programs", "/" + strings.Repeat("[a-f]{99}", 20) + "/", maxSteps / (99*20 + 2), "-ERR filters too large"},
		{"a program", "/" + strings.Repeat(".{999}", 42) + "/", 0, "-ERR filters too large"},
		{"a long program", "/" + strings.Repeat(".", maxSteps+1) + "/", 0, "-ERR filters too large"},
	} {
		var in interest
		for range 2 {
			n := 0
			for in.filter("H", row.value) == "" {
				n++
			}
			if got := in.filter("H", row.value); n != row.most || got != row.refusal {
				t.Errorf("%s: %q after %d, want %q after %d", row.name, got, n, row.refusal, row.most)
			}
			in.unfilter("h", "")
		}
	}
}

func TestLeavingOneOfAll(t *testing.T) {
	var in interest
	in.add([]string{"all"})
	in.remove([]string{"HEARTBEAT"})
	named := func(name string) *esl.Event {
		return &esl.Event{Headers: esl.Headers{{Name: "Event-Name", Value: name}}}
	}
	if in.wants(named("HEARTBEAT")) || !in.wants(named("API")) {
		t.Error("all but one is not all but one")
	}
}

func TestAccessList(t *testing.T) {
	s := New(Options{Password: "secret", API: echo, Allowed: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	if s.allowed(netip.MustParseAddr("192.0.2.1")) || !s.allowed(netip.MustParseAddr("10.1.2.3")) {
		t.Error("the list is not followed")
	}
}

// TestTwoBlanks are a command without a name, as at the switch.
func TestTwoBlanks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := enter(t, server())
		if m := c.ask("api  echo x"); string(m.Body) != "-ERR  Command not found!\n" {
			t.Errorf("%q", m.Body)
		}
		if m := c.ask("api echo x\nContent-Length: -4"); string(m.Body) != "x" {
			t.Errorf("%q", m.Body)
		}
	})
}

func TestLogLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server()
		c := enter(t, s)
		c.says("log warning", "+OK log level warning [4]")
		s.Log(Line{Level: 6, Text: "not this"})
		s.Log(Line{Level: 3, Text: "this"})
		if m := c.read(); m.Type() != "log/data" || m.Value("Log-Level") != "3" || string(m.Body) != "this\n" {
			t.Errorf("%v %q", m.Headers, m.Body)
		}
	})
}

func TestShutdownIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server()
		ctx, cancel := context.WithCancel(t.Context())
		c := dialIn(t, ctx, s)
		c.says("auth secret", "+OK accepted")
		c.says("event plain all", "+OK event listener enabled plain")
		for _, name := range []string{"CHANNEL_HANGUP", "CHANNEL_DESTROY"} { // one is being written, the other waits
			s.Fire(name, "", nil, nil)
			synctest.Wait()
		}
		cancel()
		synctest.Wait()
		for _, name := range []string{"CHANNEL_HANGUP", "CHANNEL_DESTROY"} {
			if e := c.event(); e.Name() != name {
				t.Errorf("%s instead of %s", e.Name(), name)
			}
		}
		if m := c.read(); string(m.Body) != shuttingDown {
			t.Errorf("%q", m.Body)
		}
	})
}

func FuzzCommands(f *testing.F) {
	for _, seed := range []string{
		"auth secret\n\nevent plain all\n\napi echo hi\n\nexit\n\n", "userauth a@b:c\n\n", "auth secret\n\nfilter a /(/\n\nfilter delete all\n\n",
		"auth secret\n\nsendevent CUSTOM\nEvent-Subclass: x\nContent-Length: 3\n\nabc", "auth secret\n\nlog 7\n\nnolog\n\nnixevent all\n\n",
		"auth secret\n\nbgapi echo x\nJob-UUID: \r\n\n", "auth secret\r\n\r\nevent xml CUSTOM a b\r\n\r\nnoevents\r\n\r\n",
		"auth secret\n\napi echo x\nconsole_execute: true\n\nmyevents u-1 json\n\nsendmsg u-1\ncall-command: hangup\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		s := New(Options{Password: "secret", API: echo})
		feed(t, s, in)
	})
}
