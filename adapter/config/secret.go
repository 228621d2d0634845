package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Secret is a password or a token. However it is printed or marshalled, "***"
// comes out; only Reveal shows it.
type Secret struct{ value string }

// NewSecret hides s.
func NewSecret(s string) Secret { return Secret{s} }

// Reveal returns the secret itself, for the one who must send or compare it.
func (s Secret) Reveal() string { return s.value }

// Empty says that no secret was configured.
func (s Secret) Empty() bool { return s.value == "" }

func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return "***"
}

// Format hides the secret from every verb, %#v and %d among them.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText hides the secret from JSON, YAML and slog.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// maxSecret is the longest secret in bytes.
const maxSecret = 4096

// secretField is a secret written in the configuration.
func secretField(at *Secret) value { return cell[Secret]{at, parseSecret, Secret.String} }

func parseSecret(text string) (Secret, error) {
	switch {
	case text == "":
		return Secret{}, errors.New("is empty")
	case len(text) > maxSecret:
		return Secret{}, fmt.Errorf("is longer than %d bytes", maxSecret)
	case strings.ContainsFunc(text, control):
		return Secret{}, errors.New("has a line break or another control character in it")
	}
	return Secret{text}, nil
}

// secretCell is secretField for a setting, whose errors begin alike.
func secretCell(at *Secret) value {
	return cell[Secret]{at, func(text string) (Secret, error) {
		s, err := parseSecret(text)
		if err != nil {
			err = fmt.Errorf("must be a password; it %w", err)
		}
		return s, err
	}, Secret.String}
}

// switchEnv is the environment variable of a switch's secret: that of switch pbx-1
// and key password is PARLEY_SWITCH_PBX_1_PASSWORD.
func switchEnv(name, key string) string {
	word := strings.Map(func(r rune) rune {
		if strings.ContainsRune(letters, r) {
			return r
		}
		return '_'
	}, name)
	return "PARLEY_SWITCH_" + strings.ToUpper(word+"_"+key)
}

// switchSecret says whether a switch has its secret: from the environment, which
// wins, or from the file.
func (l *loader) switchSecret(d *document, item *yaml.Node, name, key string, at *Secret) bool {
	env := switchEnv(name, key)
	l.env = append(l.env, env)
	text := os.Getenv(env)
	if text == "" {
		return d.secret(item, key)
	}
	secret, err := parseSecret(text)
	if err != nil {
		(&document{report: d.report, file: env}).problem(&yaml.Node{}, "bad_value", "%s of switch %s must be a password; it %v.", key, name, err)
		return false
	}
	*at = secret
	return true
}

// keptSecret is a secret that has a default: printed as ***, it is read as what
// it was.
type keptSecret struct{ value }

func (s keptSecret) read(d *document, key string, n *yaml.Node) {
	if n.Value != s.node().Value {
		s.value.read(d, key, n)
	}
}

func (s keptSecret) take(from value)    { s.value.take(from.(keptSecret).value) }
func (s keptSecret) same(as value) bool { return s.value.same(as.(keptSecret).value) }

// secretFile is the same secret kept in a file of its own.
type secretFile struct{ at *Secret }

func (s secretFile) read(d *document, key string, n *yaml.Node) {
	path, ok := d.scalar(key, n)
	if !ok {
		return
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(d.file), path)
	}
	text, mode, err := readSecret(path)
	if err == nil {
		*s.at, err = parseSecret(text)
	}
	if err != nil {
		d.problem(n, "secret_file", "%s %q: %v.", key, clip(path), err)
		return
	}
	if mode&0o007 != 0 {
		d.warn(n, "secret_mode", "%s %q may be read by every user of this machine (mode %#o); chmod 600.", key, clip(path), mode)
	}
}

func (s secretFile) node() *yaml.Node { return scalarNode(s.at.String()) }
func (s secretFile) take(from value)  { *s.at = *from.(secretFile).at }
func (s secretFile) same(as value) bool {
	return *s.at == *as.(secretFile).at
}

// readSecret reads a small regular file, without its last line break. Its
// errors do not repeat the path.
func readSecret(path string) (text string, mode fs.FileMode, err error) {
	info, err := os.Stat(path) // before opening: a pipe would block
	if err != nil {
		return "", 0, cause(err)
	}
	if !info.Mode().IsRegular() {
		return "", 0, errors.New("is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", 0, cause(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+3))
	if err != nil {
		return "", 0, cause(err)
	}
	text = strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	return text, info.Mode().Perm(), nil
}

// cause takes the path off an error of package os.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
