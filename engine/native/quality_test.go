package native

import (
	"fmt"
	"testing"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
)

// chorus seats singers of one level and a listener who says nothing, and returns
// what each hears in a second.
func chorus(r *rig, f codec.Format, level float64, freqs ...float64) (heard [][]int16) {
	h := r.hall()
	var all []*caller
	for i := range len(freqs) + 1 {
		speak := mute(f.Rate)
		if i < len(freqs) {
			speak = tone(f.Rate, freqs[i], level)
		}
		c := r.call(engine.LegID(fmt.Sprint(i)), f, speak)
		r.seat(h, engine.MemberID(i+1), c, engine.MemberState{})
		all = append(all, c)
	}
	r.run(50)
	marks := make([]int, len(all))
	for i, c := range all {
		marks[i] = len(c.heard)
	}
	r.run(50)
	for i, c := range all {
		heard = append(heard, c.since(marks[i]))
	}
	return heard
}

func TestQuality_SixLoudTalkers(t *testing.T) {
	audiotest.Long(t)
	for _, f := range []codec.Format{codec.PCMU(), codec.PCMA(), codec.L16(16000)} {
		inBubble(t, func(r *rig) {
			freqs := []float64{317, 491, 733, 997, 1511, 2203}
			heard := chorus(r, f, -6, freqs...)
			for i, pcm := range heard {
				others := append([]float64(nil), freqs...)
				own := -200.0
				if i < len(freqs) {
					others = append(others[:i], others[i+1:]...)
					own = audiotest.Power(pcm, int(f.Rate), freqs[i])
				}
				sinad := -audiotest.THDN(pcm, int(f.Rate), others...)
				if i == 0 || i == len(freqs) {
					t.Logf("%s: caller %d: SINAD %.1f dB, own voice %.1f dBFS, peak %.2f dBFS", f.Name, i, sinad, own, audiotest.Peak(pcm))
				}
				if sinad < 30 || own > -50 {
					t.Errorf("%s: caller %d: SINAD %.1f dB, own voice %.1f dBFS", f.Name, i, sinad, own)
				}
			}
		})
	}
}

func TestQuality_ThreeTalkersOfFullSum(t *testing.T) {
	inBubble(t, func(r *rig) {
		freqs := []float64{397, 997, 1801} // -1 dBFS together: a third of the amplitude each
		heard := chorus(r, codec.L16(16000), -1-9.54, freqs...)
		pcm := heard[3]
		thd := audiotest.THDN(pcm, 16000, freqs...)
		t.Logf("THD+N %.1f dB, peak %.2f dBFS", thd, audiotest.Peak(pcm))
		if thd > -80 {
			t.Errorf("THD+N %.1f dB", thd)
		}
	})
}

// One who shouts must not pump the volume of those who do not hear him.
func TestQuality_NobodyPumpsAnother(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		loud := r.call("loud", l16(), tone(8000, 300, 0))
		loud2 := r.call("loud2", l16(), mute(8000))
		soft := r.call("soft", l16(), tone(8000, 997, -20))
		for i, c := range []*caller{loud, loud2, soft} {
			r.seat(h, engine.MemberID(i+1), c, engine.MemberState{})
		}
		r.run(10)
		mark := len(loud.heard)
		r.run(10)
		loud2.speak = tone(8000, 500, 0)
		r.run(25)
		got := loud.since(mark + 10*160 + 320)
		if p := audiotest.Power(got, 8000, 997); p > -19 || p < -24 {
			t.Errorf("the soft voice is heard at %.1f dBFS under one other who is loud", p)
		}
		if p := audiotest.Power(loud.since(mark)[:10*160], 8000, 997); p < -20.1 || p > -19.9 {
			t.Errorf("the soft voice is at %.1f dBFS before", p)
		}
	})
}
