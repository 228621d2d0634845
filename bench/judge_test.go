package bench

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"parley/codec"
	"parley/internal/audiotest"
)

// A room in which one caller says bursts and others say tones is heard with a
// known delay, by packets that come late by it.
func TestDelayIsFound(t *testing.T) {
	for _, f := range []codec.Format{codec.PCMU(), codec.G722(), codec.L16(48000)} {
		for _, delay := range []time.Duration{0, 7 * time.Millisecond, 140 * time.Millisecond} {
			t.Run(f.Name+" "+delay.String(), func(t *testing.T) {
				p, err := newProbe(f, 1)
				if err != nil {
					t.Fatal(err)
				}
				rate, frame := int(f.Rate), f.Rate.Samples(ptime)
				tones := audiotest.Sum(audiotest.Tone(rate, 400, -20, 200*frame, 0), audiotest.Tone(rate, 510, -20, 200*frame, 1))
				quiet, err := packets(f, make([]int16, frame))
				if err != nil {
					t.Fatal(err)
				}
				in, out, e, pcm := f.Decoder(), f.Encoder(), newEar(f), make([]int16, frame)
				const start = 1e18
				for i := range 200 {
					now := start + int64(i)*int64(ptime)
					if _, err := in.Decode(pcm, p.next(quiet[0], now, moment{bursts: i > 20})); err != nil {
						t.Fatal(err)
					}
					b := make([]byte, 2*frame)
					n, err := out.Encode(b, audiotest.Sum(pcm, tones[i*frame:(i+1)*frame]))
					if err != nil {
						t.Fatal(err)
					}
					e.put(b[:n], now+int64(delay))
				}
				s := e.sound(0)
				var h histogram
				missing := s.delays(p.said, []float64{400, 510}, &h)
				if missing != 0 || h.total < 3 || int(h.total) != len(p.said) {
					t.Fatalf("%d of %d bursts found, %d missing", h.total, len(p.said), missing)
				}
				coder := 0.0 // what the codec itself takes
				if f.Name == "G722" {
					coder = 2.75 // two filters of 22 samples at 16 kHz each way
				}
				want := float64(delay)/1e6 + coder
				if got := h.percentile(0.5); math.Abs(got-want) > 0.4 {
					t.Errorf("p50 %.2f ms, want %.2f", got, want)
				}
			})
		}
	}
}

func TestABurstThatDoesNotComeIsMissing(t *testing.T) {
	s := source{loop: [][]byte{make([]byte, 2*frame)}}
	heard := hears(codec.L16(8000), &s, 200).sound(0)
	heard.pcm = audiotest.Tone(8000, 620, -10, len(heard.pcm), 0)
	var h histogram
	if missing := heard.delays([]int64{0, 1e9, 1e15}, nil, &h); missing != 3 || h.total != 0 {
		t.Errorf("%d missing, %d found", missing, h.total)
	}
}

func TestGlitchesAreCounted(t *testing.T) {
	const second = 8000
	tone := func(level float64, n int, phase float64) []int16 { return audiotest.Tone(8000, 400, level, n, phase) }
	join := func(clips ...[]int16) (all []int16) {
		for _, c := range clips {
			all = append(all, c...)
		}
		return all
	}
	for _, tt := range []struct {
		name string
		pcm  []int16
		want int
	}{
		{"none", tone(-20, 3*second, 0), 0},
		{"a hole of 20 ms", join(tone(-20, second, 0), make([]int16, 160), tone(-20, second, 0)), 1},
		{"two holes", join(tone(-20, second, 0), make([]int16, 160), tone(-20, second, 0), make([]int16, 160), tone(-20, second, 0)), 2},
		{"a turn of phase", join(tone(-20, second, 0), tone(-20, second, math.Pi/2)), 1},
		{"a dip of 6 dB", join(tone(-20, second, 0), tone(-26, 400, 0), tone(-20, second, 0)), 1},
		{"a slip of one sample", join(tone(-20, second, 0), tone(-20, second, 2*math.Pi*400/8000/4)), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var g Glitches
			g.listen(sound{pcm: tt.pcm, rate: 8000}, 400, 2)
			if g.Count != tt.want || g.PerLost != float64(tt.want)/2 {
				t.Errorf("%+v", g)
			}
		})
	}
}

func TestCleanness(t *testing.T) {
	pcm := audiotest.Sum(audiotest.Tone(8000, 400, -20, 8000, 0), audiotest.Tone(8000, 510, -20, 8000, 0), audiotest.Tone(8000, 1500, -37, 8000, 0))
	if got := median(cleanness(pcm, 8000, []float64{400, 510})); math.Abs(got-20) > 0.2 {
		t.Errorf("SINAD %.2f dB, want 20", got)
	}
	if got := median(nil); got != 0 {
		t.Error(got)
	}
}

func TestWayLosesAndDelaysInOrder(t *testing.T) {
	w := newWay(Options{Loss: 10, Jitter: 20 * time.Millisecond}, 1)
	var out []byte
	var late histogram
	const n = 5000
	for i := range n {
		now := int64(i) * int64(ptime)
		w.put([]byte{byte(i), byte(i >> 8)}, now, moment{pure: true})
		for at := now; at < now+int64(ptime); at += 2e6 {
			for w.n > 0 && w.late[w.first].due <= at {
				b := w.late[w.first].b[:2]
				out = append(out, b...)
				late.add(at - int64(int(b[0])|int(b[1])<<8)*int64(ptime))
				w.first = (w.first + 1) % queued
				w.n--
			}
		}
	}
	if lost := float64(w.lost) / n; math.Abs(lost-0.1) > 0.02 || int(w.lost)+len(out)/2+w.n != n {
		t.Errorf("%d of %d lost, %d came", w.lost, n, len(out)/2)
	}
	for i := 2; i < len(out); i += 2 {
		if int(out[i])|int(out[i+1])<<8 <= int(out[i-2])|int(out[i-1])<<8 {
			t.Fatalf("packet %d came out of order", i/2)
		}
	}
	if p := late.percentile(0.5); p < 12 || p > 32 {
		t.Errorf("half were late by %.1f ms", p)
	}
}

func TestParseTicks(t *testing.T) {
	const page = `# HELP parley_legs Legs with media now.
parley_legs 3
parley_ticks_total 1.234e+06
parley_ticks_late_total 12
parley_ticks_overdue_total 1
`
	got, err := parseTicks(strings.NewReader(page))
	if want := (ticks{1234000, 12, 1, 3}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "<html>", strings.Replace(page, " 12", " many", 1)} {
		if _, err := parseTicks(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is no page of a Parley", bad)
		}
	}
	if _, err := readTicks(t.Context(), "http://127.0.0.1:9/metrics"); err == nil || errors.Is(err, ErrOptions) {
		t.Error(err)
	}
}
