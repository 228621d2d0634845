// Package playout holds audio between its arrival, which may be at any time and
// in pieces of any size, and the tick that plays it.
package playout

import (
	"encoding/binary"
	"time"
)

const (
	tick = 20 * time.Millisecond // between two takes

	ringFrames  = 16  // room for 320 ms
	maxFrames   = 10  // in hand at most, 200 ms; more is cut to the target
	minTarget   = 2   // in hand when playing starts, 40 ms
	maxTarget   = 6   // 120 ms
	concealed   = 3   // missing frames in a row that are worth concealing
	pauseFrames = 5   // missing for longer than this is a pause, not jitter
	trimTicks   = 25  // how often a lasting surplus is looked for
	calmTicks   = 500 // this long without need of the reserve lowers the target
)

// Buffer holds a caller's audio between its arrival and the tick that plays
// it. Asterisk passes audio on as it comes: with the jitter of the caller's
// network, in frames of any length, after a stall all at once, and not at all
// while the caller sends nothing. Take hands it out in frames of 20 ms.
//
// The delay follows need: an audio that comes late raises the target by a
// frame, a calm time lowers it, a surplus that lasts is removed a frame at a
// time, and more than 200 ms is cut off at once. Cuts are cross-faded.
//
// All sizes are bytes. One goroutine; no allocation after New.
type Buffer struct {
	ring  []byte
	first int // of the oldest byte
	held  int
	frame int // 20 ms
	fade  []byte

	playing bool
	started int // ticks since audio came while not playing
	missed  int // frames in a row that were due and not here

	target    int // frames in hand when playing starts
	low       int // least left after a take in this trim window
	ticks     int // of this trim window
	lowCalm   int // the same for the calm window
	ticksCalm int

	Cut      uint64 // frames removed or overrun to lower the delay
	Underrun uint64 // times that audio ran out while playing
}

// New makes one for frames of size bytes.
func New(size int) Buffer {
	return Buffer{ring: make([]byte, ringFrames*size), fade: make([]byte, size), frame: size, target: minTarget}
}

// Put takes audio in; the oldest gives way when the ring is full.
func (p *Buffer) Put(b []byte) {
	if over := len(b) - len(p.ring); over > 0 {
		over += over % 2 // what is kept must begin on a sample
		b = b[over:]
		p.Cut += uint64(over / p.frame)
	}
	if over := p.held + len(b) - len(p.ring); over > 0 {
		over += over % 2
		if all := over - p.held; all >= 0 { // with half a sample that b completes
			p.first, p.held, b = 0, 0, b[all:]
		} else {
			p.drop(over)
		}
		p.Cut += uint64((over + p.frame - 1) / p.frame)
	}
	at := (p.first + p.held) % len(p.ring)
	n := copy(p.ring[at:], b)
	copy(p.ring, b[n:])
	p.held += len(b)
}

// drop forgets the oldest n bytes, an even number.
func (p *Buffer) drop(n int) {
	p.first = (p.first + n) % len(p.ring)
	p.held -= n
}

// peek copies the frame that begins off bytes after the oldest.
func (p *Buffer) peek(dst []byte, off int) {
	at := (p.first + off) % len(p.ring)
	n := copy(dst[:p.frame], p.ring[at:])
	copy(dst[n:p.frame], p.ring)
}

// Take copies the frame that is due to dst, which has room for one. lost: it
// should have been here. Called once a tick.
func (p *Buffer) Take(dst []byte) (n int, lost bool) {
	if !p.playing && !p.start() {
		return 0, false
	}
	if p.held < p.frame {
		return 0, p.miss()
	}
	if p.missed > 0 {
		p.late()
	}
	p.peek(dst, 0)
	if skip := p.surplus(); skip > 0 {
		p.peek(p.fade, skip*p.frame)
		crossFade(dst[:p.frame], p.fade)
		p.drop(skip * p.frame)
		p.Cut += uint64(skip)
	}
	p.drop(p.frame)
	p.watch()
	return p.frame, false
}

// start says whether a talk spurt may begin: target-1 ticks after its first
// audio, so that an end that never comes holds nothing back.
func (p *Buffer) start() bool {
	if p.held == 0 {
		return false
	}
	if p.started++; p.started < p.target && p.held < p.target*p.frame {
		return false
	}
	p.playing, p.started, p.missed = true, 0, 0
	p.low, p.ticks, p.lowCalm, p.ticksCalm = p.held, 0, p.held, 0
	return true
}

// miss counts a frame that is not here and says whether to conceal it.
func (p *Buffer) miss() bool {
	if p.missed++; p.missed == 1 {
		p.Underrun++
	}
	if p.missed > pauseFrames {
		p.playing = false
		p.drop(p.held &^ 1) // less than a frame, and old by the next spurt
	}
	return p.missed <= concealed
}

// late learns from audio that came after its time. What was concealed has
// become delay already.
func (p *Buffer) late() {
	p.missed = 0
	p.target = min(p.target+1, maxTarget)
	p.ticksCalm = 0
	p.lowCalm = p.held
}

// surplus is the number of frames to leave out after this one.
func (p *Buffer) surplus() int {
	if p.held > maxFrames*p.frame {
		return p.held/p.frame - p.target
	}
	if p.ticks < trimTicks {
		return 0
	}
	low := p.low
	p.ticks, p.low = 0, p.held
	if low >= p.target*p.frame && p.held >= 2*p.frame {
		return 1
	}
	return 0
}

// watch keeps the least reserve of the running windows.
func (p *Buffer) watch() {
	p.ticks++
	p.low = min(p.low, p.held)
	p.ticksCalm++
	if p.lowCalm = min(p.lowCalm, p.held); p.ticksCalm < calmTicks {
		return
	}
	if p.lowCalm >= 2*p.frame {
		p.target = max(p.target-1, minTarget)
	}
	p.ticksCalm, p.lowCalm = 0, p.held
}

// Held is how many bytes are in hand.
func (p *Buffer) Held() int { return p.held }

// Delay is what the audio that is in hand will wait.
func (p *Buffer) Delay() time.Duration {
	return time.Duration(p.held) * tick / time.Duration(p.frame)
}

// crossFade turns a into a slide from a to b, 16 bit little endian samples.
func crossFade(a, b []byte) {
	n := len(a) / 2
	for i := range n {
		x := int(int16(binary.LittleEndian.Uint16(a[2*i:])))
		y := int(int16(binary.LittleEndian.Uint16(b[2*i:])))
		binary.LittleEndian.PutUint16(a[2*i:], uint16(int16((x*(n-1-i)+y*i)/(n-1))))
	}
}
