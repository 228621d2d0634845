package native

import (
	"sync"

	"parley/engine"
)

// outlet passes facts to a sink until it is shut: none is posted afterwards.
type outlet struct {
	mu   sync.Mutex  // held over Post, which never blocks, to keep order and end
	sink engine.Sink // guarded by mu
	shut bool        // guarded by mu
}

func (o *outlet) open(s engine.Sink) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sink = s
}

func (o *outlet) post(facts ...engine.Fact) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.shut || o.sink == nil {
		return
	}
	for _, f := range facts {
		o.sink.Post(f)
	}
}

func (o *outlet) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shut = true
}
