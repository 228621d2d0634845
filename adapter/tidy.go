package adapter

import (
	"time"

	"parley/engine"
)

// quiet is how long nobody may have come or gone until a rush is over.
const quiet = 5 * time.Second

// tidy calls f when a rush is over. While calls come and go all the time it does
// not, nor while there are none.
func tidy(f func()) engine.Observer {
	if f == nil {
		return func(engine.Event) {}
	}
	t := time.AfterFunc(quiet, f)
	t.Stop()
	return func(e engine.Event) {
		if e.Type == engine.EventJoined || e.Type == engine.EventLeft {
			t.Reset(quiet)
		}
	}
}
