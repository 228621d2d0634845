package engine

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// from lets a call of a source arrive in a room.
func (th *theatre) from(source string, room string) *phone {
	p := newPhone(source)
	th.arrive(p, Invite{Room: room, Source: source, Dialplan: true})
	synctest.Wait()
	return p
}

// inside is how many are in a room.
func (th *theatre) inside(room RoomName) int {
	th.t.Helper()
	synctest.Wait()
	v, err := th.Room(th.t.Context(), room)
	if err != nil {
		return 0
	}
	return len(v.Members)
}

func TestGuessesAtTheSameMomentAreCounted(t *testing.T) {
	bubble(t, pins, func(t *testing.T, th *theatre) {
		var calls []*phone
		for i := range 40 {
			calls = append(calls, th.from("guesser", fmt.Sprint(1+i%2)))
		}
		for _, p := range calls {
			p.press("1#")
		}
		for _, p := range calls {
			p.press("1234#") // right, and too late
		}
		for _, p := range calls {
			want(t, "guess", line1(outcome(t, p)), "rejected throttled")
		}
	})
}

// The number of a call is what the caller says it is.
func TestGuessesUnderManyNumbersOfOneTrunk(t *testing.T) {
	bubble(t, pins, func(t *testing.T, th *theatre) {
		refused := 0
		for n := range 60 {
			p := th.from(fmt.Sprintf("trunk/%d", n), "1")
			p.press("1#")
			synctest.Wait()
			select {
			case o := <-p.released:
				refused++
				want(t, "guess", line1(o), "rejected throttled")
			default:
				p.sink.Post(LegGone{Leg: p.id, Reason: ReasonHangup})
			}
		}
		want(t, "refused", fmt.Sprint(refused), "40")
		late := th.from("trunk/99", "1")
		want(t, "right PIN of the trunk", line1(outcome(t, late)), "rejected throttled")
		th.from("trunk/99", "2").press("1234#")
		want(t, "in another room", fmt.Sprint(th.inside("2")), "1")
		th.from("other/99", "1").press("1234#")
		want(t, "of another trunk", fmt.Sprint(th.inside("1")), "1")
		time.Sleep(11 * time.Second)
		th.from("trunk/99", "1").press("1234#")
		want(t, "after a while", fmt.Sprint(th.inside("1")), "2")
	})
}

// TestWhoKnowsThePINIsNotLockedOutByGuessers of his trunk: he has given it before.
func TestWhoKnowsThePINIsNotLockedOutByGuessers(t *testing.T) {
	th := newThrottle(ThrottleOptions{})
	now := time.Unix(1e9, 0)
	if !th.guess("1", "trunk/regular", now) {
		t.Fatal("the first guess is not judged")
	}
	th.right("1", "trunk/regular", now)
	n := 0
	for th.guess("1", fmt.Sprint("trunk/guesser", n), now) {
		n++
	}
	if n != DefaultThrottleRoomFailures {
		t.Errorf("%d guesses under as many numbers", n)
	}
	if th.tries("1", "trunk/new", now, 3) != 0 || th.guess("1", "trunk/new", now) {
		t.Error("a new number of the trunk may guess")
	}
	if th.tries("1", "trunk/regular", now, 3) != 3 || !th.guess("1", "trunk/regular", now) {
		t.Error("who knows the PIN is locked out")
	}
	if th.tries("2", "trunk/regular", now, 3) != 3 || th.tries("1", "other/new", now, 3) != 3 || th.tries("1", "192.0.2.1", now, 3) != 3 {
		t.Error("another room, or another way there, is slowed down")
	}
	if got := th.braked(now); got != 1 {
		t.Errorf("%d are slowed down", got)
	}
	for range 10 { // one each period, and no more for waiting a little
		now = now.Add(DefaultThrottlePeriod)
		if !th.guess("1", "trunk/patient", now) && !th.guess("1", fmt.Sprint("trunk/patient", now), now) || th.guess("1", "trunk/next", now) {
			t.Fatal("not one guess each period")
		}
	}
}

// TestGuessesFromManyAddresses: they are counted together, as those of a trunk.
func TestGuessesFromManyAddresses(t *testing.T) {
	th := newThrottle(ThrottleOptions{RoomFailures: 8})
	now := time.Unix(1e9, 0)
	n := 0
	for th.guess("1", fmt.Sprint("192.0.2.", n), now) {
		n++
	}
	if n != 8 || !th.guess("1", "trunk/7", now) {
		t.Errorf("%d guesses of as many addresses", n)
	}
}

// TestSlipsOfAWholeDay do not add up to a brake.
func TestSlipsOfAWholeDay(t *testing.T) {
	th := newThrottle(ThrottleOptions{})
	now := time.Unix(1e9, 0)
	for i := range 2000 {
		now = now.Add(2 * DefaultThrottlePeriod)
		if !th.guess("1", fmt.Sprint("trunk/", i), now) {
			t.Fatalf("slip %d is not judged", i)
		}
	}
}

func TestWhatIsNoWrongGuess(t *testing.T) {
	bubble(t, pins, func(t *testing.T, th *theatre) {
		for range 4 { // nothing typed, three times each
			p := th.from("shy", "1")
			time.Sleep(time.Minute)
			want(t, "nothing typed", line1(outcome(t, p)), "rejected pin_failed")
		}
		for range 20 {
			th.from("shy", "1").press("1234#")
		}
		want(t, "right PINs", fmt.Sprint(th.inside("1")), "20")
	})
}

func TestTheBrakeStopsNobodyWhoNeedsNoPIN(t *testing.T) {
	moderators := func(p *Profile) { p.Moderator.PINs = []PIN{NewPIN("98765")} }
	bubble(t, moderators, func(t *testing.T, th *theatre) {
		guesser := th.from("office", "1")
		guesser.press("1#2#3#")
		want(t, "guess", line1(outcome(t, guesser)), "rejected pin_failed")
		guesser = th.from("office", "1")
		guesser.press("4#5#98765#")
		want(t, "guess", line1(outcome(t, guesser)), "rejected throttled")
		th.from("office", "1").press("#")
		want(t, "a member of the same office", fmt.Sprint(th.inside("1")), "1")
	})
}

func TestThrottleForgets(t *testing.T) {
	th := newThrottle(ThrottleOptions{Sources: 100})
	now := time.Unix(1e9, 0)
	for range 5 {
		th.guess("1", "guesser", now)
	}
	for i := range 100_000 {
		th.guess("1", fmt.Sprint("other", i), now)
		if i%10 == 0 && (th.guess("1", "guesser", now) || th.guess("1", fmt.Sprint("crowd/", i), now) && i > 500) {
			t.Fatalf("who keeps guessing is forgotten after %d others", i)
		}
	}
	if n := len(th.young) + len(th.old); n > 101 {
		t.Errorf("%d sources remembered", n)
	}
	now = now.Add(DefaultThrottlePeriod)
	for i, right := range []bool{true, false} {
		if th.guess("1", "guesser", now) != right {
			t.Errorf("guess %d of a period: %v", i, !right)
		}
	}
	if n := th.braked(now); n != 2 { // guesser, and the trunk of the crowd
		t.Errorf("%d sources are slowed down", n)
	}
	now = now.Add(61 * DefaultThrottlePeriod)
	if n := th.braked(now); n != 0 {
		t.Errorf("%d sources are slowed down after a long time", n)
	}
	if n := th.tries("1", "guesser", now, 3); n != 3 {
		t.Errorf("%d tries after a long time", n)
	}
	for i := range 6 {
		if right := th.guess("1", "guesser", now); right != (i < 5) {
			t.Errorf("guess %d after a long time: %v", i, right)
		}
	}
}
