//go:build integration

package integration

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/sip/siptest"
)

// TestFaultsOfCalls is about what goes wrong with the calls' own sockets, with
// Parley, and with the switch.
func TestFaultsOfCalls(t *testing.T) {
	t.Parallel()
	at := newPlace()
	fs := startFreeSWITCH(t, at)
	w := watch(t, at)
	var wg sync.WaitGroup
	scenes := map[string]func(*scene){
		"a call's socket is cut: no FIN":     (*scene).cutSocket,
		"a reply on a call's socket is lost": (*scene).lostReply,
		"Parley is killed":                   (*scene).killed,
	}
	next := 20 // of Parleys
	for name, play := range scenes {
		for _, mode := range modes() {
			next++
			n := next
			wg.Go(func() { t.Run(mode+"/"+name, func(t *testing.T) { play(newScene(t, w, mode, n)) }) })
		}
	}
	wg.Wait()
	t.Run("FreeSWITCH is killed", func(t *testing.T) {
		var all []*scene
		for _, mode := range modes() {
			next++
			s := newScene(t, w, mode, next)
			s.a, s.b = s.comes(), s.comes()
			s.equal("before")
			all = append(all, s)
		}
		fs.kill()
		fs.again()
		again := watch(t, at)
		for _, s := range all {
			s.w = again
			s.switchBack()
		}
	})
}

// cutSocket has a caller hang up whose socket is dead.
func (s *scene) cutSocket() {
	sockets := between(s.T, s.p.at.esl, true)
	a, b := s.joins("test_socket="+sockets.address()), s.joins("test_socket="+sockets.address())
	s.equal("before")
	sockets.set(gone)
	hears(s.T, []*siptest.Call{a.Call, b.Call}, []float64{a.hz, b.hz})
	a.Hangup()
	s.w.end(s.T, a.tag)
	s.equal("after one has hung up")
	s.members(1)
	s.Logf("log: %s", s.lineOf("participant.left"))
	b.Hangup()
	s.empty()
}

// lostReply loses the first thing that the switch says of a call.
func (s *scene) lostReply() {
	sockets := between(s.T, s.p.at.esl, true)
	sockets.loseNext("command/reply")
	began := time.Now()
	a := s.dial("test_socket=" + sockets.address())
	e := s.w.end(s.T, a.tag)
	s.Logf("his dialplan went on after %v", time.Since(began).Round(10*time.Millisecond))
	if got := strings.TrimSpace(e.Var("read_result")); got != "" || sockets.loses() != 1 {
		s.Errorf("he reads %q, %d replies were lost", got, sockets.loses())
	}
	s.Logf("log: %s", s.lineOf("connection refused"))
	s.empty()
}

// killed kills Parley under its room. Callers in the switch's own conference do
// not notice, and are its members again when it is back; those of a dialplan
// that does not try again go on in it.
func (s *scene) killed() {
	s.a, s.b = s.comes(), s.comes()
	muted := s.joins("parley_flags=mute,moderator")
	s.equal("before")
	time.Sleep(time.Second) // the last of it is on its way to the channels
	s.p.kill()
	if s.mode == "native" {
		for _, g := range []*guest{s.a, s.b, muted} {
			e := s.w.end(s.T, g.tag)
			if got := e.Var("parley_result"); got != "" || !g.heard(max(0, len(g.Record())-2*int(g.Rate())), after) {
				s.Errorf("%s did not go on; he reads %q", g.name, got)
			}
		}
		s.p.start()
		s.comes()
		s.equal("after one has come")
		return
	}
	s.together()
	s.p.start()
	s.equal("after the start")
	s.members(3)
	if m := s.roster(muted); !m.Muted || m.Role != "moderator" {
		s.Errorf("the muted moderator is %+v", m)
	}
	s.together()
	s.comes()
	s.equal("after one more has come")
	s.types(s.a, "#")
	s.members(3)
	if e := s.w.end(s.T, s.a.tag); e.Var("parley_reason") != "terminator" {
		s.Errorf("an adopted caller's dialplan reads %q", e.Var("parley_reason"))
	}
}

// switchBack is the rest of a scene whose switch was killed and is back.
func (s *scene) switchBack() {
	began := time.Now()
	eventually(s.T, agrees, "the room's end", func() (string, bool) {
		v, running := s.view()
		return fmt.Sprintf("%+v", v), !running
	})
	s.Logf("%s: the room had ended %v after the switch was back: %s", s.mode, time.Since(began).Round(10*time.Millisecond), s.lineOf("participant.left"))
	if n := strings.Count(s.p.log(), "reason=switch_lost exit=lost"); n != 2 {
		s.Errorf("%d members left with switch_lost", n)
	}
	s.link(40*time.Second, true, "")
	s.a, s.b = s.comes(), s.comes()
	s.equal("after new ones have come")
	s.together()
}

// lineOf is the last line of the log with some words.
func (s *scene) lineOf(words string) string {
	s.Helper()
	return eventually(s.T, 10*time.Second, "a log line with "+words, func() (string, bool) {
		lines := slices.Collect(strings.Lines(s.p.log()))
		for _, l := range slices.Backward(lines) {
			if strings.Contains(l, words) {
				return strings.TrimSpace(l), true
			}
		}
		return "none", false
	})
}

// empty waits until neither side has anything of this scene.
func (s *scene) empty() {
	s.Helper()
	eventually(s.T, agrees, "nobody being left", func() (string, bool) {
		roster, calls := s.rosters()
		return fmt.Sprintf("roster %v, switch %v", roster, calls), len(roster)+len(calls) == 0
	})
}
