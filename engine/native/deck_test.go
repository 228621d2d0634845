package native

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
)

// staircase has another level in each frame, so that a sample says where it is from.
func staircase(rate codec.Rate, frames int) []int16 {
	pcm := make([]int16, frames*frame(rate))
	for i := range pcm {
		pcm[i] = int16(10 * (i/frame(rate) + 1))
	}
	return pcm
}

// stepAt says which frame of the staircase a frame of what is heard is from,
// counted from 1: 0 is silence, and -1 what fades.
func stepAt(heard []int16) int {
	first, last := heard[0], heard[len(heard)-1]
	if first != last {
		return -1
	}
	return int(first) / 10
}

func steps(heard []int16, n int) (all []int) {
	for f := range slices.Chunk(heard, n) {
		all = append(all, stepAt(f))
	}
	return all
}

func yes() *bool { b := true; return &b }
func no() *bool  { return new(bool) }

// deckCase is what is asked of something that has played five frames of 20, and
// the frames that are heard after that.
type deckCase struct {
	ask  []engine.PlayControl
	then map[int]engine.PlayControl // so many ticks later
	want []int
}

func deckCases() map[string]deckCase {
	to := func(ms int, by bool) engine.PlayControl {
		return engine.PlayControl{Seek: &engine.Seek{To: time.Duration(ms) * time.Millisecond, By: by}}
	}
	return map[string]deckCase{
		"nothing":            {nil, nil, []int{6, 7, 8, 9}},
		"pause":              {[]engine.PlayControl{{Pause: yes()}}, nil, []int{-1, 0, 0, 0}},
		"pause and go on":    {[]engine.PlayControl{{Pause: yes()}}, map[int]engine.PlayControl{3: {Pause: no()}}, []int{-1, 0, 0, -1, 7, 8}},
		"pause is no toggle": {[]engine.PlayControl{{Pause: yes()}}, map[int]engine.PlayControl{2: {Pause: yes()}}, []int{-1, 0, 0, 0}},
		"taken back at once": {[]engine.PlayControl{{Pause: yes()}, {Pause: no()}}, nil, []int{6, 7, 8}},
		"on by 100 ms":       {[]engine.PlayControl{to(100, true)}, nil, []int{-1, -1, 12, 13}},
		"back by 40 ms":      {[]engine.PlayControl{to(-40, true)}, nil, []int{-1, -1, 5, 6}},
		"on twice":           {[]engine.PlayControl{to(100, true), to(40, true)}, nil, []int{-1, -1, 14, 15}},
		"to 200 ms":          {[]engine.PlayControl{to(200, false)}, nil, []int{-1, -1, 12, 13}},
		"to 200 ms and on":   {[]engine.PlayControl{to(200, false), to(40, true)}, nil, []int{-1, -1, 14, 15}},
		"the later place":    {[]engine.PlayControl{to(40, true), to(200, false)}, nil, []int{-1, -1, 12, 13}},
		"to the beginning":   {[]engine.PlayControl{to(-5000, true)}, nil, []int{-1, -1, 2, 3}},
		"to the end":         {[]engine.PlayControl{to(1e12, true)}, nil, []int{-1, 0, 0, 0}},
		"while it pauses":    {[]engine.PlayControl{{Pause: yes()}}, map[int]engine.PlayControl{2: to(0, false), 4: {Pause: no()}}, []int{-1, 0, 0, 0, -1, 2, 3}},
		"a pause elsewhere":  {[]engine.PlayControl{{Pause: yes()}, to(0, false)}, map[int]engine.PlayControl{2: {Pause: no()}}, []int{-1, 0, -1, 2, 3}},
	}
}

// What a play or a prompt is told to do is judged by every frame that is heard.
func TestAPlayIsControlled(t *testing.T) {
	for _, to := range []struct {
		name  string
		begin func(h hall, a *caller) engine.Player
	}{
		{"room", func(h hall, _ *caller) engine.Player { h.Play(7, media("stairs"), engine.Audience{}); return h.Bridge }},
		{"member", func(_ hall, a *caller) engine.Player { a.Play(7, media("stairs")); return a.Leg }},
	} {
		for name, c := range deckCases() {
			t.Run(to.name+" "+name, func(t *testing.T) {
				inBubble(t, func(r *rig) {
					r.sounds["stairs"] = clip(8000, staircase(8000, 20))
					h := r.hall()
					a := r.call("a", l16(), mute(8000))
					r.seat(h, 1, a, engine.MemberState{})
					p := to.begin(h, a)
					synctest.Wait()
					r.run(5)
					mark := len(a.stamps)
					for i, k := range c.ask {
						p.ControlPlay(engine.OpID(20+i), 7, k)
					}
					for i := range c.want {
						if k, ok := c.then[i]; ok {
							p.ControlPlay(engine.OpID(30+i), 7, k)
						}
						r.run(1)
					}
					if got := steps(r.ticksHeard(a, mark, len(c.want)), 160); !slices.Equal(got, c.want) {
						t.Errorf("heard %v, want %v", got, c.want)
					}
					facts := changes(slices.Concat(h.take(), a.sink.take()))
					if len(facts) != len(c.ask)+len(c.then) {
						t.Errorf("facts %v", facts)
					}
				})
			})
		}
	}
}

// ticksHeard are the frames that a caller has heard in so many ticks since a
// mark; silence is not sent, which the timestamps tell.
func (r *rig) ticksHeard(a *caller, mark, ticks int) []int16 {
	r.Helper()
	all := make([]int16, ticks*160)
	first := a.stamps[mark-1] + 160
	for i, ts := range a.stamps[mark:] {
		at := int(ts - first)
		if at+160 > len(all) {
			r.Fatalf("a frame of tick %d of %d", at/160, ticks)
		}
		copy(all[at:], a.heard[(mark+i)*160:(mark+i+1)*160])
	}
	return all
}

func changes(facts []engine.Fact) (all []engine.PlayChanged) {
	for _, f := range facts {
		if c, ok := f.(engine.PlayChanged); ok {
			all = append(all, c)
		}
	}
	return all
}

// All classes go on from the same place, whatever their rates, also one that came
// after a seek.
func TestASeekReachesAllRates(t *testing.T) {
	inBubble(t, func(r *rig) {
		early, late := audiotest.Tone(16000, 1000, -20, 16000, 0), audiotest.Tone(16000, 1400, -20, 32000, 0)
		r.sounds["one"], r.sounds["two"] = clip(16000, early), clip(16000, late)
		h := r.hall()
		callers := []*caller{r.call("a", l16(), mute(8000)), r.call("b", codec.L16(16000), mute(16000)), r.call("c", codec.L16(48000), mute(48000))}
		r.seat(h, 1, callers[0], engine.MemberState{})
		r.seat(h, 2, callers[1], engine.MemberState{})
		h.Play(1, media("one", "two"), engine.Audience{})
		synctest.Wait()
		r.run(5)
		h.ControlPlay(2, 1, engine.PlayControl{Seek: &engine.Seek{To: 1100 * time.Millisecond}, Gain: new(engine.Decibels(-6))})
		r.run(3)
		r.seat(h, 3, callers[2], engine.MemberState{})
		var marks []int
		for _, c := range callers {
			marks = append(marks, len(c.heard))
		}
		before, _ := h.Playhead(1)
		r.run(25)
		for i, c := range callers {
			if got := audiotest.Power(c.since(marks[i]), int(c.line.format.Rate), 1400); math.Abs(got+26) > 1.5 {
				t.Errorf("%s: the second tone at %.1f dB", c.ID(), got)
			}
			if got := audiotest.Power(c.since(marks[i]), int(c.line.format.Rate), 1000); got > -70 {
				t.Errorf("%s: the first tone at %.1f dB", c.ID(), got)
			}
		}
		if at, ok := h.Playhead(1); !ok || at.Position != before.Position+500*time.Millisecond || at.Duration != 3*time.Second || at.Paused {
			t.Errorf("%+v, before %+v", at, before)
		}
		h.ControlPlay(3, 1, engine.PlayControl{Seek: &engine.Seek{To: -100 * time.Millisecond, By: true}})
		r.run(2)
		if got := changes(h.take()); len(got) != 1 || got[0].At.Position != before.Position+400*time.Millisecond {
			t.Errorf("%+v, before %+v", got, before)
		}
	})
}

// Where nothing clicks: a pause, its end, and a seek fade.
func TestAControlledPlayDoesNotClick(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.sounds["tone"] = clip(8000, audiotest.Tone(8000, 1000, -12, 8000, 0))
		h := r.hall()
		a := r.call("a", l16(), mute(8000))
		r.seat(h, 1, a, engine.MemberState{})
		h.Play(1, engine.Media{Items: []string{"tone"}, Loop: true}, engine.Audience{})
		a.Play(2, engine.Media{Items: []string{"tone"}, Loop: true})
		synctest.Wait()
		r.run(5)
		mark := len(a.heard)
		for i, k := range []engine.PlayControl{
			{Pause: yes()},
			{Pause: no()},
			{Seek: &engine.Seek{To: 333 * time.Millisecond}},
			{Seek: &engine.Seek{To: 5 * time.Second, By: true}},
			{Gain: new(engine.Decibels(-20))},
			{Gain: new(engine.Decibels(-100))},
			{Gain: new(engine.Decibels)},
		} {
			h.ControlPlay(engine.OpID(10+i), 1, k)
			r.run(4)
			a.ControlPlay(engine.OpID(20+i), 2, k)
			r.run(4)
		}
		if step := audiotest.WorstStep(a.since(mark), 8000, 1000); step > -30 {
			t.Errorf("a click of %.1f dB", step)
		}
		if n := len(changes(slices.Concat(h.take(), a.sink.take()))); n != 14 {
			t.Errorf("%d facts", n)
		}
	})
}

// A play that pauses keeps its turn; one that waits for its own obeys meanwhile.
func TestPlaysThatWaitAreControlled(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.sounds["stairs"] = clip(8000, staircase(8000, 8))
		h := r.hall()
		a := r.call("a", l16(), mute(8000))
		r.seat(h, 1, a, engine.MemberState{})
		h.take()
		h.Play(1, media("stairs"), engine.Audience{})
		h.Play(2, media("stairs"), engine.Audience{})
		synctest.Wait()
		r.run(2)
		h.ControlPlay(3, 1, engine.PlayControl{Pause: yes()})
		h.ControlPlay(4, 2, engine.PlayControl{Seek: &engine.Seek{To: 100 * time.Millisecond}})
		r.run(100)
		if at, ok := h.Playhead(1); !ok || !at.Paused || at.Position != 40*time.Millisecond {
			t.Errorf("%+v %v", at, ok)
		}
		if facts := h.take(); len(facts) != 2 || len(changes(facts)) != 2 {
			t.Errorf("facts %v", facts)
		}
		h.EndPlay(1)
		mark := len(a.stamps)
		r.run(4)
		if got, want := steps(r.ticksHeard(a, mark, 4), 160), []int{-1, 7, 8, 0}; !slices.Equal(got[len(got)-4:], want) {
			t.Errorf("heard %v, want %v", got, want)
		}
		h.EndPlay(9)
		h.ControlPlay(5, 1, engine.PlayControl{Pause: no()})
		r.run(3)
		h.want(t, engine.Played{Op: 1}, engine.Played{Op: 2})
		if _, ok := h.Playhead(2); ok {
			t.Error("what is over is somewhere")
		}
	})
}

// What pauses and is stopped, or replaced, is not heard once more.
func TestAPausedPromptEndsUnheard(t *testing.T) {
	for name, end := range map[string]func(*caller){
		"stopped":  func(a *caller) { a.StopPlay() },
		"replaced": func(a *caller) { a.Play(9, media("quiet")) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.sounds["stairs"], r.sounds["quiet"] = clip(8000, staircase(8000, 20)), clip(8000, make([]int16, 160))
				a := r.call("a", l16(), mute(8000))
				a.Play(1, media("stairs"))
				synctest.Wait()
				r.run(3)
				a.ControlPlay(2, 1, engine.PlayControl{Pause: yes()})
				r.run(3)
				mark := len(a.heard)
				end(a)
				r.run(5)
				if i := slices.IndexFunc(a.since(mark), func(s int16) bool { return s != 0 }); i >= 0 {
					t.Errorf("heard from sample %d on", i)
				}
				a.ControlPlay(3, 1, engine.PlayControl{Pause: no()}) // settles with nothing
				r.run(1)
				if n := len(changes(a.sink.take())); n != 1 {
					t.Errorf("%d facts", n)
				}
			})
		})
	}
}
