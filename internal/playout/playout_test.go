package playout

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"parley/internal/audiotest"
)

const frame8 = 320 // 20 ms at 8 kHz

// sim plays an arrival pattern: arrive(tick) is the audio, in frames, that
// came since the tick before.
type sim struct {
	play  Buffer
	src   audiotest.Ramp
	lost  int   // takes that asked for concealment
	empty int   // takes with nothing due
	got   int   // frames played
	delay []int // frames in hand after each take
}

func newSim() *sim { return &sim{play: New(frame8)} }

func (s *sim) run(ticks int, arrive func(int) float64) {
	dst := make([]byte, frame8)
	for i := range ticks {
		s.play.Put(s.src.Bytes(int(arrive(i)*frame8) &^ 1))
		n, lost := s.play.Take(dst)
		switch {
		case n == frame8:
			s.got++
		case lost:
			s.lost++
		default:
			s.empty++
		}
		s.delay = append(s.delay, s.play.held/frame8)
	}
}

func steady(int) float64 { return 1 }

func TestPlayout(t *testing.T) {
	for _, c := range []struct {
		name      string
		ticks     int
		arrive    func(int) float64
		lost      int // exactly
		cut       int // at most
		last      int // frames in hand at the end, at most
		worst     int // frames in hand at any time, at most
		minPlayed int
		target    int // at the end; 0 means minTarget
	}{
		{name: "an even stream plays whole with a frame in reserve", ticks: 1000, arrive: steady, last: 1, worst: 2, minPlayed: 999},
		{
			name: "two frames every other tick play without a gap", ticks: 1000,
			arrive: func(i int) float64 { return float64(i % 2 * 2) }, last: 3, worst: 4, minPlayed: 990,
		},
		{
			name: "30 ms frames", ticks: 300,
			arrive: func(i int) float64 { return [3]float64{1.5, 1.5, 0}[i%3] }, last: 2, worst: 2, minPlayed: 298,
		},
		{
			name: "60 ms frames", ticks: 300,
			arrive: func(i int) float64 { return [3]float64{0, 3, 0}[i%3] }, last: 2, worst: 2, minPlayed: 298,
		},
		{
			name: "a burst of one second is cut at once", ticks: 100,
			arrive: func(i int) float64 {
				if i == 50 {
					return 50
				}
				return 1
			}, cut: 50, last: 2, worst: 3, minPlayed: 99,
		},
		{
			name: "a stall of 100 ms and its backlog", ticks: 600,
			arrive: func(i int) float64 {
				switch {
				case i >= 100 && i < 105:
					return 0
				case i == 105:
					return 6
				}
				return 1
			}, lost: 3, cut: 4, last: 2, worst: 6, minPlayed: 590, target: 3,
		},
		{
			name: "half a minute after a stall of 100 ms it is forgotten", ticks: 1600,
			arrive: func(i int) float64 {
				switch {
				case i >= 100 && i < 105:
					return 0
				case i == 105:
					return 6
				}
				return 1
			}, lost: 3, cut: 5, last: 1, worst: 6, minPlayed: 1590,
		},
		{
			name: "a pause is no jitter and no latency", ticks: 1000,
			arrive: func(i int) float64 { return float64(min(1, i/100%2)) }, lost: 12, last: 1, worst: 2, minPlayed: 495,
		},
		{
			name: "a caller whose clock is 1 % fast", ticks: 20000,
			arrive: func(i int) float64 {
				if i%100 == 0 {
					return 2
				}
				return 1
			}, cut: 201, last: 4, worst: 5, minPlayed: 19990,
		},
		{
			name: "a lone frame is played, not kept for the next spurt", ticks: 50,
			arrive: func(i int) float64 { return float64(min(1, 1-min(1, i%20))) }, lost: 9, last: 0, worst: 1, minPlayed: 3,
		},
	} {
		s := newSim()
		s.run(c.ticks, c.arrive)
		if s.lost != c.lost || s.got < c.minPlayed || int(s.play.Cut) > c.cut {
			t.Errorf("%s: lost %d, played %d, cut %d; want %d, at least %d, at most %d", c.name, s.lost, s.got, s.play.Cut, c.lost, c.minPlayed, c.cut)
		}
		if want := max(c.target, minTarget); s.play.target != want {
			t.Errorf("%s: target %d, want %d", c.name, s.play.target, want)
		}
		worst := 0
		for _, d := range s.delay {
			worst = max(worst, d)
		}
		if last := s.delay[len(s.delay)-1]; last > c.last || worst > c.worst {
			t.Errorf("%s: %d frames in hand at the end, %d at worst; want at most %d and %d", c.name, last, worst, c.last, c.worst)
		}
	}
}

func TestPlayoutOfASlowCallerRunsDryOnceARound(t *testing.T) {
	s := newSim()
	s.run(20000, func(i int) float64 {
		if i%200 == 199 {
			return 0
		}
		return 1
	})
	if want := 20000 / 200; s.lost < want-10 || s.lost > want+1 || s.empty > 3 || s.play.Cut > 20 {
		t.Errorf("lost %d, empty %d, cut %d; want about %d lost frames, each concealed", s.lost, s.empty, s.play.Cut, want)
	}
}

// TestPlayoutKeepsOrder feeds a jittery stream in pieces of any size, odd ones
// too: what comes out is what went in, until something is cut.
func TestPlayoutKeepsOrder(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	p := New(frame8)
	in := (&audiotest.Ramp{}).Bytes(400 * frame8)
	var out []byte
	dst := make([]byte, frame8)
	fed := 0
	for i := range 400 {
		upTo := max(fed, min(len(in), i*frame8+r.IntN(frame8)))
		for fed < upTo {
			n := min(upTo-fed, 1+r.IntN(200))
			p.Put(in[fed : fed+n])
			fed += n
		}
		if n, _ := p.Take(dst); p.Cut == 0 {
			out = append(out, dst[:n]...)
		}
	}
	if len(out) < 20*frame8 || !bytes.HasPrefix(in, out) {
		t.Errorf("seed %d: %d bytes came out, not as they went in", seed, len(out))
	}
}

// TestPlayoutOverrunStaysOnSamples overruns the ring with odd pieces.
func TestPlayoutOverrunStaysOnSamples(t *testing.T) {
	p := New(frame8)
	in := (&audiotest.Ramp{}).Bytes(40 * frame8)
	for at := 0; at < len(in); {
		n := min(301, len(in)-at)
		p.Put(in[at : at+n])
		at += n
	}
	got := make([]byte, frame8)
	p.peek(got, 0)
	first := binary.LittleEndian.Uint16(got)
	if want := (&audiotest.Ramp{Next: first}).Bytes(frame8); !bytes.Equal(got, want) || p.held < len(p.ring)-1 || p.Cut < 24 {
		t.Errorf("begins with %v, held %d, cut %d", got[:4], p.held, p.Cut)
	}
	p.Put((&audiotest.Ramp{}).Bytes(20 * frame8)[:20*frame8-1]) // more than the ring holds
	p.peek(got, 0)
	first = binary.LittleEndian.Uint16(got)
	if want := (&audiotest.Ramp{Next: first}).Bytes(frame8); !bytes.Equal(got, want) {
		t.Errorf("after more than the ring holds: begins with %v", got[:4])
	}
}

func TestCrossFadeIsMonotonousAndMeetsBothEnds(t *testing.T) {
	a, b := make([]byte, frame8), make([]byte, frame8)
	for i := range frame8 / 2 {
		binary.LittleEndian.PutUint16(a[2*i:], uint16(0x8000)) // -32768
		binary.LittleEndian.PutUint16(b[2*i:], 0x7fff)
	}
	crossFade(a, b)
	last := int16(-32768)
	for i := range frame8 / 2 {
		x := int16(binary.LittleEndian.Uint16(a[2*i:]))
		if x < last {
			t.Fatalf("sample %d falls from %d to %d", i, last, x)
		}
		last = x
	}
	if first := int16(binary.LittleEndian.Uint16(a)); first != -32768 || last != 32767 {
		t.Errorf("slides from %d to %d, want the full range", first, last)
	}
}

// FuzzBuffer puts pieces of any size: what is held stays within the ring, and
// begins on a sample.
func FuzzBuffer(f *testing.F) {
	f.Add([]byte{1, 200, 3, 255, 255, 255, 7})
	f.Add([]byte{0, 0, 255, 1})
	f.Fuzz(func(t *testing.T, sizes []byte) {
		p, dst := New(frame8), make([]byte, frame8)
		for _, n := range sizes {
			p.Put(make([]byte, 31*int(n)))
			if got, _ := p.Take(dst); got != 0 && got != frame8 {
				t.Fatalf("took %d bytes", got)
			}
			if p.held < 0 || p.held > len(p.ring) || p.first%2 != 0 {
				t.Fatalf("held %d of %d, first at %d", p.held, len(p.ring), p.first)
			}
		}
	})
}
