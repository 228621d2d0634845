package phone

import (
	"crypto/rand"
	"sync"

	"parley/engine"
)

// names are the legs' of calls that come to us.
type names struct {
	taken func(engine.LegID) bool // by a call or channel of another kind; nil: there are none

	mu   sync.Mutex
	used map[engine.LegID]bool // guarded by mu
}

// give names a call by its Call-ID, unless another has that name: its phone
// chooses it, and nobody may be taken for somebody else (RFC 3261 §12 tells
// dialogs apart by their tags, too). Nor can a call have the name of a folder, by
// which nothing in a path is found.
func (n *names) give(callID string) engine.LegID {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.used == nil {
		n.used = map[engine.LegID]bool{}
	}
	id := engine.LegID(callID)
	if callID == "." || callID == ".." || n.used[id] || n.taken != nil && n.taken(id) {
		id += engine.LegID("~" + rand.Text())
	}
	n.used[id] = true
	return id
}

// back takes a name back at the end of its call.
func (n *names) back(id engine.LegID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.used, id)
}
