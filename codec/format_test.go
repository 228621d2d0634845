package codec

import (
	"errors"
	"testing"
	"time"
)

func TestRateSamples(t *testing.T) {
	tests := []struct {
		rate Rate
		d    time.Duration
		want int
	}{
		{8000, 20 * time.Millisecond, 160},
		{16000, 20 * time.Millisecond, 320},
		{44100, 20 * time.Millisecond, 882},
		{44100, time.Millisecond, 44}, // rounds down
		{48000, MaxFrame, 5760},
		{48000, 12 * time.Hour, 48000 * 43200},
		{8000, 0, 0},
	}
	for _, tt := range tests {
		if got := tt.rate.Samples(tt.d); got != tt.want {
			t.Errorf("%v at %d: %d samples, want %d", tt.d, tt.rate, got, tt.want)
		}
	}
}

func TestFormats(t *testing.T) {
	tests := []struct {
		name string
		got  Format
		want Format
	}{
		{"PCMU", PCMU(), Format{"PCMU", 0, 8000, 8000, false, Tuning{}}},
		{"PCMA", PCMA(), Format{"PCMA", 8, 8000, 8000, false, Tuning{}}},
		{"G722", G722(), Format{"G722", 9, 16000, 8000, false, Tuning{}}},
		{"Opus", Opus(16000), Format{"opus", 111, 16000, 48000, false, Tuning{}}},
		{"L16 at 8 kHz", L16(8000), Format{"L16", 117, 8000, 8000, false, Tuning{}}},
		{"L16 at 16 kHz", L16(16000), Format{"L16", 118, 16000, 16000, false, Tuning{}}},
		{"L16 of a CD", L16(44100), Format{"L16", 11, 44100, 44100, false, Tuning{}}},
		{"AudioSocket", SLIN(16000), Format{"L16", 118, 16000, 16000, true, Tuning{}}},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, tt.got, tt.want)
		}
	}
}

func TestKnownCanBeOffered(t *testing.T) {
	payloads := map[uint8]string{}
	for _, f := range Known() {
		if other, taken := payloads[f.Payload]; taken {
			t.Errorf("%+v has the payload type of %s", f, other)
		}
		payloads[f.Payload] = f.Name
		if f.LittleEndian {
			t.Errorf("%+v is not for RTP", f)
		}
		if err := f.Valid(); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
		if _, err := f.Encoder().Encode(make([]byte, 4000), make([]int16, f.Rate/50)); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
	}
	if PCMU() != Known()[0] {
		t.Errorf("first choice is %+v, want PCMU", Known()[0])
	}
}

func TestUnknownFormatRefuses(t *testing.T) {
	f := Format{Name: "G729", Payload: 18, Rate: 8000, Clock: 8000}
	if n, err := f.Decoder().Decode(make([]int16, 9), []byte{1}); n != 0 || !errors.Is(err, ErrUnknown) {
		t.Errorf("decoded %d samples, error %v", n, err)
	}
	if n, err := f.Encoder().Encode(make([]byte, 9), []int16{1}); n != 0 || !errors.Is(err, ErrUnknown) {
		t.Errorf("encoded %d bytes, error %v", n, err)
	}
	for _, f := range []Format{f, {Name: "PCMU", Rate: 16000, Clock: 16000}, Opus(32000), {Name: "L16"}} {
		if err := f.Valid(); !errors.Is(err, ErrUnknown) {
			t.Errorf("%+v is valid", f)
		}
	}
}
