package asterisk

import "testing"

func TestOwnUUID(t *testing.T) {
	const id = "0ecb9a1e-9d0f-4f4f-8d51-0f8a1b2c3d4e"
	for _, c := range []struct {
		name, in string
		ok       bool
	}{
		{name: "ours", in: "parley-media-conf-" + id, ok: true},
		{name: "an application whose name begins like ours", in: "parley-media-conf-two-" + id},
		{name: "another application", in: "parley-media-other-" + id},
		{name: "a bridge", in: "parley-bridge-conf-" + id},
		{name: "no UUID", in: "parley-media-conf-1"},
		{name: "a phone", in: "1795000000.1"},
	} {
		l := &Link{opt: Options{App: "conf"}}
		if got, ok := ownUUID(l.mediaPrefix(), c.in); ok != c.ok || ok && got != id {
			t.Errorf("%s: %q, %v", c.name, got, ok)
		}
	}
}

// TestProfilesByPosition are those that `parley import confbridge` makes.
func TestProfilesByPosition(t *testing.T) {
	for _, c := range []struct{ bridge, user, want string }{
		{"", "", ""},
		{"sales", "", "sales"},
		{"sales", "boss", "sales.boss"},
		{"default_bridge", "boss", "boss"},
		{"", "boss", "boss"},
		{"sales", "default_user", "sales"},
		{"default_bridge", "Default_User", "default_bridge"},
	} {
		vars, warnings := readArgs([]string{"3001", c.bridge, c.user})
		if vars["profile"] != c.want || warnings != nil {
			t.Errorf("%+v: %q, %v", c, vars["profile"], warnings)
		}
	}
}
