package adapter

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/adapter/config"
	"parley/esl/esltest"
)

// hearing is a FreeSWITCH with a conference profile of its own and these files.
func hearing(files ...string) *esltest.SwitchOptions {
	return &esltest.SwitchOptions{Password: "right", API: func(cmd, args string) string {
		switch cmd + " " + args {
		case "version short":
			return "1.10.12-release\n"
		case "sofia status":
			return twoProfiles
		case "module_exists mod_conference", "module_exists mod_local_stream":
			return "true"
		case "global_getvar sound_prefix":
			return "/s/callie"
		case "xml_locate configuration configuration name conference.conf":
			return `<configuration name="conference.conf"><profiles><profile name="parley"><param name="rate" value="8000"/>` +
				`<param name="sound-prefix" value="/s/june"/></profile></profiles></configuration>`
		}
		file, ok := strings.CutPrefix(cmd+" "+args, "file_exists ")
		return map[bool]string{true: "true", false: "false"}[ok && slices.Contains(files, file)]
	}}
}

// TestTheSoundsOfASwitchAreLookedFor where it looks for them itself.
func TestTheSoundsOfASwitchAreLookedFor(t *testing.T) {
	const yaml = "profiles:\n  - name: default\n    mixer: switch\n    moh_sound: local_stream://moh\n    enter_sound: /x/bing.wav\n    pin_sound: enter-pin\n" +
		"    welcome_sound: own.wav\n"
	const folders = "/8000, …/16000, …/32000, …/48000, "
	const advice = ". Callers of rooms with mixer: switch will hear nothing. Install them there, or let pbx1 read STATE/sounds. [media_missing]"
	bing := [2]string{`FILE:5: profile default: enter_sound "/x/bing.wav"`, ": not found on pbx1 in /x" + folders + "/x" + advice}
	own := [2]string{`FILE:7: profile default: welcome_sound "own.wav"`, ": pbx1 has nothing like it" + advice}
	const pin = `FILE:6: profile default: pin_sound "enter-pin" (conference/conf-pin.wav)`
	for _, tt := range []struct {
		name  string
		files []string
		want  [][2]string // sounds, and why they are missing
	}{
		{"nothing is there", nil, [][2]string{bing, own, {pin, ": not found on pbx1 in /s/callie/conference" + folders + "/s/callie/conference" + advice}}},
		{
			"for one of two voices",
			[]string{"/s/callie/conference/8000/conf-pin.wav", "/x/bing.wav"},
			[][2]string{own, {pin, ": not found on pbx1 in /s/june/conference" + folders + "/s/june/conference" + advice}},
		},
		{"at any rate", []string{"/s/callie/conference/48000/conf-pin.wav", "/s/june/conference/conf-pin.wav", "/x/16000/bing.wav"}, [][2]string{own}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, file := mixedBySwitch(t, yaml, hearing(tt.files...))
			fill := strings.NewReplacer("FILE", file, "STATE", c.StateDir)
			found := short(CheckSwitches(t.Context(), c, nil))
			told := 0
			for _, want := range tt.want {
				if !slices.ContainsFunc(found, func(l string) bool {
					return strings.HasPrefix(l, "pbx1 false ") && strings.Contains(l, fill.Replace(want[0])) && strings.HasSuffix(l, fill.Replace(want[1]))
				}) {
					t.Errorf("%s\nwant %q", strings.Join(found, "\n"), want)
				}
			}
			unasked := "warning true \"bad-conference-number\", "
			if !slices.ContainsFunc(found, func(l string) bool { return strings.HasPrefix(l, unasked) }) {
				t.Errorf("%s\nwant %s", strings.Join(found, "\n"), unasked)
			}
			for _, line := range found {
				told += strings.Count(line, file)
			}
			if told != len(tt.want) {
				t.Errorf("%d of the profile's own sounds are missing\n%s", told, strings.Join(found, "\n"))
			}
		})
	}
}

// TestWhatIsNowhereIsOneLine: ours and the switch's.
func TestWhatIsNowhereIsOneLine(t *testing.T) {
	const yaml = "profiles:\n  - {name: default, mixer: switch, enter_sound: bing.wav, moh_sound: local_stream://moh}\n"
	c, file := mixedBySwitch(t, yaml, hearing())
	ours, err := CheckSounds(c)
	if err != nil {
		t.Fatal(err)
	}
	found := append(CheckSwitches(t.Context(), c, ours), ours.Findings()...)
	want := "sounds false " + file + `:2: profile default: enter_sound "bing.wav" not found among the built-in prompts (sounds_dir is not set), nor on pbx1. ` +
		"Callers will hear the default tone, and nothing where a switch mixes. [media_missing]"
	told := 0
	for _, line := range short(found) {
		if strings.Contains(line, "bing.wav") {
			told++
		}
	}
	if !slices.Contains(short(found), want) || told != 1 {
		t.Errorf("%s\nwant, and nothing else of bing.wav,\n%s", strings.Join(short(found), "\n"), want)
	}
}

// TestASwitchThatReadsOurSoundsNeedsNone of its own.
func TestASwitchThatReadsOurSoundsNeedsNone(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string // that we have written
		sees  string
	}{
		{"from a file that is there", []string{"ab.wav"}, "sounds/ab.wav"},
		{"from the folder", []string{}, "sounds"},
		{"before there is a folder", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := mixedBySwitch(t, "profiles:\n  - {name: default, mixer: switch}\n", nil)
			if tt.files != nil {
				if err := os.Mkdir(sharedSounds(c), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for _, f := range tt.files {
				if err := os.WriteFile(filepath.Join(sharedSounds(c), f), nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			c.Switches[0].ESL = pbx(t, hearing(filepath.Join(c.StateDir, tt.sees)))
			found := short(CheckSwitches(t.Context(), c, nil))
			want := []string{
				"pbx1 true FreeSWITCH 1.10.12 at " + c.Switches[0].ESL + ", 2 sip profiles, mod_conference loaded",
				"pbx1 true reads Parley's sounds for rooms with mixer: switch from " + sharedSounds(c),
			}
			if !slices.Equal(found, want) {
				t.Errorf("%q, want %q", found, want)
			}
			files, _ := filepath.Glob(filepath.Join(sharedSounds(c), "*"))
			if len(files) != len(tt.files) {
				t.Errorf("the look has left %q", files)
			}
		})
	}
}

// mixedBySwitch is a configuration with a FreeSWITCH, and its file.
func mixedBySwitch(t *testing.T, yaml string, o *esltest.SwitchOptions) (c *config.Config, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "parley.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load(config.Source{File: file})
	if err != nil {
		t.Fatal(err)
	}
	c.StateDir = t.TempDir()
	at := config.Switch{Name: "pbx1", Kind: config.KindFreeSWITCH, Password: config.NewSecret("right")}
	if o != nil {
		at.ESL = pbx(t, o)
	}
	c.Switches = []config.Switch{at}
	return c, file
}
