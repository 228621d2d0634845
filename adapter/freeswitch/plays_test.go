package freeswitch_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/engine"
)

// long is a sound that ends when it is stopped.
func long(name string) engine.Media { return engine.Media{Items: []string{"/long/" + name + ".wav"}} }

// playing is what a room plays, as we show it.
func (p *pbx) playing(room string) string {
	var all []string
	for _, v := range p.roster(room).Plays {
		text := v.ID
		if v.Paused {
			text += " paused"
		}
		if v.PositionMS != nil {
			text += " somewhere" // the switch does not say
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// there is what the switch plays to all of a conference.
func (p *pbx) there(room string) string {
	var all []string
	for _, f := range p.core.Playing(room) {
		text := f.Name[strings.LastIndexByte(f.Name, '/')+1:]
		if f.Paused {
			text += " paused"
		}
		if f.Volume != 0 {
			text += fmt.Sprintf(" %d dB", f.Volume)
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// plays compares both.
func (p *pbx) plays(here, there string) {
	p.Helper()
	time.Sleep(time.Second)
	if got := p.playing("4000"); got != here {
		p.Errorf("we say %q, want %q", got, here)
	}
	if got := p.there("4000"); got != there {
		p.Errorf("the switch plays %q, want %q", got, there)
	}
}

// refuse gives an order that is to fail.
func (p *pbx) refuse(c engine.Command, want error) {
	p.Helper()
	if err := p.exchange.Do(p.Context(), "4000", c); !errors.Is(err, want) {
		p.Errorf("%T%+v: %v", c, c, err)
	}
}

func pause(on bool) engine.PlayControl { return engine.PlayControl{Pause: &on} }

// TestAPlayLastsAsLongAsTheSwitchPlaysIt: its queue is ours, and what is asked of
// a play is done there.
func TestAPlayLastsAsLongAsTheSwitchPlaysIt(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		for _, id := range []string{"a", "b", "c"} {
			p.order("4000", engine.Play{ID: id, What: long(id)})
		}
		p.plays("a, b, c", "a.wav, b.wav, c.wav")
		p.order("4000", engine.ControlPlay{PlayControl: pause(true)})
		p.plays("a paused, b, c", "a.wav paused, b.wav, c.wav")
		p.core.API("conference", "4000 pause_play") // somebody at the switch
		p.order("4000", engine.ControlPlay{PlayControl: pause(false)})
		p.plays("a, b, c", "a.wav, b.wav, c.wav")
		gain := engine.Decibels(3)
		p.order("4000", engine.ControlPlay{PlayControl: engine.PlayControl{Gain: &gain, Seek: &engine.Seek{To: -time.Second, By: true}}})
		p.plays("a, b, c", "a.wav 3 dB, b.wav, c.wav")
		if n := sent(p.core.Requests(), "api conference 4000 file_seek -1000"); n != 1 {
			t.Errorf("%d seeks", n)
		}
		p.refuse(engine.ControlPlay{ID: "b", PlayControl: pause(true)}, engine.ErrCannot)
		p.order("4000", engine.StopPlay{ID: "b"}) // when its turn comes
		p.plays("a, b, c", "a.wav 3 dB, b.wav, c.wav")
		p.core.EndPlay("4000")
		p.plays("c", "c.wav")
		p.order("4000", engine.StopPlay{ID: "c"})
		p.plays("", "")
		p.refuse(engine.ControlPlay{PlayControl: pause(true)}, engine.ErrNoPlay)
		p.order("4000", engine.Play{ID: "short", What: engine.Media{Items: []string{"/srv/a.wav"}}})
		p.plays("", "")
	})
}

// TestWhatPlaysBesideTheQueue is one at a time, and does not stand still.
func TestWhatPlaysBesideTheQueue(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.order("4000", engine.Play{ID: "a", What: long("a"), Beside: true})
		p.order("4000", engine.Play{ID: "b", What: long("b"), Beside: true})
		p.plays("b", "b.wav")
		gain := engine.Decibels(-80)
		p.order("4000", engine.ControlPlay{ID: "b", PlayControl: engine.PlayControl{Gain: &gain}})
		p.plays("b", "b.wav -50 dB")
		p.refuse(engine.ControlPlay{ID: "b", PlayControl: pause(true)}, engine.ErrCannot)
		p.order("4000", engine.StopPlay{ID: "b"})
		p.plays("", "")
		p.order("4000", engine.Play{ID: "c", What: long("c"), Beside: true})
		p.order("4000", engine.Play{ID: "d", What: long("d")})
		p.order("4000", engine.StopPlay{})
		p.plays("", "")
	})
}

// TestWhatTheSwitchPlaysByItself is none of ours: it is neither paused nor ended
// in place of what waits behind it.
func TestWhatTheSwitchPlaysByItself(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.core.Plays("4000", "/long/theirs.wav")
		p.order("4000", engine.Play{ID: "a", What: long("a")})
		p.refuse(engine.ControlPlay{ID: "a", PlayControl: pause(true)}, engine.ErrCannot)
		p.order("4000", engine.StopPlay{ID: "a"}) // when its turn comes
		time.Sleep(time.Minute)                   // looks at the switch go by
		p.plays("a", "theirs.wav, a.wav")
		p.core.EndPlay("4000")
		p.plays("", "")
		p.order("4000", engine.Play{ID: "b", What: long("b")})
		p.order("4000", engine.ControlPlay{ID: "b", PlayControl: pause(true)})
		p.plays("b paused", "b.wav paused")
	})
}

// TestAPlayWhoseEndIsLost ends when the switch says that it does not play it.
func TestAPlayWhoseEndIsLost(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.order("4000", engine.Play{ID: "a", What: long("a")})
		p.order("4000", engine.Play{ID: "b", What: long("b"), Beside: true})
		time.Sleep(time.Minute) // looks at the switch go by
		p.plays("a, b", "a.wav, b.wav")
		p.core.LosePlays("4000")
		time.Sleep(30 * time.Second)
		p.plays("", "")
		p.order("4000", engine.Play{ID: "a", What: long("a")})
		p.lose()
		p.core.EndPlay("4000")
		p.regain()
		time.Sleep(30 * time.Second)
		p.plays("", "")
		p.order("4000", engine.Play{ID: "a", What: long("a")})
		p.order("4000", engine.Kick{Member: 1, Quiet: true})
		p.await(engine.EventLeft)
	})
}

// TestAPlayToOneIsPausedThere: the conference plays it over what he hears.
func TestAPlayToOneIsPausedThere(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		c := p.come(1, "4000")
		p.order("4000", engine.Play{ID: "a", Member: 1, What: long("a")})
		p.order("4000", engine.ControlPlay{Member: 1, PlayControl: pause(true)})
		p.plays("a paused", "")
		p.order("4000", engine.ControlPlay{Member: 1, PlayControl: engine.PlayControl{Pause: pause(false).Pause, Seek: &engine.Seek{To: time.Second}}})
		p.plays("a", "")
		gain := engine.Decibels(3)
		p.refuse(engine.ControlPlay{Member: 1, PlayControl: engine.PlayControl{Gain: &gain}}, engine.ErrCannot)
		p.order("4000", engine.StopPlay{Member: 1})
		p.plays("", "")
		want := []string{"api conference 4000 pause_play 1", "api conference 4000 pause_play 1"}
		if got := about(c.Requests(), "api conference 4000 pause_play"); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
	})
}
