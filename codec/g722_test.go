package codec

import (
	"math"
	"math/rand/v2"
	"testing"

	"parley/internal/audiotest"
)

// through sends PCM through an encoder and a decoder of a format.
func through(t testing.TB, f Format, pcm []int16) []int16 {
	t.Helper()
	d := f.Decoder()
	var out []int16
	frame := make([]int16, f.Rate.Samples(MaxFrame))
	for _, payload := range inFrames(t, f, f.Encoder(), pcm) {
		n, err := d.Decode(frame, payload)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, frame[:n]...)
	}
	return out
}

func TestG722Tones(t *testing.T) {
	for _, c := range []struct{ freq, level, worst float64 }{
		{100, -10, -38}, {300, -10, -38}, {1000, -1, -40}, {1000, -10, -40}, {1000, -40, -30}, {3400, -10, -30}, {6500, -10, -15},
	} {
		got := through(t, G722(), audiotest.Tone(16000, c.freq, c.level, 16000, 0))[1600:]
		if p := audiotest.Power(got, 16000, c.freq); math.Abs(p-c.level) > 0.5 {
			t.Errorf("%v Hz at %v dBFS comes out at %.2f", c.freq, c.level, p)
		}
		if thd := audiotest.THDN(got, 16000, c.freq); thd > c.worst {
			t.Errorf("%v Hz at %v dBFS: THD+N %.1f dB, want %v or less", c.freq, c.level, thd, c.worst)
		}
	}
}

// The band filters are 22 samples late together, and what is too loud for them
// is cut, not turned round.
func TestG722FullScale(t *testing.T) {
	got := through(t, G722(), audiotest.Tone(16000, 1000, 0, 16000, 0))[1600:]
	if step := audiotest.WorstStep(got, 16000, 1000); step > -20 {
		t.Errorf("a step of %.1f dB at full scale", step)
	}
	noise := make([]int16, 16000)
	for i := range noise {
		noise[i] = []int16{math.MinInt16, math.MaxInt16}[rand.IntN(2)]
	}
	_ = through(t, G722(), noise)
}

// However the payload is cut, the audio is the same.
func TestG722InPieces(t *testing.T) {
	payload := golden(t, "wide.g722")
	want := make([]int16, 2*len(payload))
	if _, err := G722().Decoder().Decode(want, payload); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		d, rest := G722().Decoder(), payload
		var got []int16
		for len(rest) > 0 {
			n := min(1+rand.IntN(700), len(rest))
			piece := make([]int16, 2*n)
			if _, err := d.Decode(piece, rest[:n]); err != nil {
				t.Fatal(err)
			}
			got, rest = append(got, piece...), rest[n:]
		}
		if i := different(got, want); i < len(want) {
			t.Fatalf("differs from sample %d on", i)
		}
	}
}

func FuzzG722(f *testing.F) {
	f.Add(golden(f, "wide.g722"))
	f.Add([]byte{0xff, 0x00, 0x7f})
	f.Fuzz(func(t *testing.T, payload []byte) {
		pcm := make([]int16, 2*len(payload))
		n, err := G722().Decoder().Decode(pcm, payload)
		if n != 2*len(payload) || err != nil {
			t.Fatalf("%d bytes became %d samples, error %v", len(payload), n, err)
		}
		m, err := G722().Encoder().Encode(payload, pcm)
		if m != len(payload) || err != nil {
			t.Fatalf("%d samples became %d bytes, error %v", n, m, err)
		}
	})
}
