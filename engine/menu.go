package engine

import (
	"strings"
	"time"
)

// menuTimeout is how long a key waits for the next one of a longer control.
const menuTimeout = 1500 * time.Millisecond

// menu matches a member's keys with his controls. Keys that begin no control
// are dropped in silence.
type menu struct {
	keys     []Control
	typed    string
	deadline time.Time // zero: nothing is pending
}

// newMenu binds controls and, when there is one, the terminator.
func newMenu(c Controls, terminator string) menu {
	keys := c.Keys
	if terminator != "" {
		keys = append([]Control{{Digits: terminator, Action: ActionLeave}}, keys...)
	}
	return menu{keys: keys}
}

// press takes a key and returns the control that is complete by it.
func (m *menu) press(now time.Time, d byte) (c Control, ok bool) {
	m.typed += string(d)
	for m.typed != "" {
		exact, longer := m.match()
		if longer {
			m.deadline = now.Add(menuTimeout)
			return Control{}, false
		}
		if exact != nil {
			m.reset()
			return *exact, true
		}
		m.typed = m.typed[1:]
	}
	m.reset()
	return Control{}, false
}

// expire returns the control that was complete while a longer one was still
// possible, if any.
func (m *menu) expire() (c Control, ok bool) {
	exact, _ := m.match()
	m.reset()
	if exact == nil {
		return Control{}, false
	}
	return *exact, true
}

func (m *menu) reset() { m.typed, m.deadline = "", time.Time{} }

// match finds the control that is typed exactly, and whether typed is the
// beginning of a longer one.
func (m *menu) match() (exact *Control, longer bool) {
	for i := range m.keys {
		switch k := &m.keys[i]; {
		case k.Digits == m.typed:
			if exact == nil {
				exact = k
			}
		case strings.HasPrefix(k.Digits, m.typed):
			longer = true
		}
	}
	return exact, longer
}
