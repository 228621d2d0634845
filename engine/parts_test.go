package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// threeParts is a play to a room (0) or a member.
func threeParts(id string, m MemberID) Play {
	return Play{Member: m, ID: id, What: media("", "one"), Then: []Media{media("", "two"), media("en", "three", "four")}}
}

// over ends the part that plays, by itself.
func (th *theatre) over(op OpID, a *phone, err error) {
	if a != nil {
		a.sink.Post(PromptDone{Leg: a.id, Op: op, Err: err})
	} else {
		th.stage("1").post(Played{Op: op, Err: err})
	}
	synctest.Wait()
}

// told are the events of plays since the last look: their parts, items and errors.
func (th *theatre) toldOfPlays() string {
	synctest.Wait()
	th.mu.Lock()
	defer th.mu.Unlock()
	var all []string
	for _, e := range th.events {
		if p, is := strings.CutPrefix(string(e.Type), "play."); is {
			line := fmt.Sprintf("%s %s%d %s", p, e.Play.ID, e.Play.Part, strings.Join(e.Play.What.Items, "+"))
			if e.Play.Err != nil {
				line += " " + e.Play.Err.Error()
			}
			all = append(all, line)
		}
	}
	th.events = nil
	return strings.Join(all, ", ")
}

// silence ends what th.playing has begun.
func (th *theatre) silence() {
	for _, c := range []StopPlay{{ID: "x"}, {ID: "y"}, {Member: 1}} {
		live(th.t, th, c)
	}
	th.toldOfPlays()
}

// newest is the last order that there was.
func (d *decks) newest() (op OpID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for o := range d.heads {
		op = max(op, o)
	}
	return op
}

func TestPartsPlayOneAfterTheOther(t *testing.T) {
	for _, m := range []MemberID{0, 1} {
		t.Run(fmt.Sprint("to member ", m), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, th *theatre) {
				a := th.playing()
				th.silence()
				live(t, th, threeParts("p", m))
				first := func(n OpID) OpID { return th.stage("1").decks.newest() - 2 + n } // all are there from the beginning
				if m != 0 {
					first = func(OpID) OpID { return a.decks.newest() }
				} else {
					a = nil
				}
				want(t, "told", th.toldOfPlays(), "started p0 one")
				th.over(first(0), a, nil)
				want(t, "told", th.toldOfPlays(), "continued p1 two")
				if all := th.plays(); !strings.HasPrefix(all, fmt.Sprintf("p>%d ", m)) || strings.Contains(all, ",") {
					t.Errorf("shown as %s", all)
				}
				live(t, th, ControlPlay{Member: m, ID: "p", PlayControl: pause(true)})
				live(t, th, ControlPlay{Member: m, ID: "p", PlayControl: pause(false)})
				want(t, "told", th.toldOfPlays(), "paused p1 two, resumed p1 two")
				th.over(first(1), a, errors.New("broken"))
				want(t, "told", th.toldOfPlays(), "continued p2 three+four")
				th.over(first(2), a, errors.New("torn"))
				want(t, "told", th.toldOfPlays(), "ended p2 three+four torn")
				want(t, "plays", th.plays(), "")
			})
		})
	}
}

// A play that is stopped has no parts any more, however it is stopped.
func TestPartsEndWithTheirPlay(t *testing.T) {
	for _, m := range []MemberID{0, 1} {
		for name, stop := range map[string]Command{
			"it": StopPlay{Member: m, ID: "p"}, "the room": End{},
		} {
			t.Run(fmt.Sprint(name, m), func(t *testing.T) {
				bubble(t, nil, func(t *testing.T, th *theatre) {
					a := th.playing()
					th.silence()
					live(t, th, threeParts("p", m))
					if m == 0 {
						th.over(th.stage("1").decks.newest()-2, nil, nil)
					} else {
						th.over(a.decks.newest(), a, nil)
					}
					th.toldOfPlays()
					live(t, th, stop)
					time.Sleep(time.Minute) // a room has its last prompts
					want(t, "told", th.toldOfPlays(), "ended p1 two")
				})
			})
		}
	}
}

// What is queued behind a play comes after its last part; a member hears something
// else in place of all parts.
func TestNothingComesBetweenParts(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.playing()
		th.silence()
		live(t, th, threeParts("p", 0))
		last := th.stage("1").decks.newest()
		live(t, th, Play{ID: "q", What: media("", "behind")})
		live(t, th, Play{ID: "m", Member: 1, What: media("", "own"), Then: []Media{media("", "own2")}})
		live(t, th, Play{ID: "n", Member: 1, What: media("", "other")})
		want(t, "told", th.toldOfPlays(), "started p0 one, queued q0 behind, started m0 own, ended m0 own, started n0 other")
		th.over(last-1, nil, errors.New("early")) // a part that could not be played, told before its turn
		th.over(last-2, nil, nil)
		want(t, "told", th.toldOfPlays(), "continued p2 three+four")
		th.over(last, nil, nil)
		want(t, "told", th.toldOfPlays(), "ended p2 three+four, started q0 behind")
	})
}

// What is asked of a part that ends before it has obeyed is asked of the next.
func TestAControlMeansThePartThatPlays(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.playing()
		th.silence()
		live(t, th, threeParts("p", 0))
		d := &th.stage("1").decks
		first := d.newest() - 2
		jam := func(on bool) {
			d.mu.Lock()
			d.jam = on
			d.mu.Unlock()
		}
		jam(true)
		answer := make(chan error, 1)
		go func() { answer <- th.Do(t.Context(), "1", ControlPlay{ID: "p", PlayControl: pause(true)}) }()
		synctest.Wait()
		jam(false)
		th.over(first, nil, nil)
		select {
		case err := <-answer:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Error("it is not answered")
		}
		want(t, "told", th.toldOfPlays(), "started p0 one, continued p1 two, paused p1 two")
	})
}

func TestPartsThatCannotBe(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.playing()
		for _, c := range []Play{
			{What: media("", "a"), Then: []Media{{}}},
			{What: media("", "a"), Then: []Media{media("", "b")}, Beside: true},
		} {
			if err := th.Do(t.Context(), "1", c); !errors.Is(err, ErrBadCommand) {
				t.Errorf("%+v: %v", c, err)
			}
		}
	})
}
