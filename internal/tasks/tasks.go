// Package tasks is a queue of what one goroutine still has to do. Putting never
// waits, so that whoever asks is not held up by a switch.
package tasks

import "sync"

// Queue is such a queue: any goroutine puts, its owner takes.
type Queue struct {
	wake chan struct{} // capacity 1

	mu   sync.Mutex
	list []func() // guarded by mu
}

// New makes an empty queue.
func New() *Queue { return &Queue{wake: make(chan struct{}, 1)} }

// Wake tells the owner that there may be something to take.
func (q *Queue) Wake() <-chan struct{} { return q.wake }

// Put adds a task behind the others.
func (q *Queue) Put(do func()) {
	q.mu.Lock()
	q.list = append(q.list, do)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Take empties the queue, oldest first.
func (q *Queue) Take() []func() {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.list
	q.list = nil
	return list
}
