package engine

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// decks are the plays of a fake, each an hour long.
type decks struct {
	mu    sync.Mutex
	heads map[OpID]Playhead // guarded by mu
	jam   bool              // guarded by mu: nothing is settled
}

func (d *decks) begin(op OpID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.heads == nil {
		d.heads = map[OpID]Playhead{}
	}
	d.heads[op] = Playhead{Duration: time.Hour}
}

func (d *decks) change(op, play OpID, c PlayControl, leg LegID, post func(Fact)) {
	d.mu.Lock()
	h, ok := d.heads[play]
	assign(&h.Paused, c.Pause)
	if c.Seek != nil && c.Seek.By {
		h.Position += c.Seek.To
	} else if c.Seek != nil {
		h.Position = c.Seek.To
	}
	if ok {
		d.heads[play] = h
	}
	jam := d.jam
	d.mu.Unlock()
	if ok && !jam {
		post(PlayChanged{Leg: leg, Op: op, At: h})
	}
}

func (d *decks) head(play OpID) (Playhead, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h, ok := d.heads[play]
	return h, ok
}

func (b *stage) ControlPlay(op, play OpID, c PlayControl) { b.decks.change(op, play, c, "", b.post) }
func (b *stage) Playhead(play OpID) (Playhead, bool)      { return b.decks.head(play) }
func (b *stage) EndPlay(play OpID)                        { b.post(Played{Op: play}) }
func (p *phone) ControlPlay(op, play OpID, c PlayControl) {
	p.decks.change(op, play, c, p.id, p.sink.Post)
}
func (p *phone) Playhead(play OpID) (Playhead, bool) { return p.decks.head(play) }

// plays are what plays in room 1, in short.
func (th *theatre) plays() string {
	th.t.Helper()
	v, err := th.Room(th.t.Context(), "1")
	if err != nil {
		th.t.Fatal(err)
	}
	var all []string
	for _, p := range v.Plays {
		ms := int64(-1)
		if p.PositionMS != nil {
			ms = *p.PositionMS
		}
		all = append(all, fmt.Sprintf("%s>%d %d/%d %v %v", p.ID, p.Member, ms, p.DurationMS, p.Paused, p.Gain))
	}
	return strings.Join(all, ", ")
}

func pause(on bool) PlayControl { return PlayControl{Pause: &on} }
func seek(to time.Duration, by bool) PlayControl {
	return PlayControl{Seek: &Seek{To: to, By: by}}
}

// playing begins two plays into room 1 and one to member 1, with two in the room.
func (th *theatre) playing() *phone {
	a := th.call("a", "1", nil)
	th.call("b", "1", nil)
	time.Sleep(time.Minute)
	a.listen()
	s := th.stage("1")
	s.mu.Lock()
	s.lasting = true
	s.mu.Unlock()
	for _, c := range []Play{{ID: "x"}, {ID: "y"}, {ID: "z", Member: 1}} {
		c.What = media("", c.ID)
		live(th.t, th, c)
	}
	th.types()
	return a
}

func TestPlaysAreControlled(t *testing.T) {
	gain := Decibels(-3)
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.playing()
		for _, c := range []struct {
			do    ControlPlay
			plays string // which it changes
			told  string
		}{
			{ControlPlay{PlayControl: pause(true)}, "x>0 0/3600000 true 0", "play.paused"},
			{ControlPlay{PlayControl: pause(true)}, "x>0 0/3600000 true 0", ""},
			{ControlPlay{PlayControl: seek(time.Second, false)}, "x>0 1000/3600000 true 0", "play.modified"},
			{ControlPlay{ID: "y", PlayControl: seek(2*time.Second, true)}, "y>0 2000/3600000 false 0", "play.modified"},
			{ControlPlay{ID: "x", PlayControl: pause(false)}, "x>0 1000/3600000 false 0", "play.resumed"},
			{ControlPlay{Member: 1, PlayControl: PlayControl{Gain: &gain}}, "z>1 0/3600000 false -3", "play.modified"},
			{ControlPlay{Member: 1, ID: "z", PlayControl: pause(true)}, "z>1 0/3600000 true -3", "play.paused"},
		} {
			live(t, th, c.do)
			if all := th.plays(); !strings.Contains(all, c.plays) {
				t.Errorf("%+v: %s; want %s", c.do, all, c.plays)
			}
			want(t, fmt.Sprintf("%+v: told", c.do), th.types(), c.told)
		}
		for _, c := range []struct {
			do  Command
			err error
		}{
			{ControlPlay{ID: "z"}, ErrNoPlay},
			{ControlPlay{Member: 1, ID: "x"}, ErrNoPlay},
			{ControlPlay{Member: 2}, ErrNoPlay},
			{ControlPlay{Member: 9}, ErrNoMember},
			{StopPlay{ID: "z"}, ErrNoPlay},
			{StopPlay{Member: 1, ID: "x"}, nil},
		} {
			if err := th.Do(t.Context(), "1", c.do); !errors.Is(err, c.err) {
				t.Errorf("%+v: %v", c.do, err)
			}
		}
		live(t, th, StopPlay{ID: "x"})
		want(t, "plays", th.plays(), "y>0 2000/3600000 false 0, z>1 0/3600000 true -3")
		live(t, th, StopPlay{Member: 1, ID: "z"})
		live(t, th, StopPlay{ID: "y"})
		want(t, "plays", th.plays(), "")
		want(t, "told", th.types(), "play.ended play.started play.ended play.ended") // y begins when x has ended
	})
}

// A change that its play does not live to see is answered.
func TestWhatEndsFirstAnswersItsControls(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, th *theatre, a *phone){
		"the play": func(t *testing.T, th *theatre, _ *phone) {
			live(t, th, StopPlay{ID: "x"})
			live(t, th, StopPlay{Member: 1})
		},
		"replaced": func(t *testing.T, th *theatre, _ *phone) {
			live(t, th, StopPlay{ID: "x"})
			live(t, th, Play{Member: 1, What: media("", "w")})
		},
		"the call": func(t *testing.T, th *theatre, a *phone) {
			live(t, th, StopPlay{ID: "x"})
			a.sink.Post(LegGone{Leg: a.id, Reason: ReasonHangup})
		},
		"the bridge": func(t *testing.T, th *theatre, _ *phone) { th.stage("1").sink.Post(BridgeFailed{errors.New("x")}) },
		"the room":   func(t *testing.T, th *theatre, _ *phone) { live(t, th, End{}) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, th *theatre) {
				a := th.playing()
				for _, d := range []*decks{&a.decks, &th.stage("1").decks} {
					d.mu.Lock()
					d.jam = true
					d.mu.Unlock()
				}
				answers := make(chan error, 2)
				for _, m := range []MemberID{0, 1} {
					go func() { answers <- th.Do(t.Context(), "1", ControlPlay{Member: m, PlayControl: pause(true)}) }()
				}
				synctest.Wait()
				end(t, th, a)
				for range 2 {
					if err := <-answers; !errors.Is(err, ErrNoPlay) && !errors.Is(err, ErrClosed) {
						t.Errorf("answered %v", err)
					}
				}
			})
		})
	}
}

// What plays beside the others gives way to the next such, which is told in that
// order; it is not the one whose turn it is.
func TestPlaysBesideOthersGiveWay(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.playing()
		live(t, th, StopPlay{Member: 1})
		th.types()
		for _, id := range []string{"p", "q"} {
			live(t, th, Play{ID: id, What: media("", id), Beside: true})
		}
		want(t, "told", th.types(), "play.started play.ended play.started")
		live(t, th, StopPlay{ID: "x"})
		live(t, th, StopPlay{ID: "y"})
		want(t, "plays", th.plays(), "q>0 0/3600000 false 0")
		if err := th.Do(t.Context(), "1", ControlPlay{PlayControl: pause(true)}); !errors.Is(err, ErrNoPlay) {
			t.Error(err)
		}
		live(t, th, ControlPlay{ID: "q", PlayControl: pause(true)})
	})
}
