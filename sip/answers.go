package sip

import (
	"sync"
	"time"
)

// answers are requests that are settled: the final answer is out, and all that is
// left to do about them, for giveUp, is to send it again when they are (RFC 3261
// §17.2.2, timer J), or to keep still (RFC 6026 §7.1, timer L). So the bytes are
// kept, and the machine is let go with the request, the call and its media, which
// hang on it.
type answers struct {
	mu    sync.Mutex
	by    map[string]answer // guarded by mu, as below; by the key of the transaction
	queue []expiry          // oldest first
	timer *time.Timer       // runs while there is something in queue
}

// answer is how a request was answered.
type answer struct {
	again []byte // as it went out; nil: not sent again, the call repeats a 2xx until its ACK
	hop   *hop
	tag   string // of ours in it
}

// expiry is when an answer is forgotten.
type expiry struct {
	key string
	at  time.Time
}

// add keeps an answer given now.
func (t *answers) add(key string, a answer, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = map[string]answer{}
	}
	t.by[key] = a
	t.queue = append(t.queue, expiry{key, now.Add(giveUp)})
	if t.timer == nil {
		t.timer = time.AfterFunc(giveUp, func() { t.forget(time.Now()) })
	}
}

// find is the answer of a request that has come before.
func (t *answers) find(key string) (answer, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, ok := t.by[key]
	return a, ok
}

// forget drops what is old enough, and comes again for the rest.
func (t *answers) forget(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for n < len(t.queue) && !now.Before(t.queue[n].at) {
		delete(t.by, t.queue[n].key)
		n++
	}
	t.queue = append(t.queue[:0:0], t.queue[n:]...)
	if len(t.queue) == 0 {
		t.by, t.timer = nil, nil // a map keeps the room of the rush it has seen
		return
	}
	t.timer.Reset(t.queue[0].at.Sub(now))
}

// close forgets all.
func (t *answers) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
	t.by, t.queue, t.timer = nil, nil, nil
}

func (t *answers) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.by)
}
