//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/esl"
	"parley/internal/audiotest"
	"parley/sip"
	"parley/sip/siptest"
)

// contractOf is what differs between the switches in the dialplan contract.
type contractOf struct {
	at         place
	address    string        // of the switch, SIP
	config     string        // of Parley
	profiles   string        // "" is contractProfiles
	patient    time.Duration // callers who were in a room wait so long for Parley
	result     func(room, result, reason, exit string)
	inFallback func(room string) bool // two callers are in the switch's own conference
}

// profiles of the contract's rooms: each number has its own rules.
const contractProfiles = `
profiles:
  - name: default
    play_entry_tone: false
    play_exit_tone: false
    alone_sound: "silence:20"
    moh_sound: "silence:20"
    terminator: "#"
  - name: pin
    member: {pins: ["1234"]}
    moderator: {pins: ["98765"]}
    alone_sound: "silence:20"
    moh_sound: "silence:20"
    play_entry_tone: false
    play_exit_tone: false
  - name: one
    max_participants: 1
    alone_sound: "silence:20"
    moh_sound: "silence:20"
  - name: never
    create: running_only
    not_running_sound: none
rooms:
  - {name: "3101", profile: pin}
  - {name: "3103", profile: never}
  - {name: "3102", profile: one}
`

func tone(hz float64) siptest.CallOptions {
	return siptest.CallOptions{Tone: siptest.Tone{Hz: hz, DBFS: -20}}
}

// contract is the dialplan contract of a switch: the same for each.
func contract(t *testing.T, o contractOf) {
	t.Helper()
	if o.profiles == "" {
		o.profiles = contractProfiles
	}
	p := run(t, o.at, o.config+o.profiles)
	t.Run("a caller and a phone hear each other", func(t *testing.T) {
		switched, plain := call(t, o.address, "3001", tone(500)), call(t, o.at.sip, "3001", tone(900))
		p.members("3001", 2)
		hears(t, []*siptest.Call{switched, plain}, []float64{500, 900})
		digits(t, switched, "#")
		o.result("3001", "joined", "terminator", "terminator")
		ended(t, switched)
		plain.Hangup()
		p.gone("3001")
	})
	t.Run("right and wrong PIN by keys, by hand and by a speed dial", func(t *testing.T) {
		dialler := tone(300)
		dialler.Key = 40 * time.Millisecond
		quick := call(t, o.address, "3101", dialler)
		right, wrong := call(t, o.address, "3101", tone(500)), call(t, o.address, "3101", tone(700))
		time.Sleep(time.Second)
		p.letIn(right, "1234#", "3101", 1)
		p.letIn(quick, "98765#", "3101", 2)
		for range 3 {
			digits(t, wrong, "77#")
			time.Sleep(300 * time.Millisecond)
		}
		o.result("3101", "rejected", "pin_failed", "")
		ended(t, wrong)
		if err := p.api.End(context.Background(), "3101"); err != nil {
			t.Fatal(err)
		}
		o.result("3101", "joined", "ended", "ended")
		ended(t, right)
		o.result("3101", "joined", "ended", "ended")
		ended(t, quick)
		if pin := regexp.MustCompile(`(?m)(^|[^\w.-])1234([^\w.-]|$)`).FindString(p.log()); pin != "" { // as a word, which no part of an id is
			t.Errorf("a PIN is in the log: %q", pin)
		}
	})
	t.Run("who is asked for his PIN is a channel, and is killed as one", func(t *testing.T) { killedAtThePIN(t, o) })
	t.Run("full", func(t *testing.T) {
		first := call(t, o.address, "3102", tone(500))
		p.members("3102", 1)
		second := call(t, o.address, "3102", tone(700))
		o.result("3102", "rejected", "full", "")
		ended(t, second)
		first.Hangup()
		p.gone("3102")
	})
	t.Run("kill -9 sends the callers on within 3 s, or when they have waited", func(t *testing.T) {
		a, b := call(t, o.address, "3003", tone(500)), call(t, o.address, "3003", tone(900))
		p.members("3003", 2)
		p.kill()
		killed := time.Now()
		eventually(t, o.patient+3*time.Second, "both callers in the switch's own conference", func() (string, bool) {
			return "", o.inFallback("3003")
		})
		t.Logf("both callers were in the fallback %v after kill -9", time.Since(killed).Round(time.Millisecond))
		hears(t, []*siptest.Call{a, b}, []float64{500, 900})
		a.Hangup()
		b.Hangup()
	})
	t.Run("Parley is down: the switch's own conference", func(t *testing.T) {
		a, b := call(t, o.address, "3004", tone(500)), call(t, o.address, "3004", tone(900))
		eventually(t, 5*time.Second, "both callers in the switch's own conference", func() (string, bool) {
			return "", o.inFallback("3004")
		})
		hears(t, []*siptest.Call{a, b}, []float64{500, 900})
		a.Hangup()
		b.Hangup()
	})
	t.Run("Parley is back: new calls use it", func(t *testing.T) {
		p.start()
		c := call(t, o.address, "3005", tone(500))
		p.members("3005", 1)
		c.Hangup()
		p.gone("3005")
	})
}

// digits presses keys as RFC 4733 events.
func digits(t *testing.T, c *siptest.Call, keys string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	// The last key may be the one that ends the call.
	if err := c.Digits(ctx, keys); err != nil && !errors.Is(err, sip.ErrOver) {
		t.Fatalf("keys: %v", err)
	}
}

// ended waits until a call is hung up by the other side.
func ended(t *testing.T, c *siptest.Call) {
	t.Helper()
	select {
	case <-c.Done():
	case <-time.After(15 * time.Second):
		t.Errorf("the call is still up")
	}
}

// hears checks that each caller hears every tone but his own. The level may
// change on its way through a switch's own resampling. What is wrong is noted and
// listened to again: on a busy machine pieces are missing for a second or two.
func hears(t *testing.T, calls []*siptest.Call, tones []float64) {
	t.Helper()
	wrong := heardWrong(calls, tones)
	for try := 0; len(wrong) > 0 && try < 3; try++ {
		t.Logf("they listen again: %s", strings.Join(wrong, ", "))
		wrong = heardWrong(calls, tones)
	}
	for _, w := range wrong {
		t.Error(w)
	}
}

// heardWrong listens once.
func heardWrong(calls []*siptest.Call, tones []float64) (wrong []string) {
	heard := make([][]int16, len(calls))
	var wg sync.WaitGroup
	for i, c := range calls {
		wg.Go(func() {
			c.Listen(700 * time.Millisecond)
			heard[i] = c.Listen(900 * time.Millisecond)
		})
	}
	wg.Wait()
	for i, pcm := range heard {
		for k, hz := range tones {
			switch level := audiotest.Steady(pcm, int(calls[i].Rate()), hz); {
			case k == i && level > -55:
				wrong = append(wrong, fmt.Sprintf("caller %d hears himself at %.1f dBFS", i, level))
			case k != i && loud(level) != "yes":
				wrong = append(wrong, fmt.Sprintf("caller %d hears caller %d at %.1f dBFS, sent at -20", i, k, level))
			}
		}
	}
	return wrong
}

// killedAtThePIN has two callers of the switch asked for a PIN: one is killed by his
// channel with a cause, and one hangs up.
func killedAtThePIN(t *testing.T, o contractOf) {
	us, err := esl.Dial(t.Context(), esl.ClientOptions{Address: o.at.server, Password: "ClueCon"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = us.Close() }()
	channels := func(n int) (ids []string) {
		t.Helper()
		eventually(t, 10*time.Second, fmt.Sprint(n, " channels"), func() (string, bool) {
			list, err := us.API(t.Context(), "show", "channels")
			if err != nil {
				t.Fatal(err)
			}
			ids = regexp.MustCompile(`(?m)^[0-9a-f-]{36},inbound,.*,3101,conference,`).FindAllString(list, -1)
			return list, len(ids) == n && strings.Contains(list, fmt.Sprintf("\n%d total.", n))
		})
		return ids
	}
	killed := call(t, o.address, "3101", tone(500))
	id := channels(1)[0][:36]
	time.Sleep(time.Second) // some switches have to bring his audio yet
	if out, err := us.API(t.Context(), "uuid_kill", id+" USER_BUSY"); err != nil || out != "+OK\n" {
		t.Errorf("%q %v", out, err)
	}
	ended(t, killed)
	if why := killed.EndReason(); !strings.Contains(why, "cause=17") {
		t.Errorf("the phone was told %q", why)
	}
	channels(0)
	other := call(t, o.address, "3101", tone(500))
	channels(1)
	other.Hangup()
	channels(0)
}
