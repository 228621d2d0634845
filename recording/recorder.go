package recording

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"parley/codec"
)

// frames of 20 ms: how many are written at one time, and how many wait for a
// disk that does not take them before the first is dropped.
const (
	batch  = 25  // 0.5 s
	queued = 200 // 4 s
)

// period is the length of a frame.
const period = 20 * time.Millisecond

// Options of a Recorder.
type Options struct {
	Dir    *Dir
	Name   string // as Dir.Name gave it
	Rate   codec.Rate
	Exists Exists

	// MaxSilence ends the recording when nothing was said for so long, and of
	// that silence the file keeps only the beginning; 0 = it does not.
	MaxSilence time.Duration

	// All are called from the recorder's own goroutine. Began is told where the
	// file is, once it is open. Missing is told of frames that were dropped since
	// the disk was too slow, or skipped; they are silence in the file. Ended is the last.
	Began   func(path string)
	Missing func(frames int)
	Ended   func(Result)
}

// Result is what has become of a recording.
type Result struct {
	Path     string // "" when the file could not be opened
	Duration time.Duration
	Bytes    int64
	Lost     int           // frames of 20 ms that were dropped or skipped
	Talked   time.Duration // of Duration, what was not silence; 0 without MaxSilence
	Err      error         // why it ended by itself, or could not begin; nil = it was stopped
}

// Recorder writes one file. Put has one caller, a tick; everything else may be
// called from anywhere.
type Recorder struct {
	o      Options
	queue  *queue
	wake   chan struct{} // capacity 1
	paused atomic.Bool
	muted  atomic.Bool
	ended  atomic.Bool // it takes no more
	stop   chan struct{}
	once   sync.Once
}

// Start begins a recording, and returns before its file is open: what is put in
// meanwhile waits.
func Start(o Options) *Recorder {
	r := &Recorder{o: o, queue: newQueue(queued, o.Rate.Samples(period)), wake: make(chan struct{}, 1), stop: make(chan struct{})}
	go r.run()
	return r
}

// Put takes a frame of 20 ms. It never waits, locks or allocates; false means
// that the frame was dropped.
func (r *Recorder) Put(pcm []int16) bool {
	if r.paused.Load() || r.ended.Load() {
		return true
	}
	if r.muted.Load() {
		pcm = nil
	}
	waiting, ok := r.queue.put(pcm)
	if waiting >= batch {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
	return ok
}

// Skip has silence recorded for frames that never came to be. It is called by who
// calls Put, before the next.
func (r *Recorder) Skip(frames uint64) {
	if !r.paused.Load() && !r.ended.Load() {
		r.queue.skip(frames)
	}
}

// Pause leaves out what is put in, until it is called with false.
func (r *Recorder) Pause(on bool) { r.paused.Store(on) }

// Mute has silence recorded for what is put in, until it is called with false.
func (r *Recorder) Mute(on bool) { r.muted.Store(on) }

// Lost is how many frames were dropped or skipped so far.
func (r *Recorder) Lost() int { return int(r.queue.lost.Load()) }

// Stop ends the recording once what waits is written.
func (r *Recorder) Stop() {
	r.once.Do(func() {
		r.ended.Store(true)
		close(r.stop)
	})
}

// run is the recorder's goroutine.
func (r *Recorder) run() {
	f, err := r.o.Dir.Create(r.o.Name, r.o.Rate, r.o.Exists)
	if err != nil {
		r.ended.Store(true)
		r.o.Ended(Result{Err: err})
		return
	}
	r.o.Began(f.Path())
	hush := newHush(r.o)
	err = r.write(f, hush)
	r.ended.Store(true)
	if closed := f.Close(); err == nil {
		err = closed
	}
	r.o.Ended(Result{Path: f.Path(), Duration: f.Duration(), Bytes: f.Bytes(), Lost: r.Lost(), Talked: hush.talked(), Err: err})
}

// write writes until it is stopped, cannot, or nothing is said for too long.
// What panics in it ends this recording only.
func (r *Recorder) write(f *File, hush *hush) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("recording: %s: %v", f.Path(), p)
		}
	}()
	block := make([]int16, 0, batch*r.queue.frame)
	for more := true; more; {
		select {
		case <-r.wake:
		case <-r.stop:
			more = false
		}
		missing := 0 // is told in one
		for {
			pcm, gap := r.queue.take(block, cap(block))
			if missing += int(gap); missing > 0 && gap == 0 {
				r.o.Missing(missing)
				missing = 0
			}
			if len(pcm) == 0 {
				break
			}
			n, over := hush.hear(pcm, gap > 0)
			if err := f.Write(pcm[:n]); err != nil {
				return err
			}
			if over {
				return f.Cut(hush.surplus())
			}
		}
	}
	return nil
}
