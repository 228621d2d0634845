package native

import (
	"math"
	"math/rand/v2"
	"testing"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
)

// speech sounds like a talker to a level meter: syllables of different levels,
// with pauses, for some seconds.
func speech(rate codec.Rate, seconds int, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 7))
	n := frame(rate)
	pcm := make([]int16, 0, seconds*int(rate))
	for len(pcm) < seconds*int(rate) {
		level, frames := -20-20*r.Float64(), 3+r.IntN(12)
		if r.IntN(3) == 0 {
			level = -75
		}
		for range frames {
			pcm = append(pcm, audiotest.Tone(int(rate), 200+1500*r.Float64(), level, n, 0)...)
		}
	}
	return pcm
}

// says has a line say a clip, 20 ms after 20 ms.
func says(rate codec.Rate, clip []int16) func(n int) []int16 {
	return func(i int) []int16 {
		at := i * frame(rate) % (len(clip) - frame(rate))
		return clip[at : at+frame(rate)]
	}
}

func scaled(pcm []int16, by float64) []int16 {
	out := make([]int16, len(pcm))
	for i, v := range pcm {
		out[i] = int16(float64(v) * by)
	}
	return out
}

func TestWhoDisturbs(t *testing.T) {
	const rate = codec.Rate(8000)
	other := speech(rate, 12, 1)
	// echo says what it heard so many samples ago, and something of its own.
	echo := func(late int, part float64, own []int16) func(l *line, n int) []int16 {
		return func(l *line, n int) []int16 {
			out := make([]int16, frame(rate))
			if from := len(l.heard) - late; from >= 0 {
				copy(out, l.heard[from:min(from+frame(rate), len(l.heard))])
			}
			out = scaled(out, part)
			if own != nil {
				out = audiotest.Sum(out, own[n*frame(rate)%len(own):][:frame(rate)])
			}
			return out
		}
	}
	clip := func(pcm []int16) func(l *line, n int) []int16 {
		return func(_ *line, n int) []int16 { return says(rate, pcm)(n) }
	}
	hiss := make([]int16, 12*int(rate))
	r := rand.New(rand.NewPCG(1, 1))
	for i := range hiss {
		hiss[i] = int16(600 * r.NormFloat64())
	}
	for _, tt := range []struct {
		name string
		says func(l *line, n int) []int16
		want engine.Disturbance
	}{
		{"nobody", clip(make([]int16, int(rate))), engine.Disturbance{}},
		{"a talker", clip(speech(rate, 12, 2)), engine.Disturbance{}},
		{"an echo of 62 % after 200 ms", echo(200*8, 0.62, nil), engine.Disturbance{Kind: engine.Echo, Share: 0.62, DelayMS: 200}},
		{"a weak echo after 90 ms", echo(90*8, 0.15, nil), engine.Disturbance{Kind: engine.Echo, Share: 0.15, DelayMS: 90}},
		{"a long echo", echo(480*8, 0.5, nil), engine.Disturbance{Kind: engine.Echo, Share: 0.5, DelayMS: 480}},
		{"a howl", clip(audiotest.Tone(int(rate), 1000, -9, 12*int(rate), 0)), engine.Disturbance{Kind: engine.Howl, Hz: 1000, Level: -12, Seconds: 8}},
		{"a road", clip(hiss), engine.Disturbance{Kind: engine.Noise, Level: -35, Seconds: 8}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				h := r.hall()
				r.seat(h, 1, r.call("a", codec.L16(rate), says(rate, other)), engine.MemberState{})
				b := r.call("b", codec.L16(rate), nil)
				b.speak = func(n int) []int16 { return tt.says(b.line, n) }
				r.seat(h, 2, b, engine.MemberState{})
				r.seat(h, 3, r.call("c", codec.L16(rate), nil), engine.MemberState{})
				r.run(500)
				all := h.Disturbances()
				d := all[2]
				if d.Kind != tt.want.Kind || math.Abs(d.Share-tt.want.Share) > 0.1 || math.Abs(float64(d.DelayMS-tt.want.DelayMS)) > 25 ||
					math.Abs(d.Hz-tt.want.Hz) > 25 || math.Abs(d.Level-tt.want.Level) > 1.5 || math.Abs(d.Seconds-tt.want.Seconds) > 0.5 {
					t.Errorf("%+v, want %+v", d, tt.want)
				}
				delete(all, 2)
				if len(all) != 0 {
					t.Errorf("others too: %+v", all)
				}
			})
		})
	}
}

// What a caller remembers costs no tick anything.
func TestMemoryKeepsTheLast(t *testing.T) {
	var m memory
	if n := testing.AllocsPerRun(100, func() { m.put(-10, -127, 300) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	for range remembered - 1 {
		m.put(-20, -30, 2)
	}
	all := m.recall()
	if len(all) != remembered || all[0] != (moment{-10, -127, 255}) || all[1] != (moment{-20, -30, 2}) {
		t.Errorf("%d: %+v", len(all), all[:2])
	}
}
