package asterisk_test

import (
	"testing"
	"time"
)

// watch is a stopwatch that knows what the machine takes from everybody: by how much
// the beats of a plain timer are late.
type watch struct {
	began time.Time
	quit  chan struct{}
	late  chan time.Duration // the sum, once
}

func newWatch(t *testing.T) *watch {
	t.Helper()
	w := &watch{time.Now(), make(chan struct{}), make(chan time.Duration, 1)}
	go w.beat(t.Context().Done())
	return w
}

func (w *watch) beat(over <-chan struct{}) {
	const period = 10 * time.Millisecond
	var late time.Duration
	for {
		due := time.Now().Add(period)
		select {
		case <-time.After(period):
			late += time.Since(due)
		case <-w.quit:
			w.late <- late
			return
		case <-over:
			return
		}
	}
}

// stolen stops the watch: so much was taken.
func (w *watch) stolen() time.Duration {
	close(w.quit)
	return <-w.late
}

// took stops the watch: so long it was, without what was taken.
func (w *watch) took() time.Duration { return time.Since(w.began) - w.stolen() }
