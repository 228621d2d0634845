//go:build integration

package integration

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/ari"
	"parley/sip/siptest"
)

// replaced is about a client that takes the application, and leaves.
func (s *astScene) replaced() {
	s.p = run(s.T, s.at, s.config("native", "inbound", s.ast.at.astARI))
	s.pair()
	s.ring("3001", 1300)
	s.p.members(s.room("3001"), 3)
	other, err := ari.New(ari.Options{
		URL: "http://" + s.ast.at.astARI + "/ari", User: fmt.Sprintf("user-%d", s.n), Password: fmt.Sprintf("word-%d", s.n), App: s.app,
	})
	if err != nil {
		s.Fatal(err)
	}
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	var busy sync.WaitGroup
	busy.Go(func() { _ = other.Run(ctx) })
	s.told(10*time.Second, `ari ast1: another client replaced application "parley-\d+" \(ApplicationReplaced\)\. `+
		`Two adapters with one app name\? We do not fight; set app of switch ast1\. \[ari_replaced\]`, "ari_replaced")
	s.together()
	s.calls[2].Hangup()
	s.calls, s.tones = s.calls[:2], s.tones[:2]
	s.equal("after one has left while another client has the application") // found by looking, in 10 s and a bit
	leave()
	busy.Wait()
	if _, err := s.p.api.Reload(context.Background()); err != nil {
		s.Fatal(err)
	}
	s.link(10*time.Second, true, "")
	s.ring("3001", 1300)
	s.p.members(s.room("3001"), 3)
	s.together()
	s.nothing()
}

// asked waits until somebody is asked for his PIN.
func (s *astScene) asked() {
	s.Helper()
	eventually(s.T, 15*time.Second, "somebody being asked for his PIN", func() (string, bool) {
		_, calls := s.rosters()
		for _, id := range calls {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			e, err := s.p.api.ExplainCall(ctx, id)
			cancel()
			if err == nil && e.State == "pin" {
				return "", true
			}
		}
		return fmt.Sprint(calls), false
	})
}

// killed kills Parley under a room of callers who have typed PINs. When it is
// back they are what they were; who has come meanwhile is served if the switch
// has kept him.
func (s *astScene) killed(mode, websocket string) {
	s.p = run(s.T, s.at, s.config(mode, websocket, s.ast.at.astARI))
	room := s.room("3101")
	for i, pin := range []string{"98765#", "1234#", "1234#"} {
		c := s.ring("3101", []float64{500, 900, 1300}[i])
		s.asked()
		digits(s.T, c, pin)
		s.p.members(room, i+1)
	}
	if err := s.p.api.Set(context.Background(), room, "2", "muted", true); err != nil {
		s.Fatal(err)
	}
	before := s.p.state(room)
	time.Sleep(time.Second) // the last rights are on their way to the channel
	s.p.kill()
	told := len(s.p.log())
	killed := time.Now()
	late := make(chan *siptest.Call, 1)
	if websocket == "outbound" {
		go func() { late <- call(s.T, s.ast.at.astSIP, s.room("3001"), tone(700)) }()
	}
	time.Sleep(time.Second)
	s.p.start()
	s.p.members(room, 3)
	s.Logf("all three were back %v after kill -9", time.Since(killed).Round(10*time.Millisecond))
	after := s.p.state(room)
	if after.Instance != before.Instance {
		s.Errorf("it is another run: %+v, was %+v", after, before)
	}
	for i, was := range before.Members {
		m := after.Members[i]
		if m.CallID != was.CallID || m.ID != was.ID || m.Role != was.Role || m.Muted != was.Muted || !m.JoinedAt.Equal(was.JoinedAt) {
			s.Errorf("member %+v, was %+v", m, was)
		}
	}
	if err := s.p.api.Set(context.Background(), room, "2", "muted", false); err != nil {
		s.Fatal(err)
	}
	time.Sleep(2 * time.Second) // the prompt that says so is over
	if websocket == "outbound" {
		s.p.members(s.room("3001"), 1)
		s.alone = append(s.alone, <-late)
	}
	s.together()
	gaps(s.T, s.p.log()[told:], 3)
	s.equal("after")
	s.nothing()
}

// switchOff has ARI switched off, and on.
func (s *astScene) switchOff() {
	s.ast.edit("ari.conf", "res_ari.so", "[general]\nenabled = yes", "[general]\nenabled = no")
	s.told(30*time.Second, `ari ast1 http://\S+/ari: 404\. Is enabled=yes in ari\.conf and http\.conf, and is the prefix right\? \[ari_not_found\]`, "ari_not_found")
	s.together()
	s.ast.edit("ari.conf", "res_ari.so", "[general]\nenabled = no", "[general]\nenabled = yes")
	s.link(20*time.Second, true, "")
	s.equal("after ARI was switched off")
}

// dies is about faults of the whole switch: ARI that is switched off, its death
// under a mixed room, and its end in order. fs says whether there is a
// FreeSWITCH, whose leg is in the room too.
func (s *astScene) dies(fs bool) {
	room := s.room("3001")
	s.p = run(s.T, s.at, s.config("native", "outbound", s.ast.at.astARI))
	s.pair()
	s.switchOff()
	others := s.others(fs)
	s.p.members(room, 2+len(others))
	hearEachOther(s.T, append([]*guest{{Call: s.calls[0], hz: s.tones[0]}, {Call: s.calls[1], hz: s.tones[1]}}, others...))
	was := len(s.p.log())
	s.ast.kill()
	killed := time.Now()
	kinds := map[string]bool{}
	for _, m := range s.p.members(room, len(others)) {
		kinds[m.Kind] = kinds[m.Kind] || m.State == "joined" // others are on their way out
	}
	if kinds["asterisk"] || kinds["freeswitch"] != fs || !kinds["sip"] {
		s.Errorf("who is left: %v", kinds)
	}
	s.Logf("both legs had left %v after the switch was killed", time.Since(killed).Round(10*time.Millisecond))
	hearEachOther(s.T, others)
	if n := strings.Count(s.p.log(), "reason=switch_lost exit=lost"); n != 2 {
		s.Errorf("%d members left with switch_lost", n)
	}
	if n := strings.Count(s.p.log()[was:], "level=ERROR"); n != 1 {
		s.Errorf("the lost link is told %d times:\n%s", n, s.p.log()[was:])
	}
	s.ast.again()
	began := time.Now()
	s.link(20*time.Second, true, "") // it may answer for a while that it is not booted
	s.Logf("the link is up %v after the switch listens again", time.Since(began).Round(10*time.Millisecond))
	s.calls, s.tones = nil, nil
	s.ring("3001", 500)
	s.p.members(room, len(others)+1)
	hearEachOther(s.T, append(others, &guest{Call: s.calls[0], hz: 500}))
	for _, g := range others {
		g.Hangup()
	}
	s.p.members(room, 1)
	s.endsInOrder(room)
}

// others are callers who do not come by this switch: two phones, and one of a
// FreeSWITCH where there is one.
func (s *astScene) others(fs bool) []*guest {
	var all []*guest
	for _, hz := range []float64{1300, 1100} {
		all = append(all, &guest{Call: call(s.T, s.p.at.sip, s.room("3001"), tone(hz)), hz: hz})
	}
	if fs {
		c := &cell{T: s.T, p: s.p, w: watch(s.T, s.ast.at), room: s.room("3001"), hash: 300, came: 3}
		all = append(all, c.dial())
	}
	return all
}

func hearEachOther(t *testing.T, guests []*guest) {
	t.Helper()
	var calls []*siptest.Call
	var tones []float64
	for _, g := range guests {
		calls, tones = append(calls, g.Call), append(tones, g.hz)
	}
	hears(t, calls, tones)
}

// endsInOrder stops the switch while there is one member.
func (s *astScene) endsInOrder(room string) {
	was := len(s.p.log())
	s.ast.exec("asterisk", "-rx", "core stop gracefully")
	time.Sleep(time.Second)
	s.calls[0].Hangup()
	s.p.gone(room)
	s.link(20*time.Second, false, "ari_lost")
	time.Sleep(5 * time.Second)
	// lost, not there while its modules are unloaded, and a comparison that came too late
	if n := strings.Count(s.p.log()[was:], "level=ERROR") + strings.Count(s.p.log()[was:], "level=WARN"); n > 3 {
		s.Errorf("%d errors and warnings:\n%s", n, s.p.log()[was:])
	}
}
