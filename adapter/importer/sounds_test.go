package importer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSoundsAreJudgedByParleysGrammar(t *testing.T) {
	here := filepath.Join(t.TempDir(), "noise.wav") // no WAV file: it must not be looked at
	if err := os.WriteFile(here, []byte("noise"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, in string
		kind     Kind
		says     string
	}{
		{"a built-in prompt is as it is", "enter-pin", "", ""},
		{"tones are as they are", "tone_stream://%(200,0,500);loops=2", "", ""},
		{"built-in music is as it is", "local_stream://default/8000", "", ""},
		{"silence is as it is", "silence_stream://500", "", ""},
		{"a file is wanted in sounds_dir", "bing.wav", Differs, "in sounds_dir; put it there"},
		{"music is wanted in its folder", "local_stream://jazz", Differs, "folder music"},
		{"speech needs a command", "say:hello", Differs, "tts_command"},
		{"an absolute file is not opened", here, Differs, "at that place"},
		{"an absolute file need not be there", "/nowhere/x.wav", Differs, "at that place"},
		{"an absolute file of another kind", "/srv/x.mp3", Lost, "not a WAV file"},
		{"a file of another kind", "x.mp3", Lost, "not a WAV file"},
		{"a file outside", "../x.wav", Lost, "leaves the sounds folder"},
		{"a stream from elsewhere", "shout://h/x", Lost, "shout:// is not supported"},
		{"bad tones", "tone_stream://%(x)", Lost, "bad spec"},
		{"a word of Parley's", "None", Lost, "means another thing"},
		{"two lines", "a\nb", Lost, "not one line"},
		{"the worst of several", "file_string://enter-pin!x.mp3!bing.wav", Lost, "not a WAV file"},
		{"the first doubt of several", "file_string://enter-pin!bing.wav!say:x", Differs, "in sounds_dir"},
		{"several that are as they are", "file_string://enter-pin!bad-pin", "", ""},
		{"an absolute one of several is not opened", "file_string://" + here, Differs, "at that place"},
		{"several in several", "file_string://a!file_string://b", Lost, "in a file_string"},
		{"too many", "file_string://" + strings.Repeat("!enter-pin", 64), Lost, "more than 64"},
	} {
		kind, says := judge(tt.in)
		if kind != tt.kind || !strings.Contains(says, tt.says) || (says == "") != (tt.says == "") {
			t.Errorf("%s: %q %q", tt.name, kind, says)
		}
	}
}
