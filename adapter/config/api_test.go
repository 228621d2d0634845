package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLoadAPI: only what is about the API's address and token counts.
func TestLoadAPI(t *testing.T) {
	const token = "0123456789abcdef"
	for _, c := range []struct {
		name, text, env string
		listen, token   string
		err             string // has in it; "" = none
	}{
		{"nothing set", "", "", "127.0.0.1:8085", "", ""},
		{"both set", "http: {listen: 127.0.0.1:9000}\nauth: {tokens: [{name: a, token: " + token + "}]}\n", "", "127.0.0.1:9000", token, ""},
		{"faults elsewhere", "sip: {listen: 7}\nrom: []\nhttp: {listen: 127.0.0.1:9000}\nprofiles: [{nam: x}]\nsip: {}\n", "", "127.0.0.1:9000", "", ""},
		{"from the environment", "sip: {listen: 7}\n", "127.0.0.1:9001", "127.0.0.1:9001", "", ""},
		{"a faulty address", "http: {listen: 7}\n", "", "", "", "http.listen must be HOST:PORT"},
		{"a faulty token", "auth: {tokens: [{name: a, token: short}]}\n", "", "", "", "weak_token"},
		{"no YAML", "http: [\n", "", "", "", "yaml_syntax"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.env != "" {
				t.Setenv("PARLEY_HTTP_LISTEN", c.env)
			}
			path := filepath.Join(t.TempDir(), "parley.yaml")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			api, err := LoadAPI(Source{File: path})
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v, want %q", err, c.err)
				}
				return
			}
			if err != nil || api.Listen != c.listen || api.Token.Reveal() != c.token {
				t.Errorf("%+v, %v", api, err)
			}
		})
	}
}
