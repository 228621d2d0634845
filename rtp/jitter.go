package rtp

import "time"

// Jitter delays.
const (
	DefaultDelay    = 40 * time.Millisecond
	DefaultMaxDelay = 200 * time.Millisecond

	slots       = 32   // packets held, a power of two
	restartJump = 1000 // sequence numbers that make a new stream of it
	window      = 100  // takes between looks at how much is too much
	maxConceal  = 3    // takes answered "lost" when nothing comes any more
	spreadShift = 4    // RFC 3550 §6.4.1: J += (|D|-J)/16
)

// JitterOptions sets up a Jitter; zero fields mean the defaults.
type JitterOptions struct {
	ClockRate    int           // RTP clock, Hz; 0 = 8000
	FrameSamples int           // clock units of a 20 ms frame; 0 = ClockRate/50
	FrameBytes   int           // usual payload, to allocate for once; 0 = 160
	Delay        time.Duration // least delay; 0 = DefaultDelay
	MaxDelay     time.Duration // greatest delay adaptation may reach; 0 = DefaultMaxDelay
}

// Jitter puts packets in order and holds them back as long as their arrival
// spreads. Put and Take are called by the same goroutine; payloads are copied
// in and out. Sequence numbers are extended once, at Put.
//
// Take hands out one packet a call, of whatever duration; a caller that needs
// 20 ms takes until it has them, and keeps the rest.
type Jitter struct {
	opt  JitterOptions
	ring [slots]slot

	started  bool
	playing  bool
	next     uint32 // extended sequence number to be taken
	newest   uint32 // highest extended number put
	release  int64  // unix ns at which playing begins
	step     uint32 // clock units between consecutive packets
	lastTS   uint32
	lastSeq  uint32
	spread   float64 // clock units, RFC 3550 §6.4.1
	arrived  int64   // unix ns of the last packet
	silent   bool    // the last packet was no audio: what follows is silence
	missed   int     // takes since the buffer ran dry
	takes    int
	leastHad uint32 // packets in hand, least of this window
	grown    time.Duration

	Lost, Late, Dup, Skipped uint64
}

type slot struct {
	seq  uint32
	used bool
	gap  bool // a packet without audio: it only closes a hole
	n    int
	data []byte
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
	if o.Delay == 0 {
		o.Delay = DefaultDelay
	}
	if o.MaxDelay == 0 {
		o.MaxDelay = max(DefaultMaxDelay, o.Delay)
	}
	j := &Jitter{opt: o, step: uint32(o.FrameSamples)}
	block := make([]byte, slots*o.FrameBytes)
	for i := range j.ring {
		j.ring[i].data = block[i*o.FrameBytes : (i+1)*o.FrameBytes : (i+1)*o.FrameBytes]
	}
	return j
}

// Reset forgets the stream: the next packet begins a new one.
func (j *Jitter) Reset() {
	for i := range j.ring {
		j.ring[i].used = false
	}
	j.started, j.playing, j.missed, j.silent = false, false, 0, false
	j.spread, j.grown = 0, 0
}

// Put stores a packet that arrived at unix time arrival (ns).
func (j *Jitter) Put(seq uint16, ts uint32, arrival int64, payload []byte) {
	j.put(seq, ts, arrival, payload, false)
}

// PutGap notes a packet of this stream that is no audio, such as a DTMF event.
func (j *Jitter) PutGap(seq uint16, ts uint32, arrival int64) { j.put(seq, ts, arrival, nil, true) }

func (j *Jitter) put(seq uint16, ts uint32, arrival int64, payload []byte, gap bool) {
	ext := j.extend(seq)
	switch {
	case !j.started:
		j.start(ext, ts, arrival)
	case int32(ext-j.next) < 0 || int32(ext-j.newest) >= restartJump:
		if ahead := int32(ext - j.next); ahead < -restartJump || ahead >= restartJump {
			j.Reset()
			j.start(ext, ts, arrival)
			break
		}
		j.Late++
		j.grow()
		return
	}
	for int32(ext-j.next) >= slots { // too far ahead: play sooner
		j.drop()
	}
	s := &j.ring[ext%slots]
	if s.used && s.seq == ext {
		j.Dup++
		return
	}
	j.measure(ext, ts, arrival, gap)
	s.seq, s.used, s.gap = ext, true, gap
	s.n = len(payload)
	s.data = append(s.data[:0], payload...)
	if int32(ext-j.newest) > 0 {
		j.newest = ext
	}
	if !j.playing && j.release == 0 {
		j.release = arrival + int64(j.target())
	}
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
	j.next, j.newest, j.lastSeq, j.lastTS = ext, ext, ext, ts
	j.arrived = arrival
	j.release = arrival + int64(j.target())
	j.leastHad, j.takes = slots, 0
}

func (j *Jitter) units(ns int64) int64 { return ns / 1000 * int64(j.opt.ClockRate) / 1_000_000 }

// measure follows the spread of arrivals and the duration of packets. The
// first packet after a pause says nothing about either.
func (j *Jitter) measure(ext, ts uint32, arrival int64, gap bool) {
	if gap {
		return
	}
	if ext == j.lastSeq+1 && int32(ts-j.lastTS) > 0 && ts-j.lastTS <= uint32(6*j.opt.FrameSamples) {
		j.step = ts - j.lastTS
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

// grow makes the delay longer after a packet came too late.
func (j *Jitter) grow() {
	j.grown = min(j.grown+10*time.Millisecond, j.opt.MaxDelay)
}

// target is the delay to aim at now.
func (j *Jitter) target() time.Duration {
	spread := time.Duration(3 * j.spread / float64(j.opt.ClockRate) * float64(time.Second))
	return min(max(j.opt.Delay, spread)+j.grown, j.opt.MaxDelay)
}

// Delay is how long a packet that arrives now will wait.
func (j *Jitter) Delay() time.Duration {
	if !j.playing {
		return 0
	}
	return time.Duration(j.inHand()) * j.duration()
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

// Take copies the payload of the packet that is due to dst. n = 0 with lost
// means that a packet is missing: conceal one of the usual duration. n = 0
// without lost means that there is nothing to hear. now is unix time in ns.
func (j *Jitter) Take(dst []byte, now int64) (n int, lost bool) {
	if !j.begin(now) {
		return 0, false
	}
	j.trim()
	for int32(j.newest-j.next) >= 0 {
		s := &j.ring[j.next%slots]
		if !s.used || s.seq != j.next {
			j.next++
			j.Lost++
			j.silent = false
			return 0, true
		}
		s.used = false
		j.next++
		j.missed = 0
		j.silent = s.gap
		if !s.gap {
			return copy(dst, s.data[:s.n]), false
		}
	}
	return j.dry()
}

// begin says whether playing has begun.
func (j *Jitter) begin(now int64) bool {
	if j.playing {
		return true
	}
	if !j.started || j.release == 0 || now < j.release {
		return false
	}
	j.playing, j.release, j.missed = true, 0, 0
	j.leastHad, j.takes = slots, 0
	return true
}

// dry is Take with nothing in hand: a late packet at first, then a pause.
func (j *Jitter) dry() (n int, lost bool) {
	j.missed++
	if j.silent || j.missed > maxConceal {
		j.playing, j.release = false, 0
		return 0, false
	}
	return 0, true
}

// trim gives a packet up when, for a whole window, more were in hand than the
// delay asks for.
func (j *Jitter) trim() {
	j.leastHad = min(j.leastHad, j.inHand())
	j.takes++
	if j.takes < window {
		return
	}
	want := uint32((j.target() + j.duration() - 1) / j.duration())
	if j.leastHad > want+1 {
		j.drop()
	}
	j.grown -= min(j.grown, 2*time.Millisecond)
	j.takes, j.leastHad = 0, slots
}

func (j *Jitter) drop() {
	j.ring[j.next%slots].used = false
	j.next++
	j.Skipped++
}
