package tick

import (
	"slices"
	"sync"
	"time"
)

// Manual runs tasks when it is told to, in the caller's goroutine: the clock
// of tests and simulations. The zero value is ready.
type Manual struct {
	mu       sync.Mutex
	tasks    []*Task // guarded by mu, in the order added
	n        uint64  // guarded by mu
	backward bool    // guarded by mu
}

// Add has t run in every Step from the next one on.
func (m *Manual) Add(t *Task) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.tasks, t) {
		m.tasks = append(m.tasks, t)
	}
}

// Remove takes t out.
func (m *Manual) Remove(t *Task) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tasks = slices.DeleteFunc(m.tasks, func(o *Task) bool { return o == t })
}

// Turn reverses the order in which a Step runs its tasks.
func (m *Manual) Turn() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.backward = !m.backward
}

// Step runs one tick of every task: number n+1, at n+1 periods after 1970.
func (m *Manual) Step() {
	m.mu.Lock()
	m.n++
	n := m.n
	tasks := slices.Clone(m.tasks)
	if m.backward {
		slices.Reverse(tasks)
	}
	m.mu.Unlock()
	for _, t := range tasks {
		t.run(0, int64(n)*int64(Period), n)
	}
}

// Lose loses n ticks, as a machine does that is busy with something else.
func (m *Manual) Lose(n uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n += n
}

// Tasks is how many tasks there are.
func (m *Manual) Tasks() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.tasks)
}

// Workers is 1: steps are run by one goroutine at a time.
func (m *Manual) Workers() int { return 1 }

// Load is 0.
func (m *Manual) Load() float64 { return 0 }

// Stats counts nothing.
func (m *Manual) Stats() Stats { return Stats{} }

// Now is the time of the last step.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Unix(0, int64(m.n)*int64(Period))
}
