//go:build integration

package integration

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/sip/siptest"
)

// agrees is how long roster and switch may differ after a fault.
const agrees = 12 * time.Second

// fault is something that goes wrong between Parley and its switch.
type fault struct {
	name  string
	line  string        // in Parley's log, once it has noticed; "": there is nothing to notice
	code  string        // in its status meanwhile; "": the link stays up
	limit time.Duration // for noticing
	harm  func(*scene)
	mend  func(*scene)
	slow  time.Duration // for the link being back, when it is not at once
}

// scene is a Parley with a proxy before its switch, and a room of two callers.
type scene struct {
	cell
	proxy *proxy // of its link to the switch
	// Event sockets that do not let Parley in: the password is another one, and the
	// access list lets nobody in.
	locked, closed string
	a, b           *guest
}

// linkFaults are those of the link over which Parley looks after its switch.
func linkFaults() []fault {
	return []fault{
		{
			name: "the port is closed", line: `connection refused. Is mod_event_socket loaded`, code: "esl_refused", limit: 20 * time.Second,
			harm: func(s *scene) { s.proxy.shut() },
			mend: func(s *scene) { s.proxy.reopen() },
			slow: 20 * time.Second,
		},
		{
			name: "the password is wrong", line: `password refused ("-ERR invalid"). Set password_file of switch pbx1`, code: "esl_auth",
			limit: 20 * time.Second,
			harm:  func(s *scene) { s.proxy.aim(s.locked) },
			mend:  func(s *scene) { s.proxy.aim(s.fs().at.fsESL) },
			slow:  40 * time.Second,
		},
		{
			name: "the access list refuses us", line: `switch rejected our address by ACL ("Access Denied, go away.")`, code: "esl_acl",
			limit: 20 * time.Second,
			harm:  func(s *scene) { s.proxy.aim(s.closed) },
			mend:  func(s *scene) { s.proxy.aim(s.fs().at.fsESL) },
			slow:  40 * time.Second,
		},
		{
			name: "the cable is cut: no FIN", line: "esl pbx1", code: "esl_lost", limit: 45 * time.Second,
			harm: func(s *scene) { s.proxy.set(gone) },
			mend: func(s *scene) { s.proxy.set(flowing) },
			slow: 40 * time.Second,
		},
		{
			name: "nothing moves for 60 s", line: "esl pbx1", code: "esl_lost", limit: 45 * time.Second,
			harm: func(s *scene) {
				s.proxy.set(held)
				time.AfterFunc(60*time.Second, func() { s.proxy.set(flowing) })
			},
			mend: func(s *scene) {
				s.proxy.mu.Lock()
				turn := s.proxy.turn
				s.proxy.mu.Unlock()
				<-turn
			},
			slow: 40 * time.Second,
		},
		{
			name: "a reply is lost", line: "esl pbx1", limit: 45 * time.Second,
			harm: func(s *scene) { s.proxy.loseNext("api/response") },
			mend: func(s *scene) {
				if s.proxy.loses() != 1 {
					s.Error("no reply was lost")
				}
			},
			slow: 40 * time.Second,
		},
	}
}

// flood is a fault that every Parley of the switch gets to feel.
func flood() fault {
	return fault{
		name: "5,000 events at once",
		harm: func(s *scene) { s.burst(5000) },
		mend: func(*scene) {},
		slow: 40 * time.Second,
	}
}

// TestFaultsOfTheLink runs every fault, each with a Parley of its own, at the
// same time. A room that Parley mixes must not hear of them.
func TestFaultsOfTheLink(t *testing.T) {
	t.Parallel()
	at, locked, closed := newPlace(), newPlace(), newPlace()
	startFreeSWITCH(t, at)
	freeswitchAt(t, locked, "FS_ESL_PASSWORD=another")
	freeswitchAt(t, closed, "FS_ESL_ACL=nobody")
	listening(t, locked.fsESL)
	listening(t, closed.fsESL)
	w := watch(t, at)
	var wg sync.WaitGroup
	next := 0
	all := func(faults ...fault) {
		for _, f := range faults {
			for _, mode := range modes() {
				next++
				n := next
				wg.Go(func() {
					t.Run(mode+"/"+f.name, func(t *testing.T) {
						s := newScene(t, w, mode, n)
						s.locked, s.closed = locked.fsESL, closed.fsESL
						s.suffers(f)
					})
				})
			}
		}
		wg.Wait()
	}
	all(linkFaults()...)
	all(flood())
}

// newScene starts the n-th Parley of a test, behind a proxy.
func newScene(t *testing.T, w *witness, mode string, n int) *scene {
	t.Helper()
	s := &scene{cell: cell{T: t, w: w, mode: mode, room: fmt.Sprintf("f-%s-%d", mode, n), hash: 100 + n}, proxy: between(t, w.at.fsESL, false)}
	at := newPlace()
	s.p = run(t, at, contractConfig(mode, at, s.proxy.address()))
	return s
}

// suffers is one fault from its beginning to its end.
func (s *scene) suffers(f fault) {
	s.Helper()
	s.a, s.b = s.comes(), s.comes()
	s.equal("before")
	was := len(s.p.log())
	began := time.Now()
	f.harm(s)
	if f.line != "" {
		line := eventually(s.T, f.limit, "a log line with "+f.line, func() (string, bool) {
			for l := range strings.Lines(s.p.log()[was:]) {
				l = strings.ReplaceAll(l, `\"`, `"`)
				if strings.Contains(l, "level=ERROR") && strings.Contains(l, f.line) {
					return l, true
				}
			}
			return s.p.log()[was:], false
		})
		s.Logf("after %v: %s", time.Since(began).Round(10*time.Millisecond), strings.TrimSpace(line))
	}
	if f.code != "" {
		s.link(5*time.Second, false, f.code)
	}
	s.together()
	gone := s.comes() // it can come although the link is down
	gone.Hangup()
	s.w.end(s.T, gone.tag)
	f.mend(s)
	mended := time.Now()
	s.link(f.slow, true, "")
	s.Logf("the link works %v after it was mended", time.Since(mended).Round(10*time.Millisecond))
	s.equal("after")
	s.together()
	s.comes()
	s.equal("after one more has come")
}

// comes calls in to this scene's Parley and waits until he is a member.
func (s *scene) comes() *guest {
	s.Helper()
	return s.joins()
}

// link waits until the link is up, or down with a code.
func (s *scene) link(limit time.Duration, up bool, code string) {
	s.Helper()
	what := "the link being up"
	if !up {
		what = "the link being down with " + code
	}
	text := eventually(s.T, limit, what, func() (string, bool) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		status, err := s.p.api.Status(ctx)
		if err != nil {
			return err.Error(), false
		}
		for _, c := range status.Checks {
			if c.Name == "pbx1" {
				return c.Text, c.Ready == up && strings.Contains(c.Text, code)
			}
		}
		return "no pbx1", false
	})
	s.Logf("status: %s", text)
}

// together checks that A and B hear each other.
func (s *scene) together() {
	s.Helper()
	hears(s.T, []*siptest.Call{s.a.Call, s.b.Call}, []float64{s.a.hz, s.b.hz})
}

// equal waits until Parley's roster is what the switch has of this scene.
func (s *scene) equal(when string) {
	s.Helper()
	began := time.Now()
	eventually(s.T, agrees, "roster and switch being equal "+when, func() (string, bool) {
		roster, calls := s.rosters()
		return fmt.Sprintf("roster %v\nswitch %v", roster, calls), len(roster) > 0 && slices.Equal(roster, calls)
	})
	s.Logf("%s: roster and switch were equal after %v", when, time.Since(began).Round(10*time.Millisecond))
}

// rosters are the callers of the room, by channel: as Parley has them, and as
// the switch does.
func (s *scene) rosters() (roster, calls []string) {
	v, _ := s.view()
	for _, m := range v.Members {
		roster = append(roster, string(m.CallID))
	}
	calls = s.fs().callers(fmt.Sprintf("7%03d", s.hash))
	if strings.HasPrefix(v.Mixer, "switch") {
		calls = s.fs().conference(s.room)
	}
	slices.Sort(roster)
	return roster, calls
}

// burst makes the switch send events to all who listen, as fast as it can.
func (s *scene) burst(n int) {
	t := s.T
	t.Helper()
	c, err := net.Dial("tcp", s.fs().at.fsESL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		var b strings.Builder
		b.WriteString("auth parley-test\n\n")
		for i := range n {
			if i%2 == 0 {
				fmt.Fprintf(&b, "sendevent BACKGROUND_JOB\nJob-UUID: none-%d\n\n", i)
			} else {
				fmt.Fprintf(&b, "sendevent CUSTOM\nEvent-Subclass: conference::maintenance\nAction: start-talking\n"+
					"Conference-Name: nobody-%d\nMember-ID: %d\n\n", i, i)
			}
		}
		_, _ = c.Write([]byte(b.String())) // or the read fails
	}()
	_ = c.SetReadDeadline(time.Now().Add(60 * time.Second))
	r, began := bufio.NewReader(c), time.Now()
	for replies := 0; replies < n+1; {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("after %d replies: %v", replies, err)
		}
		if strings.HasPrefix(line, "Reply-Text: +OK") {
			replies++
		}
	}
	t.Logf("%d events in %v", n, time.Since(began).Round(time.Millisecond))
}
