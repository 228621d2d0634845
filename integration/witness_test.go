//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/esl"
	"parley/sip"
)

// pbx is a switch with the contract's dialplan: how to have it do what a row
// asks for, and what is seen of that at the switch. A call is known by its tag.
type pbx interface {
	sip() string // its address
	// headers have the dialplan set variables (NAME=VALUE, in small letters),
	// and call this Parley.
	headers(p *parley, call string, set []string) []sip.Header
	channel(t *testing.T, call string) string // as Parley is told of it
	transfer(t *testing.T, call string)       // to an echo, while the call is with Parley
	end(t *testing.T, call string) vars       // waits until it is hung up
	hooks(call string) int                    // how often its hang-up hook ran
	cdr(call string) string                   // "": not written yet
	// argument turns NAME=VALUE into one of set that is an argument of the
	// application; ok is false where there are none.
	argument(nameValue string) (set string, ok bool)
}

// vars are what was on a call's channel at its end.
type vars interface{ Var(name string) string }

// witness is an event socket client of the test's own. It knows each call by
// its test_call variable: what was left on its channel when it was hung up, and
// how often its hang-up hook ran.
type witness struct {
	conn *esl.Client
	at   place // of the switch

	mu   sync.Mutex
	over map[string]*esl.Event // guarded by mu: CHANNEL_HANGUP_COMPLETE
	hung map[string]int        // guarded by mu: runs of the hang-up hook
}

// watch connects to the switch at a place.
func watch(t *testing.T, at place) *witness {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := esl.Dial(ctx, esl.ClientOptions{
		Address: at.fsESL, Password: "parley-test",
		Conn: esl.ConnOptions{Queue: 20_000, KeepAlive: time.Minute, Timeout: 15 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &witness{conn: c, at: at, over: map[string]*esl.Event{}, hung: map[string]int{}}
	if err := c.Subscribe(ctx, "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DATA"); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(w.read)
	t.Cleanup(func() {
		_ = c.Close()
		reading.Wait()
	})
	return w
}

func (w *witness) read() {
	for e := range w.conn.Events() {
		w.mu.Lock()
		call := e.Var("test_call")
		switch {
		case e.Name() == "CHANNEL_HANGUP_COMPLETE":
			w.over[call] = e
		case strings.HasPrefix(e.Value("API-Command-Argument"), "INFO hang-up hook"): // an API event, by another name
			w.hung[call]++
		}
		w.mu.Unlock()
	}
}

// seen is the end of a call; nil: it has not come yet.
func (w *witness) seen(call string) *esl.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.over[call]
}

func (w *witness) hooks(call string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hung[call]
}

func (w *witness) sip() string { return w.at.fsSIP }

func (w *witness) headers(p *parley, call string, set []string) []sip.Header {
	if p != nil {
		set = append([]string{"test_socket=" + p.at.esl}, set...)
	}
	return []sip.Header{{Name: "X-Call", Value: call}, {Name: "X-Set", Value: strings.Join(set, ";")}}
}

func (w *witness) argument(string) (string, bool) { return "", false }

func (w *witness) transfer(t *testing.T, call string) {
	t.Helper()
	w.api("uuid_transfer", w.channel(t, call)+" 9196 XML default")
}

func (w *witness) end(t *testing.T, call string) vars {
	t.Helper()
	var e *esl.Event
	eventually(t, 20*time.Second, "the end of call "+call, func() (string, bool) {
		e = w.seen(call)
		return "", e != nil
	})
	return e
}

// api asks the switch.
func (w *witness) api(cmd, arguments string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	out, err := w.conn.API(ctx, cmd, arguments)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(out)
}

func (w *witness) channel(t *testing.T, call string) string {
	t.Helper()
	var found string
	eventually(t, 10*time.Second, "the channel of call "+call, func() (string, bool) {
		out := w.api("show", "channels")
		for line := range strings.Lines(out) {
			id, _, ok := strings.Cut(line, ",")
			if ok && len(id) == 36 && w.api("uuid_getvar", id+" test_call") == call {
				found = id
				return "", true
			}
		}
		return out, false
	})
	return found
}

// channels counts the calls that are up.
func (w *witness) channels() int {
	var n int
	_, _ = fmt.Sscanf(w.api("show", "channels count"), "%d total", &n)
	return n
}

// cdr is what the switch's CDR says of a call, less its name and room; "": it
// is not written yet.
func (w *witness) cdr(call string) string {
	for l := range strings.Lines(w.api("system", "cat /tmp/cdr-csv/Master.csv")) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(l), call+","); ok {
			_, rest, _ = strings.Cut(rest, ",")
			return rest
		}
	}
	return ""
}

// callers lists the channels of callers whose numbers begin so. Those that the
// switch has made to Parley are none of them.
func (w *witness) callers(numbers string) (calls []string) {
	var shown struct {
		Rows []struct {
			UUID   string `json:"uuid"`
			Number string `json:"cid_num"`
		} `json:"rows"`
	}
	_ = json.Unmarshal([]byte(w.api("show", "channels as json")), &shown) // then there are none
	for _, r := range shown.Rows {
		if strings.HasPrefix(r.Number, numbers) && !strings.HasPrefix(r.UUID, "parley-") {
			calls = append(calls, r.UUID)
		}
	}
	slices.Sort(calls)
	return calls
}

// flags are what a conference of the switch lets its members do, and its lock.
func (w *witness) flags(name string) string {
	var shown []struct {
		Locked  bool `json:"locked"`
		Members []struct {
			UUID  string `json:"uuid"`
			Flags struct {
				Hear      bool `json:"can_hear"`
				Speak     bool `json:"can_speak"`
				Moderator bool `json:"is_moderator"`
			} `json:"flags"`
		} `json:"members"`
	}
	if err := json.Unmarshal([]byte(w.api("conference", name+" json_list")), &shown); err != nil || len(shown) != 1 {
		return fmt.Sprint("no conference: ", err)
	}
	lines := []string{}
	for _, m := range shown[0].Members {
		lines = append(lines, fmt.Sprintf("%s %+v", m.UUID, m.Flags))
	}
	slices.Sort(lines)
	return fmt.Sprintf("locked %v\n%s", shown[0].Locked, strings.Join(lines, "\n"))
}

// conference lists the channels in a conference of the switch.
func (w *witness) conference(name string) []string {
	var shown []struct {
		Members []struct {
			UUID string `json:"uuid"`
			Type string `json:"type"`
		} `json:"members"`
	}
	_ = json.Unmarshal([]byte(w.api("conference", name+" json_list")), &shown) // then there is none
	var calls []string
	for _, c := range shown {
		for _, m := range c.Members {
			if m.Type == "caller" {
				calls = append(calls, m.UUID)
			}
		}
	}
	slices.Sort(calls)
	return calls
}

// number is a call's in a conference, as its list has it: "3;NAME;UUID;…".
func (w *witness) number(conference, uuid string) string {
	for line := range strings.Lines(w.api("conference", conference+" list")) {
		if f := strings.Split(line, ";"); len(f) > 2 && f[2] == uuid {
			return f[0]
		}
	}
	return "nobody"
}
