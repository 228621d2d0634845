package adapter_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/adapter"
	"parley/adapter/config"
	"parley/adapter/seal"
)

// TestParleyStartsWithoutAKey, and says once what its callers miss.
func TestParleyStartsWithoutAKey(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(t *testing.T, c *config.Config)
		says string // "" = nothing, and there is a key
	}{
		{"as it should be", func(*testing.T, *config.Config) {}, ""},
		{"no folder can be made", func(t *testing.T, c *config.Config) {
			c.StateDir = filepath.Join(c.StateDir, "file", "var")
			write(t, filepath.Dir(c.StateDir), 0o600)
		}, "not a directory. Callers cannot come back after a restart. [state_dir]"},
		{"others may read the key", func(t *testing.T, c *config.Config) {
			write(t, filepath.Join(c.StateDir, seal.File), 0o644)
		}, "may be read by others (mode 0644); remove it, another one is made. Callers cannot come back after a restart. [state_dir]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := &journal{}
			c := config.Defaults()
			vacant(t, c)
			tt.edit(t, c)
			run(t, c, adapter.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
			if n := strings.Count(log.String(), "[state_dir]"); tt.says != "" && (n != 1 || !strings.Contains(log.String(), tt.says)) {
				t.Errorf("log %s", log)
			}
			if tt.says != "" {
				return
			}
			info, err := os.Stat(filepath.Join(c.StateDir, seal.File))
			if err != nil || info.Mode() != 0o600 || strings.Contains(log.String(), "state_dir") {
				t.Errorf("%v, %v; log %s", info, err, log)
			}
		})
	}
	t.Run("nobody is to come back", func(t *testing.T) {
		c := config.Defaults()
		vacant(t, c)
		c.Reattach = 0
		run(t, c, adapter.Options{Log: slog.New(slog.DiscardHandler)})
		if _, err := os.Stat(filepath.Join(c.StateDir, seal.File)); err == nil {
			t.Error("a key was made")
		}
	})
}

func write(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, nil, mode); err != nil {
		t.Fatal(err)
	}
}
