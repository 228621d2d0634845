package fsapi

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
)

// asksPIN is a room that asks for a PIN after a welcome.
func asksPIN(p *engine.Profile) {
	p.WelcomeSound, p.Member.PINs = "welcome", []engine.PIN{engine.NewPIN("1")}
}

// TestACallerIsAChannelFromHisArrival: while he is asked for the number, or a PIN, and
// refused; as the switch's "show" and uuid_… have one.
func TestACallerIsAChannelFromHisArrival(t *testing.T) {
	for room, data := range map[string]string{"3001": "3001@default", "": "", "no room": "no room@default"} {
		t.Run(room, func(t *testing.T) {
			ruled(t, asksPIN, func(r *rig) {
				p := r.begins(onTheWay, room)
				if names, _ := r.all(); !slices.Equal(names, []string{"CHANNEL_CREATE", "CHANNEL_ANSWER"}) {
					t.Errorf("told %q", names)
				}
				row := onTheWay + ",inbound,2000-01-01 00:00:00,946684800,parley/pbx1/1001,CS_EXECUTE,Ann,1001,,"
				if list := r.api("show channels"); !strings.Contains(list, row+room+",conference,"+data+",XML,") || !strings.Contains(list, "\n1 total.\n") {
					t.Errorf("channels: %q", list)
				}
				r.says("show calls count", "\n1 total.\n")
				r.says("uuid_exists "+onTheWay, "true")
				r.says("uuid_setvar "+onTheWay+" a b", "+OK\n")
				r.says("uuid_getvar "+onTheWay+" a", "b")
				r.says("uuid_getvar "+onTheWay+" caller_id_number", "1001")
				if out := r.api("uuid_dump " + onTheWay); !strings.Contains(out, "Answer-State: answered\n") || !strings.Contains(out, "variable_a: b\n") {
					t.Errorf("dump: %s", out)
				}
				if out := r.api("status"); !strings.Contains(out, "\n1 session(s) since startup\n1 session(s) - peak 1,") {
					t.Errorf("status: %s", out)
				}
				r.says("uuid_broadcast "+onTheWay+" tone:x", "-ERR Operation failed\n")
				r.says("uuid_kill "+onTheWay+" USER_BUSY", "+OK\n")
				if o := <-p.out; !o.Hangup || o.Cause != engine.CauseBusy {
					t.Errorf("%+v", o)
				}
				names, events := r.all()
				if want := []string{"CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"}; !slices.Equal(names, want) {
					t.Fatalf("told %q, want %q", names, want)
				}
				if have := events[1].Value("Hangup-Cause"); have != "USER_BUSY" {
					t.Errorf("cause %s", have)
				}
				r.says("uuid_exists "+onTheWay, "false")
				r.says("show channels", "\n0 total.\n")
			})
		})
	}
}

// begins is a call by a switch that has its audio, and is not let in yet.
func (r *rig) begins(id engine.LegID, room string) *phone {
	p := &phone{id: id, out: make(chan engine.Outcome, 1)}
	p.sink = r.x.Arrive(p, engine.Invite{Room: room, Kind: "freeswitch", Switch: "pbx1", Dialplan: true, Caller: engine.Caller{Number: "1001", Name: "Ann"}})
	p.sink.Post(engine.MediaUp{Leg: p.id})
	synctest.Wait()
	return p
}

// TestWhoHearsGoodbyeIsAChannel, until his call has ended.
func TestWhoHearsGoodbyeIsAChannel(t *testing.T) {
	ruled(t, func(p *engine.Profile) { p.KickedSound = "kicked" }, func(r *rig) {
		r.call("3001", "1001", nil)
		p := r.call("3001", "1002", nil)
		id := uniqueID(p.id)
		r.all()
		r.says("conference 3001 kick 2", "+OK kicked 2\n")
		r.says("uuid_exists "+id, "true")
		if names, _ := r.all(); !slices.Equal(names, []string{"kick-member", "del-member"}) {
			t.Errorf("told %q", names)
		}
		time.Sleep(time.Minute)
		r.says("uuid_exists "+id, "false")
		if names, _ := r.all(); !slices.Equal(names, []string{"CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"}) {
			t.Errorf("told %q", names)
		}
	})
}

// TestManyCallersAreChannelsOnce: whatever they type, and however they go.
func TestManyCallersAreChannelsOnce(t *testing.T) {
	ruled(t, asksPIN, func(r *rig) {
		dice := rand.New(rand.NewPCG(1, 2))
		var all []*phone
		for i := range 300 {
			p := r.begins(engine.LegID(fmt.Sprintf("%08d-2222-4333-8444-555555555555", i)), []string{"", "3001", "3002", "no room"}[dice.IntN(4)])
			all = append(all, p)
			for range 3 {
				r.roams(dice, all[dice.IntN(len(all))])
			}
		}
		for _, p := range all {
			p.sink.Post(engine.LegGone{Leg: p.id, Reason: engine.ReasonHangup})
		}
		time.Sleep(time.Minute)
		r.wait()
		told := map[string]int{}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, e := range r.told {
			if strings.HasPrefix(e.Name(), "CHANNEL_") {
				told[e.Name()+e.Value("Unique-ID")]++
			}
		}
		for _, name := range []string{"CREATE", "ANSWER", "HANGUP", "HANGUP_COMPLETE", "DESTROY"} {
			for _, p := range all {
				if n := told["CHANNEL_"+name+string(p.id)]; n != 1 {
					t.Errorf("%s of %s: %d times", name, p.id, n)
				}
			}
		}
	})
}

// roams has one of the callers do something.
func (r *rig) roams(dice *rand.Rand, p *phone) {
	switch dice.IntN(6) {
	case 0:
		p.sink.Post(engine.LegGone{Leg: p.id, Reason: engine.ReasonHangup})
	case 1:
		r.api("uuid_kill " + string(p.id))
	case 2:
		r.api("uuid_transfer " + string(p.id) + " 3003")
	case 3:
		p.sink.Post(engine.Digit{Leg: p.id, Digit: '1'})
		p.sink.Post(engine.Digit{Leg: p.id, Digit: '#'})
	case 4:
		p.sink.Post(engine.Digit{Leg: p.id, Digit: '2'})
		p.sink.Post(engine.Digit{Leg: p.id, Digit: '#'})
	default:
		time.Sleep(time.Duration(dice.IntN(2000)) * time.Millisecond)
	}
}
