package config

import (
	"testing"

	"parley/engine"
)

func TestACallMayNameAnyMenuOfTheConfiguration(t *testing.T) {
	c := load(t, "parley.yaml", `
controls:
  - name: simple
    keys: [{digits: "0", action: mute}]
`)
	d := c.Directory()
	for name, want := range map[string]int{"simple": 1, "default": len(engine.DefaultControls(engine.RoleMember).Keys), "none": 0} {
		if m, known := d.Menu(name); !known || m.Name != name || len(m.Keys) != want {
			t.Errorf("%s: %+v, %v, want %d keys", name, m, known, want)
		}
	}
	if m, known := d.Menu("gold"); known {
		t.Errorf("gold: %+v", m)
	}
}
