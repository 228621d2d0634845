//go:build integration

package integration

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/esl"
	"parley/esl/conference"
)

// orders are given to rooms that a FreeSWITCH mixes, on our event socket.
type orders struct {
	at place
	w  *witness
	p  *parley
	us *esl.Client
}

// TestOrdersWhereTheSwitchMixes listens to what comes of them.
func TestOrdersWhereTheSwitchMixes(t *testing.T) {
	t.Parallel()
	at := newPlace()
	startFreeSWITCH(t, at)
	o := orders{at: at, w: watch(t, at), p: run(t, at, contractConfig("switch", at, at.fsESL)+"\n"+ariUsers)}
	var err error
	if o.us, err = esl.Dial(t.Context(), esl.ClientOptions{Address: at.server, Password: "ClueCon"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.us.Close() })
	t.Run("relate", o.relates)
	t.Run("transfer", o.transfers)
	t.Run("the console, while we mix", o.console)
	t.Run("what plays", o.plays)
	t.Run("several media", o.media)
}

func (o orders) cell(t *testing.T, room string, hash int) *cell {
	return &cell{T: t, p: o.p, w: o.w, mode: "switch", room: room, hash: hash}
}

// says gives an order in a room, and checks the answer.
func (o orders) says(c *cell, words, want string) {
	c.Helper()
	got, err := o.us.API(c.brief(), "conference", c.room+" "+words)
	if err != nil || got != want {
		c.Errorf("%s: %q, %v, want %q", words, got, err, want)
	}
}

// hear waits until all hear all, but for some: "B of A" does not hear A.
func hear(c *cell, guests []*guest, but ...string) {
	c.Helper()
	var want []string
	for _, l := range guests {
		for _, s := range guests {
			if l != s {
				want = append(want, fmt.Sprintf("%s hears %s: %s", l.name, s.name, yes(!slices.Contains(but, l.name+" of "+s.name))))
			}
		}
	}
	eventually(c.T, 20*time.Second, "all but "+strings.Join(but, ", ")+" being heard", func() (string, bool) {
		said := earsOnce(guests)
		return said, said == strings.Join(want, ", ")
	})
}

func (o orders) relates(t *testing.T) {
	c := o.cell(t, "related", 301)
	three := []*guest{c.joins(), c.joins(), c.joins()}
	hear(c, three)
	a, b, d := c.roster(three[0]).ID, c.roster(three[1]).ID, c.roster(three[2]).ID
	o.says(c, fmt.Sprintf("relate %d %d nospeak", a, b), fmt.Sprintf("+OK %d->%d nospeak set\n", a, b))
	hear(c, three, "B of A")
	o.says(c, fmt.Sprintf("relate %d %d nohear", a, d), fmt.Sprintf("+OK %d->%d nohear set\n", a, d))
	hear(c, three, "B of A", "A of C")
	o.says(c, fmt.Sprintf("relate %d %d clear", a, b), fmt.Sprintf("+OK relationship %d->%d cleared.\n", a, b))
	hear(c, three, "A of C")
	three[2].Hangup()
	c.members(2)
	again := append(three[:2:2], c.joins()) // a relation ends with who has left
	hear(c, again)
}

func (o orders) transfers(t *testing.T) {
	from, to := o.cell(t, "sends", 302), o.cell(t, "takes", 303)
	a, b := from.joins(), from.joins()
	to.came = 2 // C, whose tone is not one of theirs
	there := to.joins()
	id := from.roster(a).ID
	o.says(from, fmt.Sprintf("transfer takes %d", id), fmt.Sprintf("+OK Member '%d' sent to conference takes.\n", id))
	from.members(1)
	to.members(2)
	hear(to, []*guest{a, b, there}, "A of B", "B of A", "B of C", "C of B")
	if o.w.conference("sends") == nil || len(o.w.conference("takes")) != 2 {
		t.Errorf("at the switch: %q and %q", o.w.conference("sends"), o.w.conference("takes"))
	}
}

// console is what somebody does at the switch while we mix the room.
func (o orders) console(t *testing.T) {
	c := o.cell(t, "console", 304)
	two := []*guest{c.joins(), c.joins()}
	hear(c, two)
	if _, err := o.p.api.TakeOver(c.brief(), c.room); err != nil {
		t.Fatal(err)
	}
	hear(c, two)
	id := o.w.number(c.room, string(c.roster(two[0]).CallID))
	for range 2 { // the second mutes him again: we have opened the switch's ears for him
		if err := conference.Reply(o.w.api("conference", c.room+" tmute "+id)); err != nil {
			t.Error(err)
		}
		hear(c, two, "B of A")
	}
}

// plays has the switch play, and do what is asked of it.
func (o orders) plays(t *testing.T) {
	c := o.cell(t, "jukebox", 305)
	two := []*guest{c.joins(), c.joins()}
	hear(c, two)
	const first, second = "%(60000,0,1500)", "%(60000,0,1600)"
	o.says(c, "play tone_stream://"+first, "+OK (play) Playing file tone_stream://"+first+"\n")
	o.says(c, "play tone_stream://"+second, "+OK (play) Playing file tone_stream://"+second+"\n")
	isPlaying := func(want string) {
		t.Helper()
		there := "+OK 0/0 " + want
		if want == "" {
			there = "Nothing is playing"
		}
		eventually(t, 5*time.Second, want+" playing", func() (string, bool) {
			got := o.w.api("conference", c.room+" play_status")
			us, err := o.us.API(c.brief(), "conference", c.room+" play_status")
			return fmt.Sprintf("at the switch %q, here %q, %v", got, us, err), strings.Contains(got, there) && (want == "" || us == there+"\n")
		})
	}
	isPlaying(first)
	o.says(c, "pause_play", "+OK Pause\n")
	if got := o.w.api("conference", c.room+" pause_play"); got != "+OK Resume" { // it was paused there
		t.Errorf("at the switch: %q", got)
	}
	o.says(c, "pause_play", "+OK Resume\n") // somebody had it go on
	o.says(c, "file-vol -10", "+OK volume changed\n")
	o.says(c, "file_seek 500", "+OK seek to position 4000\n")
	o.says(c, "stop current", "+OK Stopped 1 files.\n")
	isPlaying(second)
	o.says(c, "play tone_stream://%(60000,0,1700) async", "+OK (play) Playing file tone_stream://%(60000,0,1700)\n")
	o.says(c, "stop async", "+OK Stopped 1 files.\n")
	left := func(n int) {
		t.Helper()
		eventually(t, 5*time.Second, fmt.Sprintf("%d plays left", n), func() (string, bool) {
			v, err := o.p.api.Room(c.brief(), c.room)
			return fmt.Sprintf("%+v, %v", v.Plays, err), err == nil && len(v.Plays) == n
		})
	}
	left(1)
	isPlaying(second)
	o.says(c, "stop all", "+OK Stopped 1 files.\n")
	isPlaying("")
	o.says(c, "play tone_stream://%(300,0,1500)", "+OK (play) Playing file tone_stream://%(300,0,1500)\n") // it ends by itself
	left(0)
}

// media has the switch play what an ARI client orders as one play.
func (o orders) media(t *testing.T) {
	c := o.cell(t, "cinema", 306)
	g := c.joins()
	c.members(1)
	from := len(g.Record())
	ask := func(method, path, body string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(c.brief(), method, "http://"+o.at.http+"/ari"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("panel", "a-long-password")
		r.Header.Set("Content-Type", "application/json")
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		got, err := io.ReadAll(w.Body)
		if err != nil || w.StatusCode > 299 {
			t.Fatalf("%s %s: %d %s, %v", method, path, w.StatusCode, got, err)
		}
		return string(got)
	}
	ask("POST", "/bridges/cinema/play/film", `{"media":["sound:tone_stream://%(900,0,1700)","sound:tone_stream://%(900,0,1800)","sound:tone_stream://%(60000,0,1900)"]}`)
	for _, hz := range []float64{1700, 1800, 1900} {
		eventually(t, 10*time.Second, fmt.Sprintf("%v Hz being heard", hz), func() (string, bool) { return ask("GET", "/playbacks/film", ""), g.heard(from, hz) })
	}
	if got := ask("GET", "/playbacks/film", ""); !strings.Contains(got, "1900") || !strings.Contains(got, `"playing"`) {
		t.Errorf("it plays %s", got)
	}
	ask("DELETE", "/playbacks/film", "")
	eventually(t, 5*time.Second, "nothing playing", func() (string, bool) {
		got := o.w.api("conference", "cinema play_status")
		return got, strings.Contains(got, "Nothing is playing")
	})
}
