package codec

import (
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/thesyncim/gopus"

	"parley/internal/audiotest"
)

// told are payloads and what they say. Those with a name were made by the encoder
// that it has.
func told() []toldCase {
	return []toldCase{
		{"nothing at all", "", ToldNothing},
		{"libopus 1.3.1, digital silence, SILK", "48 07 c9 72 27 e1 3e 53", ToldPause},
		{"gopus, digital silence, SILK", "48 07 c9 79 c5 12 f7 bc", ToldPause},
		{"libopus 1.3.1, digital silence, CELT", "f8 ff fe", ToldSilence},
		{"the same, stereo", "fc ff fe", ToldSilence},
		{"the same, padded", "fb 41 02 ff fe 00 00", ToldSilence},
		{"CELT, the flag's last bit is not set", "f8 ff fc 00", ToldNothing},
		{"libopus 1.3.1, DTX, CELT", "f8", ToldPause},
		{"SILK, DTX", "48 00", ToldPause},
		{"SILK, 20 ms, voice", "48 80 00", ToldNothing},
		{"SILK, 20 ms, redundancy", "48 40 00", ToldNothing},
		{"SILK, 20 ms, neither", "48 3f ff", ToldPause},
		{"SILK, 20 ms, voice in the side channel", "4c 20 00", ToldNothing},
		{"SILK, 20 ms, stereo, neither", "4c 0f ff", ToldPause},
		{"SILK, 60 ms, voice in the last third", "58 20 00", ToldNothing},
		{"SILK, 60 ms, redundancy", "58 10 00", ToldNothing},
		{"SILK, 60 ms, neither", "58 0f ff", ToldPause},
		{"SILK, 60 ms, stereo, redundancy of the side channel", "5c 01 00", ToldNothing},
		{"hybrid, 20 ms, neither", "78 3f ff", ToldPause},
		{"hybrid, 20 ms, voice", "78 80 ff", ToldNothing},
		{"two alike, the second has voice", "79 00 00 80 00", ToldNothing},
		{"two alike of an odd length", "79 00 00 00", ToldNothing},
		{"two of a size, one is not sent", "7a 02 00 00", ToldPause},
		{"two of a size, more than there is", "7a 09 00 00", ToldNothing},
		{"two of a size in two bytes", "7a fc 00" + strings.Repeat(" 00", 252+9), ToldPause},
		{"a size that is cut off", "7a fc", ToldNothing},
		{"three, the last has voice", "7b 83 02 02 00 00 00 00 80 00", ToldNothing},
		{"three in silence, each its size", "fb 83 02 02 ff fe ff fe ff fe", ToldSilence},
		{"many without a number", "fb", ToldNothing},
		{"none", "fb 00", ToldNothing},
		{"more than 120 ms", "fb 07" + strings.Repeat(" ff fe", 7), ToldNothing},
		{"more padding than bytes", "fb 41 ff ff ff", ToldNothing},
		{"padding by 254 and one", "fb 41 ff 01 ff fe" + strings.Repeat(" 00", 255), ToldSilence},
		{"longer than a frame may be", "f8" + strings.Repeat(" ff", 1276), ToldNothing},
	}
}

type toldCase struct {
	name, payload string
	want          Told
}

func (c toldCase) bytes(t testing.TB) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(c.payload, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhatAPayloadTells(t *testing.T) {
	for _, c := range told() {
		if got := Opus(48000).Tells(c.bytes(t)); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if got := PCMU().Tells([]byte{0xff, 0xff}); got != ToldNothing {
		t.Errorf("PCMU tells %d", got)
	}
}

// Voice and tones of two encoders never pass for a pause, their silence and low
// noise always do.
func TestWhatEncodersTell(t *testing.T) {
	for _, name := range []string{"tone-12k.opus", "tone-32k.opus", "ours.opus"} {
		payloads, _ := packets(t, name)
		for i, p := range payloads {
			if got := Opus(48000).Tells(p); i > 1 && i < 14 && got != ToldNothing {
				t.Errorf("%s: packet %d of a tone tells %d", name, i, got)
			}
		}
	}
	for _, rate := range []Rate{16000, 48000} {
		f := Opus(rate)
		for _, dB := range []float64{math.Inf(-1), -80, -65} {
			r, pcm := rand.New(rand.NewPCG(1, 2)), make([]int16, int(rate))
			for i := range pcm {
				pcm[i] = int16(math.Round(32767 / math.Sqrt2 * math.Pow(10, dB/20) * r.NormFloat64()))
			}
			for i, p := range inFrames(t, f, f.Encoder(), pcm) {
				if got := f.Tells(p); got != ToldPause {
					t.Fatalf("at %d, noise of %.0f dBFS: packet %d tells %d", rate, dB, i, got)
				}
			}
		}
	}
}

// What a decoder makes of the flag of silence is silence, from the second packet
// on, whatever was before.
func TestSilenceThatIsToldIsSilence(t *testing.T) {
	e, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: 48000, Channels: 1, Application: gopus.ApplicationLowDelay})
	if err != nil {
		t.Fatal(err)
	}
	voice, pcm, payload := speech(48000, 10), make([]int16, 960), make([]byte, MaxOpus)
	d := Opus(48000).Decoder()
	for i := range 14 {
		p := []byte{0xF8, 0xFF, 0xFE}
		if i < 10 {
			n, err := e.EncodeInt16(voice[i*960:][:960], payload)
			if err != nil {
				t.Fatal(err)
			}
			p = payload[:n]
		}
		if n, err := d.Decode(pcm, p); n != 960 || err != nil {
			t.Fatal(n, err)
		}
		if i > 10 && !audiotest.Silent(pcm, audiotest.Floor) {
			t.Errorf("packet %d is not silent: %d", i, pcm)
		}
	}
}

// It takes a payload apart as decoders do.
func FuzzTells(f *testing.F) {
	for _, c := range told() {
		f.Add(c.bytes(f))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got := Opus(48000).Tells(payload)
		info, err := gopus.ParsePacket(payload)
		if err != nil {
			if got != ToldNothing {
				t.Fatalf("malformed (%v), and tells %d", err, got)
			}
			return
		}
		p, ok := opusFrames(payload)
		if !ok || p.count != info.FrameCount {
			t.Fatalf("%d frames, %v; want %d", p.count, ok, info.FrameCount)
		}
		for i := range p.count {
			if n := len(p.next()); n != info.FrameSizes[i] {
				t.Fatalf("frame %d has %d bytes, want %d", i, n, info.FrameSizes[i])
			}
		}
	})
}

// What an encoder is given after Renew begins with nothing of what it had before,
// which was another call's.
func TestOpusRenewedHasForgotten(t *testing.T) {
	for _, rate := range []Rate{16000, 48000} {
		f := Opus(rate)
		e, d, n := newOpusEncoder(f), newOpusDecoder(f), rate.Samples(20*time.Millisecond)
		payload, pcm := make([]byte, MaxOpus), make([]int16, n)
		voice := audiotest.Tone(int(rate), 300, -20, 10*n, 0)
		encode := func(in []int16) []byte {
			size, err := e.Encode(payload, in)
			if err != nil {
				t.Fatal(err)
			}
			return payload[:size]
		}
		for i := range 10 {
			encode(voice[i*n:][:n])
		}
		e.Renew()
		for i := range 3 {
			m, err := d.Decode(pcm, encode(make([]int16, n)))
			if err != nil {
				t.Fatal(err)
			}
			if level := audiotest.RMS(pcm[:m]); level > -75 {
				t.Errorf("%d Hz: frame %d of silence at %.1f dBFS", rate, i, level)
			}
		}
	}
}

// What lasts how long is what a decoder makes of it, and what is still is silence.
func TestOpusLastsAndStill(t *testing.T) {
	for _, rate := range []Rate{8000, 16000, 24000, 48000} {
		f := Opus(rate)
		pcm := make([]int16, rate.Samples(MaxFrame))
		for _, payload := range [][]byte{{0xF8, 0xFF, 0xFE}, {0x08, 0}, {0x0B, 2, 0, 0}, {0x18, 0}, {0x83, 3, 0, 0, 0}, {0x79, 0, 0}, {0x03}, {}} {
			n, err := f.Decoder().Decode(pcm, payload)
			if got := f.Lasts(payload); err == nil && got != n || err != nil && got != 0 {
				t.Errorf("%d Hz: %x lasts %d, decoded %d, %v", rate, payload, got, n, err)
			}
		}
		e, d := f.Encoder(), f.Decoder()
		payload := make([]byte, MaxOpus)
		voice := audiotest.Tone(int(rate), 300, -20, 10*rate.Samples(20*time.Millisecond), 0)
		for len(voice) > 0 {
			n, err := e.Encode(payload, voice[:rate.Samples(20*time.Millisecond)])
			if err != nil {
				t.Fatal(err)
			}
			if _, err = d.Decode(pcm, payload[:n]); err != nil {
				t.Fatal(err)
			}
			voice = voice[rate.Samples(20*time.Millisecond):]
		}
		still := payload[:f.Still(payload)]
		for i := range 3 {
			n, err := d.Decode(pcm, still)
			if err != nil || n != f.Lasts(still) || i > 0 && !audiotest.Silent(pcm[:n], audiotest.Floor) {
				t.Errorf("%d Hz, %d: %d samples at %.1f dBFS, %v", rate, i, n, audiotest.RMS(pcm[:n]), err)
			}
		}
		if f.Tells(still) != ToldSilence {
			t.Error("it does not say that it is silence")
		}
	}
	if PCMU().Still(make([]byte, 9)) != 0 || PCMU().Lasts([]byte{1}) != 0 {
		t.Error("PCMU")
	}
}
