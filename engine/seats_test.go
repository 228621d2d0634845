package engine

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// TestTheLastSeatGoesToExactlyOne lets two callers race for it 1,000 times,
// on real goroutines, and a moderator come after them.
func TestTheLastSeatGoesToExactlyOne(t *testing.T) {
	d := NewDirectory()
	d.Profiles["default"].MaxParticipants = 1
	th := newTheatre(t, d)
	for i := range 1000 {
		room := fmt.Sprintf("r%d", i)
		racers := []*phone{newPhone("a"), newPhone("b")}
		var start, ready sync.WaitGroup
		start.Add(1)
		for _, p := range racers {
			ready.Go(func() {
				start.Wait()
				p.sink = th.Arrive(p, Invite{Room: room, Dialplan: true})
				p.sink.Post(MediaUp{p.id})
			})
		}
		start.Done()
		ready.Wait()
		loser := racers[0]
		var o Outcome
		select {
		case o = <-racers[0].released:
		case o = <-racers[1].released:
			loser = racers[1]
		}
		if o.Reason != ReasonFull || loser.sounds() != "conference-full" {
			t.Fatalf("round %d: the loser got %+v", i, o)
		}
		mod := newPhone("m")
		mod.sink = th.Arrive(mod, Invite{Room: room, Variables: map[string]string{"role": "moderator"}})
		mod.sink.Post(MediaUp{mod.id})
		if v := members(t, th, room, 2); v[0].Role != "member" || v[1].Role != "moderator" {
			t.Fatalf("round %d: %+v", i, v)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := th.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// members asks until the room has n of them.
func members(t *testing.T, th *theatre, room string, n int) []MemberView {
	t.Helper()
	for {
		v, err := th.Room(t.Context(), RoomName(room))
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Members) == n && v.Prompting == 0 && v.Members[n-1].State == "joined" {
			return v.Members
		}
		if len(v.Members) > n {
			t.Fatalf("%d members, want %d", len(v.Members), n)
		}
	}
}
