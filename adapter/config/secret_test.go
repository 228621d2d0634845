package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestASecretPrintsAsStars(t *testing.T) {
	s := NewSecret("hush")
	doc, err := json.Marshal(struct{ S Secret }{s})
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{string(doc), fmt.Sprint(s), fmt.Sprintln([]Secret{s})}
	for _, verb := range "vsqxXdT" {
		shown = append(shown, fmt.Sprintf("%"+string(verb), s), fmt.Sprintf("%#"+string(verb), s), fmt.Sprintf("%+"+string(verb), &User{Password: s}))
	}
	for _, text := range shown {
		if strings.Contains(text, "hush") || strings.Contains(strings.ToLower(text), "68757368") {
			t.Errorf("shows in %s", text)
		}
	}
	if s.Reveal() != "hush" || s.Empty() || !(Secret{}).Empty() || (Secret{}).String() != "" {
		t.Error("the secret itself is lost")
	}
}

func TestSecretFiles(t *testing.T) {
	for _, tt := range []struct {
		name    string
		make    func(path string) error
		want    string // the password
		problem string // "" = none
		warning string
	}{
		{"one line break is cut", content("a b\n", 0o600), "a b", "", ""},
		{"only one", content("ab\n\n", 0o600), "", "has a line break or another control character in it.", ""},
		{"a line break of Windows", content("ab\r\n", 0o600), "ab", "", ""},
		{"none at all", content("ab", 0o640), "ab", "", ""},
		{"readable by all", content("ab", 0o604), "ab", "", "may be read by every user of this machine (mode 0604); chmod 600."},
		{"empty", content("\n", 0o600), "", "is empty.", ""},
		{"too long", content(strings.Repeat("x", maxSecret+1), 0o600), "", "is longer than 4096 bytes.", ""},
		{"as long as can be", content(strings.Repeat("x", maxSecret)+"\r\n", 0o600), strings.Repeat("x", maxSecret), "", ""},
		{"a pipe", func(path string) error { return syscall.Mkfifo(path, 0o600) }, "", "is not a regular file.", ""},
		{"a folder", func(path string) error { return os.Mkdir(path, 0o700) }, "", "is not a regular file.", ""},
		{"missing", func(string) error { return nil }, "", "no such file or directory.", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// Beside the configuration, not in the working directory.
			write(t, "etc/parley.yaml", "sip: {users: [{name: u, password_file: ./x.secret}]}")
			if err := tt.make("etc/x.secret"); err != nil {
				t.Fatal(err)
			}
			c, warnings, err := Load(Source{File: "etc/parley.yaml"})
			switch {
			case tt.problem == "" && err != nil:
				t.Fatal(err)
			case tt.problem == "":
				if got := c.SIP.Users[0].Password.Reveal(); got != tt.want {
					t.Errorf("password %q, want %q", got, tt.want)
				}
			case err == nil || err.Error() != `etc/parley.yaml:1: password_file "etc/x.secret": `+tt.problem+" [secret_file]":
				t.Errorf("error %v", err)
			}
			var want []string
			if tt.warning != "" {
				want = []string{`etc/parley.yaml:1: password_file "etc/x.secret" ` + tt.warning + " [secret_mode]"}
			}
			compare(t, "warnings", texts(warnings), want)
		})
	}
}

func content(text string, mode os.FileMode) func(string) error {
	return func(path string) error {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
		return os.Chmod(path, mode)
	}
}

func TestASecretFileMayBeAnywhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := content("0123456789abcdef\n", 0o600)(path); err != nil {
		t.Fatal(err)
	}
	c := load(t, "parley.yaml", "http: {listen: '0.0.0.0:8085'}\nauth: {tokens: [{name: t, token_file: "+path+"}]}")
	if len(c.Auth.Tokens) != 1 || c.Auth.Tokens[0].Token.Reveal() != "0123456789abcdef" {
		t.Errorf("tokens %v", c.Auth.Tokens)
	}
}

func TestPasswordsOfSwitchesFromTheEnvironment(t *testing.T) {
	const yaml = "switches:\n  - {name: pbx-1, kind: freeswitch, esl: 127.0.0.1:8021}\n" +
		"  - {name: b, kind: freeswitch, esl: 127.0.0.1:8022, password: file}\n" +
		"  - {name: ast, kind: asterisk, ari: http://127.0.0.1:8088/ari, user: u, password: p, ami: 127.0.0.1:5038, ami_user: u}"
	t.Setenv("PARLEY_SWITCH_PBX_1_PASSWORD", "one")
	t.Setenv("PARLEY_SWITCH_B_PASSWORD", "two")
	t.Setenv("PARLEY_SWITCH_AST_AMI_PASSWORD", "three")
	t.Setenv("PARLEY_SWITCH_AST_PASSWORD", "")
	t.Setenv("PARLEY_SWITCH_B_PASSWROD", "x")
	write(t, "parley.yaml", yaml)
	c, warnings, err := Load(Source{})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.Switches[0].Password.Reveal(), c.Switches[1].Password.Reveal(), c.Switches[2].Password.Reveal(), c.Switches[2].AMIPassword.Reveal()); got != "onetwopthree" {
		t.Errorf("passwords %s", got)
	}
	compare(t, "warnings", texts(warnings),
		[]string{`unknown environment variable PARLEY_SWITCH_B_PASSWROD, did you mean "PARLEY_SWITCH_B_PASSWORD"? [unknown_env]`})

	t.Setenv("PARLEY_SWITCH_B_PASSWORD", "a\nb")
	t.Setenv("PARLEY_SWITCH_PBX_1_PASSWORD", "")
	_, _, err = Load(Source{})
	want := `PARLEY_SWITCH_B_PASSWORD: password of switch b must be a password; it has a line break or another control character in it. [bad_value]`
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `parley.yaml:2: one of "password" and "password_file" is needed`) {
		t.Errorf("error %v, want %s", err, want)
	}
}
