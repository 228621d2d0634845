package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/sip/siptest"
)

// patience is how long anything may take on a machine that is busy.
const patience = 20 * time.Second

// page is what a command prints, readable while it runs.
type page struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// has waits until a page has a text.
func (p *page) has(t *testing.T, want string) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(patience); !strings.Contains(p.String(), want); <-look.C {
		if time.Now().After(end) {
			t.Fatalf("no %q in\n%s", want, p)
		}
	}
}

// parley runs a command to its end.
func parley(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err page
	code = run(t.Context(), args, &out, &err)
	return code, out.String(), err.String()
}

// file writes a configuration.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "parley.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestCommandLines(t *testing.T) {
	nobody := file(t, "http: {listen: 127.0.0.1:1}\n")
	for _, tt := range []struct {
		args   string
		code   int
		stdout string // begins with
		stderr string // has in it
	}{
		{"", 0, "A conference engine", ""},
		{"--help", 0, "A conference engine", ""},
		{"version", 0, "parley dev, Opus by " + codec.OpusBy() + "\n", ""},
		{"version --json", 0, "{\n  \"opus\": \"" + codec.OpusBy() + "\",\n  \"version\": \"dev\"\n}\n", ""},
		{"version 2", 2, "", "unknown command"},
		{"versoin", 2, "", `unknown command "versoin"`},
		{"--loud", 2, "", "unknown flag: --loud"},
		{"rooms --loud", 2, "", "unknown flag: --loud"},
		{"--config", 2, "", "needs an argument"},
		{"check x", 2, "", "unknown command"},
		{"serve x", 2, "", "unknown command"},
		{"room", 2, "", "accepts between 1 and 4"},
		{"room a mute 1 2", 2, "", "parley room a mute: too many arguments"},
		{"room a mute", 2, "", "parley room a mute: which member? a number or all"},
		{"room a kick", 2, "", "which member?"},
		{"room a lock 1", 2, "", "parley room a lock: that is for the whole room, without a member"},
		{"room a explode", 2, "", `unknown command "explode"; one of mute, unmute, deaf, undeaf, kick, dial, record, lock, unlock, end, takeover, handback, noisy, why-silent, delay`},
		{"room a dial", 2, "", "parley room a dial: whom?"},
		{"room a dial 1 --config " + nobody, 1, "", "parley is not running"},
		{"room a record burn", 2, "", `parley room a record: unknown command "burn"; one of start, stop, pause, resume, list`},
		{"room a record list x", 2, "", "parley room a record list: that is for all recordings, without a file"},
		{"room a takeover 1", 2, "", "parley room a takeover: that is for the whole room, without a member"},
		{"room a handback --config " + nobody, 1, "", "parley is not running"},
		{"audit x", 2, "", "unknown command"},
		{"audit --config " + nobody, 1, "", "parley is not running"},
		{"room a mutes 1", 2, "", `unknown command "mutes"`},
		{"explain", 2, "", "parley explain what? call ID or room NAME"},
		{"explain rooms", 2, "", "parley explain what?"},
		{"explain room", 2, "", "accepts 1 arg"},
		{"explain room ../x", 2, "", "bad room name"},
		{"explain call", 2, "", "accepts 1 arg"},
		{"explain call x --config " + nobody, 1, "", "parley is not running"},
		{"explain room x --config " + nobody, 1, "", "parley is not running"},
		{"room ../x lock", 2, "", "bad room name"},
		{"room a/b", 2, "", "bad room name"},
		{"rooms --config " + nobody, 1, "", "parley is not running at http://127.0.0.1:1\n"},
		{"status --config " + nobody, 1, "", "parley is not running"},
		{"reload --config " + nobody, 1, "", "parley is not running"},
		{"room a --config " + nobody, 1, "", "parley is not running"},
		{"room a end --config " + nobody, 1, "", "parley is not running"},
		{"rooms --config /nowhere.yaml", 1, "", "/nowhere.yaml: no such file or directory. [unreadable]\n"},
		{"serve --config /nowhere.yaml", 1, "", "/nowhere.yaml: no such file or directory. [unreadable]\n"},
		{"check --config /nowhere.yaml", 1, "config    BAD  /nowhere.yaml: no such file", ""},
	} {
		t.Run(tt.args, func(t *testing.T) {
			code, stdout, stderr := parley(t, strings.Fields(tt.args)...)
			if code != tt.code || !strings.HasPrefix(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("exit code %d, want %d\n%s\n%s", code, tt.code, stdout, stderr)
			}
			if (tt.stdout == "") != (stdout == "") || (tt.stderr == "") != (stderr == "") {
				t.Errorf("stdout %q, stderr %q", stdout, stderr)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	good := file(t, "profiles:\n  - {name: team, max_participants: 20}\nrooms:\n  - {name: \"3001\", profile: team}\n")
	code, stdout, stderr := parley(t, "check", "--config", good)
	if want := "config    ok   " + good + " (2 profiles, 1 room, 0 warnings)\nsounds    ok   "; code != 0 || stderr != "" || !strings.HasPrefix(stdout, want) {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	bad := file(t, "profiles:\n  - {name: team, max_particpants: 20, enter_sound: bing.wav}\nroms: []\n")
	code, stdout, _ = parley(t, "check", "--config", bad)
	want := "config    BAD  " + bad + ":2: unknown key \"max_particpants\", did you mean \"max_participants\"? [unknown_key]\n" +
		"config    BAD  " + bad + ":3: unknown key \"roms\", did you mean \"rooms\"? [unknown_key]\n"
	if code != 1 || stdout != want {
		t.Errorf("%d\n%s\nwant\n%s", code, stdout, want)
	}
	silent := file(t, "profiles:\n  - {name: default, enter_sound: bing.wav}\nrooms:\n  - {name: r, wait_sound: \"tone_stream://%(x)\"}\n")
	code, stdout, _ = parley(t, "check", "--config", silent)
	for _, want := range []string{"config    ok ", "sounds    BAD  " + silent + ":2: profile default: enter_sound ", "sounds    BAD  " + silent + ":4: room r: wait_sound ", "Callers will hear the default tone. [media_missing]\n", "Callers will hear the built-in music. [media_missing]\n"} {
		if !strings.Contains(stdout, want) || code != 1 {
			t.Errorf("%d, no %q in\n%s", code, want, stdout)
		}
	}
	warned := file(t, "profiles:\n  - {name: default, pin_terminator: none, member: {pins: [1, 12]}}\n")
	code, stdout, _ = parley(t, "check", "--config", warned)
	if code != 0 || !strings.HasPrefix(stdout, "warning   -    "+warned+":2: ") || !strings.Contains(stdout, "(1 profile, 0 rooms, 1 warning)") {
		t.Errorf("%d\n%s", code, stdout)
	}
	for path, ok := range map[string]bool{good: true, bad: false} {
		var found []finding
		code, stdout, _ = parley(t, "check", "--json", "--config", path)
		if err := json.Unmarshal([]byte(stdout), &found); err != nil || len(found) == 0 || found[0].OK != ok || (code == 0) != ok {
			t.Errorf("%d %v %s", code, err, stdout)
		}
	}
}

// lastPort counts those that vacant has looked at.
var lastPort atomic.Int32

// vacant finds ports that nobody has: below those that the system hands out,
// and others for each process that tests.
func vacant(t *testing.T, n int) (all []string) {
	t.Helper()
	for tries := 0; len(all) < n; tries++ {
		at := fmt.Sprintf("127.0.0.1:%d", 20000+50*(os.Getpid()%240)+int(lastPort.Add(1))%50)
		udp, err := net.ListenPacket("udp", at)
		if err == nil {
			var tcp net.Listener
			if tcp, err = net.Listen("tcp", at); err == nil {
				all = append(all, at)
				_ = tcp.Close()
			}
			_ = udp.Close()
		}
		if tries > 100 {
			t.Fatal(err)
		}
	}
	return all
}

// server is a `parley serve` that runs.
type server struct {
	sip, file   string
	ports       string // of its configuration
	out, err    *page
	stop        context.CancelFunc
	done        chan int
	whenStopped sync.Once
}

func serveFor(t *testing.T, text string) *server {
	t.Helper()
	at := vacant(t, 5)
	s := &server{sip: at[0], out: &page{}, err: &page{}, done: make(chan int, 1)}
	s.ports = fmt.Sprintf("sip: {listen: %s}\nfreeswitch: {listen: %s}\naudiosocket: {listen: %s}\nhttp: {listen: %s}\nesl_server: {listen: %s}\nrtp: {ports: 12000-17999}\n",
		at[0], at[1], at[2], at[3], at[4])
	s.ports += fmt.Sprintf("state_dir: %q\n", t.TempDir())
	s.file = file(t, s.ports+text)
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() { s.done <- run(ctx, []string{"serve", "--config", s.file}, s.out, s.err) }()
	t.Cleanup(func() { s.end(t) })
	s.out.has(t, "First call: dial sip:3001@"+s.sip)
	return s
}

// end stops it and looks how it ended.
func (s *server) end(t *testing.T) {
	t.Helper()
	s.whenStopped.Do(func() {
		s.stop()
		if code := <-s.done; code != 0 {
			t.Errorf("serve ended with %d:\n%s", code, s.err)
		}
	})
}

// do runs a command on it that must work.
func (s *server) do(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := parley(t, append(args, "--config", s.file)...)
	if code != 0 || stderr != "" {
		t.Errorf("%s: exit code %d: %s", args, code, stderr)
	}
	return stdout
}

// fails runs a command on it that must not.
func (s *server) fails(t *testing.T, want string, args ...string) {
	t.Helper()
	code, stdout, stderr := parley(t, append(args, "--config", s.file)...)
	if code != 1 || stdout != "" || stderr != want+"\n" {
		t.Errorf("%s: exit code %d, %q, %q", args, code, stdout, stderr)
	}
}

func (s *server) rewrite(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(s.file, []byte(s.ports+text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *server) dial(t *testing.T, user string) *siptest.Call {
	t.Helper()
	p, err := siptest.New(siptest.Options{User: user})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := p.Dial(ctx, "sip:3001@"+s.sip, siptest.CallOptions{Name: "Ann"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// quiet is a profile without a sound of its own.
const quiet = "play_entry_tone: false, play_exit_tone: false, alone_sound: none, moh_sound: none, kicked_sound: none, ended_sound: none"

func TestRoomsOfARunningParley(t *testing.T) {
	s := serveFor(t, "profiles: [{name: default, max_participants: 20, "+quiet+"}]\nrooms: [{name: '3001', title: Weekly}]\n")
	for _, want := range []string{"esl ", "audiosocket ", "http ", "rtp ", "sip:parley@"} {
		if !strings.Contains(s.out.String(), want) {
			t.Errorf("no %q in\n%s", want, s.out)
		}
	}
	if got := s.do(t, "rooms"); got != "no rooms are running\n" {
		t.Errorf("%q", got)
	}
	if got := s.do(t, "rooms", "--json"); got != "[]\n" {
		t.Errorf("%q", got)
	}
	s.fails(t, "engine: room is not running: 3001. [room_not_running]", "room", "3001")
	first := s.dial(t, "1001")
	s.err.has(t, "caller=1001 member=1")
	s.dial(t, "1002")
	room := func() (v engine.RoomView) {
		if err := json.Unmarshal([]byte(s.do(t, "room", "3001", "--json")), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	s.err.has(t, "caller=1002 member=2")
	if got := s.do(t, "rooms"); !strings.HasPrefix(got, "room 3001 (Weekly)  active 00:00:") || !strings.Contains(got, "  2/20  locked no  recording no  mixer native\n") {
		t.Errorf("%q", got)
	}
	text := s.do(t, "room", "3001")
	lines := strings.Split(text, "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[1], "  #  role        number         name") ||
		!strings.HasPrefix(lines[2], "  1  member      1001           Ann              sip        PCMU/8000 ") {
		t.Errorf("%s", text)
	}
	for _, tt := range []struct {
		args string
		is   func(engine.RoomView) bool
	}{
		{"mute 1", func(v engine.RoomView) bool { return v.Members[0].Muted && !v.Members[1].Muted }},
		{"unmute 1", func(v engine.RoomView) bool { return !v.Members[0].Muted }},
		{"mute all", func(v engine.RoomView) bool { return v.Members[0].Muted && v.Members[1].Muted }},
		{"deaf 2", func(v engine.RoomView) bool { return v.Members[1].Deaf && !v.Members[0].Deaf }},
		{"undeaf 2", func(v engine.RoomView) bool { return !v.Members[1].Deaf }},
		{"lock", func(v engine.RoomView) bool { return v.Locked }},
		{"unlock", func(v engine.RoomView) bool { return !v.Locked }},
		{"kick 1", func(v engine.RoomView) bool { return len(v.Members) == 1 && v.Members[0].ID == 2 }},
	} {
		if got := s.do(t, append([]string{"room", "3001"}, strings.Fields(tt.args)...)...); got != "" {
			t.Errorf("%s: %q", tt.args, got)
		}
		if v := room(); !tt.is(v) {
			t.Errorf("%s: %+v", tt.args, v)
		}
	}
	<-first.Done()
	s.fails(t, "engine: no such member: 7 in room 3001. [participant_not_found]", "room", "3001", "kick", "7")
	s.fails(t, "engine: bad command: member \"bob\" is neither a number nor all. [bad_value]", "room", "3001", "kick", "bob")
	s.do(t, "room", "3001", "end")
	s.fails(t, "engine: room is not running: 3001. [room_not_running]", "room", "3001", "lock")
	if got := s.do(t, "status"); !regexp.MustCompile(`^parley dev, up 00:\d\d:\d\d, 0 rooms, \d legs?, 0 sources throttled(, [^\n]+)?\nsip          up    listening on ` + s.sip).MatchString(got) {
		t.Errorf("%q", got)
	}
	if got := s.do(t, "status", "--json"); !strings.Contains(got, `"name": "sip"`) {
		t.Errorf("%q", got)
	}
}

func TestReloadOfARunningParley(t *testing.T) {
	profile := func(n int) string {
		return fmt.Sprintf("profiles: [{name: default, max_participants: %d, %s}]\n", n, quiet)
	}
	s := serveFor(t, profile(20))
	s.dial(t, "1001")
	s.err.has(t, "participant.joined")
	if got := s.do(t, "reload"); got != "reload: nothing changed\n" {
		t.Errorf("%q", got)
	}
	s.rewrite(t, profile(2))
	want := "reload: profile default changed: max_participants 20→2\nreload: room 3001 live: applies now; 1 present, nobody removed\n"
	if got := s.do(t, "reload"); got != want {
		t.Errorf("%q", got)
	}
	s.err.has(t, `"reload: profile default changed: max_participants 20→2; room 3001 live: applies now; 1 present, nobody removed"`)
	s.rewrite(t, profile(3)+"rom: []\n")
	hangup(t)
	s.err.has(t, "reload refused, nothing changed:")
	s.err.has(t, `:9: unknown key \"rom\", did you mean \"rooms\"? [unknown_key]`)
	code, stdout, stderr := parley(t, "reload", "--config", s.file)
	if code != 1 || stdout != "" || !strings.Contains(stderr, "unknown key \"rom\"") {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	if got := s.do(t, "rooms"); !strings.Contains(got, "room 3001") {
		t.Errorf("with a faulty file: %q", got)
	}
	s.rewrite(t, profile(4))
	hangup(t)
	s.err.has(t, "max_participants 2→4")
	if got := s.do(t, "reload", "--json"); got != "[\n  \"nothing changed\"\n]\n" {
		t.Errorf("%q", got)
	}
}

// hangup sends SIGHUP to this process.
func hangup(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

func TestServeOnAPortThatIsTaken(t *testing.T) {
	s := serveFor(t, "")
	code, stdout, stderr := parley(t, "serve", "--config", s.file)
	if code != 1 || stdout != "" || !strings.HasPrefix(stderr, "sip "+s.sip+": address already in use") || !strings.HasSuffix(stderr, ". Set sip.listen. [port_in_use]\n") {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	s.end(t)
	code, _, stderr = parley(t, "rooms", "--config", s.file)
	if code != 1 || !strings.Contains(stderr, "not running") {
		t.Errorf("%d %q", code, stderr)
	}
}
