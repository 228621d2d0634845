package seal

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/engine"
)

const call engine.LegID = "11111111-1111-4111-8111-111111111111"

func rights() engine.Rights {
	return engine.Rights{
		Room: "3001", Instance: "abcdefgh", Seq: 17, StartedAt: time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC), Locked: true,
		Opened: true, LastID: 9, Profile: "gold", Settings: []engine.Variable{{Name: "max_participants", Value: "3"}},
		Member: 7, Role: engine.RoleModerator, State: engine.MemberState{Muted: true, Talk: -3}, Hand: true,
		JoinedAt: time.Date(2026, 5, 1, 10, 1, 2, 345, time.UTC),
	}
}

func key(t testing.TB) *Key {
	t.Helper()
	k, err := Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestATokenHoldsTheRights(t *testing.T) {
	k := key(t)
	token, err := k.Seal(call, rights())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Trim(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" || len(token) > 1000 {
		t.Errorf("token of %d bytes: %s", len(token), token)
	}
	got, err := k.Open(call, token)
	if err != nil || !reflect.DeepEqual(got, rights()) {
		t.Errorf("got %+v, %v", got, err)
	}
	if plain, _ := base64.RawURLEncoding.DecodeString(token[2:]); strings.Contains(string(plain), "3001") {
		t.Error("it can be read")
	}
}

func TestNoOtherTokenIsGood(t *testing.T) {
	k := key(t)
	token, err := k.Seal(call, rights())
	if err != nil {
		t.Fatal(err)
	}
	other, err := key(t).Seal(call, rights())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, token string
		call        engine.LegID
		err         error
	}{
		{"on another call", token, "22222222-2222-4222-8222-222222222222", ErrToken},
		{"on no call", token, "", ErrToken},
		{"by another key", other, call, ErrToken},
		{"cut short", token[:len(token)-4], call, ErrToken},
		{"cut to the version", version, call, ErrToken},
		{"empty", "", call, ErrToken},
		{"of a later version", "2." + token[2:], call, ErrToken},
		{"one letter on", token + "A", call, ErrToken},
		{"not base64", version + "!!!!", call, ErrToken},
		{"much too long", version + strings.Repeat("A", 1<<20), call, ErrSize},
	} {
		if r, err := k.Open(c.call, c.token); !errors.Is(err, c.err) || r.Member != 0 {
			t.Errorf("%s: %+v, %v", c.name, r, err)
		}
	}
}

// TestEveryBitCounts: none can be turned without notice.
func TestEveryBitCounts(t *testing.T) {
	k := key(t)
	token, err := k.Seal(call, rights())
	if err != nil {
		t.Fatal(err)
	}
	box, err := base64.RawURLEncoding.DecodeString(token[2:])
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(box) * 8 {
		box[bit/8] ^= 1 << (bit % 8)
		if _, err := k.Open(call, version+base64.RawURLEncoding.EncodeToString(box)); !errors.Is(err, ErrToken) {
			t.Fatalf("bit %d: %v", bit, err)
		}
		box[bit/8] ^= 1 << (bit % 8)
	}
}

func TestWhatCannotBeRightsIsNotSealed(t *testing.T) {
	k := key(t)
	none, long := rights(), rights()
	none.Member = 0
	long.Settings = []engine.Variable{{Name: "moh_sound", Value: strings.Repeat("x", MaxToken)}}
	if _, err := k.Seal(call, none); err == nil {
		t.Error("rights of nobody were sealed")
	}
	if _, err := k.Seal(call, long); !errors.Is(err, ErrSize) {
		t.Errorf("long ones: %v", err)
	}
	// What an older or broken Parley sealed is looked at all the same.
	for _, plain := range []string{`{`, `{"room":"../x","member":1,"role":1}`, `{"room":"3001","member":1,"role":7}`, `[]`} {
		token := version + base64.RawURLEncoding.EncodeToString(k.aead.Seal(nil, nil, []byte(plain), bound(call)))
		if r, err := k.Open(call, token); !errors.Is(err, ErrToken) || r.Member != 0 {
			t.Errorf("%s: %+v, %v", plain, r, err)
		}
	}
}

func TestTheKeyStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "var")
	keys := make([]*Key, 8)
	var wg sync.WaitGroup
	for i := range keys { // several at once make one key
		wg.Go(func() {
			var err error
			if keys[i], err = Load(dir); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	token, err := keys[0].Seal(call, rights())
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range keys {
		if _, err := k.Open(call, token); err != nil {
			t.Errorf("key %d: %v", i, err)
		}
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 1 {
		t.Fatalf("folder %v, %v", list, err)
	}
	if info, err := list[0].Info(); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestTroubleWithTheKey(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, dir, path string) error
		want string
	}{
		{"others may read it", func(_ *testing.T, _, path string) error {
			return os.WriteFile(path, []byte(strings.Repeat("ab", keySize)), 0o644)
		}, "may be read by others (mode 0644)"},
		{"cut", func(_ *testing.T, _, path string) error { return os.WriteFile(path, []byte("abcd\n"), 0o600) }, "holds no key of 32 bytes"},
		{"empty", func(_ *testing.T, _, path string) error { return os.WriteFile(path, nil, 0o600) }, "holds no key of 32 bytes"},
		{"no key", func(_ *testing.T, _, path string) error {
			return os.WriteFile(path, []byte(strings.Repeat("x", 1<<20)), 0o600)
		}, "holds 1048576 bytes"},
		{"a folder", func(_ *testing.T, _, path string) error { return os.Mkdir(path, 0o700) }, "is not a regular file"},
		{"a link", func(t *testing.T, _, path string) error {
			other := filepath.Join(t.TempDir(), "other")
			return errors.Join(os.WriteFile(other, []byte(strings.Repeat("ab", keySize)), 0o600), os.Symlink(other, path))
		}, "is not a regular file"},
		{"no folder can be made", func(_ *testing.T, dir, _ string) error {
			return errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0o600))
		}, "not a directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "var")
			if err := errors.Join(os.Mkdir(dir, 0o700), c.do(t, dir, filepath.Join(dir, File))); err != nil {
				t.Fatal(err)
			}
			_, err := Load(dir)
			if !errors.Is(err, ErrKey) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v, want … %s", err, c.want)
			}
		})
	}
}

func FuzzOpen(f *testing.F) {
	k := key(f)
	token, err := k.Seal(call, rights())
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{token, token[:40], "1.", "", "2.abc", "1.!"} {
		f.Add(string(call), s)
	}
	f.Fuzz(func(t *testing.T, uuid, s string) {
		r, err := k.Open(engine.LegID(uuid), s)
		if err == nil && (uuid != string(call) || s != token) {
			t.Errorf("%q is good for %q: %+v", s, uuid, r)
		}
	})
}
