package codec

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"parley/internal/audiotest"
)

// golden reads a file of testdata.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goldenPCM reads PCM of testdata.
func goldenPCM(t testing.TB, name string) []int16 {
	t.Helper()
	b := golden(t, name)
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm
}

// inFrames encodes PCM in pieces of 20 ms.
func inFrames(t testing.TB, f Format, e Encoder, pcm []int16) [][]byte {
	t.Helper()
	var all [][]byte
	for frame := range slices.Chunk(pcm, f.Rate.Samples(20*time.Millisecond)) {
		b := make([]byte, 2*len(frame))
		n, err := e.Encode(b, frame)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b[:n])
	}
	return all
}

// What others decode, to the bit, and what they encode. Where a sample lies
// between two steps of G.711, encoders take either: ours may not be farther
// off than the reference by more than a rounding.
func TestGoldenToTheBit(t *testing.T) {
	for _, c := range []struct {
		name                 string
		format               Format
		source, coded, heard string
		slack                int
	}{
		{"PCMU", PCMU(), "narrow.s16", "narrow.ulaw", "narrow.ulaw.s16", 2},
		{"PCMA", PCMA(), "narrow.s16", "narrow.alaw", "narrow.alaw.s16", 2},
		{"G722", G722(), "wide.s16", "wide.g722", "wide.g722.s16", 0},
		{"L16", L16(16000), "wide.s16", "wide.l16", "wide.s16", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			source, coded, heard := goldenPCM(t, c.source), golden(t, c.coded), goldenPCM(t, c.heard)
			if got := decoded(t, c.format, coded); !slices.Equal(got, heard) {
				t.Errorf("decodes otherwise than the reference from sample %d on", different(got, heard))
			}
			ours := slices.Concat(inFrames(t, c.format, c.format.Encoder(), source)...)
			if c.slack == 0 && !bytes.Equal(ours, coded) {
				t.Errorf("encodes otherwise than the reference from byte %d on", different(ours, coded))
			}
			for i, v := range decoded(t, c.format, ours) {
				if off, theirs := distance(v, source[i]), distance(heard[i], source[i]); c.slack > 0 && off > theirs+c.slack {
					t.Fatalf("sample %d is off by %d, that of the reference by %d", i, off, theirs)
				}
			}
		})
	}
}

// decoded is a payload of 500 ms as PCM.
func decoded(t testing.TB, f Format, payload []byte) []int16 {
	t.Helper()
	pcm := make([]int16, f.Rate.Samples(500*time.Millisecond))
	if n, err := f.Decoder().Decode(pcm, payload); n != len(pcm) || err != nil {
		t.Fatalf("%d samples, error %v, want %d", n, err, len(pcm))
	}
	return pcm
}

func distance(a, b int16) int { return max(int(a)-int(b), int(b)-int(a)) }

func different[T comparable](a, b []T) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// The tone at the start of what others encoded comes out as loud as it went in.
func TestGoldenLevel(t *testing.T) {
	for _, c := range []struct {
		name  string
		f     Format
		coded string
		worst float64 // THD+N, dB
	}{
		{"PCMU", PCMU(), "narrow.ulaw", -36},
		{"PCMA", PCMA(), "narrow.alaw", -36},
		{"G722", G722(), "wide.g722", -42},
		{"L16", L16(16000), "wide.l16", -80},
	} {
		t.Run(c.name, func(t *testing.T) {
			pcm := decoded(t, c.f, golden(t, c.coded))
			tone := pcm[c.f.Rate.Samples(20*time.Millisecond):c.f.Rate.Samples(240*time.Millisecond)]
			if got := audiotest.Power(tone, int(c.f.Rate), 997); math.Abs(got+6.02) > 0.5 {
				t.Errorf("997 Hz at -6.02 dBFS comes out at %.2f", got)
			}
			if got := audiotest.THDN(tone, int(c.f.Rate), 997); got > c.worst {
				t.Errorf("THD+N %.1f dB, want %.0f or less", got, c.worst)
			}
		})
	}
}
