package tick

import (
	"testing"
	"time"
)

func TestTask_CostFollowsWhatItTakes(t *testing.T) {
	const us = time.Microsecond
	task := NewTask(nil)
	weigh := func(n int, took time.Duration) time.Duration {
		for range n {
			task.weigh(took)
		}
		return time.Duration(task.cost.Load())
	}
	if got := weigh(3, 400*us); got < 200*us || got > 400*us {
		t.Errorf("%v after three ticks of 400 µs", got)
	}
	if got := weigh(40, 10*us); got > 15*us {
		t.Errorf("%v after many of 10 µs", got)
	}
	if got := weigh(1, 30*time.Millisecond); got > 25*us {
		t.Errorf("%v when the system once did something else for 30 ms", got)
	}
	if got := weigh(20, 2*time.Millisecond); got < time.Millisecond {
		t.Errorf("%v after 20 ticks of 2 ms", got)
	}
}
