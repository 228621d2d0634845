package codec

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/thesyncim/gopus"
	"github.com/thesyncim/gopus/container/ogg"

	"parley/internal/audiotest"
)

var update = flag.Bool("update", false, "write testdata/ours.opus again, for opusdec to decode")

// packets reads the payloads of an Ogg file, and how many samples of 48,000 a
// second a player leaves away.
func packets(t testing.TB, name string) (payloads [][]byte, skip int) {
	t.Helper()
	r, err := ogg.NewReader(bytes.NewReader(golden(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, _, err := r.ReadPacket()
		if errors.Is(err, io.EOF) {
			return payloads, int(r.PreSkip())
		}
		if err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, bytes.Clone(p))
	}
}

// decodeAll decodes payloads one after the other.
func decodeAll(t testing.TB, f Format, payloads [][]byte) []int16 {
	t.Helper()
	d := f.Decoder()
	var out []int16
	dst := make([]int16, f.Rate.Samples(MaxFrame))
	for _, p := range payloads {
		n, err := d.Decode(dst, p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, dst[:n]...)
	}
	return out
}

// What libopus encoded, and what we did, as libopus decodes it.
func TestGoldenOpus(t *testing.T) {
	if *update {
		writeOgg(t, "ours.opus", inFrames(t, Opus(48000), Opus(48000).Encoder(), audiotest.Tone(48000, 997, -6, 14400, 0)))
	}
	for name, worst := range map[string]float64{"tone-12k.opus": -14, "tone-32k.opus": -30, "ours.opus": -25} {
		t.Run(name, func(t *testing.T) {
			payloads, skip := packets(t, name)
			heard := goldenPCM(t, name+".s16")
			got := decodeAll(t, Opus(48000), payloads)[skip:]
			got = got[:min(len(got), len(heard))]
			if len(heard)-len(got) > 960 {
				t.Fatalf("%d samples, want %d", len(got), len(heard))
			}
			for i, v := range got {
				if distance(v, heard[i]) > 2 {
					t.Fatalf("sample %d is %d, with libopus %d", i, v, heard[i])
				}
			}
			level(t, got[4800:], 48000, 997, -6, worst)
		})
	}
}

// writeOgg writes payloads of 20 ms at 48,000 samples a second.
func writeOgg(t testing.TB, name string, payloads [][]byte) {
	t.Helper()
	var b bytes.Buffer
	w, err := ogg.NewWriter(&b, 48000, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range payloads {
		if err := w.WritePacket(p, 960); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("testdata/"+name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// level judges a tone.
func level(t testing.TB, pcm []int16, rate int, freq, want, worst float64) {
	t.Helper()
	if got := audiotest.Power(pcm, rate, freq); math.Abs(got-want) > 0.5 {
		t.Errorf("%v Hz at %v dBFS comes out at %.2f", freq, want, got)
	}
	if got := audiotest.THDN(pcm, rate, freq); got > worst {
		t.Errorf("THD+N %.1f dB, want %v or less", got, worst)
	}
}

// Whoever decodes it at whatever rate hears the same.
func TestOpusRates(t *testing.T) {
	audiotest.Long(t)
	for _, from := range []Rate{8000, 16000, 24000, 48000} {
		for _, to := range []Rate{8000, 16000, 24000, 48000} {
			t.Run(fmt.Sprintf("%d to %d", from, to), func(t *testing.T) {
				payloads := inFrames(t, Opus(from), Opus(from).Encoder(), audiotest.Tone(int(from), 997, -10, int(from), 0))
				level(t, decodeAll(t, Opus(to), payloads)[to/4:], int(to), 997, -10, -14)
			})
		}
	}
}

func TestOpusTuning(t *testing.T) {
	size := func(f Format, pcm []int16) (n int) {
		for _, p := range inFrames(t, f, f.Encoder(), pcm)[25:] {
			n += len(p)
		}
		return n
	}
	voice := speech(16000, 100)
	f := Opus(16000)
	plain := size(f, voice)
	f.Opus = Tuning{Bitrate: 12000}
	if n := size(f, voice); n > plain*3/4 {
		t.Errorf("at 12 kbit/s %d bytes, at 28 %d", n, plain)
	}
	f.Opus = Tuning{Constant: true}
	for i, p := range inFrames(t, f, f.Encoder(), voice) {
		if len(p) != 70 {
			t.Fatalf("frame %d of 28 kbit/s without variation has %d bytes", i, len(p))
		}
	}
	f.Opus = Tuning{DTX: true}
	silent := 0
	for _, p := range inFrames(t, f, f.Encoder(), make([]int16, 16000)) {
		if f.Silent(p) {
			silent++
		}
	}
	if silent < 25 {
		t.Errorf("%d of 50 frames of silence need not be sent", silent)
	}
	silent = 0
	for _, p := range inFrames(t, f, f.Encoder(), voice) {
		if f.Silent(p) {
			silent++
		}
	}
	if silent > 5 {
		t.Errorf("%d of 100 frames of a voice need not be sent", silent)
	}
}

// speech is something like a voice: a gliding pitch with its harmonics and some
// noise, in so many frames of 20 ms, the same each time.
func speech(rate Rate, frames int) []int16 {
	r := rand.New(rand.NewPCG(1, 2))
	pcm := make([]int16, frames*rate.Samples(MaxFrame)/6)
	phase := 0.0
	for i := range pcm {
		at := float64(i) / float64(rate)
		phase += 2 * math.Pi * (130 + 25*math.Sin(7*at)) / float64(rate)
		v := 0.0
		for h := 1.0; h < 24; h++ {
			v += math.Sin(h*phase) / h
		}
		pcm[i] = round(v*4000*(0.3+0.7*math.Abs(math.Sin(5*at))) + 30*r.NormFloat64())
	}
	return pcm
}

// With redundancy a lost frame is much nearer to what was said than anything
// that could be guessed.
func TestOpusRecovers(t *testing.T) {
	f := Opus(16000)
	f.Opus.FEC = true
	voice := speech(16000, 200)
	payloads := inFrames(t, f, f.Encoder(), voice)
	whole := decodeAll(t, f, payloads)
	d, r := f.Decoder(), f.Decoder().(Recoverer)
	frame, found := make([]int16, 320), make([]int16, 320)
	var off, energy float64
	recovered := 0
	for i, p := range payloads {
		_, _ = d.Decode(frame, p)
		if i%10 != 5 || i == len(payloads)-1 {
			if _, err := r.Decode(frame, p); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if r.Recover(found, payloads[i+1]) == len(found) {
			recovered++
			for k, v := range found {
				w := float64(whole[i*320+k])
				off, energy = off+(float64(v)-w)*(float64(v)-w), energy+w*w
			}
		}
	}
	if recovered < 10 { // quiet ones have no redundancy
		t.Fatalf("%d of 20 frames recovered", recovered)
	}
	if snr := 10 * math.Log10(energy/off); snr < 5 {
		t.Errorf("what is recovered is %.1f dB above its difference", snr)
	}
	plain := Opus(16000)
	if n := plain.Decoder().(Recoverer).Recover(found, inFrames(t, plain, plain.Encoder(), voice)[50]); n != 0 {
		t.Errorf("%d samples of a payload without redundancy", n)
	}
}

func TestOpusRefuses(t *testing.T) {
	e, d := Opus(48000).Encoder(), Opus(48000).Decoder()
	if n, err := e.Encode(make([]byte, 1500), make([]int16, 961)); n != 0 || !errors.Is(err, ErrLength) {
		t.Errorf("961 samples: %d, %v", n, err)
	}
	if n, err := e.Encode(nil, make([]int16, 960)); n != 0 || !errors.Is(err, ErrShortBuffer) {
		t.Errorf("no room: %d, %v", n, err)
	}
	payload := make([]byte, 1500)
	n, err := e.Encode(payload, make([]int16, 960))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := d.Decode(make([]int16, 959), payload[:n]); n != 0 || !errors.Is(err, ErrShortBuffer) {
		t.Errorf("959 samples of room: %d, %v", n, err)
	}
	if n, err := d.Decode(make([]int16, 5760), []byte{0xff, 0xff}); n != 0 || !errors.Is(err, ErrMalformed) {
		t.Errorf("malformed: %d, %v", n, err)
	}
	if n, err := d.Decode(make([]int16, 5760), nil); n != 0 || err != nil {
		t.Errorf("nothing: %d, %v", n, err)
	}
	odd := Opus(11025)
	if n, err := odd.Encoder().Encode(payload, make([]int16, 220)); n != 0 || !errors.Is(err, ErrUnknown) {
		t.Errorf("11,025 samples a second: %d, %v", n, err)
	}
	if n, err := odd.Decoder().Decode(make([]int16, 5760), payload[:9]); n != 0 || !errors.Is(err, ErrUnknown) {
		t.Errorf("11,025 samples a second: %d, %v", n, err)
	}
}

// Redundancy is left out, both ways, in the pure Go implementation: making it and
// using it allocates there.
func TestOpusDoesNotAllocate(t *testing.T) {
	audiotest.Long(t)
	for _, rate := range []Rate{16000, 48000} {
		f := Opus(rate)
		f.Opus.DTX, f.Opus.FEC = true, OpusBy() != "gopus"
		e, other, d := f.Encoder().(Relay), f.Encoder(), f.Decoder()
		voice, payload := speech(rate, 100), make([]byte, 1500)
		pcm := make([]int16, rate.Samples(MaxFrame))
		frame, at := rate.Samples(MaxFrame)/6, 0
		step := func() {
			at = (at + frame) % len(voice)
			n, _ := e.Encode(payload, voice[at:at+frame])
			_, _ = d.Decode(pcm, payload[:n])
			_, _ = d.Decode(nil, payload[:n])
			if f.Opus.FEC {
				d.(Recoverer).Recover(pcm[:frame], payload[:n])
			}
			if at%(50*frame) == 0 {
				e.Continue(other, false)
				e.Admits(other)
			}
		}
		for range 100 {
			step()
		}
		if n := testing.AllocsPerRun(100, step); n != 0 {
			t.Errorf("at %d: %v allocations", rate, n)
		}
	}
}

// Whatever comes from the network, the decoder neither panics nor writes where
// it should not, and goes on with the next good payload.
func FuzzOpus(f *testing.F) {
	payloads, _ := packets(f, "tone-12k.opus")
	f.Add(payloads[0], payloads[1], uint16(5760))
	payloads, _ = packets(f, "tone-32k.opus")
	f.Add(payloads[3], []byte{0xff}, uint16(960))
	f.Add([]byte{0x03, 0xff, 0xff}, []byte{}, uint16(0))
	f.Fuzz(func(t *testing.T, a, b []byte, room uint16) {
		d := Opus(48000).Decoder().(Recoverer)
		dst := make([]int16, min(room, 5760))
		for _, p := range [][]byte{a, b, a} {
			if n, err := d.Decode(dst, p); n < 0 || n > len(dst) || err != nil && n != 0 {
				t.Fatalf("%d samples, error %v, of %d", n, err, len(dst))
			}
			if n := d.Recover(dst[:min(len(dst), 960)], p); n < 0 || n > len(dst) {
				t.Fatalf("%d samples recovered of %d", n, len(dst))
			}
		}
		good := payloads[0]
		if _, err := gopus.ParsePacket(good); err != nil {
			t.Fatal(err)
		}
		if n, err := d.Decode(make([]int16, 5760), good); n != 960 || err != nil {
			t.Fatalf("a good payload afterwards: %d samples, error %v", n, err)
		}
	})
}

func TestFormatParameters(t *testing.T) {
	tests := []struct {
		name, in string
		rate     Rate
		want     Format
	}{
		{"nothing", "", 48000, Opus(48000)},
		{"as browsers have it", "minptime=10;useinbandfec=1", 48000, Format{"opus", 111, 48000, 48000, false, Tuning{FEC: true}}},
		{
			"all", " maxplaybackrate=16000; maxaveragebitrate=20000 ;useinbandfec=1; usedtx=1;cbr=1;stereo=1", 48000,
			Format{"opus", 111, 16000, 48000, false, Tuning{Bitrate: 20000, FEC: true, DTX: true, Constant: true}},
		},
		{"more than suits", "maxaveragebitrate=510000", 48000, Opus(48000)},
		{"less than can be", "maxaveragebitrate=1", 48000, Format{"opus", 111, 48000, 48000, false, Tuning{Bitrate: 6000}}},
		{"a rate that is not ours", "maxplaybackrate=12000", 48000, Opus(16000)},
		{"more than ours", "maxplaybackrate=48000", 16000, Opus(16000)},
		{"malformed", "maxplaybackrate=x;useinbandfec;=1;;usedtx=99999999999999", 48000, Opus(48000)},
	}
	for _, tt := range tests {
		f := Opus(tt.rate)
		f.Opus.FEC = true
		if got := f.Tuned(tt.in); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
		if got := Opus(tt.rate).Tuned(tt.in); got.Opus.FEC {
			t.Errorf("%s: redundancy that we do not make", tt.name)
		}
	}
	if got := PCMU().Tuned("useinbandfec=1"); got != PCMU() || got.Parameters() != "" {
		t.Errorf("PCMU: %+v", got)
	}
	if got := Opus(16000).Parameters(); got != "maxplaybackrate=16000;minptime=10;useinbandfec=1" {
		t.Errorf("%q", got)
	}
}

// Packets of 120 ms, the longest, are decoded, and what follows them too.
func TestOpusOfLongPackets(t *testing.T) {
	for _, rate := range []Rate{8000, 16000, 48000} {
		f := Opus(rate)
		e, d := f.Encoder(), f.Decoder()
		n := rate.Samples(20 * time.Millisecond)
		tone := audiotest.Tone(int(rate), 440, -20, 13*n, 0)
		dst := make([]int16, rate.Samples(MaxFrame))
		var payload [MaxOpus]byte
		var sizes, frames []byte
		for i := range 13 {
			size, err := e.Encode(payload[:], tone[i*n:][:n])
			if err != nil || payload[0]&3 != 0 || size > 252 {
				t.Fatalf("%d bytes, %x, %v", size, payload[0], err)
			}
			if i == 12 {
				if got, err := d.Decode(dst, payload[:size]); got != n || err != nil {
					t.Fatalf("20 ms: %d samples, %v", got, err)
				}
				continue
			}
			frames = append(frames, payload[1:size]...)
			if i%6 != 5 {
				sizes = append(sizes, byte(size-1))
				continue
			}
			// Six frames, each but the last with its length: RFC 6716 §3.2.5.
			long := append(append([]byte{payload[0] | 3, 0x80 | 6}, sizes...), frames...)
			if got, err := d.Decode(dst, long); got != 6*n || err != nil {
				t.Fatalf("%d Hz, 120 ms: %d samples, %v", rate, got, err)
			}
			if p := audiotest.Power(dst[2*n:6*n], int(rate), 440); math.Abs(p+20) > 1 {
				t.Errorf("%d Hz: the tone at %.1f dBFS", rate, p)
			}
			sizes, frames = sizes[:0], frames[:0]
		}
	}
}
