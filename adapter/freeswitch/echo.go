package freeswitch

import (
	"sync"

	"parley/esl/conference"
)

// echoes are the events that our own orders about one member will cause. They
// come over the link, in their time; the answer to an order may have come over
// another socket, before.
type echoes struct {
	mu  sync.Mutex
	due map[conference.Action]int // guarded by mu
}

// order gives an order that causes an event.
func (e *echoes) order(causes conference.Action, give func() error) error {
	e.add(causes, 1)
	err := give()
	if err != nil {
		e.add(causes, -1)
	}
	return err
}

func (e *echoes) add(a conference.Action, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.due == nil {
		e.due = map[conference.Action]int{}
	}
	e.due[a] += n
}

// ours says whether an event is such an echo, the last one of those due.
func (e *echoes) ours(a conference.Action) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.due[a] <= 0 {
		return false
	}
	e.due[a]--
	return true
}

// forget expects nothing any more: the connection was cut.
func (e *echoes) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.due = nil
}
