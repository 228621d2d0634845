package ariserver

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"
)

// TestRequestsOverTheSocketAreOfWhoTheUserIsNow: as in Asterisk who has opened a socket
// has no more rights by it than he has now.
func TestRequestsOverTheSocketAreOfWhoTheUserIsNow(t *testing.T) {
	s, opener := newServer(), User{Name: "u", Password: "p:w"}
	r := httptest.NewRequest(http.MethodGet, "/ari/events", nil)
	const write, read = `{"type":"RESTRequest","method":"POST","uri":"bridges"}`, `{"type":"RESTRequest","method":"GET","uri":"bridges"}`
	for _, tt := range []struct {
		name        string
		users       []User
		write, read int
	}{
		{"as he was", []User{opener}, 200, 200},
		{"read only", []User{{"u", "p:w", true}}, 403, 200},
		{"another password", []User{{"u", "other", false}}, 401, 401},
		{"another name", []User{{"v", "p:w", false}}, 401, 401},
		{"nobody", nil, 401, 401},
	} {
		s.opt.Users = func() []User { return tt.users }
		a, b := s.answer(t.Context(), []byte(write), r, opener), s.answer(t.Context(), []byte(read), r, opener)
		if a.Status != tt.write || b.Status != tt.read {
			t.Errorf("%s: %d and %d, want %d and %d", tt.name, a.Status, b.Status, tt.write, tt.read)
		}
	}
}

// TestWhoIsTakenAwayHearsNothingMore, and all others do.
func TestWhoIsTakenAwayHearsNothingMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		ws, hangUp := dial(t, s, "a")
		defer hangUp()
		synctest.Wait() // until it is served
		for _, user := range []User{{"u", "p:w", true}, {"u", "p:w", false}} {
			s.opt.Users = func() []User { return []User{user} }
			s.UsersChanged()
			ask(t, s, http.MethodPost, "/events/user/here?application=a")
			if user.ReadOnly {
				continue // it may not
			}
			if _, _, err := ws.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		s.opt.Users = func() []User { return []User{{"u", "other", false}} }
		s.UsersChanged()
		if _, data, err := ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
			t.Errorf("%s %v", data, err)
		}
		synctest.Wait()
		if s.open != 0 {
			t.Errorf("%d sockets", s.open)
		}
	})
}
