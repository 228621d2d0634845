package native

import (
	"math"
	"testing"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
)

// voiced is something like a voice: harmonics of a gliding pitch.
func voiced(rate codec.Rate, seconds int) []int16 {
	pcm := make([]int16, seconds*int(rate))
	phase := 0.0
	for i := range pcm {
		at := float64(i) / float64(rate)
		phase += 2 * math.Pi * (180 + 90*math.Sin(31*at)) / float64(rate)
		loud := 0.2 + math.Abs(math.Sin(17*at))
		for h := 1.0; h < 20; h++ {
			pcm[i] += int16(2500 / h * loud * math.Sin(h*phase))
		}
	}
	return pcm
}

// buffered keeps one packet back, as a jitter buffer does.
type buffered struct {
	line
	blind bool // what comes next cannot be seen
}

func (p *buffered) Take(dst []byte) (int, bool) {
	if len(p.queue) < 2 {
		return 0, false
	}
	return p.line.Take(dst)
}

func (p *buffered) Peek(dst []byte) int {
	if p.blind {
		return 0
	}
	return p.line.Peek(dst)
}

// A packet that is lost is heard from the redundancy in the next one, nearer to
// what was said than anything that concealment could guess.
func TestLeg_RedundancyIsHeard(t *testing.T) {
	audiotest.Long(t)
	f := codec.Opus(16000)
	f.Opus.FEC = true
	said := voiced(16000, 5)
	run := func(lose func(int) bool, blind bool) (heard []int16) {
		inBubble(t, func(r *rig) {
			h := r.hall()
			p := &buffered{blind: blind, line: line{t: r, format: f, ptime: 20, encoder: f.Encoder(), lose: lose}}
			p.speak = func(n int) []int16 { return said[n*320:][:320] }
			l, err := r.sw.NewLeg("a", p, f)
			if err != nil {
				t.Fatal(err)
			}
			b := r.call("b", codec.L16(16000), mute(16000))
			r.seat(h, 1, &caller{Leg: l, line: &p.line}, engine.MemberState{})
			r.seat(h, 2, b, engine.MemberState{})
			r.run(200)
			heard = b.heard
		})
		return heard
	}
	lose := func(packet int) bool { return packet > 20 && packet%7 == 3 }
	whole := run(nil, false)
	with, without := audiotest.RMS(minus(run(lose, false), whole)), audiotest.RMS(minus(run(lose, true), whole))
	if with > without-3 {
		t.Errorf("lost packets make %.1f dBFS of difference with redundancy, %.1f without", with, without)
	}
}
