package codec

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"parley/internal/audiotest"
)

// journey is what a listener hears who changes from an encoder that many hear
// to one of his own, and back as soon as he is let in, while the mix is the
// same all the time.
type journey struct {
	stayed, went []int16 // decoded: one who stays, one who goes
	left, came   int     // frames; came is 0 when he was never let in
}

func travel(t *testing.T, f Format, mix []int16, leave, back int, ahead bool) (j journey) {
	t.Helper()
	shared, own := f.Encoder().(Relay), f.Encoder().(Relay)
	stay, d := f.Decoder(), f.Decoder()
	payload, mine := make([]byte, 2000), make([]byte, 2000)
	out := make([]int16, f.Rate.Samples(MaxFrame))
	hear := func(to *[]int16, d Decoder, p []byte) {
		n, err := d.Decode(out, p)
		if err != nil {
			t.Fatal(err)
		}
		*to = append(*to, out[:n]...)
	}
	j.left = leave
	i := 0
	for frame := range slices.Chunk(mix, f.Rate.Samples(20*time.Millisecond)) {
		if i == leave && !ahead {
			own.Continue(shared, false)
		}
		n, err := shared.Encode(payload, frame)
		if err != nil {
			t.Fatal(err)
		}
		if i == leave && ahead {
			own.Continue(shared, true)
		}
		heard := payload[:n]
		yes := i < leave || j.came > 0
		if i >= back && !yes {
			var forGood bool
			if yes, forGood = shared.Admits(own); forGood {
				j.came = i
			}
		}
		if !yes {
			m, err := own.Encode(mine, frame)
			if err != nil {
				t.Fatal(err)
			}
			heard = mine[:m]
		}
		hear(&j.stayed, stay, payload[:n])
		hear(&j.went, d, heard)
		i++
	}
	return j
}

// difference is the power of how much the two hear differs in a frame, full
// scale being 1.
func (j journey) difference(f Format, frame int) float64 {
	n := f.Rate.Samples(20 * time.Millisecond)
	diff := make([]int16, n)
	for i := range diff {
		diff[i] = round(float64(j.went[frame*n+i]) - float64(j.stayed[frame*n+i]))
	}
	return math.Pow(10, audiotest.RMS(diff)/10)
}

// Where the state can be copied it goes on to the bit, whatever was encoded first.
func TestRelayLeavesToTheBit(t *testing.T) {
	exact := []Format{G722()}
	if OpusBy() != "gopus" {
		exact = append(exact, Opus(16000), Opus(48000))
	}
	for _, f := range exact {
		for _, ahead := range []bool{false, true} {
			j := travel(t, f, speech(f.Rate, 100), 30, 1000, ahead)
			if !slices.Equal(j.went, j.stayed) {
				t.Errorf("%s, ahead %v: differs from sample %d on", f.Name, ahead, different(j.went, j.stayed))
			}
		}
	}
}

// pauses is speech with a background noise, and every second word left out.
func pauses(rate Rate, frames int) []int16 {
	pcm := speech(rate, frames)
	n := rate.Samples(20 * time.Millisecond)
	for i := range pcm {
		if i/n/20%2 == 1 {
			pcm[i] = round(8 * math.Sin(float64(i*i%977)))
		}
	}
	return pcm
}

// Two G.722 encoders do not become equal; one comes back in a pause, and out
// again if somebody speaks too soon.
func TestRelayG722ComesBack(t *testing.T) {
	audiotest.Long(t)
	mix, other := pauses(16000, 400), speech(16000, 400)
	for leave := 5; leave < 100; leave += 7 {
		shared, own := G722().Encoder().(Relay), G722().Encoder().(Relay)
		d, stay := G722().Decoder(), G722().Decoder()
		came, worst := 0, 0.0
		payload, mine, out, ref := make([]byte, 160), make([]byte, 160), make([]int16, 320), make([]int16, 320)
		for i := range 400 {
			frame := mix[i*320:][:320]
			_, _ = shared.Encode(payload, frame)
			heard := payload
			if i == leave {
				own.Continue(shared, true)
			}
			if i >= leave && i < leave+20 {
				frame = other[i*320:][:320]
			}
			if i >= leave && came == 0 {
				yes, forGood := i >= leave+20, false
				if yes {
					yes, forGood = shared.Admits(own)
				}
				if forGood {
					came = i
				}
				if !yes {
					_, _ = own.Encode(mine, frame)
					heard = mine
				}
			}
			_, _ = d.Decode(out, heard)
			_, _ = stay.Decode(ref, payload)
			for k := range out {
				if came > 0 {
					worst = max(worst, float64(distance(out[k], ref[k])))
				}
			}
		}
		if came == 0 || came > leave+120 {
			t.Errorf("left at frame %d, came back at %d", leave, came)
		}
		if db := 20 * math.Log10(worst/32767); db > -60 {
			t.Errorf("left at frame %d, came back at %d: differs by %.1f dBFS", leave, came, db)
		}
	}
}

// While he comes back, what he hears is as near to what was said as ever.
func TestRelayG722ComesBackUnheard(t *testing.T) {
	mix := pauses(16000, 400)
	whole := through(t, G722(), mix)
	j := travel(t, G722(), mix, 30, 35, false)
	if j.came == 0 {
		t.Fatal("never came back")
	}
	off := func(pcm []int16, frame int) (sum float64) {
		for i := frame * 320; i < (frame+1)*320; i++ {
			sum += math.Pow(float64(pcm[i])-float64(mix[i-22]), 2)
		}
		return sum
	}
	for i := 30; i < 400; i++ {
		if got, usual := off(j.went, i), off(whole, i); got > 2*usual+320*25*25 {
			t.Errorf("frame %d: %.1f dB more noise than from one encoder, came at %d", i, 10*math.Log10(got/usual), j.came)
		}
	}
}

func TestRelayG722StaysOutWhileItWouldBeHeard(t *testing.T) {
	shared, own := G722().Encoder().(Relay), G722().Encoder().(Relay)
	payload := make([]byte, 160)
	loud, quiet := audiotest.Tone(16000, 440, -10, 320*50, 0), make([]int16, 320)
	for i := range 50 {
		_, _ = own.Encode(payload, quiet)
		_, _ = shared.Encode(payload, loud[i*320:][:320])
		if yes, _ := shared.Admits(own); yes {
			t.Fatalf("admitted in frame %d", i)
		}
	}
}

// Leaving and coming back make no difference that stands out from that between
// any two Opus encoders of one sound.
func TestRelayOpus(t *testing.T) {
	audiotest.Long(t)
	for _, c := range []struct {
		rate  Rate
		ahead bool
	}{{16000, true}, {48000, false}} {
		f, n := Opus(c.rate), c.rate.Samples(20*time.Millisecond)
		for name, mix := range map[string][]int16{"voice": speech(c.rate, 110), "tone": audiotest.Tone(int(c.rate), 440, -20, 110*n, 0)} {
			t.Run(fmt.Sprintf("%d %s", c.rate, name), func(t *testing.T) {
				var left, came, usual float64
				for leave := 30; leave < 70; leave += 13 {
					j := travel(t, f, mix, leave, leave+35, c.ahead)
					if j.came == 0 || j.came > leave+36 {
						t.Fatalf("came back at %d, after %d", j.came, leave)
					}
					left, came = left+j.difference(f, leave), came+j.difference(f, j.came)
					for k := 5; k < 30; k++ {
						usual += j.difference(f, leave+k) / 25
					}
				}
				if left > 2.5*usual || came > 2.5*usual { // 4 dB
					t.Errorf("differs by %.1f dBFS in the frame in which he leaves and %.1f in that in which he comes, %.1f else",
						10*math.Log10(left/4), 10*math.Log10(came/4), 10*math.Log10(usual/4))
				}
			})
		}
	}
}
