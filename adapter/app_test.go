package adapter_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/adapter"
	"parley/adapter/config"
	"parley/adapter/control"
	"parley/engine"
	"parley/sip"
	"parley/sip/siptest"
)

// journal is a log that can be read.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// settled waits until no more goroutines run than so many.
func settled(t *testing.T, most int) {
	t.Helper()
	var n int
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); runtime.Gosched() {
		http.DefaultClient.CloseIdleConnections()
		if n = runtime.NumGoroutine(); n <= most {
			return
		}
	}
	stacks := make([]byte, 4096)
	t.Fatalf("%d goroutines, were %d; among them\n%s", n, most, stacks[:runtime.Stack(stacks, true)])
}

func TestPortsThatAreTaken(t *testing.T) {
	first := start(t, nil)
	if _, err := first.client().Status(t.Context()); err != nil { // it is up
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	name, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Skip("no /proc: nobody can say who has a port")
	}
	for _, tt := range []struct {
		key  string
		take func(c *config.Config)
		at   string
	}{
		{"sip.listen", func(c *config.Config) { c.SIP.Listen = first.config.SIP.Listen }, first.config.SIP.Listen},
		{"sip.listen", func(c *config.Config) { c.SIP.Listen, c.SIP.Transports = first.config.SIP.Listen, []string{"tcp"} }, first.config.SIP.Listen},
		{"freeswitch.listen", func(c *config.Config) { c.FreeSWITCH.Listen = first.config.FreeSWITCH.Listen }, first.config.FreeSWITCH.Listen},
		{"audiosocket.listen", func(c *config.Config) { c.AudioSocket.Listen = first.config.AudioSocket.Listen }, first.config.AudioSocket.Listen},
		{"http.listen", func(c *config.Config) { c.HTTP.Listen = first.config.HTTP.Listen }, first.config.HTTP.Listen},
	} {
		c := config.Defaults()
		vacant(t, c)
		tt.take(c)
		_, err := adapter.Start(t.Context(), c, adapter.Options{Log: slog.New(slog.DiscardHandler)})
		part, _, _ := strings.Cut(tt.key, ".")
		want := fmt.Sprintf("%s %s: address already in use (by pid %d, %s). Set %s. [port_in_use]",
			part, tt.at, os.Getpid(), strings.TrimSpace(string(name)), tt.key)
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", tt.key, err, want)
		}
		settled(t, before)
		free, err := adapter.Start(t.Context(), vacantBut(t, c, tt.key), adapter.Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatalf("%s: what was open stayed open: %v", tt.key, err)
		}
		stopped, cancel := context.WithCancel(t.Context())
		cancel()
		if err := free.Run(stopped); err != nil {
			t.Error(err)
		}
		settled(t, before)
	}
}

// vacantBut is a configuration with a new port for one key: the others must be
// free again.
func vacantBut(t *testing.T, c *config.Config, key string) *config.Config {
	t.Helper()
	d := config.Defaults()
	vacant(t, d)
	switch key {
	case "sip.listen":
		c.SIP.Listen = d.SIP.Listen
	case "freeswitch.listen":
		c.FreeSWITCH.Listen = d.FreeSWITCH.Listen
	case "audiosocket.listen":
		c.AudioSocket.Listen = d.AudioSocket.Listen
	case "http.listen":
		c.HTTP.Listen = d.HTTP.Listen
	case "esl_server.listen":
		c.ESLServer.Listen = d.ESLServer.Listen
	}
	return c
}

func TestStartsThatFailLeaveNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for name, tt := range map[string]struct {
		edit func(*config.Config)
		want string
	}{
		"an address of another machine": {
			func(c *config.Config) { c.HTTP.Listen = "192.0.2.1:8085" },
			"http 192.0.2.1:8085: this machine does not have that address. Set http.listen. [bad_address]",
		},
		"no folder of sounds": {
			func(c *config.Config) { c.SoundsDir = "/nowhere" }, "Set sounds_dir. [media_missing]",
		},
	} {
		c := config.Defaults()
		vacant(t, c)
		tt.edit(c)
		if _, err := adapter.Start(t.Context(), c, adapter.Options{Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	settled(t, before)
}

func TestShutdownGivesEveryCallBack(t *testing.T) {
	c := config.Defaults()
	vacant(t, c)
	quiet(c)
	c.Profiles[0].Moderator.PINs = []engine.PIN{engine.NewPIN("1")}
	c.Profiles[0].EndedSound = "conference-ended"
	log := &journal{}
	app, err := adapter.Start(t.Context(), c, adapter.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	p := parley{app, c}
	moderator := siptest.CallOptions{Headers: []sip.Header{{Name: "X-Parley-Role", Value: "moderator"}}}
	calls := []*siptest.Call{
		p.dialWith(t, "3001", siptest.Options{}, moderator), p.dialWith(t, "3001", siptest.Options{}, moderator),
		p.dialWith(t, "3002", siptest.Options{}, moderator), p.dialWith(t, "3001", siptest.Options{}, siptest.CallOptions{}),
		p.dialWith(t, "parley", siptest.Options{}, siptest.CallOptions{}),
	}
	p.until(t, "3001", "with one who is asked", func(v engine.RoomView) bool { return members(2)(v) && v.Prompting == 1 })
	p.until(t, "3002", "open", members(1))
	stop()
	began := time.Now()
	for _, c := range calls {
		gone(t, c)
		if end := c.SIP().End(); end.Cause != sip.ByPeer {
			t.Errorf("%+v", end)
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if d := time.Since(began); d > 6*time.Second {
		t.Errorf("it took %v", d)
	}
	if _, err := p.client().Rooms(t.Context()); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("the API still answers: %v", err)
	}
	left, rejected := strings.Count(log.String(), "participant.left"), strings.Count(log.String(), "participant.rejected")
	// Ended are three, him who was asked, and the rooms' own two. The lobby's caller is one of the rejected if he had got there.
	if left != 3 || rejected < 1 || rejected > 2 || strings.Count(log.String(), "reason=ended") != 6 {
		t.Errorf("%d left and %d were rejected:\n%s", left, rejected, log)
	}
}

func TestLog(t *testing.T) {
	log := &journal{}
	c := config.Defaults()
	vacant(t, c)
	quiet(c)
	d := &c.Profiles[0]
	d.Member.PINs, d.PINAttempts, d.PINFailedSound = []engine.PIN{engine.NewPIN("736251")}, 1, ""
	p := run(t, c, adapter.Options{Log: adapter.NewLog(log, config.Log{Format: "json"})})
	call := p.dial(t, "3001", siptest.Tone{})
	press(t, call, "736251")
	p.until(t, "3001", "open", members(1))
	wrong := p.dialWith(t, "3001", siptest.Options{User: "guess"}, siptest.CallOptions{
		Headers: []sip.Header{{Name: "X-Parley-PIN", Value: "918273"}, {Name: "X-Parley-Mutted", Value: "1"}},
	})
	press(t, wrong, "555444")
	gone(t, wrong)
	call.Hangup()
	deadline := time.Now().Add(20 * time.Second)
	for !strings.Contains(log.String(), "participant.left") && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	text := log.String()
	for _, want := range []string{
		`"msg":"participant.joined","room":"3001","call":"[0-9a-f-]+[^"]*","kind":"sip","caller":"1000","member":1,"role":"member","present":1`,
		`"msg":"participant.rejected","room":"3001","call":"[^"]+","kind":"sip","caller":"guess","reason":"pin_failed","present":1`,
		`"msg":"participant.left","room":"3001","call":"[^"]+","kind":"sip","caller":"1000","member":1,"role":"member","reason":"hangup","exit":"hangup"`,
		`"level":"WARN","msg":"call [^"]+: unknown variable parley_mutted, did you mean parley_muted\?"`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no line like %s", want)
		}
	}
	for _, secret := range []string{"736251", "918273", "555444"} {
		if strings.Contains(text, secret) {
			t.Errorf("a PIN is in the log")
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// press types digits, of which the last may end the call.
func press(t *testing.T, c *siptest.Call, digits string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := c.InfoDigits(ctx, digits); err != nil && !errors.Is(err, sip.ErrOver) {
		t.Fatal(err)
	}
}

// onFile runs a Parley on a configuration file. write changes the file: what
// is given stands beside the ports.
func onFile(t *testing.T, text string) (p parley, write func(text string)) {
	t.Helper()
	c := config.Defaults()
	vacant(t, c)
	source := config.Source{File: filepath.Join(t.TempDir(), "parley.yaml")}
	write = func(text string) {
		t.Helper()
		text = fmt.Sprintf(`sip: {listen: %s}
freeswitch: {listen: %s}
audiosocket: {listen: %s}
http: {listen: %s}
esl_server: {listen: %s}
rtp: {ports: 12000-17999}
%s
state_dir: %q
`, c.SIP.Listen, c.FreeSWITCH.Listen, c.AudioSocket.Listen, c.HTTP.Listen, c.ESLServer.Listen, text, c.StateDir)
		if err := os.WriteFile(source.File, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	c, _, err := config.Load(source)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, c, adapter.Options{Source: source, Log: slog.New(slog.DiscardHandler)}), write
}

func TestReload(t *testing.T) {
	const tones = "play_entry_tone: false, play_exit_tone: false, alone_sound: none, moh_sound: none, max_members_sound: none"
	p, write := onFile(t, "profiles: [{name: default, max_participants: 20, "+tones+"}]")
	for i := range 3 {
		p.dial(t, "3001", siptest.Tone{Hz: float64(300 + i)})
	}
	p.until(t, "3001", "with three", members(3))
	c := p.client()
	step := func(what, text string, want ...string) {
		t.Helper()
		write(text)
		got, err := c.Reload(t.Context())
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q %v, want %q", what, got, err, want)
		}
	}
	two := "profiles: [{name: default, max_participants: 2, " + tones + "}]"
	step("nothing", "profiles: [{name: default, max_participants: 20, "+tones+"}]", "nothing changed")
	step("F12", two, "profile default changed: max_participants 20→2", "room 3001 live: applies now; 3 present, nobody removed")
	p.until(t, "3001", "with three", members(3))
	fourth, err := p.try(t, "3001", siptest.Options{}, siptest.CallOptions{})
	if err == nil {
		gone(t, fourth)
	} else if !errors.Is(err, sip.ErrOver) { // it may end before it has begun
		t.Error(err)
	}

	write(two + "\nrom: []\n")
	var refused *control.Problem
	if _, err := c.Reload(t.Context()); !errors.As(err, &refused) || refused.Code != "config" ||
		!strings.HasSuffix(refused.Message, `parley.yaml:8: unknown key "rom", did you mean "rooms"? [unknown_key]`) {
		t.Errorf("an invalid file: %v", err)
	}
	p.until(t, "3001", "as it was", func(v engine.RoomView) bool { return members(3)(v) && v.MaxParticipants == 2 })
	step("the same again", two, "nothing changed")

	write(two + "\nsounds_dir: /nowhere\n")
	if _, err := c.Reload(t.Context()); !errors.As(err, &refused) || !strings.Contains(refused.Message, "[media_missing]") {
		t.Errorf("no such folder: %v", err)
	}
	step("and again", two, "nothing changed")

	step("what waits for a restart", two+"\nlimits: {max_legs: 5}", "setting changed: limits.max_legs 2000→5; needs a restart")
	step("a token", two+"\nlimits: {max_legs: 5}\nauth: {tokens: [{name: me, token: 0123456789abcdef}]}",
		"token me added", "setting changed: limits.max_legs 2000→5; needs a restart")
	if _, err := c.Rooms(t.Context()); !errors.As(err, &refused) || refused.Code != "no_auth" {
		t.Errorf("without the new token: %v", err)
	}
	c.Token = "0123456789abcdef"
	step("no more token, and the limit as it runs", two, "token me removed")
}

// TestStatusIsOfWhatRuns: a file that says otherwise by now does not count.
func TestStatusIsOfWhatRuns(t *testing.T) {
	p, write := onFile(t, "")
	was := p.config.SIP.Listen
	write("")
	text, err := os.ReadFile(p.config.Files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.config.Files[0], bytes.Replace(text, []byte(was), []byte("127.0.0.1:1"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := p.client().Reload(t.Context())
	if want := "setting changed: sip.listen " + was + "→127.0.0.1:1; needs a restart"; err != nil || !slices.Equal(report, []string{want}) {
		t.Errorf("%q %v", report, err)
	}
	s, err := p.client().Status(t.Context())
	if want := (control.Check{Name: "sip", Ready: true, Text: "listening on " + was + ", 0 calls"}); err != nil || !slices.Contains(s.Checks, want) {
		t.Errorf("%+v %v, want %v", s, err, want)
	}
}

func TestReadiness(t *testing.T) {
	p := start(t, func(c *config.Config) {
		c.Switches = []config.Switch{{Name: "ast1", Kind: config.KindAsterisk, ARI: "http://127.0.0.1:1/ari", User: "u", App: "parley"}}
	})
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable} {
		res, err := http.Get("http://" + p.config.HTTP.Listen + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != want || path == "/readyz" && !bytes.Contains(body, []byte(`"ast1"`)) {
			t.Errorf("%s: %s %s", path, res.Status, body)
		}
	}
}
