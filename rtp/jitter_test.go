package rtp

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const frame = int64(20 * time.Millisecond)

// player feeds a Jitter from a schedule and takes once a tick.
type player struct {
	j   *Jitter
	now int64
	buf [1500]byte
	got []byte // first byte of each packet taken, 0xFF lost, 0xFE nothing
}

// pace takes one more than usual, or none, where the buffer has too much or too
// little by a packet, and then ticks.
func (p *player) pace() {
	switch s := p.j.Surplus(0); {
	case s >= p.j.duration():
		p.j.Take(p.buf[:], p.now)
	case s <= -p.j.duration():
		p.now += frame
		return
	}
	p.tick()
}

func (p *player) tick() {
	n, lost := p.j.Take(p.buf[:], p.now)
	switch {
	case n > 0:
		p.got = append(p.got, p.buf[0])
	case lost:
		p.got = append(p.got, 0xFF)
	default:
		p.got = append(p.got, 0xFE)
	}
	p.now += frame
}

// heard returns what was taken without the wait at the start.
func (p *player) heard() []byte {
	for i, b := range p.got {
		if b != 0xFE {
			return p.got[i:]
		}
	}
	return nil
}

func TestJitterKeepsOrder(t *testing.T) {
	for _, c := range []struct {
		name  string
		order []int // packets in order of arrival, one a tick; -1 = none
		want  []byte
	}{
		{"in order", []int{0, 1, 2, 3, 4, 5}, []byte{0, 1, 2, 3, 4, 5}},
		{"swapped", []int{0, 2, 1, 3, 4, 5}, []byte{0, 1, 2, 3, 4, 5}},
		{"twice", []int{0, 1, 1, 2, 3, 4}, []byte{0, 1, 2, 3, 4}},
		{"one lost", []int{0, 1, -1, 3, 4, 5}, []byte{0, 1, 0xFF, 3, 4, 5}},
		{"two lost", []int{0, 1, -1, -1, 4, 5}, []byte{0, 1, 0xFF, 0xFF, 4, 5}},
	} {
		for _, first := range []uint16{0, 1, 32767, 32768, 65534, 65535} {
			p := player{j: NewJitter(JitterOptions{})}
			for _, k := range c.order {
				if k >= 0 {
					p.j.Put(first+uint16(k), uint32(k*160), p.now, []byte{byte(k)})
				}
				p.tick()
			}
			for range 2 {
				p.tick()
			}
			if got := p.heard(); string(got[:len(c.want)]) != string(c.want) {
				t.Errorf("%s from %d: %v, want %v", c.name, first, got, c.want)
			}
		}
	}
}

func TestJitterLosesNothingAtTheWrap(t *testing.T) {
	p := player{j: NewJitter(JitterOptions{})}
	for k := range 1 << 17 {
		p.j.Put(uint16(k), uint32(k)*160, p.now, []byte{byte(k)})
		p.tick()
	}
	if p.j.Lost != 0 || p.j.Skipped != 0 || p.j.Late != 0 {
		t.Errorf("lost %d, skipped %d, late %d of perfect input", p.j.Lost, p.j.Skipped, p.j.Late)
	}
	for i, b := range p.heard() {
		if b != byte(i) {
			t.Fatalf("packet %d is %d", i, b)
		}
	}
}

func TestJitterPausesAndComesBack(t *testing.T) {
	p := player{j: NewJitter(JitterOptions{})}
	seq := uint16(65530)
	ts := uint32(1<<32 - 1000)
	for burst := range 20 {
		for range 25 {
			p.j.Put(seq, ts, p.now, []byte{byte(burst)})
			seq, ts = seq+1, ts+160
			p.tick()
		}
		for range 50 { // silence is not sent; the timestamp goes on
			ts += 160
			p.tick()
		}
	}
	voice := 0
	for _, b := range p.got {
		if b < 0xFE {
			voice++
		}
	}
	if voice != 20*25 {
		t.Errorf("%d of %d packets played", voice, 20*25)
	}
	if p.j.Lost != 0 {
		t.Errorf("%d pauses were taken for losses", p.j.Lost)
	}
}

// TestJitterUnderRandomTrouble sends ten minutes through seeded loss, spread
// and reorder: nothing is played twice or out of order, and losses stay close
// to what the network lost.
func TestJitterUnderRandomTrouble(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := player{j: NewJitter(JitterOptions{MaxDelay: 300 * time.Millisecond})}
		const packets = 30_000
		arrive := map[int64][]int{}
		dropped := 0
		for k := range packets {
			if r.IntN(100) < 2 {
				dropped++
				continue
			}
			at := int64(k)*frame + r.Int64N(int64(60*time.Millisecond))
			arrive[at/frame] = append(arrive[at/frame], k)
		}
		last, played := -1, 0
		for tick := range int64(packets + 20) {
			for _, k := range arrive[tick] {
				p.j.Put(uint16(k), uint32(k)*160, p.now, []byte{byte(k), byte(k >> 8)})
			}
			n, _ := p.j.Take(p.buf[:], p.now)
			p.now += frame
			if n == 0 {
				continue
			}
			k := int(p.buf[0]) | int(p.buf[1])<<8
			if k <= last {
				t.Fatalf("seed %d: packet %d after %d", seed, k, last)
			}
			last = k
			played++
		}
		if missing := packets - dropped - played; missing > packets/50 {
			t.Errorf("seed %d: %d of %d arrived packets were not played (late %d, skipped %d)",
				seed, missing, packets-dropped, p.j.Late, p.j.Skipped)
		}
		if d := p.j.Delay(); d > 300*time.Millisecond {
			t.Errorf("seed %d: delay grew to %v", seed, d)
		}
	}
}

func TestJitterDelayShrinksAfterABurst(t *testing.T) {
	p := player{j: NewJitter(JitterOptions{})}
	k := 0
	put := func() { p.j.Put(uint16(k), uint32(k)*160, p.now, []byte{1}); k++ }
	for range 50 {
		put()
		p.tick()
	}
	for range 12 { // nothing for 240 ms, then all of it at once
		p.tick()
	}
	for range 12 {
		put()
	}
	for range 250 { // 5 s
		put()
		p.pace()
	}
	if d := p.j.Delay(); d > 20*time.Millisecond {
		t.Errorf("delay is still %v 5 s after a burst", d)
	}
}

func TestJitterPlaysAroundKeys(t *testing.T) {
	p := player{j: NewJitter(JitterOptions{}), now: 1e18}
	keys := func(k int) bool { return k < 8 || k > 20 && k < 25 }
	for k := range 40 {
		if keys(k) {
			p.j.PutGap(uint16(k), 5000, p.now)
		} else {
			p.j.Put(uint16(k), uint32(5000+k*160), p.now, []byte{byte(k)})
		}
		p.tick()
	}
	if p.j.Lost != 0 || p.j.Late != 0 || p.j.Skipped != 0 {
		t.Errorf("lost %d, late %d, skipped %d", p.j.Lost, p.j.Late, p.j.Skipped)
	}
	var got, want []byte
	for _, b := range p.got {
		if b != 0xFE {
			got = append(got, b)
		}
	}
	for k := range 40 {
		if !keys(k) {
			want = append(want, byte(k))
		}
	}
	if !slices.Equal(got, want[:len(got)]) || len(got) < len(want)-1 {
		t.Errorf("played %v, want %v", got, want)
	}
}

func TestJitterOtherPtimes(t *testing.T) {
	for _, ms := range []int{10, 30, 40, 60} {
		p := player{j: NewJitter(JitterOptions{})}
		have, underruns, sent := 0, 0, 0
		for tick := range 500 {
			for sent*ms < (tick+1)*20 {
				p.j.Put(uint16(sent), uint32(sent*ms*8), p.now, []byte{1})
				sent++
			}
			for have < 20 {
				n, lost := p.j.Take(p.buf[:], p.now)
				if n == 0 {
					if tick > 20 || lost {
						underruns++
					}
					break
				}
				have += ms
			}
			have = max(0, have-20)
			p.now += frame
		}
		if underruns > 0 {
			t.Errorf("%d ms packets: %d underruns", ms, underruns)
		}
	}
}

// A timestamp or a clock that jumps must cost no more than a moment.
func TestJitterSurvivesJumps(t *testing.T) {
	for _, c := range []struct {
		name string
		ts   func(k int) uint32
		at   func(k int) int64 // of arrival and tick, beside the usual
	}{
		{"timestamp ahead", func(k int) uint32 { return uint32(k/500) * 1e9 }, func(int) int64 { return 0 }},
		{"timestamp back", func(k int) uint32 { return uint32(k/500) * 3e9 }, func(int) int64 { return 0 }},
		{"timestamp by a second", func(k int) uint32 { return uint32(k/500) * 8000 }, func(int) int64 { return 0 }},
		{"clock ahead", func(int) uint32 { return 0 }, func(k int) int64 { return int64(k/500) * 3600e9 }},
		{"clock back", func(int) uint32 { return 0 }, func(k int) int64 { return -int64(k/500) * 7e9 }},
	} {
		p := player{j: NewJitter(JitterOptions{})}
		for k := range 2000 {
			p.now = 1e18 + int64(k)*frame + c.at(k)
			p.j.Put(uint16(k), uint32(k*160)+c.ts(k), p.now-3e6, []byte{byte(k)})
			p.pace()
		}
		played := 0
		for _, b := range p.got {
			if b < 0xFE {
				played++
			}
		}
		if played < 1950 || p.j.Delay() > 25*time.Millisecond {
			t.Errorf("%s: played %d of 2000, lost %d, late %d, delay %v", c.name, played, p.j.Lost, p.j.Late, p.j.Delay())
		}
	}
}

func TestJitterAllocatesNothing(t *testing.T) {
	j := NewJitter(JitterOptions{})
	payload, buf := make([]byte, 160), make([]byte, 1500)
	seq, now := uint16(0), int64(0)
	if n := testing.AllocsPerRun(2000, func() {
		j.Put(seq, uint32(seq)*160, now, payload)
		j.Take(buf, now)
		j.Surplus(time.Millisecond)
		seq, now = seq+1, now+frame
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzJitter: any order of packets keeps the books: no panic, no payload that
// was not put, no number taken twice.
func FuzzJitter(f *testing.F) {
	f.Add([]byte{0, 0, 1, 1, 2, 2, 200, 3, 1, 255, 255})
	f.Add([]byte{0, 255, 255, 0, 0, 0, 128, 0, 1})
	f.Fuzz(func(t *testing.T, in []byte) {
		p := player{j: NewJitter(JitterOptions{})}
		put, took := 0, 0
		for i := 0; i+2 < len(in); i += 3 {
			seq := uint16(in[i])<<8 | uint16(in[i+1])
			if in[i+2]&1 == 0 {
				p.j.Put(seq, uint32(seq)*160, p.now, []byte{7})
			} else {
				p.j.PutGap(seq, uint32(seq)*160, p.now)
			}
			put++
			for range in[i+2] >> 6 {
				if n, _ := p.j.Take(p.buf[:], p.now); n > 0 {
					took++
					if n != 1 || p.buf[0] != 7 {
						t.Fatalf("took %d bytes, %d", n, p.buf[0])
					}
				}
				p.now += frame
				if s := p.j.Surplus(time.Duration(in[i])); s > 2*time.Second || s < -2*time.Second {
					t.Fatalf("a surplus of %v", s)
				}
			}
		}
		if took > put {
			t.Fatalf("took %d of %d", took, put)
		}
	})
}
