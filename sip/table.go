package sip

import "sync"

// group is goroutines that somebody waits for. Once he does, no new ones start.
type group struct {
	mu     sync.Mutex
	closed bool // guarded by mu
	wg     sync.WaitGroup
}

func (g *group) spawn(f func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.wg.Go(f)
	return true
}

func (g *group) wait() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.wg.Wait()
}

// table is a map for many goroutines.
type table[K comparable, V any] struct {
	mu sync.Mutex
	m  map[K]V // guarded by mu
}

func newTable[K comparable, V any]() table[K, V] { return table[K, V]{m: map[K]V{}} }

func (t *table[K, V]) find(k K) (V, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.m[k]
	return v, ok
}

// add says whether the key was free.
func (t *table[K, V]) add(k K, v V) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, taken := t.m[k]; taken {
		return false
	}
	t.m[k] = v
	return true
}

func (t *table[K, V]) drop(k K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.m, k)
}

func (t *table[K, V]) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.m)
}

func (t *table[K, V]) all() []V {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]V, 0, len(t.m))
	for _, v := range t.m {
		out = append(out, v)
	}
	return out
}
