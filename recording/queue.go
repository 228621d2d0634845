package recording

import "sync/atomic"

// queue carries frames from one tick to one writer without a lock. What finds
// it full is dropped and counted, as what is skipped is, and the frame that follows says how many are
// missing before it.
type queue struct {
	pcm    []int16
	gaps   []uint64 // by slot: frames missing before it
	frame  int      // samples
	head   atomic.Uint64
	tail   atomic.Uint64
	lost   atomic.Uint64
	missed uint64 // the producer's: since the last frame that went in
}

func newQueue(frames, samples int) *queue {
	return &queue{pcm: make([]int16, frames*samples), gaps: make([]uint64, frames), frame: samples}
}

// put copies a frame in and returns how many wait; false when it was dropped.
func (q *queue) put(pcm []int16) (waiting uint64, ok bool) {
	head, slots := q.head.Load(), uint64(len(q.gaps))
	waiting = head - q.tail.Load()
	if waiting == slots {
		q.skip(1)
		return waiting, false
	}
	slot := int(head % slots)
	n := copy(q.pcm[slot*q.frame:(slot+1)*q.frame], pcm)
	clear(q.pcm[slot*q.frame+n : (slot+1)*q.frame])
	q.gaps[slot], q.missed = q.missed, 0
	q.head.Store(head + 1)
	return waiting + 1, true
}

// skip counts frames as missing before the next one.
func (q *queue) skip(frames uint64) {
	q.missed += frames
	q.lost.Add(frames)
}

// take appends what waits to dst, up to so many samples, silence where frames
// are missing: of a gap no more than fits, and the rest with the next take.
func (q *queue) take(dst []int16, limit int) (pcm []int16, gap uint64) {
	for tail := q.tail.Load(); tail != q.head.Load() && len(dst)+q.frame <= limit; {
		slot := int(tail % uint64(len(q.gaps)))
		if q.gaps[slot] > 0 {
			q.gaps[slot]--
			gap++
			dst = append(dst, make([]int16, q.frame)...)
			continue
		}
		dst = append(dst, q.pcm[slot*q.frame:(slot+1)*q.frame]...)
		tail++
		q.tail.Store(tail)
	}
	return dst, gap
}
