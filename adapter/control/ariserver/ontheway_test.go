package ariserver

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
)

// slowPlace is a bridge that takes a second to let somebody in.
type slowPlace struct{ sink engine.Sink }

func (p slowPlace) Admit(op engine.OpID, m engine.MemberID, _ engine.Leg, _ engine.MemberState) {
	time.AfterFunc(time.Second, func() { p.sink.Post(engine.Joined{Op: op, Member: m}) })
}

func (p slowPlace) Set(op engine.OpID, m engine.MemberID, s engine.MemberState) {
	p.sink.Post(engine.Applied{Op: op, Member: m, State: s})
}

func (p slowPlace) Remove(op engine.OpID, m engine.MemberID) {
	p.sink.Post(engine.Left{Op: op, Member: m})
}
func (slowPlace) Play(engine.OpID, engine.Media, engine.Audience)      {}
func (slowPlace) Levels(dst []engine.MemberMedia) []engine.MemberMedia { return dst }
func (slowPlace) Close()                                               {}

// quietPhone is a call that hears what it is played for ever.
type quietPhone struct {
	id  engine.LegID
	out chan engine.Outcome
}

func (p *quietPhone) ID() engine.LegID                  { return p.id }
func (p *quietPhone) Play(engine.OpID, engine.Media)    {}
func (p *quietPhone) StopPlay()                         {}
func (p *quietPhone) Record(engine.OpID, time.Duration) {}
func (p *quietPhone) StopRecord()                       {}
func (p *quietPhone) Release(o engine.Outcome)          { p.out <- o }

// slowly runs a test over rooms into which everybody is a second on the way, after
// a welcome.
func slowly(t *testing.T, welcome string, test func(t *testing.T, s *Server, p *quietPhone)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, p := newServer(), &quietPhone{"c", make(chan engine.Outcome, 1)}
		var x *engine.Exchange
		answers := func(_ context.Context, c engine.OutCall) error {
			phone := p
			if c.Leg != p.id { // audio without a call
				phone = &quietPhone{c.Leg, make(chan engine.Outcome, 1)}
				time.Sleep(time.Second)
			}
			x.Arrive(phone, c.Invite).Post(engine.MediaUp{Leg: phone.id})
			return nil
		}
		d := engine.NewDirectory()
		d.Profiles["default"].WelcomeSound = welcome
		x, err := engine.New(engine.Options{
			Directory: d,
			Observer:  s.Observe,
			Router:    func(string) (engine.Way, error) { return answers, nil },
			Bridges: func(_ engine.Place, _ engine.RoomName, _ engine.InstanceID, sink engine.Sink) (engine.Bridge, error) {
				return slowPlace{sink}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Drive(x)
		test(t, s, p)
		if err := x.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// comes has somebody called into a room.
func comes(t *testing.T, s *Server) {
	t.Helper()
	if got := order(t, s, http.MethodPost, "/channels/c?app=a&extension=1&endpoint=sip:x@y"); got != http.StatusOK {
		t.Fatal(got)
	}
	synctest.Wait()
}

func TestWhoIsOnHisWayIsHungUp(t *testing.T) {
	for _, wait := range []time.Duration{0, time.Second / 2, 2 * time.Second} {
		slowly(t, "", func(t *testing.T, s *Server, p *quietPhone) {
			comes(t, s)
			time.Sleep(wait)
			if got := order(t, s, http.MethodDelete, "/channels/c"); got != http.StatusNoContent {
				t.Errorf("after %v: %d", wait, got)
			}
			select {
			case o := <-p.out:
				if !o.Hangup {
					t.Errorf("after %v: %+v", wait, o)
				}
			default:
				t.Errorf("after %v it is still there", wait)
			}
			if got := get(t, s, "/channels/c").Code; got != http.StatusNotFound {
				t.Errorf("after %v: %d", wait, got)
			}
		})
	}
}

// TestWhoIsOnHisWayObeysAsHeComes: nothing of it is refused.
func TestWhoIsOnHisWayObeysAsHeComes(t *testing.T) {
	for _, path := range []string{"mute?direction=in", "hold", "moh", "play?media=sound:x", "continue"} {
		slowly(t, "", func(t *testing.T, s *Server, _ *quietPhone) {
			comes(t, s)
			if w := ask(t, s, http.MethodPost, "/channels/c/"+path); w.Code >= 300 {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		})
	}
	slowly(t, "", func(t *testing.T, s *Server, _ *quietPhone) {
		comes(t, s)
		for _, path := range []string{"/bridges/2?name=2", "/bridges/2/addChannel?channel=c", "/channels/c/mute?direction=in"} {
			if w := ask(t, s, http.MethodPost, path); w.Code >= 300 {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
		if v, err := s.exchange.Room(t.Context(), "2"); err != nil || len(v.Members) != 1 || !v.Members[0].Muted {
			t.Errorf("%+v %v", v, err)
		}
	})
}

// TestWhoHearsAPromptIsRefused at once, and can be hung up.
func TestWhoHearsAPromptIsRefused(t *testing.T) {
	slowly(t, "welcome", func(t *testing.T, s *Server, p *quietPhone) {
		comes(t, s)
		began := time.Now()
		for _, path := range []string{"mute", "play?media=sound:x", "continue"} {
			if got := order(t, s, http.MethodPost, "/channels/c/"+path); got != http.StatusPreconditionFailed {
				t.Errorf("%s: %d", path, got)
			}
		}
		if got := order(t, s, http.MethodDelete, "/channels/c"); got != http.StatusNoContent || time.Since(began) != 0 {
			t.Errorf("%d after %v", got, time.Since(began))
		}
		if o := <-p.out; !o.Hangup {
			t.Errorf("%+v", o)
		}
	})
}
