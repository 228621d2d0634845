package sound

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/codec"
	"parley/internal/audiotest"
)

// wrote says a melody in one line, to compare it.
func wrote(m melody) string {
	line := func(notes []note) string {
		var s []string
		for _, n := range notes {
			w := fmt.Sprintf("%d/%d%v%g", n.on.Milliseconds(), n.off.Milliseconds(), n.pitches, n.level)
			if n.change != 0 {
				w += fmt.Sprintf("%+g@%d", n.change, n.step.Milliseconds())
			}
			s = append(s, w)
		}
		return strings.Join(s, " ")
	}
	out := line(m.first)
	if again := line(m.again); again != out {
		out += " then " + again
	}
	return fmt.Sprintf("%s L%d x%d", out, m.laps, m.loops)
}

type toneCase struct {
	name, in string
	want     string
	err      error
}

func toneCases() []toneCase {
	many := strings.Repeat("%(1,0,400)", maxNotes)
	return []toneCase{
		{name: "entry tone", in: "%(200,0,500,600,700)", want: "200/0[500 600 700]-7 L1 x1"},
		{name: "blanks and decimals", in: " %( 2000, 4000 ,440.0,480.5) ", want: "2000/4000[440 480.5]-7 L1 x1"},
		{name: "two notes touch", in: "%(1,2,400)%(3,4,500)", want: "1/2[400]-7 3/4[500]-7 L1 x1"},
		{name: "notes parted by semicolons", in: "%(1,2,400);%(3,4,500);", want: "1/2[400]-7 3/4[500]-7 L1 x1"},
		{name: "volume holds from there on", in: "%(1,2,400);v=-20;%(3,4,500)", want: "1/2[400]-7 3/4[500]-20 L1 x1"},
		{name: "keys take default times", in: "1D", want: "250/62[697 1209]-7 250/62[941 1633]-7 L1 x1"},
		{name: "keys take d and w", in: "d=100;w=50;9 #", want: "100/50[852 1477]-7 100/50[941 1477]-7 L1 x1"},
		{name: "key with its own times", in: "0(80,20)", want: "80/20[941 1336]-7 L1 x1"},
		{name: "l repeats the next note only", in: "l=2;%(1,2,400)%(3,4,500)", want: "1/2[400]-7 1/2[400]-7 3/4[500]-7 L1 x1"},
		{name: "L repeats all", in: "L=3;%(1,2,400)", want: "1/2[400]-7 L3 x1"},
		{name: "first L counts", in: "L=3;%(1,2,400);L=9", want: "1/2[400]-7 L3 x1"},
		{name: "L of -1 is endless", in: "L=-1;%(1,2,400)", want: "1/2[400]-7 L1 x-1"},
		{name: "endless laps that differ", in: "L=-1;%(1,2,400);v=-20", want: "1/2[400]-7 then 1/2[400]-20 L-1 x1"},
		{name: "settings reach the next lap", in: "L=2;%(1,2,400);v=-20", want: "1/2[400]-7 then 1/2[400]-20 L2 x1"},
		{name: "loops", in: "%(1,2,400);loops=10", want: "1/2[400]-7 L1 x10"},
		{name: "loops in capitals, endless", in: "%(1,2,400);LOOPS=-1", want: "1/2[400]-7 L1 x-1"},
		{name: "what follows loops is its number", in: "%(1,2,400);loops=2;v=-3", err: ErrSpec},
		{name: "falling", in: ">=10;%(1,2,400)", want: "1/2[400]-7-1@10 L1 x1"},
		{name: "rising by half a decibel", in: "<=20;+=.5;%(1,2,400)", want: "1/2[400]-7+0.5@20 L1 x1"},
		{name: "channels and rate are ours", in: "c=2;r=44100;%(1,2,400)", want: "1/2[400]-7 L1 x1"},
		{name: "line breaks", in: "v=-9;\r\n%(1,2,400)\n", want: "1/2[400]-9 L1 x1"},
		{name: "most notes", in: many, want: strings.TrimSpace(strings.Repeat("1/0[400]-7 ", maxNotes)) + " L1 x1"},

		{name: "one note too many", in: many + "5", err: ErrTooLarge},
		{name: "l beyond the notes", in: "l=65;5", err: ErrSpec},
		{name: "l without end", in: "l=-1;5", err: ErrSpec},
		{name: "empty", in: "", err: ErrSpec},
		{name: "only settings", in: "v=-10;L=3", err: ErrSpec},
		{name: "no time", in: "%(0,0,400)", err: ErrSpec},
		{name: "no frequency", in: "%(100,0)", err: ErrSpec},
		{name: "no arguments", in: "%", err: ErrSpec},
		{name: "no off", in: "%(100)", err: ErrSpec},
		{name: "open parenthesis", in: "%(100,0,400", err: ErrSpec},
		{name: "key with frequency", in: "5(100,0,400)", err: ErrSpec},
		{name: "unknown note", in: "%(1,2,400)x", err: ErrSpec},
		{name: "a file", in: "path=/etc/passwd", err: ErrSpec},
		{name: "unknown setting", in: "q=3;5", err: ErrSpec},
		{name: "silent pitch", in: "%(100,0,0)", err: ErrSpec},
		{name: "negative pitch", in: "%(100,0,-400)", err: ErrSpec},
		{name: "beyond half the rate", in: "%(100,0,4000)", err: ErrSpec},
		{name: "no number", in: "%(100,0,NaN)", err: ErrSpec},
		{name: "infinite", in: "%(100,0,+Inf)", err: ErrSpec},
		{name: "negative time", in: "%(-1,0,400)", err: ErrSpec},
		{name: "fraction of a millisecond", in: "%(1.5,0,400)", err: ErrSpec},
		{name: "too many pitches", in: "%(1,0" + strings.Repeat(",400", maxPitches+1) + ")", err: ErrSpec},
		{name: "too loud", in: "v=1;5", err: ErrSpec},
		{name: "too faint", in: "v=-64;5", err: ErrSpec},
		{name: "no loops", in: "5;loops=", err: ErrSpec},
		{name: "lap of 60 s", in: "%(30000,30000,400)", want: "30000/30000[400]-7 L1 x1"},
		{name: "lap of more", in: "%(30000,30000,400)%(1,0,400)", err: ErrTooLarge},
		{name: "laps of 10 minutes", in: "L=10;%(60000,0,400)", want: "60000/0[400]-7 L10 x1"},
		{name: "laps of more", in: "L=11;%(60000,0,400)", err: ErrTooLarge},
		{name: "laps times loops", in: "L=1000000;%(60000,60000,400);loops=1000000", err: ErrTooLarge},
		{name: "more than a clock can count", in: "L=1000000;%(60000,0,400);loops=10000", err: ErrTooLarge},
		{name: "long text", in: strings.Repeat(" ", maxToneText+1), err: ErrTooLarge},
	}
}

func TestToneGrammar(t *testing.T) {
	for _, tt := range toneCases() {
		t.Run(tt.name, func(t *testing.T) {
			m, err := parseTone(tt.in)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if got := wrote(m); err == nil && got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func FuzzTone(f *testing.F) {
	for _, tt := range toneCases() {
		f.Add(tt.in)
	}
	for _, text := range toneTable() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseTone(text)
		if err != nil {
			if !errors.Is(err, ErrSpec) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("unclassed error %v", err)
			}
			return
		}
		if d := m.duration(); d <= 0 || d > MaxDuration {
			t.Fatalf("lasts %v", d)
		}
		if d := m.duration(); d < 3*time.Second {
			if c := m.clip(); c.Duration() != d || len(c.PCM(8000)) != narrow.Samples(d) {
				t.Fatalf("clip of %v, melody of %v", c.Duration(), d)
			}
		}
	})
}

func melodyClip(t *testing.T, text string) *Clip {
	t.Helper()
	m, err := parseTone(text)
	if err != nil {
		t.Fatal(err)
	}
	return m.clip()
}

func TestToneSoundsAtItsLevelAtBothRates(t *testing.T) {
	for _, rate := range []codec.Rate{narrow, wide} {
		pcm := melodyClip(t, "%(1000,500,440)").PCM(rate)
		near(t, "length", float64(len(pcm)), 1.5*float64(rate), 0)
		// -7 dBm0 under a full-scale sine, which is 3.15 dBm0 (6.16 - 3.01).
		near(t, "440 Hz", powerAt(pcm[:rate], 440, rate), -7-3.15, 0.05)
		near(t, "RMS", loudness(pcm[:rate]), -7-6.16, 0.05)
		if !audiotest.Silent(pcm[rate:], audiotest.Floor) {
			t.Error("the pause is not silent")
		}
	}
}

func TestPitchesShareTheLevel(t *testing.T) {
	pcm := melodyClip(t, "v=-10;%(200,0,500,600,700)").PCM(narrow)
	for _, hz := range []float64{500, 600, 700} {
		near(t, fmt.Sprint(hz), powerAt(pcm, hz, narrow), -10-3.15-9.54, 0.1)
	}
	if p := powerAt(pcm, 800, narrow); p > -80 {
		t.Errorf("%.1f dB at 800 Hz, where nothing sounds", p)
	}
}

func TestToneFallsAndRises(t *testing.T) {
	for _, tt := range []struct {
		text        string
		first, last float64
	}{
		{"v=-10;>=100;%(1000,0,400)", -10, -19},
		{"v=-40;<=100;+=2;%(1000,0,400)", -40, -22},
		{"v=-60;>=100;%(1000,0,400)", -60, -63}, // stops at the least level
	} {
		pcm := melodyClip(t, tt.text).PCM(narrow)
		near(t, tt.text+" begins", powerAt(pcm[:800], 400, narrow), tt.first-3.15, 0.3)
		near(t, tt.text+" ends", powerAt(pcm[len(pcm)-800:], 400, narrow), tt.last-3.15, 0.3)
	}
}

func TestLapsAndLoops(t *testing.T) {
	const one = "%(100,100,400)" // 0.2 s
	for _, tt := range []struct {
		text    string
		lasts   time.Duration
		endless bool
		loop    time.Duration
	}{
		{one, 200 * time.Millisecond, false, 0},
		{"L=3;" + one, 600 * time.Millisecond, false, 0},
		{"L=3;" + one + ";loops=2", 1200 * time.Millisecond, false, 0},
		{"L=2;" + one + ";loops=-1", 400 * time.Millisecond, true, 0},
		{"L=-1;" + one, 200 * time.Millisecond, true, 0},
		{"L=-1;" + one + ";v=-20", 400 * time.Millisecond, true, 200 * time.Millisecond},
		{"L=3;" + one + ";v=-20", 600 * time.Millisecond, false, 0},
	} {
		c := melodyClip(t, tt.text)
		if c.Duration() != tt.lasts || c.Endless() != tt.endless || c.loop != tt.loop {
			t.Errorf("%s: %v endless %v from %v, want %v %v %v",
				tt.text, c.Duration(), c.Endless(), c.loop, tt.lasts, tt.endless, tt.loop)
		}
	}
	quieter := melodyClip(t, "L=3;"+one+";v=-20").PCM(narrow)
	for lap, want := range []float64{-7, -20, -20} {
		at := lap * 1600
		near(t, fmt.Sprint("lap ", lap), powerAt(quieter[at:at+800], 400, narrow), want-3.15, 0.1)
	}
}

func TestNamedTonesParse(t *testing.T) {
	names := Tones()
	for _, must := range []string{"ringback-us", "ringback-uk", "busy-us", "congestion", "beep", "join", "leave"} {
		if !slices.Contains(names, must) {
			t.Errorf("no tone %q", must)
		}
	}
	for _, name := range names {
		c := melodyClip(t, toneTable()[name])
		if level := loudness(c.PCM(narrow)); level < -30 || level > -12 {
			t.Errorf("%s: %.1f dBov", name, level)
		}
	}
}

func TestContinuousToneHasNoSeam(t *testing.T) {
	p := melodyClip(t, toneTable()["dial-us"]).Player(narrow)
	pcm := make([]int16, 3*8000)
	if n := p.Read(pcm); n != len(pcm) {
		t.Fatalf("%d samples", n)
	}
	near(t, "350 Hz", powerAt(pcm, 350, narrow), -13-3.15-6.02, 0.05)
}
