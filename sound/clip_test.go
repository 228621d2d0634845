package sound

import (
	"slices"
	"sync"
	"testing"
	"time"

	"parley/codec"
	"parley/internal/audiotest"
)

func TestClipKeepsAToneAtEveryRate(t *testing.T) {
	const hz, level = 1000, -10.0
	for _, from := range codec.Rates() {
		c := FromPCM(sine(hz, from, int(from), level), from)
		for _, to := range []codec.Rate{8000, 16000, 24000, 48000} {
			pcm := c.PCM(to)
			near(t, "samples", float64(len(pcm)), float64(to), float64(to)/500)
			middle := pcm[to/4 : to/2]
			near(t, "1 kHz", powerAt(middle, hz, to), level, 0.1)
			if rest := audiotest.THDN(middle, int(to), hz); rest > -50 {
				t.Errorf("%d to %d: %.1f dB beside the tone", from, to, rest)
			}
		}
	}
}

func TestFromPCMCopies(t *testing.T) {
	own := []int16{1, 2, 3, 4}
	c := FromPCM(own, narrow)
	own[0] = 99
	if got := c.PCM(narrow); !slices.Equal(got, []int16{1, 2, 3, 4}) {
		t.Errorf("%v", got)
	}
}

func TestPlayer(t *testing.T) {
	ramp := func(endless bool, loop time.Duration) *Clip {
		pcm := make([]int16, 24) // 3 ms
		for i := range pcm {
			pcm[i] = int16(i)
		}
		return &Clip{narrow: pcm, wide: pcm, endless: endless, loop: loop}
	}
	for _, tt := range []struct {
		name string
		clip *Clip
		read int
		want []int16 // the last samples
		n    int
	}{
		{"a part", ramp(false, 0), 20, []int16{18, 19}, 20},
		{"all", ramp(false, 0), 24, []int16{22, 23}, 24},
		{"past the end", ramp(false, 0), 30, []int16{22, 23}, 24},
		{"round and round", ramp(true, 0), 50, []int16{23, 0, 1}, 50},
		{"round behind an introduction", ramp(true, 2*time.Millisecond), 34, []int16{23, 16, 17}, 34},
		{"nothing, endlessly", &Clip{endless: true}, 10, nil, 0},
		{"a loop of nothing", ramp(true, 3*time.Millisecond), 30, []int16{23}, 24},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, step := range []int{1, 7, 100} {
				p := tt.clip.Player(narrow)
				var got []int16
				for len(got) < tt.read {
					b := make([]int16, min(step, tt.read-len(got)))
					n := p.Read(b)
					got = append(got, b[:n]...)
					if n < len(b) {
						break
					}
				}
				if len(got) != tt.n || !slices.Equal(got[len(got)-len(tt.want):], tt.want) {
					t.Errorf("by %d: %d samples %v", step, len(got), got)
				}
			}
		})
	}
	var none Player
	if n := none.Read(make([]int16, 8)); n != 0 {
		t.Errorf("the zero player reads %d", n)
	}
}

func TestPlayerDoesNotAllocate(t *testing.T) {
	c := melodyClip(t, toneTable()["ringback-us"])
	frame := make([]int16, 160)
	p := c.Player(narrow)
	if n := testing.AllocsPerRun(1000, func() { p.Read(frame) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestJoinLoopsItsEnd(t *testing.T) {
	c := join([]*Clip{quiet(100 * time.Millisecond), melodyClip(t, "L=-1;%(50,0,400);v=-20")})
	if c.Duration() != 200*time.Millisecond || !c.Endless() {
		t.Fatalf("%v, endless %v", c.Duration(), c.Endless())
	}
	for rate, want := range map[codec.Rate]int{8000: 1200, 16000: 2400, 48000: 7200} {
		if got := c.LoopStart(rate); got != want {
			t.Errorf("loop at %d of %d, want %d", got, rate, want)
		}
	}
}

func TestEndlessClipConvertsWithoutSeam(t *testing.T) {
	c := melodyClip(t, "%(100,0,440);loops=-1") // 44 periods
	for _, rate := range []codec.Rate{24000, 48000} {
		p := c.Player(rate)
		pcm := make([]int16, rate)
		p.Read(pcm)
		near(t, "440 Hz", powerAt(pcm, 440, rate), -10.15, 0.1)
		if worst := audiotest.WorstClick(pcm, int(rate), 440); worst > -60 {
			t.Errorf("%d: a click of %.1f dB at a seam", rate, worst)
		}
	}
}

func TestOtherRatesAreSharedByCallers(t *testing.T) {
	c := melodyClip(t, "%(100,0,440)")
	var wg sync.WaitGroup
	first := make([]*int16, 8)
	for i := range first {
		wg.Go(func() { first[i] = &c.PCM(48000)[0] })
	}
	wg.Wait()
	for _, p := range first {
		if p != first[0] {
			t.Error("converted twice")
		}
	}
}
