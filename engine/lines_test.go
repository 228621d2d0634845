package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// ledger follows calls by what is told of them, as those do who show them: whoever
// has come is there until he ends.
type ledger struct {
	mu    sync.Mutex
	there map[LegID]EventType // guarded by mu: by which he has come
	again map[LegID]bool      // guarded by mu: two calls of one id, as when a switch has lost one and sends it again
	wrong []string            // guarded by mu: what was told of who is not there
	heard int                 // guarded by mu
}

// note takes over an event, and says whether it is about a call alone.
func (l *ledger) note(e Event) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.there == nil {
		l.there, l.again = map[LegID]EventType{}, map[LegID]bool{}
	}
	_, known := l.there[e.Leg]
	late := e.Invite.Job != "" // answered when nobody waited for it any more
	switch e.Type {
	case EventArrived:
		l.heard++
		l.there[e.Leg], l.again[e.Leg] = e.Type, l.again[e.Leg] || known
		return true
	case EventEnded:
		if delete(l.there, e.Leg); !known && !late {
			l.wrong = append(l.wrong, fmt.Sprintf("%s ended, who had not come", e.Leg))
		}
		return true
	case EventDialed:
		if e.Dial.State == DialAnswered { // else it has not come about, and nothing has arrived
			l.there[e.Leg] = e.Type
		}
	case EventJoined, EventWaiting, EventRestored, EventLeft, EventRejected:
		if !known && !late && !l.again[e.Leg] {
			l.wrong = append(l.wrong, fmt.Sprintf("%s of %s, who is not there", e.Type, e.Leg))
		}
	default:
	}
	return false
}

// balance fails where a call is still there, or was told of wrongly.
func (l *ledger) balance(t testing.TB) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.there) > 0 {
		t.Errorf("told of to the end, these are still there: %v", l.there)
	}
	if len(l.wrong) > 0 {
		t.Errorf("told: %s", strings.Join(l.wrong, "; "))
	}
}

// TestACallIsToldOfFromItsArrivalOn, also where it never becomes a member.
func TestACallIsToldOfFromItsArrivalOn(t *testing.T) {
	bubble(t, func(p *Profile) { p.Member.PINs = []PIN{NewPIN("1")} }, func(t *testing.T, th *theatre) {
		p := newPhone("a")
		p.listen()
		th.arrive(p, Invite{Room: "1", Kind: "sip", Switch: "pbx1", Caller: Caller{"1001", "Ann"}})
		synctest.Wait()
		th.calls.mu.Lock()
		want(t, "come", string(th.calls.there["a"]), string(EventArrived))
		th.calls.mu.Unlock()
		p.press("2#2#2#")
		synctest.Wait()
		p.sink.Post(LegGone{Leg: "a", Reason: ReasonHangup})
		outcome(t, p)
		th.calls.mu.Lock()
		defer th.calls.mu.Unlock()
		if len(th.calls.there) > 0 {
			t.Errorf("still there: %v", th.calls.there)
		}
	})
}

// TestWhoHangsUpBetweenTwoRoomsHasLeft: nobody waits for him in the next.
func TestWhoHangsUpBetweenTwoRoomsHasLeft(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		p, there, moved := th.between(t)
		th.types()
		p.sink.Post(LegGone{Leg: "a", Reason: ReasonHangup})
		synctest.Wait()
		there.letGo()
		<-moved
		want(t, "outcome", line1(outcome(t, p)), "joined hangup hangup")
		want(t, "told", th.told("1"), "participant.left hangup, room.ended hangup")
	})
}

// TestManyCallsEndOnce: callers who type wrong PINs and right ones, are asked for
// the number, hang up anywhere, are hung up, sent elsewhere, and find the room full.
func TestManyCallsEndOnce(t *testing.T) {
	for seed := range uint64(20) {
		bubble(t, func(p *Profile) {
			p.Member.PINs, p.Moderator.PINs = []PIN{NewPIN("1")}, []PIN{NewPIN("2")}
			p.WaitForModerator, p.MaxParticipants, p.WelcomeSound = true, 20, "welcome"
		}, func(t *testing.T, th *theatre) {
			dice := rand.New(rand.NewPCG(seed, 1))
			var all []*phone
			for i := range 100 {
				p := newPhone(fmt.Sprint("c", i))
				if dice.IntN(3) == 0 {
					p.listen()
				}
				in := Invite{Room: fmt.Sprint(dice.IntN(3)), Source: string(p.id), Dialplan: dice.IntN(2) == 0}
				if in.Room == "0" {
					in.Room = ""
				}
				th.arrive(p, in)
				all = append(all, p)
				roam(t, th, dice, all)
			}
			for range 200 {
				roam(t, th, dice, all)
			}
			for _, p := range all {
				p.sink.Post(LegGone{Leg: p.id, Reason: ReasonHangup})
			}
			synctest.Wait()
			time.Sleep(time.Minute)
			th.calls.balance(t)
			want(t, "arrivals", fmt.Sprint(th.calls.heard), "100")
		})
	}
}

// roam does something about one of the calls, which may be over.
func roam(t *testing.T, th *theatre, dice *rand.Rand, all []*phone) {
	p := all[dice.IntN(len(all))]
	switch dice.IntN(8) {
	case 0:
		p.sink.Post(LegGone{Leg: p.id, Reason: ReasonHangup})
	case 1:
		_ = th.HangUp(t.Context(), p.id, CauseBusy) // it may be over
	case 2:
		room := RoomName(fmt.Sprint(1 + dice.IntN(2)))
		_ = th.Do(t.Context(), room, Transfer{Member: MemberID(1 + dice.IntN(40)), To: "3"}) // likewise
	case 3:
		p.press("2#")
	case 4:
		p.press("3#")
	case 5:
		p.press("1#")
	case 6:
		synctest.Wait()
	default:
		time.Sleep(time.Duration(dice.IntN(3000)) * time.Millisecond)
	}
}
