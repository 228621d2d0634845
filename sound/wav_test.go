package sound

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"parley/codec"
)

// wave is a WAV file as a test wants it, right or wrong.
type wave struct {
	tag, channels, rate, bits int
	data                      []byte
	size                      uint32 // of the data chunk, when it lies
	before                    []byte // chunks between fmt and data
	extra                     int    // bytes behind the 16 of fmt
	frame                     int    // bytes of a frame, when it lies
}

func (w wave) bytes() []byte {
	le := binary.LittleEndian
	frame := w.channels * w.bits / 8
	b := append([]byte("RIFF\xff\xff\xff\xffWAVEfmt "), le.AppendUint32(nil, uint32(16+w.extra))...)
	b = le.AppendUint16(b, uint16(w.tag))
	b = le.AppendUint16(b, uint16(w.channels))
	b = le.AppendUint32(b, uint32(w.rate))
	b = le.AppendUint32(b, uint32(w.rate*frame))
	if w.frame != 0 {
		frame = w.frame
	}
	b = le.AppendUint16(b, uint16(frame))
	b = le.AppendUint16(b, uint16(w.bits))
	if w.extra >= 24 { // the subformat of an extensible file is float here
		b = append(b, make([]byte, 8)...)
		b = le.AppendUint16(b, tagFloat)
		b = append(b, make([]byte, w.extra-10)...)
	} else {
		b = append(b, make([]byte, w.extra)...)
	}
	b = append(append(b, w.before...), "data"...)
	size := uint32(len(w.data))
	if w.size != 0 {
		size = w.size
	}
	return append(le.AppendUint32(b, size), w.data...)
}

func floats(values ...float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

type wavCase struct {
	name string
	in   []byte
	want []int16
	rate codec.Rate
	err  error
}

func wavCases() []wavCase {
	pcm := wave{tag: tagPCM, channels: 1, rate: 8000, bits: 16, data: []byte{1, 0, 0xff, 0xff}}
	with := func(change func(w *wave)) []byte {
		w := pcm
		change(&w)
		return w.bytes()
	}
	bits := func(tag, n int, data ...byte) []byte {
		return wave{tag: tag, channels: 1, rate: 16000, bits: n, data: data}.bytes()
	}
	stereo := wave{
		tag: tagPCM, channels: 2, rate: 8000, bits: 16,
		data: []byte{0x20, 0x4e, 0x20, 0x4e, 0x00, 0x80, 0x00, 0x80, 0xff, 0x7f, 0x00, 0x80},
	}
	nan := float32(math.NaN())
	return []wavCase{
		{name: "16 bit", in: pcm.bytes(), want: []int16{1, -1}, rate: 8000},
		{name: "8 bit", in: bits(tagPCM, 8, 0, 128, 255), want: []int16{-32768, 0, 32512}, rate: 16000},
		{name: "24 bit", in: bits(tagPCM, 24, 0, 0, 0x80, 0x80, 1, 0, 0xff, 0xff, 0x7f), want: []int16{-32768, 2, 32767}, rate: 16000},
		{name: "32 bit", in: bits(tagPCM, 32, 0, 0, 0, 0x80, 0, 0x80, 1, 0, 0xff, 0xff, 0xff, 0x7f), want: []int16{-32768, 2, 32767}, rate: 16000},
		{name: "float", in: bits(tagFloat, 32, floats(-1, 0.5, 2, nan)...), want: []int16{-32768, 16384, 32767, 0}, rate: 16000},
		{name: "mu-law", in: bits(tagMuLaw, 8, 0xff, 0x80, 0x00), want: []int16{0, 32124, -32124}, rate: 16000},
		{name: "A-law", in: bits(tagALaw, 8, 0xd5, 0xaa, 0x2a), want: []int16{8, 32256, -32256}, rate: 16000},
		{name: "stereo never wraps", in: stereo.bytes(), want: []int16{20000, -32768, 0}, rate: 8000},
		{name: "48 kHz", in: with(func(w *wave) { w.rate = 48000 }), want: []int16{1, -1}, rate: 48000},
		{name: "44.1 kHz", in: with(func(w *wave) { w.rate = 44100 }), want: []int16{1, -1}, rate: 44100},
		{name: "24 kHz", in: with(func(w *wave) { w.rate = 24000 }), want: []int16{1, -1}, rate: 24000},
		{name: "long fmt", in: with(func(w *wave) { w.extra = 2 }), want: []int16{1, -1}, rate: 8000},
		{name: "odd fmt is padded", in: with(func(w *wave) { w.extra = 3; w.before = []byte{0} }), want: []int16{1, -1}, rate: 8000},
		{name: "extensible", in: wave{tag: tagExtensible, channels: 1, rate: 8000, bits: 32, extra: 24, data: floats(0.5)}.bytes(), want: []int16{16384}, rate: 8000},
		{name: "extensible without its end", in: wave{tag: tagExtensible, channels: 1, rate: 8000, bits: 32, extra: 2, data: floats(0.5)}.bytes(), err: ErrFormat},
		{name: "other chunks", in: with(func(w *wave) { w.before = []byte("LIST\x03\x00\x00\x00abc\x00") }), want: []int16{1, -1}, rate: 8000},
		{name: "written to a pipe", in: with(func(w *wave) { w.size = 0x7ffff000 }), want: []int16{1, -1}, rate: 8000},
		{name: "written to a pipe, half a sample", in: with(func(w *wave) { w.size = 0xffffffff; w.data = append(w.data, 7) }), want: []int16{1, -1}, rate: 8000},

		{name: "empty", in: nil, err: ErrFormat},
		{name: "a text", in: []byte("this is no WAV file"), err: ErrFormat},
		{name: "cut in header", in: pcm.bytes()[:20], err: ErrFormat},
		{name: "cut in audio", in: with(func(w *wave) { w.size = 6 }), err: ErrFormat},
		{name: "no data", in: with(func(w *wave) { w.data = nil }), err: ErrFormat},
		{name: "no data chunk", in: pcm.bytes()[:36], err: ErrFormat},
		{name: "data before fmt", in: []byte("RIFF\x00\x00\x00\x00WAVEdata\x02\x00\x00\x00\x01\x00"), err: ErrFormat},
		{name: "no channel", in: with(func(w *wave) { w.channels = 0 }), err: ErrFormat},
		{name: "six channels", in: with(func(w *wave) { w.channels = 6 }), err: ErrFormat},
		{name: "96 kHz", in: with(func(w *wave) { w.rate = 96000 }), err: ErrFormat},
		{name: "samples in wider boxes", in: with(func(w *wave) { w.frame = 4 }), err: ErrFormat},
		{name: "12 bit", in: bits(tagPCM, 12, 0, 0), err: ErrFormat},
		{name: "MP3 in WAV", in: bits(0x55, 16, 0, 0), err: ErrFormat},
		{name: "huge chunk", in: with(func(w *wave) { w.before = []byte("LIST\xff\xff\xff\xff") }), err: ErrTooLarge},
		{name: "cut chunk", in: []byte("RIFF\x00\x00\x00\x00WAVELIST\x09\x00\x00\x00abc"), err: ErrFormat},
		{name: "huge fmt", in: []byte("RIFF\x00\x00\x00\x00WAVEfmt \xff\xff\xff\x00"), err: ErrFormat},
		{name: "longer than 10 minutes", in: with(func(w *wave) { w.size = 600*16000 + 2 }), err: ErrTooLarge},
	}
}

func TestDecodeWAV(t *testing.T) {
	for _, tt := range wavCases() {
		t.Run(tt.name, func(t *testing.T) {
			got, rate, err := DecodeWAV(bytes.NewReader(tt.in))
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err == nil && (!slices.Equal(got, tt.want) || rate != tt.rate) {
				t.Errorf("%v at %d, want %v at %d", got, rate, tt.want, tt.rate)
			}
		})
	}
}

// zeros never end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestEndlessInputIsCutOff(t *testing.T) {
	head := wave{tag: tagPCM, channels: 1, rate: 8000, bits: 16, size: 0xffffffff}.bytes()
	_, _, err := DecodeWAV(io.MultiReader(bytes.NewReader(head), zeros{}))
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v, want %v", err, ErrTooLarge)
	}
}

func TestReaderErrorIsKept(t *testing.T) {
	broken := errors.New("disk on fire")
	file := AppendWAV(nil, make([]int16, 100), 8000)
	for _, at := range []int{0, 14, 30, 50} {
		_, _, err := DecodeWAV(io.MultiReader(bytes.NewReader(file[:at]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", at, err)
		}
	}
}

func TestErrorsTellTheNumbers(t *testing.T) {
	w := wave{tag: tagPCM, channels: 1, rate: 96000, bits: 16, data: []byte{0, 0}}
	_, _, err := DecodeWAV(bytes.NewReader(w.bytes()))
	if err == nil || !strings.Contains(err.Error(), "96000") || !strings.Contains(err.Error(), "48000") {
		t.Errorf("%v does not say the rate and the known ones", err)
	}
}

func TestWrittenWAVReadsBack(t *testing.T) {
	want := []int16{0, 1, -1, math.MaxInt16, math.MinInt16}
	for _, rate := range codec.Rates() {
		file := AppendWAV([]byte("kept"), want, rate)
		got, r, err := DecodeWAV(bytes.NewReader(file[4:]))
		if err != nil || r != rate || !slices.Equal(got, want) {
			t.Errorf("%v at %d, %v", got, r, err)
		}
	}
}

func FuzzDecodeWAV(f *testing.F) {
	for _, tt := range wavCases() {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		pcm, rate, err := DecodeWAV(bytes.NewReader(in))
		switch {
		case err == nil && (len(pcm) == 0 || len(pcm) > len(in) || !slices.Contains(codec.Rates(), rate)):
			t.Fatalf("%d samples at %d from %d bytes", len(pcm), rate, len(in))
		case err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge):
			t.Fatalf("unclassed error %v", err)
		}
	})
}
