package native

import (
	"testing"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
	"parley/mixer"
)

// frank is a line whose packets say how loud they are.
type frank struct {
	*line
	says func(packet int, pcm []int16) (uint8, bool)
	pcm  func(int) []int16
	took int
	past [][]byte
}

func (p *frank) Take(dst []byte) (int, bool) {
	n, lost := p.line.Take(dst)
	if n > 0 {
		p.took++
		p.past = append(p.past, append([]byte(nil), dst[:n]...))
	}
	return n, lost
}

func (p *frank) Said() (uint8, bool) { return p.says(p.took-1, p.pcm(p.took-1)) }

func (p *frank) Back(dst []byte, k int) int {
	if i := p.took - 1 - k; i >= 0 {
		return copy(dst, p.past[i])
	}
	return 0
}

// honest is what a phone says that measures what it sends.
func honest(_ int, pcm []int16) (uint8, bool) {
	return uint8(min(127, -dBov(pcm))), true
}

func dBov(pcm []int16) float64 { return float64(new(mixer.Meter).Level(pcm)) }

// counted counts what is decoded.
type counted struct {
	codec.Decoder
	n int
}

func (c *counted) Decode(dst []int16, payload []byte) (int, error) {
	c.n++
	return c.Decoder.Decode(dst, payload)
}

func (c *counted) Renew() { c.Decoder.(codec.Renewable).Renew() }

// bursts are two seconds of silence, one of voice, and so on.
func bursts(rate codec.Rate) func(int) []int16 {
	voice, quiet := tone(rate, 400, -20), mute(rate)
	return func(n int) []int16 {
		if n/50%3 == 2 {
			return voice(n)
		}
		return quiet(n)
	}
}

// visit is a room with one who says how loud he is and one who listens, for so
// many ticks. Nobody does where says is nil.
func visit(r *rig, f codec.Format, speak func(int) []int16, says func(int, []int16) (uint8, bool), st engine.Sound, ticks int) (heard []int16, decoded int, l *Leg) {
	r.Helper()
	h := r.hall()
	h.Tune(st)
	p := &frank{line: &line{t: r, format: f, ptime: 20, speak: speak, encoder: f.Encoder()}, says: says, pcm: speak}
	c := &caller{line: p.line, sink: &sink{}}
	var port Port = p
	if says == nil {
		port = p.line
	}
	var err error
	if c.Leg, err = r.sw.NewLeg("frank", port, f); err != nil {
		r.Fatal(err)
	}
	c.Attach(c.sink)
	ear := r.call("ear", codec.L16(f.Rate), mute(f.Rate))
	counter := &counted{Decoder: f.Decoder()}
	if c.voice.decoder != nil {
		c.voice.decoder = counter
	} else {
		c.stock.decoders.all[0].Store(&loan{counter, newWake(f.Rate)})
	}
	r.seat(h, 1, ear, engine.MemberState{})
	r.seat(h, 2, c, engine.MemberState{})
	r.run(ticks)
	heard = ear.heard
	_ = ear.Leg.Close()
	_ = c.Leg.Close()
	return heard, counter.n, c.Leg
}

// What is not decoded does not change what others hear: not by a bit where
// decoders forget, and not to be heard where they remember.
func TestSilenceThatIsSaidIsNotDecoded(t *testing.T) {
	for _, f := range []codec.Format{codec.PCMU(), codec.L16(16000), codec.PCMA(), codec.G722(), codec.Opus(16000)} {
		t.Run(f.Name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				want, all, _ := visit(r, f, bursts(f.Rate), nil, engine.Sound{}, 450)
				got, some, _ := visit(r, f, bursts(f.Rate), honest, engine.Sound{}, 450)
				if spares(f) && some > all*6/10 || !spares(f) && some < 440 || all < 440 {
					r.Errorf("decoded %d of %d packets", some, all)
				}
				n := min(len(got), len(want))
				worst := float64(silence)
				for i := 0; i+160 <= n; i += 160 {
					diff := make([]int16, 160)
					for k := range diff {
						diff[k] = got[i+k] - want[i+k]
					}
					worst = max(worst, dBov(diff))
				}
				if limit := map[bool]float64{false: silence, true: -50}[f.Name == "opus"]; worst > limit {
					r.Errorf("what is heard differs by %.1f dBov", worst)
				}
			})
		})
	}
}

func TestWhoIsWrongAboutHisLevel(t *testing.T) {
	f := codec.PCMU()
	silent := func(int, []int16) (uint8, bool) { return 127, true }
	loud := func(int, []int16) (uint8, bool) { return 0, true }
	later := func(n int, _ []int16) (uint8, bool) { return 127, n > 0 }
	for _, tt := range []struct {
		name  string
		speak func(int) []int16
		says  func(int, []int16) (uint8, bool)
		sound engine.Sound
		heard bool // in the last second
		all   bool // every packet is decoded
	}{
		{"says that he is silent, and talks", tone(8000, 400, -20), silent, engine.Sound{}, true, true},
		{"says that he is loud, and is silent", mute(8000), loud, engine.Sound{}, false, true},
		{"begins to talk and says nothing of it", latecomer(150, mute(8000), tone(8000, 400, -20)), later, engine.Sound{}, true, false},
		{"is silent where no gate is", mute(8000), silent, engine.Sound{Gate: engine.GateOff}, false, true},
		{"is silent where nothing is touched", mute(8000), silent, engine.Sound{Transparent: true}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				const ticks = 300
				heard, decoded, l := visit(r, f, tt.speak, tt.says, tt.sound, ticks)
				if got := !audiotest.Silent(heard[len(heard)-8000:], audiotest.Floor); got != tt.heard {
					r.Errorf("heard: %v", got)
				}
				if all := decoded >= ticks; all != tt.all {
					r.Errorf("decoded %d packets", decoded)
				}
				if l.voice.trust.liar != tt.heard {
					r.Errorf("a liar: %v", l.voice.trust.liar)
				}
			})
		})
	}
}

// latecomer is somebody who begins to say something after so many frames.
func latecomer(frames int, quiet, speak func(int) []int16) func(int) []int16 {
	return func(n int) []int16 {
		if n < frames {
			return quiet(n)
		}
		return speak(n)
	}
}
