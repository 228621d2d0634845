package ariserver

import (
	"net/http"
	"time"

	"parley/engine"
)

// What ends when we stop is told in lots: a client's queue holds only so much.
const (
	lot     = 200
	lotTime = 10 * time.Millisecond // for the clients to be written one
)

// Drain refuses orders that make channels and bridges from now on.
func (s *Server) Drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
}

// Close tells the end of all that is left, which the engine knows nothing of, ends all
// sockets, and returns when they have.
func (s *Server) Close() {
	s.stop.Do(func() {
		s.mu.Lock()
		s.draining, s.closed = true, true
		s.mu.Unlock()
		for s.endSome() {
			time.Sleep(lotTime)
		}
		close(s.quit)
	})
	s.sockets.Wait()
}

// endSome ends a lot of what is left, channels first, and says whether there is more.
func (s *Server) endSome() (more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, n := time.Now(), 0
	for _, c := range s.calls {
		if n++; n > lot {
			return true
		}
		s.leaveBridge(c, now)
		s.destroy(c, now, engine.CauseNormal)
	}
	for _, r := range s.rooms {
		if n++; n > lot {
			return true
		}
		s.dropRoom(r, now)
	}
	return false
}

// stopped is the answer to an order that makes something when we stop.
func stopped() answer { return no(http.StatusServiceUnavailable, "We stop") }
