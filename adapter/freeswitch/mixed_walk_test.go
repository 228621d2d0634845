package freeswitch_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/engine"
	"parley/esl/esltest"
)

// walker is one call on a walk.
type walker struct {
	*esltest.Call
	n      int
	socket net.Conn // nil: it came by a dialplan of the switch's own
	cut    bool
}

// walk is a room of a switch to which anything happens.
type walk struct {
	*pbx
	*rand.Rand
	calls []*walker
	down  bool
	did   []string
	quit  chan struct{}
	group sync.WaitGroup
}

// TestAWanderThroughARoomOfTheSwitch does what comes to its mind, and then
// waits: the roster is what the conference has, and whoever has left has left
// in order.
func TestAWanderThroughARoomOfTheSwitch(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			onSwitch(t, func(p *pbx) {
				w := &walk{pbx: p, Rand: rand.New(rand.NewPCG(seed, 7)), quit: make(chan struct{})}
				defer w.group.Wait()
				defer close(w.quit)
				w.group.Go(w.listen)
				for range 50 {
					w.step()
					time.Sleep(time.Duration(w.IntN(400)) * time.Millisecond)
				}
				if w.down {
					p.regain()
				}
				w.core.Lag(0, 0)
				time.Sleep(45 * time.Second)
				w.judge()
			})
		})
	}
}

// listen lets events go.
func (w *walk) listen() {
	for {
		select {
		case <-w.events:
		case <-w.quit:
			return
		}
	}
}

// play is the switch's side of what a call is told to run.
func (w *walk) play(c *walker, fails bool) {
	for {
		select {
		case a := <-c.Apps():
			if a.Name != "bridge" && a.Name != "playback" {
				continue
			}
			time.Sleep(50 * time.Millisecond)
			_, rest, _ := strings.Cut(a.Arg, "sofia/internal/")
			token, _, _ := strings.Cut(rest, "@")
			if a.Name == "playback" || fails {
				c.End(a.Name)
			} else if _, err := w.tickets.claim(c.Call, token); err == nil {
				c.Answer()
			}
		case <-w.quit:
			return
		}
	}
}

// step does one thing.
func (w *walk) step() {
	steps := []func() string{
		w.comes, w.comes, w.comes, w.enters, w.enters, w.somebody, w.somebody, w.somebody, w.orders, w.orders, w.orders,
		w.atTheSwitch, w.atTheSwitch, w.atTheSwitch, w.theLink, w.moves, w.lags,
	}
	w.did = append(w.did, steps[w.IntN(len(steps))]())
}

func (w *walk) comes() string {
	c := &walker{n: len(w.calls) + 1, socket: w.lines.connect()}
	c.Call = w.callOver(c.socket, w.options(c.n, vars("4000")))
	return w.follow(c, fmt.Sprint("comes ", c.n))
}

func (w *walk) enters() string {
	c := &walker{n: len(w.calls) + 1}
	flags := []string{"", "+flags{mute}", "+flags{moderator|deaf}"}[w.IntN(3)]
	c.Call = w.core.Enter(w.options(c.n, map[string]string{"sofia_profile_name": "internal"}), "4000@default"+flags)
	return w.follow(c, fmt.Sprint("enters ", c.n, flags))
}

func (w *walk) follow(c *walker, did string) string {
	fails := w.IntN(8) == 0
	w.calls = append(w.calls, c)
	w.group.Go(func() { w.play(c, fails) })
	return did
}

// somebody does something himself, or his socket is lost.
func (w *walk) somebody() string {
	if len(w.calls) == 0 {
		return "nobody"
	}
	c := w.calls[w.IntN(len(w.calls))]
	switch w.IntN(5) {
	case 0:
		c.Hangup("NORMAL_CLEARING")
		return fmt.Sprint("hangs up ", c.n)
	case 1:
		c.Fire("DTMF", "DTMF-Digit", "#")
		return fmt.Sprint("leaves ", c.n)
	case 2:
		for _, key := range "*1" {
			c.Fire("DTMF", "DTMF-Digit", string(key))
		}
		return fmt.Sprint("presses *1 ", c.n)
	case 3:
		if c.socket != nil && !c.cut {
			c.Transfer()
			return fmt.Sprint("is transferred ", c.n)
		}
	default:
		if c.socket != nil {
			c.cut = true
			_ = c.socket.Close()
			return fmt.Sprint("loses his socket ", c.n)
		}
	}
	return "nothing"
}

// orders asks something of the room.
func (w *walk) orders() string {
	id := engine.MemberID(w.IntN(len(w.calls)+1) + 1)
	on := w.IntN(2) == 0
	c := []engine.Command{engine.Mute{Member: id, On: on}, engine.Deafen{Member: id, On: on}, engine.Kick{Member: id}, engine.Lock{On: on}}[w.IntN(4)]
	w.group.Go(func() {
		ctx, cancel := context.WithTimeout(w.Context(), 20*time.Second)
		defer cancel()
		if _ = w.exchange.Do(ctx, "4000", c); ctx.Err() != nil {
			w.Errorf("%T%+v was not settled in 20 s", c, c)
		}
	})
	return fmt.Sprintf("%T%+v", c, c)
}

func (w *walk) atTheSwitch() string {
	cmd := []string{"mute", "unmute", "deaf", "undeaf", "kick", "hup", "lock", "unlock", "volume_in"}[w.IntN(9)]
	switch cmd {
	case "lock", "unlock":
	case "volume_in":
		cmd = fmt.Sprintf("volume_in %d %d", w.IntN(len(w.calls)+1)+1, w.IntN(9)-4)
	default:
		cmd = fmt.Sprintf("%s %d", cmd, w.IntN(len(w.calls)+1)+1)
	}
	w.core.API("conference", "4000 "+cmd)
	return "at the switch: " + cmd
}

func (w *walk) theLink() string {
	if w.down {
		w.regain()
	} else {
		w.lose()
	}
	w.down = !w.down
	return fmt.Sprint("link lost: ", w.down)
}

func (w *walk) moves() string {
	to := []engine.Place{{}, pbx1}[w.IntN(2)]
	done := w.relocate("4000", to)
	w.group.Go(func() { <-done })
	return "moves to " + to.String()
}

func (w *walk) lags() string {
	w.core.Lag(time.Duration(w.IntN(3)*100)*time.Millisecond, time.Duration(w.IntN(3)*100)*time.Millisecond)
	return "lag"
}

// has says whether caller n is a member.
func (w *walk) has(n int) bool {
	return slices.ContainsFunc(w.roster("4000").Members, func(m engine.MemberView) bool { return string(m.CallID) == uuid(n) })
}

// judge says whether all is well.
func (w *walk) judge() {
	w.Helper()
	w.agree("4000")
	if v := w.roster("4000"); len(v.Members) > 0 && v.Mixer != "native" {
		if list := w.core.API("conference", "json_list"); strings.Contains(list, `"locked":true`) != v.Locked {
			w.Errorf("locked: %v; %s", v.Locked, list)
		}
	}
	for _, c := range w.calls {
		if _, in := w.core.Member(uuid(c.n)); in || c.cut || w.has(c.n) {
			continue
		}
		select {
		case e := <-c.Ended():
			if !e.HungUp && !e.Moved && (e.Stuck != "" || c.socket != nil && e.Vars["parley_result"] == "") {
				w.Errorf("call %d left with %+v", c.n, e)
			}
		default:
			w.Errorf("call %d is nowhere", c.n)
		}
	}
	if n := w.tickets.open(); n != 0 {
		w.Errorf("%d tokens are still good", n)
	}
	if w.Failed() {
		w.Logf("%q", w.did)
	}
}
