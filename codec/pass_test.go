package codec

import (
	"fmt"
	"testing"

	"parley/internal/audiotest"
)

// TestG711IsPassedExactly: what is decoded and encoded again is what it was, but
// for the second zero of PCMU, which sounds as the first.
func TestG711IsPassedExactly(t *testing.T) {
	for _, f := range []Format{PCMU(), PCMA()} {
		d, e := f.Decoder(), f.Encoder()
		for c := range 256 {
			pcm, again := make([]int16, 1), make([]byte, 1)
			if _, err := d.Decode(pcm, []byte{byte(c)}); err != nil {
				t.Fatal(err)
			}
			if _, err := e.Encode(again, pcm); err != nil {
				t.Fatal(err)
			}
			want := byte(c)
			if f.Name == "PCMU" && c == 0x7F {
				want = 0xFF
			}
			if again[0] != want {
				t.Errorf("%s: %#x comes out as %#x", f.Name, c, again[0])
			}
		}
	}
}

// TestPassingPayloadsOnClicks has a listener whose decoder goes from what our
// encoder makes of a phone's tone to the phone's own payloads, and back, our
// encoder being as near to them as it can be. It is why nothing is passed on
// (ADR 32): if it ever fails, that could be.
func TestPassingPayloadsOnClicks(t *testing.T) {
	audiotest.Long(t)
	const enter, leave, end = 50, 100, 150
	for _, f := range []Format{G722(), Opus(16000), Opus(48000)} {
		n := f.Rate.Samples(20e6)
		tone := audiotest.Tone(int(f.Rate), 440, -20, end*n, 0)
		phone, ours, along := f.Encoder(), f.Encoder(), f.Encoder()
		in, listener := f.Decoder(), f.Decoder()
		code := func(e Encoder, pcm []int16) []byte {
			b := make([]byte, 2*n)
			k, err := e.Encode(b, pcm)
			if err != nil {
				t.Fatal(err)
			}
			return b[:k]
		}
		decode := func(d Decoder, payload []byte) []int16 {
			pcm := make([]int16, n)
			if _, err := d.Decode(pcm, payload); err != nil {
				t.Fatal(err)
			}
			return pcm
		}
		click := map[string]float64{"mixed": audiotest.Floor, "entering": audiotest.Floor, "passed": audiotest.Floor, "leaving": audiotest.Floor}
		for i := range end {
			said := code(phone, tone[i*n:][:n])
			pcm := decode(in, said)
			heard := said
			switch {
			case i < enter:
				heard = code(ours, pcm)
			case i == leave:
				ours.(Relay).Continue(along, false)
				fallthrough
			case i > leave:
				heard = code(ours, pcm)
			}
			code(along, pcm)
			what := "mixed"
			switch {
			case i < 25:
				decode(listener, heard)
				continue
			case i >= enter && i < enter+3:
				what = "entering"
			case i >= leave && i < leave+3:
				what = "leaving"
			case i >= enter && i < leave:
				what = "passed"
			}
			out := decode(listener, heard)
			click[what] = max(click[what], audiotest.WorstClick(out, int(f.Rate), 440))
		}
		name := fmt.Sprint(f.Name, "/", f.Rate)
		t.Logf("%s: a tone of -20 dBFS: mixed %.1f, entering %.1f, passed %.1f, leaving %.1f dBFS", name,
			click["mixed"], click["entering"], click["passed"], click["leaving"])
		if max(click["entering"], click["leaving"]) < -50 {
			t.Errorf("%s: payloads can be passed on unheard", name)
		}
	}
}
