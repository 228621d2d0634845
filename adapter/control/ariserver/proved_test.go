package ariserver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// asks is a request of the user's with a password; on a connection of its own where
// that is nil.
func asks(t *testing.T, s *Server, on *http.Request, password string) (status int, took time.Duration) {
	t.Helper()
	ctx := ConnContext(t.Context(), nil)
	if on != nil {
		ctx = on.Context()
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://parley.test:8085/ari/api-docs/resources.json", nil)
	r.SetBasicAuth("u", password)
	w := httptest.NewRecorder()
	begin := time.Now()
	s.ServeHTTP(w, r)
	return w.Code, time.Since(begin)
}

// TestGuessesBesideWhoMay: who has logged in on his connection does not wait, a new
// connection has its turn among those who guess one by one.
func TestGuessesBesideWhoMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		mine := httptest.NewRequestWithContext(ConnContext(t.Context(), nil), http.MethodGet, "/", nil)
		if status, _ := asks(t, s, mine, "p:w"); status != http.StatusOK {
			t.Fatal(status)
		}
		over := make(chan struct{})
		for i := range 4 {
			go func() {
				for n := 0; ; n++ {
					select {
					case <-over:
						return
					default:
						asks(t, s, nil, fmt.Sprint("guess ", i, n))
					}
				}
			}()
		}
		time.Sleep(10 * time.Second)
		for range 20 {
			if status, took := asks(t, s, mine, "p:w"); status != http.StatusOK || took != 0 {
				t.Errorf("on his connection: %d after %v", status, took)
			}
			if status, took := asks(t, s, nil, "p:w"); status != http.StatusOK || took > 5*250*time.Millisecond {
				t.Errorf("on a new one: %d after %v", status, took)
			}
			time.Sleep(time.Second)
		}
		close(over)
		synctest.Wait()
		time.Sleep(judgeTime)
	})
}

// TestAConnectionThatGuessesProvesNothing: behind a proxy it may be shared, and the
// right one waits again after a wrong one on it.
func TestAConnectionThatGuessesProvesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		shared := httptest.NewRequestWithContext(ConnContext(t.Context(), nil), http.MethodGet, "/", nil)
		asks(t, s, shared, "p:w")
		for i := range 3 {
			asks(t, s, shared, fmt.Sprint("guess ", i))
		}
		if status, took := asks(t, s, shared, "p:w"); status != http.StatusOK || took == 0 {
			t.Errorf("%d after %v: a guess can be told from a right one", status, took)
		}
	})
}

// TestWhoMayNotWaitForEver is told when to come again.
func TestWhoMayNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		for i := range 7 { // from an address where the right one has never come
			asks(t, s, nil, fmt.Sprint("guess ", i))
		}
		if status, took := asks(t, s, nil, "p:w"); status != http.StatusTooManyRequests || took != judgeTime {
			t.Errorf("%d after %v", status, took)
		}
	})
}
