package engine

import (
	"strconv"
	"testing"
	"time"
)

// TestARushIsNotToldOfForEver: sounds of comers that would wait behind others are
// left out, and come again when there is room for them.
func TestARushIsNotToldOfForEver(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.call("first", "1", nil)
		time.Sleep(time.Minute)
		s := th.stage("1")
		s.mu.Lock()
		s.lasting, s.played = true, nil
		s.mu.Unlock()
		told := func() int {
			time.Sleep(time.Millisecond)
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.played)
		}
		for i := range 20 {
			th.call(strconv.Itoa(i), "1", nil)
		}
		if n := told(); n != mostCues {
			t.Errorf("%d are told of at once", n)
		}
		s.decks.mu.Lock()
		var one OpID
		for op := range s.decks.heads {
			one = op
		}
		s.decks.mu.Unlock()
		s.EndPlay(one)
		time.Sleep(time.Millisecond)
		th.call("late", "1", nil)
		th.call("later", "1", nil)
		if n := told(); n != mostCues+1 {
			t.Errorf("%d after one was over", n-mostCues)
		}
		time.Sleep(2 * cueTime) // nobody says what became of the others
		th.call("after", "1", nil)
		if n := told(); n != mostCues+2 {
			t.Errorf("%d after a long time", n-mostCues-1)
		}
	})
}
