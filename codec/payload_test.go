package codec

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/zaf/g711"

	"parley/internal/audiotest"
)

func TestG711EqualsOracleForEverySample(t *testing.T) {
	tests := []struct {
		format Format
		want   func(int16) uint8
	}{
		{PCMU(), g711.EncodeUlawFrame},
		{PCMA(), g711.EncodeAlawFrame},
	}
	for _, tt := range tests {
		var got [1]byte
		for s := math.MinInt16; s <= math.MaxInt16; s++ {
			if n, err := tt.format.Encoder().Encode(got[:], []int16{int16(s)}); n != 1 || err != nil {
				t.Fatalf("%s: %d bytes, error %v", tt.format.Name, n, err)
			}
			if want := tt.want(int16(s)); got[0] != want {
				t.Fatalf("%s: sample %d becomes %#02x, want %#02x", tt.format.Name, s, got[0], want)
			}
		}
	}
}

func TestG711EqualsOracleForEveryCode(t *testing.T) {
	tests := []struct {
		format Format
		want   func(uint8) int16
	}{
		{PCMU(), g711.DecodeUlawFrame},
		{PCMA(), g711.DecodeAlawFrame},
	}
	for _, tt := range tests {
		var got [1]int16
		for code := range 256 {
			if n, err := tt.format.Decoder().Decode(got[:], []byte{byte(code)}); n != 1 || err != nil {
				t.Fatalf("%s: %d samples, error %v", tt.format.Name, n, err)
			}
			if want := tt.want(byte(code)); got[0] != want {
				t.Fatalf("%s: code %#02x is %d, want %d", tt.format.Name, code, got[0], want)
			}
		}
	}
}

// A caller in a chain of switches is encoded again and again.
func TestG711AgainLosesNothingMore(t *testing.T) {
	for _, f := range []Format{PCMU(), PCMA()} {
		for code := range 256 {
			var pcm, again [1]int16
			var payload [1]byte
			_, _ = f.Decoder().Decode(pcm[:], []byte{byte(code)})
			_, _ = f.Encoder().Encode(payload[:], pcm[:])
			_, _ = f.Decoder().Decode(again[:], payload[:])
			if again != pcm {
				t.Errorf("%s: code %#02x is %d, then %d", f.Name, code, pcm[0], again[0])
			}
		}
	}
}

func TestG711Distortion(t *testing.T) {
	// ITU-T G.712 wants a sine of 0 to -30 dBm0 33 dB above the distortion.
	for _, f := range []Format{PCMU(), PCMA()} {
		for _, level := range []float64{-3, -10, -20, -30} {
			pcm := audiotest.Tone(8000, 1017.3, level, 8000, 0)
			payload := make([]byte, len(pcm))
			_, _ = f.Encoder().Encode(payload, pcm)
			_, _ = f.Decoder().Decode(pcm, payload)
			if got := audiotest.THDN(pcm, 8000, 1017.3); got > -35 {
				t.Errorf("%s at %v dBFS: THD+N %.1f dB, want -35 or less", f.Name, level, got)
			}
		}
	}
}

func TestL16(t *testing.T) {
	pcm := []int16{0, 1, -1, 0x1234, math.MaxInt16, math.MinInt16}
	tests := []struct {
		name   string
		format Format
		wire   []byte
	}{
		{"network order", L16(8000), []byte{0, 0, 0, 1, 0xff, 0xff, 0x12, 0x34, 0x7f, 0xff, 0x80, 0}},
		{"little endian", SLIN(8000), []byte{0, 0, 1, 0, 0xff, 0xff, 0x34, 0x12, 0xff, 0x7f, 0, 0x80}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wire, back := make([]byte, 20), make([]int16, 20)
			n, err := tt.format.Encoder().Encode(wire, pcm)
			if err != nil || !bytes.Equal(wire[:n], tt.wire) {
				t.Errorf("encoded % x, error %v, want % x", wire[:n], err, tt.wire)
			}
			n, err = tt.format.Decoder().Decode(back, tt.wire)
			if err != nil || !slices.Equal(back[:n], pcm) {
				t.Errorf("decoded %v, error %v, want %v", back[:n], err, pcm)
			}
		})
	}
}

type payloadCase struct {
	name   string
	format Format
	room   int // of the destination, in samples
	in     []byte
	want   int // samples
	err    error
}

func payloadCases() []payloadCase {
	return []payloadCase{
		{"20 ms of PCMU", PCMU(), 160, make([]byte, 160), 160, nil},
		{"120 ms of PCMA", PCMA(), 960, make([]byte, 960), 960, nil},
		{"nothing", PCMU(), 160, nil, 0, nil},
		{"nothing into nothing", L16(8000), 0, nil, 0, nil},
		{"longer than its room", PCMU(), 160, make([]byte, 161), 0, ErrShortBuffer},
		{"20 ms of L16", L16(16000), 320, make([]byte, 640), 320, nil},
		{"L16 longer than its room", L16(16000), 320, make([]byte, 642), 0, ErrShortBuffer},
		{"half a sample more", L16(8000), 160, make([]byte, 319), 0, ErrOddLength},
		{"half a sample only", SLIN(8000), 160, []byte{1}, 0, ErrOddLength},
		{"20 ms of G722", G722(), 320, make([]byte, 160), 320, nil},
		{"120 ms of G722", G722(), 1920, make([]byte, 960), 1920, nil},
		{"G722 longer than its room", G722(), 319, make([]byte, 160), 0, ErrShortBuffer},
		{"AudioSocket longer than its room", SLIN(8000), 160, make([]byte, 322), 0, ErrShortBuffer},
	}
}

func TestDecodeWholeOrFail(t *testing.T) {
	for _, tt := range payloadCases() {
		t.Run(tt.name, func(t *testing.T) {
			n, err := tt.format.Decoder().Decode(make([]int16, tt.room), tt.in)
			if n != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %d samples, error %v, want %d, error %v", n, err, tt.want, tt.err)
			}
		})
	}
}

func TestEncodeWholeOrFail(t *testing.T) {
	tests := []struct {
		name   string
		format Format
		room   int // bytes
		in     int // samples
		want   int // bytes
		err    error
	}{
		{"PCMU", PCMU(), 160, 160, 160, nil},
		{"PCMA without room", PCMA(), 159, 160, 0, ErrShortBuffer},
		{"L16", L16(8000), 320, 160, 320, nil},
		{"L16 without room", L16(8000), 319, 160, 0, ErrShortBuffer},
		{"AudioSocket without room", SLIN(8000), 319, 160, 0, ErrShortBuffer},
		{"nothing", PCMU(), 0, 0, 0, nil},
		{"G722", G722(), 160, 320, 160, nil},
		{"G722 without room", G722(), 159, 320, 0, ErrShortBuffer},
		{"half a byte of G722", G722(), 160, 319, 0, ErrOddLength},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := tt.format.Encoder().Encode(make([]byte, tt.room), make([]int16, tt.in))
			if n != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %d bytes, error %v, want %d, error %v", n, err, tt.want, tt.err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	formats := []Format{PCMU(), PCMA(), L16(8000), SLIN(16000), {Name: "G729"}}
	for _, c := range payloadCases() {
		f.Add(uint8(slices.Index(formats, c.format)), uint16(c.room), c.in)
	}
	f.Fuzz(func(t *testing.T, which uint8, room uint16, payload []byte) {
		format := formats[int(which)%len(formats)]
		dst := make([]int16, room)
		n, err := format.Decoder().Decode(dst, payload)
		if err != nil {
			if n != 0 {
				t.Fatalf("%d samples and error %v", n, err)
			}
			return
		}
		back := make([]byte, len(payload))
		m, err := format.Encoder().Encode(back, dst[:n])
		if err != nil || m != len(payload) {
			t.Fatalf("%d bytes became %d samples and %d bytes, error %v", len(payload), n, m, err)
		}
		if format.Name == "PCMU" { // has two codes for zero
			payload = bytes.ReplaceAll(payload, []byte{0x7f}, []byte{0xff})
		}
		if !bytes.Equal(back, payload) {
			t.Fatalf("% x came back as % x", payload, back)
		}
	})
}

func TestCodersDoNotAllocate(t *testing.T) {
	audiotest.Long(t)
	for _, f := range append(Known(), SLIN(16000)) {
		pcm, payload := make([]int16, f.Rate/50), make([]byte, 2000)
		enc, dec := f.Encoder(), f.Decoder()
		allocs := testing.AllocsPerRun(1000, func() {
			n, _ := enc.Encode(payload, pcm)
			_, _ = dec.Decode(pcm, payload[:n])
			_, _ = dec.Decode(nil, payload[:n]) // errors, too
		})
		if allocs != 0 {
			t.Errorf("%+v: %v allocations", f, allocs)
		}
	}
}

// A second of speech, over and over.
func BenchmarkCoders(b *testing.B) {
	for _, f := range []Format{PCMU(), PCMA(), G722(), Opus(8000), Opus(16000), Opus(48000), L16(16000), SLIN(16000)} {
		name := fmt.Sprintf("%s-%d", f.Name, f.Rate)
		if f.LittleEndian {
			name += "-little"
		}
		n, voice := f.Rate.Samples(20*time.Millisecond), speech(f.Rate, 50)
		payload, pcm := make([]byte, 2*n), make([]int16, n)
		enc, dec, at := f.Encoder(), f.Decoder(), 0
		payloads := inFrames(b, f, f.Encoder(), voice)
		b.Run(name+"/encode", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = enc.Encode(payload, voice[at*n:][:n])
				at = (at + 1) % len(payloads)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/leg")
		})
		b.Run(name+"/decode", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = dec.Decode(pcm, payloads[at])
				at = (at + 1) % len(payloads)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/leg")
		})
	}
}
