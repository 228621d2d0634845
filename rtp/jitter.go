package rtp

import "time"

// Jitter delays.
const (
	DefaultMaxDelay = 200 * time.Millisecond

	tickTime    = 20 * time.Millisecond
	slots       = 32   // packets held, a power of two
	extra       = 6    // frames of payload held beyond MaxDelay: what comes at once, and what Back asks for
	restartJump = 1000 // sequence numbers that make a new stream of it
	maxConceal  = 3    // takes answered "lost" when nothing comes any more
	spreadShift = 4    // RFC 3550 §6.4.1: J += (|D|-J)/16
	comfortMax  = 16   // bytes of a comfort noise packet that are looked at
	leads       = 4    // packets looked at for how early they come

	// A packet's worth more is given up only when it is not needed by this much
	// and an eighth of the delay. What is as close to the border is a matter of
	// the clocks, and a little change enough.
	slack  = int64(500 * time.Microsecond)
	little = int64(time.Millisecond)
)

// JitterOptions sets up a Jitter; zero fields mean the defaults.
type JitterOptions struct {
	ClockRate    int           // RTP clock, Hz; 0 = 8000
	FrameSamples int           // clock units of a 20 ms frame; 0 = ClockRate/50
	FrameBytes   int           // usual payload, to allocate for once; 0 = 160
	Delay        time.Duration // held back until the arrivals are known; 0 = until the next tick
	MaxDelay     time.Duration // greatest delay the arrivals may ask for; 0 = DefaultMaxDelay
}

// Jitter puts packets in order and holds them back as long as their arrival
// spreads: as long as all but the latest in a hundred need, which on a clean
// network is until the next tick. Put and Take are called by the same
// goroutine; payloads are copied in and out. Sequence numbers are extended
// once, at Put.
//
// Take hands out one packet a call, of whatever duration; a caller that needs
// 20 ms takes until it has them, and keeps the rest. A packet that is not there
// when its turn comes has had it. How fast the packets are used is up to the
// caller, who asks Surplus.
type Jitter struct {
	opt  JitterOptions
	ring [slots]slot
	box  store

	started bool
	fresh   bool // nothing has been taken yet
	playing bool
	next    uint32 // extended sequence number to be taken
	after   uint32 // extended number of the last packet taken, and one
	newest  uint32 // highest extended number put
	due     int64  // position that is expected next, in clock units
	step    int64  // clock units between consecutive packets
	lastTS  uint32
	lastSeq uint32
	spread  float64 // clock units, RFC 3550 §6.4.1
	arrived int64   // unix ns of the last packet
	silent  bool    // the last packet was no audio: what follows is silence
	comfort []byte  // what the silence sounds like; empty = like nothing
	missed  int     // takes since the buffer ran dry
	come    arrivals
	early   [leads]int64 // ns from when the fastest network would have had it, of the last packets taken
	turn    int
	claim   uint8 // of the packet that is being put
	said    uint8 // of the packet that was taken last

	Lost    uint64 // packets that were not played
	Late    uint64 // of these, those that came after their turn
	Skipped uint64 // and those given up because there were too many
	Dup     uint64
}

type slot struct {
	pos     int64
	arrival int64
	seq     uint32 // of the packet that is here or was here last; 0 = none
	used    bool   // it is here
	gap     bool   // a packet without audio: it only closes a hole
	said    uint8  // its level as it says, and one; 0 = it does not say
	data    piece
}

// NewJitter allocates all that a stream of usual packets needs.
func NewJitter(o JitterOptions) *Jitter {
	if o.ClockRate == 0 {
		o.ClockRate = 8000
	}
	if o.FrameSamples == 0 {
		o.FrameSamples = o.ClockRate / 50
	}
	if o.FrameBytes == 0 {
		o.FrameBytes = 160
	}
	if o.MaxDelay == 0 {
		o.MaxDelay = max(DefaultMaxDelay, o.Delay)
	}
	j := &Jitter{opt: o, step: int64(o.FrameSamples), come: arrivals{rate: int64(o.ClockRate)}}
	j.come.forget(o.Delay)
	j.comfort = make([]byte, 0, comfortMax)
	frames := min(int(o.MaxDelay/tickTime)+extra, slots)
	j.box.data = make([]byte, frames*o.FrameBytes)
	return j
}

// Reset forgets the stream: the next packet begins a new one.
func (j *Jitter) Reset() {
	for i := range j.ring {
		j.ring[i].seq, j.ring[i].used = 0, false
	}
	j.comfort = j.comfort[:0]
	j.started, j.playing, j.missed, j.silent, j.spread = false, false, 0, false, 0
	j.come.forget(j.opt.Delay)
}

// Put stores a packet that arrived at unix time arrival (ns).
func (j *Jitter) Put(seq uint16, ts uint32, arrival int64, payload []byte) {
	j.PutSaid(seq, ts, arrival, payload, 0)
}

// PutSaid is Put for a packet that says how loud it is: said is its level in
// -dBov, and one; 0 = it does not say.
func (j *Jitter) PutSaid(seq uint16, ts uint32, arrival int64, payload []byte, said uint8) {
	j.claim = said
	j.put(seq, ts, arrival, payload, false)
	j.claim = 0
}

// PutGap notes a packet of this stream that is no audio, such as a DTMF event.
func (j *Jitter) PutGap(seq uint16, ts uint32, arrival int64) { j.put(seq, ts, arrival, nil, true) }

// PutNoise notes a packet that says what silence sounds like (RFC 3389).
func (j *Jitter) PutNoise(seq uint16, ts uint32, arrival int64, payload []byte) {
	j.put(seq, ts, arrival, payload[:min(len(payload), comfortMax)], true)
}

func (j *Jitter) put(seq uint16, ts uint32, arrival int64, payload []byte, gap bool) {
	ext := j.extend(seq)
	if ahead := int32(ext - j.next); j.started && (ahead < -restartJump || ahead >= restartJump) {
		j.Reset()
	}
	if !j.started {
		j.start(ext, ts, arrival)
	}
	s := &j.ring[ext%slots]
	if s.seq == ext { // it is here, or has had its turn
		j.Dup++
		return
	}
	pos := j.come.position(ts)
	if !gap {
		j.measure(ext, ts, arrival)
	}
	if j.tooLate(ext) {
		j.Late++
		if int32(ext-s.seq) > 0 {
			s.seq = ext
		}
		return
	}
	for int32(ext-j.next) >= slots { // too far ahead: play sooner
		j.drop()
	}
	s.seq, s.used, s.gap, s.pos, s.arrival = ext, true, gap, pos, arrival
	s.said, s.data = j.claim, j.box.put(payload)
	if int32(ext-j.newest) > 0 {
		j.newest = ext
	}
}

// tooLate says whether a packet's turn is over. Before playing begins there are
// no turns, and the earliest packet is the first.
func (j *Jitter) tooLate(ext uint32) bool {
	if int32(ext-j.after) < 0 || j.playing && int32(ext-j.next) < 0 {
		return true
	}
	if !j.playing && (int32(j.newest-j.next) < 0 || int32(ext-j.next) < 0) {
		j.next = ext
	}
	return false
}

// extend widens a sequence number; RFC 3550 §A.1.
func (j *Jitter) extend(seq uint16) uint32 {
	if !j.started {
		return 1<<16 + uint32(seq)
	}
	return j.next + uint32(int32(int16(seq-uint16(j.next))))
}

func (j *Jitter) start(ext, ts uint32, arrival int64) {
	j.started, j.playing = true, false
	j.next, j.newest = ext, ext-1
	j.fresh, j.after = true, ext-slots // what was sent before may still come
	j.lastSeq, j.lastTS, j.arrived = ext, ts, arrival
}

func (j *Jitter) units(ns int64) int64 { return ns / 1000 * int64(j.opt.ClockRate) / 1_000_000 }

// measure follows the spread of arrivals and the duration of packets.
func (j *Jitter) measure(ext, ts uint32, arrival int64) {
	j.come.add(ts, arrival)
	if ext == j.lastSeq+1 && int32(ts-j.lastTS) > 0 && ts-j.lastTS <= uint32(6*j.opt.FrameSamples) {
		j.step = int64(ts - j.lastTS)
	}
	d := j.units(arrival-j.arrived) - int64(int32(ts-j.lastTS))
	if d < 0 {
		d = -d
	}
	if d < int64(j.opt.ClockRate) { // a second or more is a pause or a clock, not jitter
		j.spread += (float64(d) - j.spread) / (1 << spreadShift)
	}
	j.arrived, j.lastSeq, j.lastTS = arrival, ext, ts
}

// target is the delay to aim at, in ns after the fastest packets.
func (j *Jitter) target() int64 { return min(j.come.wanted(), int64(j.opt.MaxDelay)) }

// Capped says whether the arrivals ask for more delay than there may be.
func (j *Jitter) Capped() bool { return j.come.wanted() > int64(j.opt.MaxDelay) }

// Delay is how long those packets wait for their turn that come the fastest.
func (j *Jitter) Delay() time.Duration {
	if !j.playing {
		return 0
	}
	return time.Duration(max(j.lead(), 0))
}

// Spread is the interarrival jitter of RFC 3550 §6.4.1, in clock units.
func (j *Jitter) Spread() uint32 { return uint32(j.spread) }

// duration of one packet.
func (j *Jitter) duration() time.Duration {
	return time.Duration(j.step) * time.Second / time.Duration(j.opt.ClockRate)
}

// inHand counts the places from the next packet to the newest.
func (j *Jitter) inHand() uint32 {
	if int32(j.newest-j.next) < 0 {
		return 0
	}
	return j.newest - j.next + 1
}
