package sound

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// library makes one over a folder of sounds: path to frequency of a 100 ms tone.
func library(t testing.TB, o Options, files map[string]float64) *Library {
	t.Helper()
	if files != nil {
		o.Dir = t.TempDir()
	}
	for name, hz := range files {
		at := filepath.Join(o.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, AppendWAV(nil, sine(hz, 8000, 800, -12), 8000), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func load(t testing.TB, l *Library, spec, language string) *Clip {
	t.Helper()
	c, err := l.Load(spec, language)
	if err != nil {
		t.Fatalf("%s: %v", spec, err)
	}
	return c
}

func TestFileIsFoundInTheRightPlace(t *testing.T) {
	l := library(t, Options{Language: "fr"}, map[string]float64{
		"de-at/one.wav":              300,
		"de/one.wav":                 400,
		"de/two.wav":                 500,
		"fr/three.wav":               600,
		"en/four.wav":                700,
		"five.wav":                   800,
		"de/five.wav":                900,
		"de/16000/six.wav":           1000,
		"de/six.wav":                 1100,
		"de/8000/seven.wav":          1200,
		"de/conf/8000/eight.wav":     1300,
		"en/enter-pin.wav":           1400,
		"de/dots.in.name/nine.WAV":   1500,
		"de/music/moh.wav":           1600,
		"de/music/jazz/swing.wav":    1700,
		"en/16000/number-1.wav":      1800,
		"en/phrase/participants.wav": 1900,
	})
	abs := filepath.Join(l.opts.Dir, "five.wav")
	for _, tt := range []struct {
		spec, language string
		hz             float64
	}{
		{"one.wav", "de-AT", 300},
		{"one", "de-at", 300},
		{"one", "de_AT", 400}, // folders are written with a hyphen
		{"one", "de-CH", 400},
		{"two", "de-AT", 500},
		{"three", "de", 600}, // the library's language
		{"four", "de", 700},  // English
		{"five", "en", 800},  // no language
		{"five", "de", 900},
		{"six", "de", 1000},
		{"seven", "de", 1200},
		{"conf/eight", "de", 1300},
		{"enter-pin", "de", 1400}, // before the built-in one
		{"dots.in.name/nine.WAV", "de", 1500},
		{abs, "de", 800},
		{"local_stream://moh", "de", 1600},
		{"local_stream://moh/8000", "de", 1600},
		{"local_stream://jazz/swing", "de", 1700},
		{"number:1", "", 1800},
		{"five", "../de", 800}, // no language tag
	} {
		c := load(t, l, tt.spec, tt.language)
		if p := powerAt(c.PCM(narrow)[:800], tt.hz, narrow); p < -14 {
			t.Errorf("%s in %s: %.1f dB at %.0f Hz", tt.spec, tt.language, p, tt.hz)
		}
		if c.Endless() != strings.HasPrefix(tt.spec, "local_stream:") {
			t.Errorf("%s: endless %v", tt.spec, c.Endless())
		}
		if err := l.Check(tt.spec, strings.Trim(tt.language, "./")); err != nil {
			t.Errorf("%s: %v", tt.spec, err)
		}
	}
}

func TestMissingTellsWhereItLooked(t *testing.T) {
	l := library(t, Options{}, map[string]float64{"x.wav": 400})
	dir := l.opts.Dir
	for _, tt := range []struct{ spec, language, want string }{
		{"bing.wav", "en", `"bing.wav" not found in ` + dir + "/en/16000, …/8000, " + dir + "/en, " + dir + ", nor among the built-in prompts"},
		{"conf/bing", "en", `"conf/bing" not found in ` + dir + "/en/conf/16000, …/8000, " + dir + "/en/conf, " + dir + "/conf, nor among the built-in prompts"},
		{"/nowhere/bing.wav", "en", `"/nowhere/bing.wav" not found`},
	} {
		_, err := l.Load(tt.spec, tt.language)
		var missing *MissingError
		if !errors.Is(err, ErrMissing) || !errors.As(err, &missing) || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
		if again := l.Check(tt.spec, tt.language); again == nil || again.Error() != tt.want {
			t.Errorf("check: %v", again)
		}
	}
	_, err := library(t, Options{}, nil).Load("bing", "en")
	if want := `"bing" not found among the built-in prompts (sounds_dir is not set)`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

type specCase struct {
	spec    string
	lasts   time.Duration // of one lap; 0: not looked at
	endless bool
	err     error
}

func specCases() []specCase {
	return []specCase{
		{spec: "enter-pin"},
		{spec: "enter-pin.wav"},
		{spec: "tone:beep", lasts: 250 * time.Millisecond},
		{spec: "TONE:beep", lasts: 250 * time.Millisecond},
		{spec: "tone:ringback-uk", lasts: 3 * time.Second, endless: true},
		{spec: "tone_stream://%(200,100,500)", lasts: 300 * time.Millisecond},
		{spec: "silence:500", lasts: 500 * time.Millisecond},
		{spec: "silence_stream://1500", lasts: 1500 * time.Millisecond},
		{spec: "silence_stream://1500,1400", lasts: 1500 * time.Millisecond},
		{spec: "silence_stream://-1", lasts: time.Second, endless: true},
		{spec: "local_stream://moh", lasts: 36 * time.Second, endless: true},
		{spec: "local_stream://default", lasts: 36 * time.Second, endless: true},
		{spec: "number:0"},
		{spec: "number:999"},
		{spec: "phrase:count:1"},
		{spec: "phrase:count:321"},
		{spec: "file_string://silence:100!tone:beep!silence:50", lasts: 400 * time.Millisecond},
		{spec: "file_string://silence:500!local_stream://moh", lasts: 36*time.Second + 500*time.Millisecond, endless: true},
		{spec: "file_string://silence:100!number:1"},

		{spec: "", err: ErrSpec},
		{spec: strings.Repeat("x", maxSpec+1), err: ErrTooLarge},
		{spec: "bing", err: ErrMissing},
		{spec: "../secret.wav", err: ErrSpec},
		{spec: "a/../../secret.wav", err: ErrSpec},
		{spec: "a\x00.wav", err: ErrSpec},
		{spec: `..\secret.wav`, err: ErrSpec},
		{spec: "notes.mp3", err: ErrSpec},
		{spec: "/etc/passwd.wav", err: ErrMissing},
		{spec: "/dev", err: ErrMissing},
		{spec: "http://example.com/x.wav", err: ErrSpec},
		{spec: "tone:", err: ErrMissing},
		{spec: "tone:bing", err: ErrMissing},
		{spec: "tone_stream://", err: ErrSpec},
		{spec: "tone_stream://%(61000,0,400)", err: ErrSpec},
		{spec: "silence:0", err: ErrSpec},
		{spec: "silence:-2", err: ErrSpec},
		{spec: "silence:600001", err: ErrSpec},
		{spec: "silence:9999999999999999999", err: ErrSpec},
		{spec: "silence_stream://10,loud", err: ErrSpec},
		{spec: "local_stream://jazz", err: ErrMissing},
		{spec: "local_stream://../../x", err: ErrSpec},
		{spec: "number:1000", err: ErrSpec},
		{spec: "number:-1", err: ErrSpec},
		{spec: "number:x", err: ErrSpec},
		{spec: "phrase:count:", err: ErrSpec},
		{spec: "phrase:count:1000", err: ErrSpec},
		{spec: "phrase:time:1", err: ErrSpec},
		{spec: "sing:hello", err: ErrSpec},
		{spec: "say:hello", err: ErrSpeech},
		{spec: "say: ", err: ErrSpec},
		{spec: "say:" + strings.Repeat("x", maxText+1), err: ErrTooLarge},
		{spec: "say:a\nb", err: ErrSpec},
		{spec: "say:\xff", err: ErrSpec},
		{spec: "file_string://", err: ErrSpec},
		{spec: "file_string://tone:beep!", err: ErrSpec},
		{spec: "file_string://tone:beep!bing", err: ErrMissing},
		{spec: "file_string://local_stream://moh!tone:beep", err: ErrSpec},
		{spec: "file_string://tone:busy-us!tone:beep", err: ErrSpec},
		{spec: "file_string://silence:-1!tone:beep", err: ErrSpec},
		{spec: "file_string://file_string://a", err: ErrSpec},
		{spec: "file_string://" + strings.Repeat("tone:beep!", maxParts) + "tone:beep", err: ErrTooLarge},
		{spec: "file_string://silence:599999!silence:2", err: ErrTooLarge},
	}
}

func TestSpecs(t *testing.T) {
	l := library(t, Options{}, nil)
	for _, tt := range specCases() {
		name := tt.spec[:min(len(tt.spec), 60)]
		c, err := l.Load(tt.spec, "")
		if !errors.Is(err, tt.err) {
			t.Errorf("%q: error %v, want %v", name, err, tt.err)
			continue
		}
		// Check foresees it all but the length of parts, which it does not make.
		if cerr := l.Check(tt.spec, ""); !errors.Is(cerr, tt.err) && !strings.Contains(tt.spec, "599999") {
			t.Errorf("%q: check %v, want %v", name, cerr, tt.err)
		}
		if err != nil {
			continue
		}
		if tt.lasts != 0 && c.Duration() != tt.lasts || c.Endless() != tt.endless {
			t.Errorf("%q: %v endless %v, want %v %v", name, c.Duration(), c.Endless(), tt.lasts, tt.endless)
		}
		if a, b := len(c.PCM(wide)), 2*len(c.PCM(narrow)); a < b-2 || a > b+2 {
			t.Errorf("%q: %d samples at 16 kHz, %d at 8 kHz", name, a, b/2)
		}
	}
}

func FuzzSpec(f *testing.F) {
	for _, tt := range specCases() {
		f.Add(tt.spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		src, err := parse(spec)
		if (src == nil) == (err == nil) {
			t.Fatalf("%v and %v", src, err)
		}
		if err != nil && !errors.Is(err, ErrSpec) && !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrMissing) {
			t.Fatalf("unclassed error %v", err)
		}
		if f, ok := src.(file); ok && !filepath.IsAbs(f.name) && !filepath.IsLocal(f.name) {
			t.Fatalf("%q leaves its folder", f.name)
		}
	})
}

func TestDefaultsNeverFail(t *testing.T) {
	l := library(t, Options{}, nil)
	for _, spec := range []string{EntryTone, ExitTone, RecordBeep, HoldMusic, Fallback} {
		if c := load(t, l, spec, "xx"); c.Duration() == 0 {
			t.Errorf("%s is empty", spec)
		}
	}
}

func TestBrokenMusicIsToldButReplaced(t *testing.T) {
	l := library(t, Options{}, map[string]float64{"music/moh.wav": 400})
	if err := os.WriteFile(filepath.Join(l.opts.Dir, "music", "moh.wav"), []byte("RIFF"), 0o644); err != nil {
		t.Fatal(err)
	}
	if c := load(t, l, HoldMusic, ""); c != l.music() {
		t.Error("not the built-in music")
	}
	if err := l.Check(HoldMusic, ""); !errors.Is(err, ErrFormat) {
		t.Errorf("check: %v", err)
	}
}

func TestOddFilesAreRefused(t *testing.T) {
	l := library(t, Options{}, map[string]float64{"ok.wav": 400})
	if err := os.MkdirAll(filepath.Join(l.opts.Dir, "en", "folder.wav"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.opts.Dir, "bad.wav"), []byte("RIFF"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, spec := range []string{"folder", "bad", "/dev/zero.wav", "local_stream://bad"} {
		if _, err := l.Load(spec, ""); err == nil {
			t.Errorf("%s was loaded", spec)
		}
	}
	if _, err := l.Load("folder", ""); !errors.Is(err, ErrFormat) {
		t.Errorf("a folder: %v", err)
	}
	_, err := l.Load("bad", "")
	if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), filepath.Join(l.opts.Dir, "bad.wav")) {
		t.Errorf("%v does not name the file", err)
	}
}

func TestNewRefusesBadOptions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{Dir: file}, {Dir: file + "-not"}, {Language: "../en"}, {Language: "-v"}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

func TestCheckRefusesALanguageThatIsNone(t *testing.T) {
	l := library(t, Options{}, nil)
	for _, language := range []string{"../de", "de/x", "-v", strings.Repeat("x", 40)} {
		if err := l.Check("enter-pin", language); !errors.Is(err, ErrSpec) {
			t.Errorf("%s: %v", language, err)
		}
	}
}

func TestCacheKeepsTheLatelyUsed(t *testing.T) {
	l := library(t, Options{CacheBytes: 200_000}, nil) // 1 s is 48 000 bytes
	one := load(t, l, "silence:1000", "")
	for n := range 20 {
		load(t, l, fmt.Sprint("silence:", 1001+n), "")
		if load(t, l, "silence:1000", "") != one {
			t.Fatalf("the clip in use was dropped after %d others", n+1)
		}
		l.mu.Lock()
		if l.bytes > 200_000 || l.bytes < 0 || len(l.cache) != l.order.Len() {
			t.Errorf("%d bytes in %d and %d entries", l.bytes, len(l.cache), l.order.Len())
		}
		l.mu.Unlock()
	}
	load(t, l, "silence:60000", "") // too large to keep: it drops all, and itself
	if l.bytes != 0 || len(l.cache) != 0 {
		t.Errorf("%d bytes in %d entries are left", l.bytes, len(l.cache))
	}
}

func TestConcurrentLoadsShareOneClip(t *testing.T) {
	l := library(t, Options{}, map[string]float64{"x.wav": 400})
	var wg sync.WaitGroup
	clips := make([]*Clip, 32)
	for i := range clips {
		wg.Go(func() {
			clips[i], _ = l.Load([]string{"x", "phrase:count:7", HoldMusic, "bing"}[i%4], "de")
		})
	}
	wg.Wait()
	for i, c := range clips {
		if c != clips[i%4] {
			t.Errorf("load %d made its own clip", i)
		}
		if (c == nil) != (i%4 == 3) {
			t.Errorf("load %d: %v", i, c)
		}
	}
}

// TestAFileByItsWholePathMayChange, as a recording does that takes its name anew.
func TestAFileByItsWholePathMayChange(t *testing.T) {
	l, at := library(t, Options{}, nil), filepath.Join(t.TempDir(), "r.wav")
	for _, ms := range []int{100, 200} {
		if err := os.WriteFile(at, AppendWAV(nil, sine(440, 8000, 8*ms, -12), 8000), 0o600); err != nil {
			t.Fatal(err)
		}
		c := load(t, l, at, "")
		if got := c.Duration(); got != time.Duration(ms)*time.Millisecond {
			t.Errorf("%v of %d ms", got, ms)
		}
		if load(t, l, at, "") != c {
			t.Error("it is not kept")
		}
	}
}
