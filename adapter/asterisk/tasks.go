package asterisk

import "sync"

// tasks are what one goroutine still has to do, in order. Putting never waits,
// so that whoever asks is not held up by a switch.
type tasks struct {
	wake chan struct{} // capacity 1: there may be something to take

	mu   sync.Mutex
	list []func() // guarded by mu
}

func newTasks() *tasks { return &tasks{wake: make(chan struct{}, 1)} }

func (t *tasks) put(do func()) {
	t.mu.Lock()
	t.list = append(t.list, do)
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// take empties the list.
func (t *tasks) take() []func() {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.list
	t.list = nil
	return list
}
