package native

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"parley/codec"
	"parley/internal/audiotest"
	"parley/rtp"
)

// network says what happens to packets on their way. The zero value is a clean
// one.
type network struct {
	seed   uint64
	loss   float64       // share of packets
	spread time.Duration // σ of the delay: the upper half of a normal distribution
	order  bool          // packets do not overtake each other
	twice  float64       // share of packets that come twice
	skew   float64       // of the sender's clock, in parts per million; above 0 it is fast
	phase  time.Duration // of the first packet within a tick
	first  uint16        // sequence number
	until  int           // packets that the trouble lasts for; 0 = all
	ptime  time.Duration // of a packet; 0 = 20 ms
}

// netline is a Port behind a network: what arrives goes through the jitter
// buffer of a session.
type netline struct {
	line
	*rtp.Jitter
	packets []arrival // on the way, next one first
	now     int64
	lost    int               // packets that the network lost
	due     func(i int) int64 // when the i-th packet comes on a clean network
}

type arrival struct {
	at      int64
	seq     uint16
	ts      uint32
	payload []byte
}

// through sends pcm through a network.
func through(w network, f codec.Format, pcm []int16, encode func([]int16) []byte) *netline {
	r := rand.New(rand.NewPCG(w.seed, 1))
	ptime := cmp.Or(w.ptime, 20*ms)
	n := f.Rate.Samples(ptime)
	p := &netline{Jitter: rtp.NewJitter(rtp.JitterOptions{ClockRate: f.Clock, FrameBytes: 4 * frame(f.Rate)})}
	p.format = f
	period := float64(ptime) / (1 + w.skew/1e6)
	p.due = func(i int) int64 { return 40e6 + int64(w.phase) + int64(float64(i)*period) }
	last := 0.0
	for i := range len(pcm) / n {
		trouble := w.until == 0 || i < w.until
		if trouble && r.Float64() < w.loss {
			p.lost++
			continue
		}
		at := float64(p.due(i))
		if trouble {
			at += float64(w.spread) * math.Abs(r.NormFloat64())
		}
		if w.order {
			at = max(at, last)
			last = at
		}
		a := arrival{int64(at), w.first + uint16(i), uint32(i * n * f.Clock / int(f.Rate)), encode(pcm[i*n:][:n])}
		p.packets = append(p.packets, a)
		if trouble && r.Float64() < w.twice {
			a.at += int64(r.Float64() * 30e6)
			p.packets = append(p.packets, a)
		}
	}
	slices.SortStableFunc(p.packets, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	return p
}

func (p *netline) Drain(now int64) {
	p.now = now
	for len(p.packets) > 0 && p.packets[0].at <= now {
		a := p.packets[0]
		p.packets = p.packets[1:]
		p.Put(a.seq, a.ts, a.at, a.payload)
		p.arrived = now
	}
}

func (p *netline) Take(dst []byte) (n int, lost bool) { return p.Jitter.Take(dst, p.now) }

func (p *netline) Delay() time.Duration { return p.Jitter.Delay() }

// glitches counts the places where a tone, looked at for 10 ms, is less than 20 dB
// above the rest, or 3 dB off its level. What lies within 20 ms is one.
func glitches(pcm []int16, rate codec.Rate, freq, level float64) (n int) {
	window, bad := frame(rate)/2, -frame(rate)
	for at := 0; at+window <= len(pcm); at += window / 2 {
		w := pcm[at:][:window]
		if audiotest.THDN(w, int(rate), freq) < -20 && math.Abs(audiotest.RMS(w)-level) < 3 {
			continue
		}
		if at-bad >= frame(rate) {
			n++
		}
		bad = at
	}
	return n
}
