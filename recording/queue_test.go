package recording

import (
	"slices"
	"testing"
)

func TestQueueFillsWhatWasDroppedWithSilence(t *testing.T) {
	q := newQueue(2, 2)
	for i := range int16(5) {
		if _, ok := q.put([]int16{i + 1, i + 1}); ok != (i < 2) {
			t.Errorf("frame %d: taken %v", i+1, ok)
		}
	}
	take := func(limit int, want []int16, missing uint64) {
		t.Helper()
		if got, gap := q.take(nil, limit); !slices.Equal(got, want) || gap != missing {
			t.Errorf("%v, %d missing; want %v, %d", got, gap, want, missing)
		}
	}
	take(10, []int16{1, 1, 2, 2}, 0)
	q.put([]int16{9}) // short: silent at its end
	take(4, []int16{0, 0, 0, 0}, 2)
	take(10, []int16{0, 0, 9, 0}, 1)
	take(10, nil, 0)
	q.skip(2) // never came to be
	q.put([]int16{8, 8})
	take(10, []int16{0, 0, 0, 0, 8, 8}, 2)
	if n := q.lost.Load(); n != 5 {
		t.Errorf("%d lost, want 5", n)
	}
}

// A disk that takes nothing costs frames, and never the time of who puts.
func TestRecorderDropsBehindADiskThatDoesNotMove(t *testing.T) {
	r := &Recorder{queue: newQueue(queued, 160), wake: make(chan struct{}, 1)} // nobody writes
	frame := make([]int16, 160)
	taken := 0
	for range queued + 50 {
		if r.Put(frame) {
			taken++
		}
	}
	if taken != queued || r.Lost() != 50 {
		t.Errorf("%d taken, %d lost; want %d and 50", taken, r.Lost(), queued)
	}
}

func TestPutDoesNotAllocate(t *testing.T) {
	r := &Recorder{queue: newQueue(queued, 160), wake: make(chan struct{}, 1)}
	frame, block := make([]int16, 160), make([]int16, 0, 160*queued)
	if n := testing.AllocsPerRun(1000, func() {
		r.Put(frame)
		if len(r.queue.gaps)-int(r.queue.head.Load()-r.queue.tail.Load()) < 3 {
			r.queue.take(block, cap(block))
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
