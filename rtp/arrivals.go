package rtp

import "time"

// How the arrival of packets is watched.
const (
	blockTime = int64(500 * time.Millisecond)
	blocks    = 6                             // 2.5 to 3 s are remembered
	tops      = 4                             // the latest packets of a block that are remembered
	price     = int64(10 * time.Millisecond)  // of delay that is not worth one more packet in time
	reserve   = int64(500 * time.Microsecond) // beyond what the packets asked for
	trusted   = 25                            // packets that make a picture: half a second
	jump      = int64(500 * time.Millisecond) // out of line: a clock or a timestamp was set
	pause     = int64(200 * time.Millisecond) // without a packet, after which
	outOfStep = int64(60 * time.Millisecond)  // out of line is no lateness either
	unknown   = int64(-1) << 62               // less than any transit
)

// arrivals follows by how much the packets of one stream are late. Transit is
// the arrival less what the timestamp says, in ns: its zero means nothing, its
// changes are all there is. The least one of the last seconds is what the
// network needs when nothing holds a packet up, and lateness is what others
// needed more. A sender whose clock is fast or slow makes both drift, by 0.6 ms
// in three seconds at 200 ppm, which does not matter.
type arrivals struct {
	rate  int64 // clock units per second
	began bool
	ts    uint32
	pos   int64 // of ts, in clock units since the first packet
	at    int64 // arrival of the last packet
	ring  [blocks]block
	head  int   // the block that is being filled
	ends  int64 // when it is full; 0 = there is none
	least int64 // transit of the whole ring
	delay int64 // that lets all but the latest play in time
	held  int64 // delay, as long as too few packets have been seen
}

// block is what there was in half a second.
type block struct {
	packets int
	least   int64
	most    [tops]int64 // transits, largest first
}

// forget begins anew: the next packet is the first one.
func (a *arrivals) forget(delay time.Duration) {
	*a = arrivals{rate: a.rate, held: int64(delay)}
}

// position is the place of a timestamp in the stream, in clock units.
func (a *arrivals) position(ts uint32) int64 {
	if !a.began {
		return 0
	}
	return a.pos + int64(int32(ts-a.ts))
}

// nanos is the time of a position.
func (a *arrivals) nanos(pos int64) int64 {
	const second = int64(time.Second)
	return pos/a.rate*second + pos%a.rate*second/a.rate
}

// lateness of something that is at a position at time at, ns.
func (a *arrivals) lateness(pos, at int64) int64 { return at - a.nanos(pos) - a.least }

// add takes note of a packet.
func (a *arrivals) add(ts uint32, arrival int64) {
	pos := a.position(ts)
	transit := arrival - a.nanos(pos)
	if off := transit - a.least; a.ends != 0 {
		paused := arrival-a.at > pause && (off > outOfStep || off < -outOfStep)
		if paused || off > jump || off < -jump {
			a.clear()
		}
	}
	a.began, a.ts, a.pos, a.at = true, ts, pos, arrival
	turned := a.turn(arrival)
	b := &a.ring[a.head]
	b.add(transit)
	if turned || transit < a.least || transit > a.least+a.delay-reserve {
		a.judge()
	}
}

// clear forgets what came, and what delay it asked for not yet.
func (a *arrivals) clear() {
	a.held = max(a.held, a.wanted())
	for i := range a.ring {
		a.ring[i] = block{}
	}
	a.ends = 0
}

// turn begins a new block when it is time.
func (a *arrivals) turn(arrival int64) bool {
	if a.ends != 0 && arrival < a.ends {
		return false
	}
	if a.ends == 0 || arrival-a.ends > blocks*blockTime {
		a.ends = arrival
		for i := range a.ring {
			a.ring[i] = block{}
		}
	}
	for a.ends <= arrival {
		a.ends += blockTime
		a.head = (a.head + 1) % blocks
		a.ring[a.head] = block{}
	}
	return true
}

func (b *block) add(transit int64) {
	if b.packets == 0 {
		b.least = transit
		b.most = [tops]int64{unknown, unknown, unknown, unknown}
	}
	b.packets++
	b.least = min(b.least, transit)
	b.rank(transit)
}

// rank keeps the largest.
func (b *block) rank(transit int64) {
	for i := range b.most {
		if transit > b.most[i] {
			transit, b.most[i] = b.most[i], transit
		}
	}
}

// judge looks at the whole ring.
func (a *arrivals) judge() {
	var all block
	n := 0
	for i := range a.ring {
		b := &a.ring[i]
		if b.packets == 0 {
			continue
		}
		n += b.packets
		if all.packets == 0 {
			all = *b
			continue
		}
		all.least = min(all.least, b.least)
		for _, t := range b.most {
			all.rank(t)
		}
	}
	a.least = all.least
	need := all.most[0]
	for late, t := range all.most[1:] {
		if late < n/trusted { // what is rare may be missed
			need = min(need, t+int64(late+1)*price)
		}
	}
	a.delay = max(need-a.least, 0) + reserve
	if n >= trusted {
		a.held = 0
	}
}

// wanted is the delay to aim at, ns.
func (a *arrivals) wanted() int64 { return max(a.delay, a.held) }
