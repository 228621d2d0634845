package native

import (
	"slices"
	"testing"
	"time"

	"parley/codec"
	"parley/internal/audiotest"
)

const (
	ms      = time.Millisecond
	unknown = -time.Second
)

// render runs the voice of a caller through a network and his leg, and returns
// what the leg gives to its room; look sees each frame of it.
func render(t testing.TB, w network, f codec.Format, pcm []int16, look func(p *netline, frame []int16)) *netline {
	t.Helper()
	r := newRig(t, Options{})
	defer r.sw.Close()
	p := through(w, f, pcm, func(p []int16) []byte { return encode(t, f, p) })
	leg, err := r.sw.NewLeg("a", p, f)
	if err != nil {
		t.Fatal(err)
	}
	defer leg.Close()
	leg.Attach(&sink{})
	for range len(pcm) / frame(f.Rate) {
		r.clock.Step()
		look(p, leg.voice.pcm)
	}
	return p
}

// sung is a tone of 997 Hz, -10 dBFS, behind a network, without the first second.
func sung(t testing.TB, w network, f codec.Format, seconds int) ([]int16, *netline) {
	t.Helper()
	var heard []int16
	pcm := audiotest.Tone(int(f.Rate), 997, -10, seconds*int(f.Rate), 0)
	p := render(t, w, f, pcm, func(_ *netline, frame []int16) { heard = append(heard, frame...) })
	return heard[f.Rate:], p
}

// delays measures by how much later each frame is given to the room than its
// last packet came, or would have come on a clean network: every packet has a
// level of its own. Where something else is heard it is unknown.
func delays(t testing.TB, w network, f codec.Format, seconds int) (all []time.Duration) {
	t.Helper()
	n := frame(f.Rate)
	pcm := make([]int16, seconds*int(f.Rate))
	const levels, step = 300, 100
	for i := range pcm {
		pcm[i] = int16(1000 + i/n%levels*step)
	}
	last := 0
	render(t, w, f, pcm, func(p *netline, frame []int16) {
		level := int(frame[n-1])
		packet := last + ((level-1000)/step-last%levels+levels+levels/2)%levels - levels/2
		run := 1
		for run < n && frame[n-1-run] == frame[n-1] {
			run++
		}
		delay := unknown
		if level >= 1000 && level%step == 0 && packet > last {
			last = packet
			delay = time.Duration(p.now-p.due(packet)) + duration(n-run, f.Rate)
		}
		all = append(all, delay)
	})
	return all
}

func percentile(d []time.Duration, p int) time.Duration {
	d = slices.DeleteFunc(slices.Clone(d), func(d time.Duration) bool { return d == unknown })
	slices.Sort(d)
	return d[len(d)*p/100]
}

func TestPlayout_ToneThroughLossAndJitter(t *testing.T) {
	audiotest.Long(t)
	for _, f := range []codec.Format{l16(), codec.PCMU(), codec.L16(16000)} {
		for _, loss := range []float64{0, 0.02, 0.05, 0.1} {
			for _, spread := range []time.Duration{0, 20 * ms, 60 * ms} {
				w := network{loss: loss, spread: spread, order: true, phase: 7 * ms, first: 65000}
				heard, p := sung(t, w, f, 20)
				n := glitches(heard, f.Rate, 997, -10)
				late := percentile(delays(t, w, codec.L16(f.Rate), 20)[50:], 95)
				t.Logf("%s/%d, loss %2.0f %%, jitter %2v: lost %3d, late %2d, glitches %2d, delay p95 %v",
					f.Name, f.Rate, 100*loss, spread, p.lost, p.Late, n, late)
				if float64(n) > 0.1*float64(p.lost)+spread.Seconds()*100 {
					t.Errorf("%d glitches of %d lost packets", n, p.lost)
				}
				if limit := 25*ms + spread*13/4; late > limit {
					t.Errorf("delay p95 is %v, want at most %v", late, limit)
				}
				if p.Late > 1000/50 {
					t.Errorf("%d packets were late", p.Late)
				}
			}
		}
	}
}

func TestPlayout_OtherTrouble(t *testing.T) {
	audiotest.Long(t)
	for _, c := range []struct {
		name string
		network
		p50, p95 time.Duration
	}{
		{"nothing", network{phase: 10 * ms}, 12 * ms, 25 * ms},
		{"packets just before the tick", network{phase: 19 * ms}, 25 * ms, 25 * ms},
		{"a fast sender", network{skew: 200, phase: 10 * ms}, 25 * ms, 25 * ms},
		{"a slow sender", network{skew: -200, phase: 10 * ms}, 25 * ms, 25 * ms},
		{"everything out of order", network{spread: 20 * ms, phase: 5 * ms}, 85 * ms, 90 * ms},
		{"twice", network{twice: 0.2, spread: 5 * ms, phase: 5 * ms}, 40 * ms, 40 * ms},
	} {
		heard, p := sung(t, c.network, l16(), 120)
		d := delays(t, c.network, l16(), 120)[100:]
		p50, p95 := percentile(d, 50), percentile(d, 95)
		n := glitches(heard, 8000, 997, -10)
		t.Logf("%s: late %d, skipped %d, glitches %d, delay p50 %v, p95 %v, max %v", c.name, p.Late, p.Skipped, n, p50, p95, percentile(d, 99))
		if n > 5 || p50 > c.p50 || p95 > c.p95 || p.Skipped > 0 {
			t.Errorf("%s: %d glitches, %d skipped, delay p50 %v, p95 %v; want %v, %v", c.name, n, p.Skipped, p50, p95, c.p50, c.p95)
		}
	}
}

// On a clean network a packet waits for the next tick and no longer, wherever
// in the tick it comes.
func TestPlayout_DelayOfACleanNetwork(t *testing.T) {
	var all []time.Duration
	for phase := range 20 {
		w := network{phase: time.Duration(phase)*ms + 500*time.Microsecond}
		all = append(all, delays(t, w, l16(), 20)[50:]...)
	}
	p50, p95 := percentile(all, 50), percentile(all, 95)
	t.Logf("p50 %v, p95 %v", p50, p95)
	if p50 > 12*ms || p95 > 25*ms {
		t.Errorf("p50 %v, p95 %v, want at most 12 and 25 ms", p50, p95)
	}
}

// TestPlayout_AnyPacketLength: on a clean network nothing of a caller's voice is
// lost, but for the first 0.1 s, and nothing is heard of that, however long his
// packets are and whenever in the tick they come.
func TestPlayout_AnyPacketLength(t *testing.T) {
	for _, ptime := range []time.Duration{10, 15, 20, 30, 40, 60, 80, 100} {
		for phase := time.Duration(1); phase < 20; phase += 3 {
			w := network{ptime: ptime * ms, phase: phase*ms + 500*time.Microsecond}
			heard, p := sung(t, w, l16(), 10)
			n := glitches(heard, 8000, 997, -10)
			if p.Lost > 7 || n > 0 {
				t.Errorf("packets of %d ms, %v into the tick: %d lost, %d late, %d skipped, %d glitches", ptime, w.phase, p.Lost, p.Late, p.Skipped, n)
			}
		}
	}
}

func TestPlayout_DelayComesBack(t *testing.T) {
	for _, spread := range []time.Duration{20 * ms, 60 * ms} {
		w := network{spread: spread, order: true, phase: 10 * ms, until: 500}
		d := delays(t, w, l16(), 30)
		during, after := percentile(d[300:500], 50), percentile(d[750:], 99)
		t.Logf("jitter %v: %v while it lasts, %v from 5 s after it on", spread, during, after)
		if during < spread || after > 25*ms {
			t.Errorf("jitter %v: %v while it lasts, %v 5 s after it", spread, during, after)
		}
	}
}

func TestPlayout_FromAnySequenceNumber(t *testing.T) {
	var want []int16
	for _, first := range []uint16{0, 1, 32767, 32768, 65534, 65535} {
		w := network{loss: 0.05, spread: 20 * ms, first: first}
		heard, _ := sung(t, w, l16(), 10)
		if want == nil {
			want = heard
		}
		if !slices.Equal(heard, want) {
			t.Errorf("from %d it sounds different", first)
		}
	}
}
