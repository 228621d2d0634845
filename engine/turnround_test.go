package engine

import (
	"errors"
	"testing"
	"testing/synctest"
)

// three lets three calls of a switch into a native room, the second of which
// is slow to move, and gives the order to move.
func three(th *theatre) (a, b, c *mover, answer chan relocated) {
	a, b, c = th.dial("a", "1", Place{}, pbx1, nil), th.dial("b", "1", Place{}, pbx1, nil), th.dial("c", "1", Place{}, pbx1, nil)
	synctest.Wait()
	b.dawdle()
	c.dawdle()
	answer = th.relocate("1", pbx1)
	synctest.Wait()
	return a, b, c, answer
}

// undone expects the room to be where it was, with n members.
func undone(th *theatre, answer chan relocated, n int) {
	th.t.Helper()
	synctest.Wait()
	if got := <-answer; !errors.Is(got.err, ErrNotMoved) {
		th.t.Errorf("the move: %+v", got)
	}
	th.agree("1")
	if v, _ := th.Room(th.t.Context(), "1"); len(v.Members) != n || v.Mixer != "native" {
		th.t.Errorf("%d members at %s", len(v.Members), v.Mixer)
	}
}

func TestWhoTurnsRoundCannotGoOnEither(t *testing.T) {
	bubble(t, nil, func(_ *testing.T, th *theatre) {
		_, b, c, answer := three(th)
		b.arrive(true)
		c.arrive(true) // he was to come back anyway
		undone(th, answer, 3)
	})
	bubble(t, nil, func(_ *testing.T, th *theatre) {
		_, b, c, answer := three(th)
		th.stageAt(pbx1).hold()
		th.stageAt(pbx1).reject(true)
		c.arrive(false)
		synctest.Wait()
		b.arrive(true)
		th.stageAt(pbx1).letGo() // it refuses c, who was to come back anyway
		undone(th, answer, 3)
	})
	bubble(t, nil, func(_ *testing.T, th *theatre) {
		_, b, c, answer := three(th)
		th.stageAt(pbx1).hold()
		c.arrive(false)
		synctest.Wait()
		b.arrive(true)
		th.stageAt(pbx1).letGo() // it takes c
		undone(th, answer, 3)
	})
}

// TestWhoJoinsTheOldPlaceCannotFollow: he counts among the members by then.
func TestWhoJoinsTheOldPlaceCannotFollow(t *testing.T) {
	bubble(t, nil, func(_ *testing.T, th *theatre) {
		th.dial("a", "1", Place{}, pbx1, nil)
		synctest.Wait()
		old := th.stageAt(Place{})
		old.hold()
		j := th.dial("j", "1", Place{}, pbx1, nil)
		j.fail(1)
		synctest.Wait()
		answer := th.relocate("1", pbx1)
		synctest.Wait()
		old.mu.Lock()
		queue := old.queue
		old.queue = nil
		old.mu.Unlock()
		old.sink.Post(queue[1]) // a is out of it; j is not in it yet
		synctest.Wait()
		old.sink.Post(queue[0])
		old.letGo()
		undone(th, answer, 2)
	})
}

func TestBothPlacesDie(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a, b, c, answer := three(th)
		th.stageAt(Place{}).ends()
		synctest.Wait()
		th.stageAt(pbx1).ends()
		for _, p := range []*mover{a, b, c} {
			want(t, string(p.id), line1(outcome(t, p.phone)), "failed media_lost lost")
		}
		if got := <-answer; !errors.Is(got.err, ErrClosed) {
			t.Errorf("the move: %+v", got)
		}
	})
}

// TestWhoWaitedForTheMoveIsAloneAfterIt: the room, empty by now, comes back for
// him.
func TestWhoWaitedForTheMoveIsAloneAfterIt(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a := th.dial("a", "1", Place{}, pbx1, nil)
		synctest.Wait()
		a.dawdle()
		answer := th.relocate("1", pbx1)
		synctest.Wait()
		s := th.call("s", "1", nil)
		synctest.Wait()
		if v, _ := th.Room(t.Context(), "1"); v.Prompting != 1 {
			t.Errorf("%+v", v)
		}
		a.dies(ReasonHangup)
		synctest.Wait()
		if got := <-answer; got.err != nil || len(got.moves) != 0 {
			t.Errorf("the move: %+v", got)
		}
		want(t, "mixer", th.mixer("1"), "native")
		th.agree("1")
		s.sink.Post(LegGone{Leg: s.id, Reason: ReasonHangup})
		want(t, "he was in", line1(outcome(t, s)), "joined hangup hangup")
	})
}

// TestACommandOnTheWayIsAnsweredWhenItIsTrue, and not when it only looks so.
func TestACommandOnTheWayIsAnsweredWhenItIsTrue(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a := th.dial("a", "1", Place{}, pbx1, nil)
		synctest.Wait()
		th.stageAt(Place{}).sink.Post(Talking{1, true})
		synctest.Wait()
		th.types()
		th.slow = &pbx1
		a.dawdle()
		answer := th.relocate("1", pbx1)
		answers := make(chan error, 2)
		synctest.Wait()
		go func() { answers <- th.Do(t.Context(), "1", Mute{Member: 1, On: true}) }()
		synctest.Wait()
		a.arrive(false)
		synctest.Wait() // he is to enter muted
		go func() { answers <- th.Do(t.Context(), "1", Mute{Member: 1, On: false}) }()
		synctest.Wait()
		if len(answers) > 0 {
			t.Error("answered while it was not so")
		}
		th.stageAt(pbx1).letGo()
		<-answer
		for range 2 {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
		want(t, "events", th.types(), "participant.silent participant.muted room.moved participant.unmuted")
		th.agree("1")
	})
}

// TestNobodyHearsAnythingOnTheWay: his voice is at neither place.
func TestNobodyHearsAnythingOnTheWay(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a, b := th.dial("a", "1", Place{}, pbx1, nil), th.dial("b", "1", Place{}, pbx1, nil)
		synctest.Wait()
		a.sounds()
		a.dawdle()
		answer := th.relocate("1", pbx1)
		synctest.Wait()
		a.press("*3")
		b.sink.Post(LegGone{Leg: b.id, Reason: ReasonHangup}) // a is alone
		synctest.Wait()
		want(t, "on the way", a.sounds(), "")
		a.arrive(false)
		<-answer
		synctest.Wait()
		want(t, "there", a.sounds(), "you-are-alone *local_stream://moh")
	})
}

func TestTakenOutAtTheSwitchWhileHeLeavesIt(t *testing.T) {
	switched(t, nil, func(t *testing.T, th *theatre) {
		a := th.dial("a", "1", pbx1, pbx1, nil)
		th.dial("b", "1", pbx1, pbx1, nil)
		synctest.Wait()
		old := th.stageAt(pbx1)
		old.hold()
		answer := th.relocate("1", Place{})
		synctest.Wait()
		old.sink.Post(Left{Member: 1, Reason: ReasonKicked})
		want(t, "kicked", line1(outcome(t, a.phone)), "joined kicked kicked")
		old.letGo()
		if got := <-answer; got.err != nil || len(got.moves) != 1 {
			t.Errorf("the move: %+v", got)
		}
		th.agree("1")
	})
}
