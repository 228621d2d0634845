package conference

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"parley/esl"
)

func TestCommandsAsTheSwitchTakesThem(t *testing.T) {
	for _, tc := range []struct {
		want string
		make func() (string, error)
	}{
		{"3001 mute 7", func() (string, error) { return Mute("3001", 7, false) }},
		{"3001 mute 7 quiet", func() (string, error) { return Mute("3001", 7, true) }},
		{"3001 mute all quiet", func() (string, error) { return Mute("3001", Everyone, true) }},
		{"3001 unmute 7 quiet", func() (string, error) { return Unmute("3001", 7, true) }},
		{"3001 deaf 7", func() (string, error) { return Deaf("3001", 7, false) }},
		{"3001 undeaf 7", func() (string, error) { return Undeaf("3001", 7, false) }},
		{"3001 hold 7", func() (string, error) { return Hold("3001", 7) }},
		{"3001 unhold 7", func() (string, error) { return Unhold("3001", 7) }},
		{"3001 hup 7", func() (string, error) { return Hup("3001", 7) }},
		{"3001 kick all", func() (string, error) { return Kick("3001", Everyone) }},
		{"3001 volume_in 7 -4", func() (string, error) { return VolumeIn("3001", 7, -4) }},
		{"3001 volume_out 7 4", func() (string, error) { return VolumeOut("3001", 7, 4) }},
		{"3001 energy 7 0", func() (string, error) { return Energy("3001", 7, 0) }},
		{"3001 lock", func() (string, error) { return Lock("3001") }},
		{"3001 unlock", func() (string, error) { return Unlock("3001") }},
		{"3001 play tone_stream://%(200,0,500,600)", func() (string, error) { return Play("3001", "tone_stream://%(200,0,500,600)", 0) }},
		{"3001 play 'my file.wav' 7", func() (string, error) { return Play("3001", "my file.wav", 7) }},
		{"3001 play a.wav async", func() (string, error) { return PlayAsync("3001", "a.wav") }},
		{"3001 stop all", func() (string, error) { return Stop("3001", 0) }},
		{"3001 stop all 7", func() (string, error) { return Stop("3001", 7) }},
		{"3001 stop current", func() (string, error) { return StopOne("3001", false) }},
		{"3001 stop async", func() (string, error) { return StopOne("3001", true) }},
		{"3001 pause_play", func() (string, error) { return PausePlay("3001", 0) }},
		{"3001 pause_play 7", func() (string, error) { return PausePlay("3001", 7) }},
		{"3001 play_status", func() (string, error) { return PlayStatus("3001", 0) }},
		{"3001 file_seek 1500", func() (string, error) { return SeekPlay("3001", 0, 1500*time.Millisecond, false) }},
		{"3001 file_seek +0 7", func() (string, error) { return SeekPlay("3001", 7, 0, true) }},
		{"3001 file_seek -20 7", func() (string, error) { return SeekPlay("3001", 7, -20*time.Millisecond, true) }},
		{"3001 file-vol -50", func() (string, error) { return FileVolume("3001", -50, false) }},
		{"3001 file-vol 3 beside", func() (string, error) { return FileVolume("3001", 3, true) }},
		{"3001 play {parley_play=x-1}a.wav", func() (string, error) { return Play("3001", Tagged("a.wav", "x-1"), 0) }},
		{"3001 play {parley_play=x-1,vol=3}a.wav", func() (string, error) { return Play("3001", Tagged("{vol=3}a.wav", "x-1"), 0) }},
		{"3001 moh off", func() (string, error) { return MOH("3001", "off") }},
		{"3001 record /tmp/a.wav", func() (string, error) { return Record("3001", "/tmp/a.wav") }},
		{"3001 norecord all", func() (string, error) { return StopRecord("3001", "all") }},
		{"3001 pause /tmp/a.wav", func() (string, error) { return PauseRecord("3001", "/tmp/a.wav") }},
		{"3001 resume /tmp/a.wav", func() (string, error) { return ResumeRecord("3001", "/tmp/a.wav") }},
		{"3001 pin 1234", func() (string, error) { return PIN("3001", "1234") }},
		{"3001 nopin", func() (string, error) { return PIN("3001", "") }},
		{"3001 pin mod 99", func() (string, error) { return ModeratorPIN("3001", "99") }},
		{"3001 transfer 3002@wide 7 8", func() (string, error) { return Transfer("3001", "3002@wide", 7, 8) }},
		{"3001 set max_members 5", func() (string, error) { return SetMaxMembers("3001", 5) }},
		{"3001 get profile_name", func() (string, error) { return Get("3001", "profile_name") }},
		{"'two words' lock", func() (string, error) { return Lock("two words") }},
		{`'it\'s' lock`, func() (string, error) { return Lock("it's") }},
		{`'a\\s' lock`, func() (string, error) { return Lock(`a\s`) }},
		{"'^^:a' lock", func() (string, error) { return Lock("^^:a") }},
		{"' a ' lock", func() (string, error) { return Lock(" a ") }},
	} {
		if got, err := tc.make(); err != nil || got != tc.want {
			t.Errorf("%q, %v, want %q", got, err, tc.want)
		}
	}
}

func TestCommandsThatWouldBeAnother(t *testing.T) {
	for name, made := range map[string]func() (string, error){
		"no room":              func() (string, error) { return Lock("") },
		"a line break":         func() (string, error) { return Lock("a\n\napi shutdown") },
		"a NUL":                func() (string, error) { return Lock("a\x00") },
		"a tab":                func() (string, error) { return Lock("a\tb") },
		"an expansion":         func() (string, error) { return Play("a", "${system ls}", 0) },
		"a hidden expansion":   func() (string, error) { return Play("a", `$\{system ls}`, 0) },
		"no member":            func() (string, error) { return Mute("a", 0, false) },
		"a negative member":    func() (string, error) { return Mute("a", -2, false) },
		"a file to everyone":   func() (string, error) { return Play("a", "f", Everyone) },
		"stop for everyone":    func() (string, error) { return Stop("a", Everyone) },
		"a step too far":       func() (string, error) { return VolumeIn("a", 1, 5) },
		"a step too low":       func() (string, error) { return VolumeOut("a", 1, -5) },
		"a gate too high":      func() (string, error) { return Energy("a", 1, MaxEnergy+1) },
		"before the beginning": func() (string, error) { return SeekPlay("a", 0, -1, false) },
		"a file too loud":      func() (string, error) { return FileVolume("a", 51, false) },
		"a gate below nought":  func() (string, error) { return Energy("a", 1, -1) },
		"a relation to all":    func() (string, error) { return Relate("a", 1, Everyone, true) },
		"a relation of nobody": func() (string, error) { return Relate("a", 0, 1, true) },
		"a PIN of letters":     func() (string, error) { return PIN("a", "x") },
		"a PIN with a blank":   func() (string, error) { return ModeratorPIN("a", "1 2") },
		"a transfer of nobody": func() (string, error) { return Transfer("a", "b") },
		"a transfer of many":   func() (string, error) { return Transfer("a", "b", make([]MemberID, 21)...) },
		"a limit of one":       func() (string, error) { return SetMaxMembers("a", 1) },
		"a word without end":   func() (string, error) { return Play("a", strings.Repeat("x", maxWord+1), 0) },
		"an empty file":        func() (string, error) { return Play("a", "", 0) },
	} {
		if got, err := made(); !errors.Is(err, esl.ErrArgument) || got != "" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestStepsAndDecibels(t *testing.T) {
	for step, factor := range map[int]float64{
		-4: 0.2, -3: 0.4, -2: 0.6, -1: 0.8, 0: 1, 1: 1.3, 2: 2.3, 3: 3.3, 4: 4.3, 9: 4.3, -9: 0.2,
	} {
		if got := math.Pow(10, Gain(step)/20); math.Abs(got-factor) > 1e-9 {
			t.Errorf("step %d multiplies by %v, want %v", step, got, factor)
		}
	}
	for dB, want := range map[float64]int{
		0: 0, 0.9: 0, 1.2: 1, 3: 1, 6: 2, 9: 3, 12: 4, 99: 4, -0.9: 0, -1: -1, -3: -1, -6: -2, -9: -3, -12: -4, -99: -4, math.Inf(1): 4, math.Inf(-1): -4,
	} {
		if got := Step(dB); got != want {
			t.Errorf("%v dB is step %d, want %d", dB, got, want)
		}
	}
	for step := -MaxStep; step <= MaxStep; step++ {
		if got := Step(Gain(step)); got != step {
			t.Errorf("step %d comes back as %d", step, got)
		}
	}
}

// Whatever a command is made of, the switch must split it into the same words.
func FuzzWords(f *testing.F) {
	f.Add("3001", "a.wav")
	f.Add("it's", `a\'b\`)
	f.Add("^^:a", "' '")
	f.Fuzz(func(t *testing.T, room, file string) {
		got, err := Play(room, file, 7)
		if err != nil {
			return
		}
		w := split(got)
		if len(w) != 4 || w[0] != room || w[1] != "play" || w[2] != file || w[3] != "7" {
			t.Fatalf("%q is split into %q", got, w)
		}
	})
}

// split takes a line apart as the reference describes the switch's splitter:
// blanks separate, single quotes group, a backslash escapes.
func split(s string) []string {
	var words []string
	var b strings.Builder
	in, quoted := false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && strings.IndexByte(`\'"`, s[i+1]) >= 0:
			i++
			b.WriteByte(s[i])
			in = true
		case c == '\'':
			quoted, in = !quoted, true
		case c == ' ' && !quoted:
			if in {
				words = append(words, b.String())
			}
			b.Reset()
			in = false
		default:
			b.WriteByte(c)
			in = true
		}
	}
	if in {
		words = append(words, b.String())
	}
	return words
}

func TestGates(t *testing.T) {
	for energy, want := range map[int]float64{100: -47.3, 300: -37.8, 1800: -22.2, 99999: 0, 0: math.Inf(-1), -5: math.Inf(-1)} {
		if got := GateLevel(energy); got != want && !(math.Abs(got-want) < 0.05) {
			t.Errorf("energy %d is %v dBov, want %v", energy, got, want)
		}
	}
	for _, energy := range []int{1, 20, 100, 300, 1234, 1800} {
		if got := EnergyOf(GateLevel(energy)); got != energy {
			t.Errorf("energy %d comes back as %d", energy, got)
		}
	}
}

// TestWhatTheSwitchSaysOfPlays are answers of 1.11.1.
func TestWhatTheSwitchSaysOfPlays(t *testing.T) {
	for in, want := range map[string]string{
		"+OK 0/0 /tmp/a b.wav\n": "/tmp/a b.wav", "+OK 0/0 %(1000,0,500)\n": "%(1000,0,500)", "+OK\n": "", "+OK 0/0\n": "",
	} {
		if file, err := Playing(in, nil); file != want || err != nil {
			t.Errorf("%q: %q, %v", in, file, err)
		}
	}
	if _, err := Playing("-ERR Nothing is playing\n", nil); !errors.Is(err, ErrNoFile) {
		t.Error(err)
	}
	for in, want := range map[string]bool{"+OK Pause\n": true, "+OK Resume\n": false} {
		if paused, err := Paused(in, nil); paused != want || err != nil {
			t.Errorf("%q: %v, %v", in, paused, err)
		}
	}
	if _, err := Paused("-ERR no reply\n", nil); err == nil {
		t.Error("nothing plays")
	}
}
