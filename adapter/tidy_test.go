package adapter

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
)

func TestTidyingWaitsForTheEndOfARush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		see := tidy(func() { n.Add(1) })
		for range 100 {
			see(engine.Event{Type: engine.EventJoined})
			time.Sleep(quiet - time.Millisecond)
		}
		see(engine.Event{Type: engine.EventTalking})
		if synctest.Wait(); n.Load() != 0 {
			t.Errorf("%d times while calls came", n.Load())
		}
		time.Sleep(quiet)
		synctest.Wait()
		see(engine.Event{Type: engine.EventTalking})
		time.Sleep(time.Hour)
		if synctest.Wait(); n.Load() != 1 {
			t.Errorf("%d times after one rush", n.Load())
		}
	})
}
