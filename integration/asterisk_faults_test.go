//go:build integration

package integration

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/ari"
	"parley/sip/siptest"
)

// astScene is a Parley with an application, a user and a dialplan of its own at
// an Asterisk that others have too.
type astScene struct {
	*testing.T
	ast   *container
	n     int    // its number, which its names have
	at    place  // of the Parley
	app   string // its application
	p     *parley
	proxy *proxy // of its link to the switch, or the switch's to it
	eye   *ari.Client
	calls []*siptest.Call
	tones []float64
	alone []*siptest.Call // others, who do not hear them
}

// astScenes is the number of the first scene.
const astScenes = 80

// astFiles are what the scenes first to last add to the switch's files. A
// scene's room has its number in its name: 41 has 413001.
func astFiles(t *testing.T, doors map[int]string, first, last int) map[string]string {
	t.Helper()
	paste, err := os.ReadFile("../configs/asterisk/extensions.conf")
	if err != nil {
		t.Fatal(err)
	}
	rooms, _, ok := strings.Cut(string(paste), "; A call's media channel runs this")
	if !ok {
		t.Fatal("the pasted dialplan has another form")
	}
	more := map[string]string{}
	for n := first; n <= last; n++ {
		app := fmt.Sprintf("parley-%d", n)
		more["extensions.conf"] += strings.NewReplacer("[parley-rooms]", fmt.Sprintf("[rooms-%d]", n), "_3XXX", fmt.Sprintf("_%d3XXX", n),
			"Stasis(parley,", "Stasis("+app+",").Replace(rooms) + fmt.Sprintf("\n[parley-rooms]\ninclude => rooms-%d\n", n)
		more["ari.conf"] += fmt.Sprintf("[user-%d]\ntype = user\npassword = word-%d\nread_only = no\n", n, n)
		if door := doors[n]; door != "" {
			more["ari.conf"] += fmt.Sprintf("[out-%d]\ntype = outbound_websocket\nwebsocket_client_id = door-%d\napps = %s\nlocal_ari_user = user-%d\n", n, n, app, n)
			more["websocket_client.conf"] += fmt.Sprintf("[door-%d]\ntype = websocket_client\nconnection_type = persistent\nuri = ws://%s/ari-in/ast1\n"+
				"protocols = ari\nusername = user-%d\npassword = word-%d\n", n, door, n, n)
		}
	}
	return more
}

// astConfig is the configuration of a scene's Parley.
func (s *astScene) config(mode, websocket, url string) string {
	return s.at.config() + fmt.Sprintf(`
switches:
  - {name: ast1, kind: asterisk, ari: "http://%s/ari", user: user-%d, password: word-%d, app: parley-%d, websocket: %s}
`, url, s.n, s.n, s.n, websocket) + strings.ReplaceAll(contractProfiles, "\n  - name: ", "\n  - mixer: "+mode+"\n    name: ") +
		fmt.Sprintf("  - {name: \"%d3101\", profile: pin}\n", s.n)
}

// room is the scene's room of that number.
func (s *astScene) room(number string) string { return fmt.Sprintf("%d%s", s.n, number) }

// ring calls in.
func (s *astScene) ring(number string, hz float64) *siptest.Call {
	s.Helper()
	c := call(s.T, s.ast.at.astSIP, s.room(number), tone(hz))
	s.calls, s.tones = append(s.calls, c), append(s.tones, hz)
	return c
}

// pair brings two callers into room 3001.
func (s *astScene) pair() {
	s.Helper()
	s.ring("3001", 500)
	s.ring("3001", 900)
	s.p.members(s.room("3001"), 2)
	s.equal("before")
}

func (s *astScene) together() {
	s.Helper()
	hears(s.T, s.calls, s.tones)
}

// equal waits until all of Parley's members are what the switch has in the
// scene's application.
func (s *astScene) equal(when string) {
	s.Helper()
	began := time.Now()
	eventually(s.T, agrees, "roster and switch being equal "+when, func() (string, bool) {
		roster, calls := s.rosters()
		return fmt.Sprintf("roster %v\nswitch %v", roster, calls), slices.Equal(roster, calls)
	})
	s.Logf("%s: roster and switch were equal after %v", when, time.Since(began).Round(10*time.Millisecond))
}

func (s *astScene) rosters() (roster, calls []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	rooms, err := s.p.api.Rooms(ctx)
	if err != nil {
		return []string{err.Error()}, nil
	}
	for _, r := range rooms {
		for _, m := range r.Members {
			if m.Kind == "asterisk" && r.State != "foreign" {
				roster = append(roster, string(m.CallID))
			}
		}
	}
	channels, err := s.eye.Channels(ctx)
	if err != nil {
		return roster, []string{err.Error()}
	}
	for _, c := range channels {
		app, _, _ := strings.Cut(c.GetDialplan().GetAppData(), ",")
		if app == s.app && !strings.HasPrefix(c.ID, "parley-") {
			calls = append(calls, c.ID)
		}
	}
	slices.Sort(roster)
	slices.Sort(calls)
	return roster, calls
}

// nothing hangs everybody up, and waits until the switch has nothing of ours and
// neither side has a caller.
func (s *astScene) nothing() {
	s.Helper()
	for _, c := range append(s.alone, s.calls...) {
		if c != nil {
			c.Hangup()
		}
	}
	ours := "-" + s.app + "-"
	eventually(s.T, agrees, "nothing of ours being left", func() (string, bool) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		var left []string
		channels, err := s.eye.Channels(ctx)
		for _, c := range channels {
			left = append(left, c.ID)
		}
		bridges, err2 := s.eye.Bridges(ctx)
		for _, b := range bridges {
			left = append(left, b.ID)
		}
		left = slices.DeleteFunc(left, func(id string) bool { return !strings.Contains(id, ours) })
		roster, calls := s.rosters()
		return fmt.Sprintf("%v, roster %v, switch %v, errors %v %v", left, roster, calls, err, err2), err == nil && err2 == nil && len(left)+len(roster)+len(calls) == 0
	})
}

// told waits for a line of Parley's log and status, word for word.
func (s *astScene) told(limit time.Duration, line, code string) {
	s.Helper()
	began := time.Now()
	re := regexp.MustCompile(line)
	eventually(s.T, limit, "the line "+line, func() (string, bool) {
		log := strings.ReplaceAll(s.p.log(), `\"`, `"`)
		return log, re.MatchString(log)
	})
	s.link(limit, false, code)
	s.Logf("told after %v: %s", time.Since(began).Round(10*time.Millisecond), re.FindString(strings.ReplaceAll(s.p.log(), `\"`, `"`)))
}

// link waits until the switch is ready, or not with a code, in status and
// /readyz.
func (s *astScene) link(limit time.Duration, up bool, code string) {
	s.Helper()
	eventually(s.T, limit, fmt.Sprintf("the link being up %v, code %q", up, code), func() (string, bool) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		status, err := s.p.api.Status(ctx)
		if err != nil {
			return err.Error(), false
		}
		resp, err := http.Get("http://" + s.p.at.http + "/readyz")
		if err != nil {
			return err.Error(), false
		}
		_ = resp.Body.Close()
		for _, c := range status.Checks {
			if c.Name == "ast1" {
				return c.Text, c.Ready == up && c.Code == code && (resp.StatusCode == http.StatusOK) == up
			}
		}
		return "no ast1", false
	})
}

// astFault is something that goes wrong between a Parley and its Asterisk.
type astFault struct {
	name, websocket string
	line, code      string
	limit           time.Duration // for noticing
	harm, mend      func(*astScene)
	back            time.Duration // for the link being up again
	deaf            bool          // no new call can come meanwhile
}

// astFaults are those that concern one Parley.
func astFaults() []astFault {
	password := func(s *astScene) (was, is string) {
		return fmt.Sprintf("[user-%d]\ntype = user\npassword = word-%d", s.n, s.n), fmt.Sprintf("[user-%d]\ntype = user\npassword = other", s.n)
	}
	rights := func(s *astScene) (was, is string) {
		of := fmt.Sprintf("[user-%d]\ntype = user\npassword = word-%d\nread_only = ", s.n, s.n)
		return of + "no", of + "yes"
	}
	edit := func(change func(*astScene) (string, string), back bool) func(*astScene) {
		return func(s *astScene) {
			was, is := change(s)
			if back {
				was, is = is, was
			}
			s.ast.edit("ari.conf", "res_ari.so", was, is)
		}
	}
	return []astFault{
		{
			name: "the port is closed", websocket: "inbound", code: "ari_lost", limit: 20 * time.Second,
			line: `ari ast1: link lost: .*\. \[ari_lost\]`,
			harm: func(s *astScene) { s.proxy.shut() }, mend: func(s *astScene) { s.proxy.reopen() }, back: 20 * time.Second,
		},
		{
			name: "the password is wrong", websocket: "inbound", code: "ari_auth", limit: 30 * time.Second,
			line: `ari ast1: 401 "Authentication required" for user user-\d+\. Check \[user-\d+\] in ari\.conf and password_file of switch ast1\. \[ari_auth\]`,
			harm: edit(password, false), mend: edit(password, true), back: 20 * time.Second,
		},
		{
			name: "the user may only read", websocket: "outbound", code: "ari_readonly", limit: 30 * time.Second,
			line: `ari ast1: user user-\d+ is read-only; conference control needs read_only=no\. \[ari_readonly\]`,
			harm: edit(rights, false), mend: edit(rights, true), back: 20 * time.Second,
		},
		{
			name: "the cable is cut: no FIN", websocket: "inbound", code: "ari_lost", limit: 10 * time.Second,
			line: `ari ast1: link lost: .*\. \[ari_lost\]`,
			harm: func(s *astScene) { s.proxy.set(gone) }, mend: func(s *astScene) { s.proxy.set(flowing) }, back: 20 * time.Second,
		},
		{
			name: "the cable to us is cut: no FIN", websocket: "outbound", code: "ari_absent", limit: 20 * time.Second,
			line: `ari ast1: link lost: .*\. \[ari_lost\]`,
			harm: func(s *astScene) { s.proxy.set(gone) },
			mend: func(s *astScene) { s.proxy.set(flowing); s.proxy.hangUp() }, back: 20 * time.Second,
		},
	}
}

// TestFaultsOfAsterisk runs every fault, each with a Parley of its own, those
// with a Parley that is not heard of, and then those of the switch.
func TestFaultsOfAsterisk(t *testing.T) {
	t.Parallel()
	faults := astFaults()
	scenes, doors := make([]*astScene, len(faults)+4), map[int]string{}
	for i := range scenes {
		n := astScenes + i
		scenes[i] = &astScene{n: n, at: newPlace(), app: fmt.Sprintf("parley-%d", n)}
		switch {
		case i < len(faults) && faults[i].websocket == "outbound":
			scenes[i].proxy = plainly(t, scenes[i].at.http)
			doors[n] = scenes[i].proxy.address()
		case i == len(scenes)-1 || i == len(scenes)-2:
			doors[n] = scenes[i].at.http
		}
	}
	at := newPlace()
	_, _, why := freeswitchImage().found()
	if why == "" {
		startFreeSWITCH(t, at)
	} else {
		dock.skip(t, "the leg of a FreeSWITCH: "+why)
	}
	ast := asteriskAt(t, at, astFiles(t, doors, astScenes, astScenes+len(scenes)-1))
	eye, err := ari.New(ari.Options{URL: "http://" + at.astARI + "/ari", User: "watcher", Password: "parley-test", App: "none"})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	play := func(s *astScene, name string, run func()) {
		wg.Go(func() {
			t.Run(name, func(t *testing.T) {
				s.T, s.ast, s.eye = t, ast, eye
				run()
			})
		})
	}
	for i, f := range faults {
		play(scenes[i], f.name, func() { scenes[i].suffers(f, modes()[i%2]) })
	}
	wg.Wait()
	rest := scenes[len(faults):]
	play(rest[0], "another client takes the application", rest[0].replaced)
	play(rest[1], "Parley is killed, a room at the switch, inbound", func() { rest[1].killed("switch", "inbound") })
	play(rest[2], "Parley is killed, outbound", func() { rest[2].killed("native", "outbound") })
	wg.Wait()
	rest[3].T, rest[3].ast, rest[3].eye = t, ast, eye
	rest[3].dies(why == "")
}

// suffers is one fault from its beginning to its end.
func (s *astScene) suffers(f astFault, mode string) {
	url := s.ast.at.astARI
	if s.proxy == nil {
		s.proxy = plainly(s.T, url)
		url = s.proxy.address()
	}
	s.p = run(s.T, s.at, s.config(mode, f.websocket, url))
	s.pair()
	s.together()
	f.harm(s)
	s.told(f.limit, f.line, f.code)
	s.together()
	s.calls[1].Hangup() // unseen
	s.calls, s.tones = s.calls[:1], s.tones[:1]
	f.mend(s)
	s.link(f.back, true, "")
	s.equal("after")
	s.ring("3001", 900)
	s.p.members(s.room("3001"), 2)
	s.together()
	s.nothing()
}
