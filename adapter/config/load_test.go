package config

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/engine"
)

// write puts files into a new working directory. Odd arguments are names,
// even ones contents.
func write(t *testing.T, files ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for i := 0; i+1 < len(files); i += 2 {
		if err := os.MkdirAll(filepath.Dir(files[i]), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(files[i], []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// load reads files that must be right.
func load(t *testing.T, files ...string) *Config {
	t.Helper()
	write(t, files...)
	c, warnings, err := Load(Source{})
	if err != nil || len(warnings) > 0 {
		t.Fatalf("warnings %v, error %v", warnings, err)
	}
	return c
}

// texts are the lines an operator sees.
func texts(ps []Problem) []string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return lines
}

func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func TestProblemsAreTold(t *testing.T) {
	for _, tt := range problemCases() {
		t.Run(tt.name, func(t *testing.T) {
			write(t, tt.files...)
			c, _, err := Load(Source{})
			var ps Problems
			if !errors.As(err, &ps) {
				t.Fatalf("error %v, config %v", err, c)
			}
			compare(t, "problems", texts(ps), tt.want)
			if c != nil {
				t.Error("a configuration in spite of problems")
			}
		})
	}
}

func TestWarningsAreTold(t *testing.T) {
	for _, tt := range warningCases() {
		t.Run(tt.name, func(t *testing.T) {
			write(t, tt.files...)
			_, warnings, err := Load(Source{})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, "warnings", texts(warnings), tt.want)
		})
	}
}

func TestNoMoreThanAHundredProblemsAreTold(t *testing.T) {
	write(t, "parley.yaml", "profiles:\n"+strings.Repeat("  - {}\n", 500))
	_, _, err := Load(Source{})
	var ps Problems
	if !errors.As(err, &ps) || len(ps) != maxProblems+1 || ps[maxProblems].Code != "too_many" {
		t.Errorf("%d problems, the last %v", len(ps), ps[len(ps)-1])
	}
}

func TestFilesAreFoundInOrder(t *testing.T) {
	const main, other, third = "log: {level: debug}", "log: {level: warn}", "log: {level: error}"
	for _, tt := range []struct {
		name  string
		src   Source
		files []string
		level slog.Level
		read  []string
	}{
		{"nothing at all", Source{}, nil, slog.LevelInfo, nil},
		{"beside the working directory", Source{}, []string{"parley.yaml", main}, slog.LevelDebug, []string{"parley.yaml"}},
		{
			"the flag wins",
			Source{File: "x/other.yaml"},
			[]string{"parley.yaml", main, "x/other.yaml", other},
			slog.LevelWarn,
			[]string{"x/other.yaml"},
		},
		{
			"the next place",
			Source{Search: []string{"parley.yaml", "etc/parley.yaml"}},
			[]string{"etc/parley.yaml", third},
			slog.LevelError,
			[]string{"etc/parley.yaml"},
		},
		{
			"folders beside the file, in the order of names",
			Source{File: "etc/parley.yaml"},
			[]string{
				"etc/parley.yaml", other, "etc/rooms.d/b.yaml", "", "etc/rooms.d/a.yaml", "rooms: []", "etc/profiles.d/z.yaml", "# none",
				"etc/rooms.d/.hidden.yaml", "?", "etc/rooms.d/readme.txt", "?", "rooms.d/elsewhere.yaml", "?",
			},
			slog.LevelWarn,
			[]string{"etc/parley.yaml", "etc/profiles.d/z.yaml", "etc/rooms.d/a.yaml", "etc/rooms.d/b.yaml"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			write(t, tt.files...)
			c, _, err := Load(tt.src)
			if err != nil {
				t.Fatal(err)
			}
			if c.Log.Level != tt.level || !slices.Equal(c.Files, tt.read) {
				t.Errorf("level %v from %v, want %v from %v", c.Log.Level, c.Files, tt.level, tt.read)
			}
		})
	}
}

func TestAFileThatMustBeThereIs(t *testing.T) {
	write(t)
	_, _, err := Load(Source{File: "none.yaml"})
	if err == nil || err.Error() != "none.yaml: no such file or directory. [unreadable]" {
		t.Errorf("error %v", err)
	}
	if err := os.Mkdir("parley.yaml", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(Source{}); err == nil {
		t.Error("a folder in place of the file goes unnoticed")
	}
}

func TestEmptyConfigurationsAreTheDefaults(t *testing.T) {
	for _, text := range []string{"", "---\n", "# nothing\n", "{}", "~", "sip:\nprofiles:\nrooms: []\nswitches:\n"} {
		c := load(t, "parley.yaml", text)
		c.Files = nil
		if !reflect.DeepEqual(c, Defaults()) {
			t.Errorf("%q makes another configuration:\n%s", text, c.Dump())
		}
	}
}

func TestTheEnvironmentWins(t *testing.T) {
	t.Setenv("PARLEY_SIP_LISTEN", "192.0.2.1:5060")
	t.Setenv("PARLEY_SIP_CODECS", "pcma, L16")
	t.Setenv("PARLEY_TTS_COMMAND", "espeak-ng --stdin")
	t.Setenv("PARLEY_MEDIA_TIMEOUT_S", "2.5")
	t.Setenv("PARLEY_HTTP_LISTEN", "") // empty is not set
	t.Setenv("PARLEY_PORT_8085_TCP", "tcp://10.0.0.1:8085")
	c := load(t, "parley.yaml", "sip: {listen: 127.0.0.1:1, transports: [tcp]}\nhttp: {listen: 127.0.0.1:2}")
	want := Defaults()
	want.Files = []string{"parley.yaml"}
	want.SIP.Listen, want.SIP.Codecs, want.SIP.Transports = "192.0.2.1:5060", []string{"PCMA", "L16"}, []string{"tcp"}
	want.TTSCommand, want.Media.Timeout = []string{"espeak-ng", "--stdin"}, 2500*time.Millisecond
	want.HTTP.Listen = "127.0.0.1:2"
	c.origins = want.origins
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got\n%s", c.Dump())
	}
}

func TestTrustedNetworks(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"[]", "[]"},
		{"192.0.2.7", "[192.0.2.7/32]"},
		{`[10.1.2.3/8, "::1"]`, "[10.0.0.0/8 ::1/128]"},
		{`"10.0.0.1, 10.0.0.2 2001:db8::/32"`, "[10.0.0.1/32 10.0.0.2/32 2001:db8::/32]"},
		{`["::ffff:10.0.0.1", "::ffff:10.9.0.0/104", "::/0"]`, "[10.0.0.1/32 10.0.0.0/8 ::/0]"},
		{`["fe80::1%eth0"]`, "error"},
		{"[pbx.example.com]", "error"},
		{"[10.0.0.0/8, 10]", "error"},
	} {
		write(t, "parley.yaml", "sip: {trusted: "+tt.in+"}")
		c, _, err := Load(Source{})
		got := "error"
		if err == nil {
			got = fmt.Sprint(c.SIP.Trusted)
		}
		if got != tt.want {
			t.Errorf("%s: got %s %v, want %s", tt.in, got, err, tt.want)
		}
	}
}

func TestEverySettingHasItsEnvironmentVariable(t *testing.T) {
	seen := map[string]string{}
	for _, f := range settings(Defaults()) {
		if other, taken := seen[envName(f.name)]; taken {
			t.Errorf("%s and %s are both %s", f.name, other, envName(f.name))
		}
		seen[envName(f.name)] = f.name
		t.Run(f.name, func(t *testing.T) {
			write(t)
			t.Setenv(envName(f.name), "\x01")
			_, _, err := Load(Source{})
			if err == nil || !strings.HasPrefix(err.Error(), envName(f.name)+": "+f.name+" must ") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestEnvironmentProblems(t *testing.T) {
	write(t, "parley.yaml", "http: {listen: 127.0.0.1:2}")
	t.Setenv("PARLEY_HTTP_LISTEN", ":8085")
	t.Setenv("PARLEY_SIP_LISTN", "x")
	_, warnings, err := Load(Source{})
	if err == nil || err.Error() != "PARLEY_HTTP_LISTEN: http.listen :8085 without auth.tokens; set a token or listen on 127.0.0.1. [no_auth]" {
		t.Errorf("error %v", err)
	}
	compare(t, "warnings", texts(warnings),
		[]string{`unknown environment variable PARLEY_SIP_LISTN, did you mean "PARLEY_SIP_LISTEN"? [unknown_env]`})
}

func TestSmallestConfigurationOfTheFlows(t *testing.T) {
	c := load(t, "esl.secret", "one\n", "ari.secret", "two\r\n", "parley.yaml", `
switches:
  - {name: pbx1, kind: freeswitch, esl: 127.0.0.1:8021, password_file: esl.secret}
  - {name: ast1, kind: asterisk, ari: http://127.0.0.1:8088/ari, user: parley, password_file: ari.secret, app: parley}
profiles:
  - name: default
    mixer: native            # own mixer
    max_participants: 20
    wait_for_moderator: true
    member:    {pins: ["1234"], join_muted: false}
    moderator: {pins: ["9876"], end_on_exit: last}
    play_entry_tone: true
    play_exit_tone: true
rooms:
  - {name: "3001", title: Weekly, profile: default}
`)
	want := []Switch{
		{Name: "pbx1", Kind: KindFreeSWITCH, ESL: "127.0.0.1:8021", App: "parley", WebSocket: WebSocketInbound, Password: NewSecret("one")},
		{Name: "ast1", Kind: KindAsterisk, ARI: "http://127.0.0.1:8088/ari", User: "parley", App: "parley", WebSocket: WebSocketInbound, Password: NewSecret("two")},
	}
	if !slices.Equal(c.Switches, want) {
		t.Errorf("switches %+v", c.Switches)
	}
	p, configured, known := c.Directory().Lookup("3001", "")
	def := engine.DefaultProfile()
	def.MaxParticipants, def.WaitForModerator = 20, true
	def.Member.PINs, def.Moderator.PINs = []engine.PIN{engine.NewPIN("1234")}, []engine.PIN{engine.NewPIN("9876")}
	def.Moderator.EndOnExit = engine.EndLast
	if !configured || !known || !reflect.DeepEqual(*p, def) {
		t.Errorf("configured %v, known %v, profile %+v", configured, known, p)
	}
	if title := c.Directory().Rooms["3001"].Title; title != "Weekly" {
		t.Errorf("title %q", title)
	}
}
