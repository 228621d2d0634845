package freeswitch_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/adapter/freeswitch"
	"parley/engine"
	"parley/esl/esltest"
)

// pbx is a rig with a switch that mixes rooms itself.
type pbx struct {
	*rig
	core *esltest.Core
	link *freeswitch.Link
	away sync.Map // "down": nobody answers when we connect
	halt context.CancelFunc
	ran  chan error

	parted bool
}

var errDown = errors.New("nobody answers")

// onSwitch runs a test with a switch that is linked.
func onSwitch(t *testing.T, test func(*pbx)) {
	t.Helper()
	inBubble(t, func(r *rig) {
		p := &pbx{rig: r, core: esltest.NewCore(r), ran: make(chan error, 1)}
		p.link = r.adapter.NewLink(freeswitch.LinkOptions{Name: "pbx1", Address: "192.0.2.9:8021", Password: "ClueCon", Dial: p.dial})
		ctx, halt := context.WithCancel(r.Context())
		p.halt = halt
		go func() { p.ran <- p.link.Run(ctx) }()
		p.until("the switch is linked", func() bool { _, up, _ := p.link.Check(); return up })
		defer p.part()
		test(p)
	})
}

// part is our shutdown.
func (p *pbx) part() {
	if p.parted {
		return
	}
	p.parted = true
	p.core.Go()
	p.adapter.Retreat()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.Context()), time.Minute)
	defer cancel()
	if err := p.exchange.Close(ctx); err != nil {
		p.Error(err)
	}
	p.adapter.Wait(ctx)
	if ctx.Err() != nil {
		p.Error("some calls were not given back in a minute")
	}
	p.halt()
	<-p.ran
}

func (p *pbx) dial(context.Context) (net.Conn, error) {
	if _, down := p.away.Load("down"); down {
		return nil, errDown
	}
	near, far := net.Pipe()
	p.core.Connect(far)
	return near, nil
}

// lose cuts the link, and keeps it from coming back until regain.
func (p *pbx) lose() {
	p.away.Store("down", true)
	p.core.Cut()
	p.until("the link is lost", func() bool { _, up, _ := p.link.Check(); return !up })
}

func (p *pbx) regain() {
	p.away.Delete("down")
	p.until("the link is back", func() bool { _, up, _ := p.link.Check(); return up })
}

// until waits for something, for a minute.
func (p *pbx) until(what string, is func() bool) {
	p.Helper()
	for limit := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			p.Fatalf("not so after a minute: %s", what)
		}
	}
}

// uuid is that of caller n.
func uuid(n int) string { return fmt.Sprintf("%08d-1111-4111-8111-111111111111", n) }

// options are those of caller n.
func (p *pbx) options(n int, vars map[string]string) esltest.CallOptions {
	return esltest.CallOptions{
		UUID: uuid(n), Core: p.core, Vars: vars,
		Headers: map[string]string{"Caller-Caller-ID-Name": fmt.Sprint("Caller ", n), "Caller-Caller-ID-Number": fmt.Sprint(1000 + n)},
	}
}

// come brings caller n into a room of the switch.
func (p *pbx) come(n int, room string) *esltest.Call {
	p.Helper()
	c := p.call(p.options(n, vars(room)))
	p.awaitOf(engine.EventJoined, n)
	return c
}

// awaitOf waits for an event about caller n.
func (p *pbx) awaitOf(want engine.EventType, n int) engine.Event {
	p.Helper()
	for {
		if e := p.await(want); e.Leg == engine.LegID(uuid(n)) {
			return e
		}
	}
}

// order asks a command of a room.
func (p *pbx) order(room string, c engine.Command) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), 30*time.Second)
	defer cancel()
	if err := p.exchange.Do(ctx, engine.RoomName(room), c); err != nil {
		p.Errorf("%T%+v: %v", c, c, err)
	}
}

// roster is a room as the engine shows it; empty when there is none.
func (p *pbx) roster(room string) engine.RoomView {
	v, err := p.exchange.Room(p.Context(), engine.RoomName(room))
	if err != nil {
		return engine.RoomView{}
	}
	return v
}

// differences are those between a room's members and its conference's.
func (p *pbx) differences(room string) (all []string) {
	seen := map[string]bool{}
	view := p.roster(room)
	here := len(view.Members) > 0 && view.Mixer != "native" // else members need not stand in the conference
	stands := here
	for _, m := range view.Members {
		seen[string(m.CallID)] = true
		in, ok := p.core.Member(string(m.CallID))
		stands = stands || ok && in.Conference == room
		switch {
		case !ok && !here:
		case !ok || in.Conference != room:
			all = append(all, fmt.Sprintf("%s is not in the conference", m.CallID))
		case m.State == "waiting":
		case in.Beside && in.Mute: // his leg would be silent at the source
			all = append(all, fmt.Sprintf("%s is with us, and muted at the switch", m.CallID))
		case !in.Beside && (in.Mute != m.Muted || in.Deaf != m.Deaf):
			all = append(all, fmt.Sprintf("%s: %+v at the switch, %+v on the roster", m.CallID, in, m))
		}
	}
	list := p.core.API("conference", "json_list")
	for n := range 100 {
		if in, ok := p.core.Member(uuid(n)); ok && in.Conference == room && stands && !seen[uuid(n)] {
			all = append(all, fmt.Sprintf("%s is in the conference alone", uuid(n)))
		}
	}
	if len(all) > 0 {
		all = append(all, list)
	}
	return all
}

// agree checks that the switch and we see a room alike.
func (p *pbx) agree(room string) {
	p.Helper()
	if all := p.differences(room); all != nil {
		p.Errorf("room %s:\n%s", room, strings.Join(all, "\n"))
	}
}

// sent says how often the switch was sent a command that begins so, over any
// socket.
func sent(requests []string, begin string) int {
	n := 0
	for _, q := range requests {
		if strings.HasPrefix(q, begin) {
			n++
		}
	}
	return n
}

// apps waits for an application that a call is to run.
func (p *pbx) app(c *esltest.Call, name string) esltest.App {
	p.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case a := <-c.Apps():
			if a.Name == name {
				return a
			}
		case <-limit:
			p.Fatalf("no %s", name)
		}
	}
}

// played are the applications that a call ran so far, and what with.
func played(c *esltest.Call) (all []string) {
	for {
		select {
		case a := <-c.Apps():
			all = append(all, a.String())
		default:
			return all
		}
	}
}

// onTheSwitch makes the rules of a room that the switch mixes.
func onTheSwitch(room string) func(*engine.Profile) {
	return func(p *engine.Profile) {
		p.Mixer, p.ConferenceProfile = engine.MixerSwitch, "parley"
		p.AloneSound, p.MOHSound, p.EntryTone, p.ExitTone, p.KickedSound = "", "", "", "", ""
		p.MutedSound, p.UnmutedSound, p.DeafSound, p.UndeafSound, p.LockedNowSound, p.UnlockedSound = "", "", "", "", "", ""
		p.EndedSound = ""
		switch room {
		case "4001":
			p.AloneSound, p.MOHSound = "you-are-alone", "local_stream://moh"
			p.KickedSound = "kicked"
			p.WelcomeSound = "welcome"
		case "4101":
			p.Member.PINs = []engine.PIN{engine.NewPIN("4711")}
		case "4102":
			p.WaitForModerator, p.WaitPrompt, p.WaitSound = true, "wait-for-moderator", "local_stream://moh"
		}
	}
}

var _ = slices.Contains[[]string]
