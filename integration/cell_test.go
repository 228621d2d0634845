//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/engine"
	"parley/internal/audiotest"
	"parley/sip"
	"parley/sip/siptest"
)

// cell is one measurement: of a row, in a room of its own, in one mode.
type cell struct {
	*testing.T
	p    *parley
	w    pbx
	mode string // of mixing; "": not looked at
	room string
	hash int // of the row, for callers' numbers
	came int // callers so far
	told []string
}

// fs is the witness of what only a FreeSWITCH has.
func (c *cell) fs() *witness { return c.w.(*witness) }

// note adds to what the cell shows.
func (c *cell) note(format string, values ...any) {
	c.told = append(c.told, fmt.Sprintf(format, values...))
}

// guest is a caller: A is the first of his room, with a tone of his own.
type guest struct {
	*siptest.Call
	name, tag, number string
	hz                float64
}

// voices are the callers' tones in Hz: none is a multiple or the sum of others.
const voices = "500 900 1300 700 1100"

// after is the tone in Hz that the dialplan plays when Parley is done.
const after = 2130

// dial calls in; set are NAME=VALUE of the dialplan, after parley_room.
func (c *cell) dial(set ...string) *guest {
	c.Helper()
	return c.dialAlone(append([]string{"parley_room=" + c.room}, set...)...)
}

// dialAlone is dial, without parley_room.
func (c *cell) dialAlone(set ...string) *guest {
	c.Helper()
	return c.dialTo("contract", set...)
}

// dialTo is dialAlone, of another extension.
func (c *cell) dialTo(extension string, set ...string) *guest {
	c.Helper()
	g := &guest{name: string(rune('A' + c.came)), number: fmt.Sprintf("7%03d%d", c.hash, c.came)}
	_, _ = fmt.Sscan(strings.Fields(voices)[c.came], &g.hz)
	g.tag = c.room + "-" + g.name
	c.came++
	g.Call = c.ring(extension, g, set)
	return g
}

// ring makes the call itself.
func (c *cell) ring(extension string, g *guest, set []string, more ...sip.Header) *siptest.Call {
	c.Helper()
	p, err := siptest.New(siptest.Options{User: g.number})
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(p.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	o := tone(g.hz)
	o.Headers = append(more, c.w.headers(c.p, g.tag, set)...)
	call, err := p.Dial(ctx, "sip:"+extension+"@"+c.w.sip(), o)
	if err != nil {
		c.Fatalf("%s calls: %v", g.name, err)
	}
	return call
}

// view is the room; ok is false while it does not run.
func (c *cell) view() (v engine.RoomView, ok bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	v, err := c.p.api.Room(ctx, c.room)
	return v, err == nil
}

// members waits until so many are in the room, waiting ones included.
func (c *cell) members(n int) {
	c.Helper()
	eventually(c.T, 15*time.Second, fmt.Sprintf("room %s having %d members", c.room, n), func() (string, bool) {
		v, _ := c.view()
		have := 0
		for _, m := range v.Members {
			if m.State == "joined" || m.State == "waiting" {
				have++
			}
		}
		return fmt.Sprintf("%+v", v), have == n
	})
	if v, ok := c.view(); ok && c.mode != "" && !strings.HasPrefix(v.Mixer, c.mode) {
		c.Errorf("the room is mixed by %s", v.Mixer)
	}
}

// joins calls in and waits until he is a member.
func (c *cell) joins(set ...string) *guest {
	c.Helper()
	v, _ := c.view()
	g := c.dial(set...)
	c.members(len(v.Members) + 1)
	return g
}

// roster is a caller's line in the roster.
func (c *cell) roster(g *guest) engine.MemberView {
	v, _ := c.view()
	for _, m := range v.Members {
		if m.Number == g.number {
			return m
		}
	}
	return engine.MemberView{State: "not in the roster"}
}

// fingerTime is from one key to the next, besides the phone's own pause: Asterisk
// wants 45 ms between two, and a busy machine sends packets in bunches.
const fingerTime = 100 * time.Millisecond

// types presses keys.
func (c *cell) types(g *guest, keys string) {
	c.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for i := range len(keys) {
		if i > 0 {
			time.Sleep(fingerTime)
		}
		if err := g.Digits(ctx, keys[i:i+1]); err != nil && !errors.Is(err, sip.ErrOver) {
			c.Fatalf("%s types: %v", g.name, err)
		}
	}
}

// ears notes who hears whom, of some callers. A level in between is listened to
// again: a busy machine has lost a piece, or somebody is just coming.
func (c *cell) ears(guests ...*guest) {
	said := earsOnce(guests)
	for range 3 {
		if strings.Contains(said, "dBFS") {
			said = earsOnce(guests)
		}
	}
	c.note("%s", said)
}

func earsOnce(guests []*guest) string {
	pcm := listen(guests)
	var said []string
	for i, l := range guests {
		for _, s := range guests {
			level := audiotest.Steady(pcm[i], int(l.Rate()), s.hz)
			switch heard := loud(level); {
			case l == s && heard != "no":
				said = append(said, l.name+" hears himself: "+heard)
			case l != s:
				said = append(said, fmt.Sprintf("%s hears %s: %s", l.name, s.name, heard))
			}
		}
	}
	return strings.Join(said, ", ")
}

// listen takes all callers' audio at the same time.
func listen(guests []*guest) [][]int16 {
	pcm := make([][]int16, len(guests))
	var wg sync.WaitGroup
	for i, g := range guests {
		wg.Go(func() {
			g.Listen(500 * time.Millisecond)
			pcm[i] = g.Listen(900 * time.Millisecond)
		})
	}
	wg.Wait()
	return pcm
}

// loud says whether a tone of -20 dBFS arrives as it was sent.
func loud(level float64) string {
	switch {
	case level < -52:
		return "no"
	case level > -24 && level < -16:
		return "yes"
	default:
		return fmt.Sprintf("at %.0f dBFS", level)
	}
}

// music notes whether a caller hears the profile's music.
func (c *cell) music(g *guest) {
	pcm := listen([]*guest{g})[0]
	c.note("%s hears music: %s", g.name, yes(audiotest.Steady(pcm, int(g.Rate()), music) > -40))
}

// since notes whether a caller hears a tone after a moment of his recording.
func (c *cell) since(g *guest, from int, hz float64, what string) {
	heard := false
	for end := time.Now().Add(3 * time.Second); !heard && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		heard = g.heard(from, hz)
	}
	c.note("%s hears %s: %s", g.name, what, yes(heard))
}

// heard looks for 200 ms of a tone.
func (g *guest) heard(from int, hz float64) bool {
	rate := int(g.Rate())
	pcm := g.Record()
	pcm = pcm[min(from, len(pcm)):]
	for ; len(pcm) >= rate/5; pcm = pcm[rate/20:] {
		if audiotest.Power(pcm[:rate/5], rate, hz) > -40 {
			return true
		}
	}
	return false
}

func yes(on bool) string {
	if on {
		return "yes"
	}
	return "no"
}

// goesOn notes what a caller's dialplan read, and that he heard its next action.
func (c *cell) goesOn(g *guest) {
	c.Helper()
	e := c.w.end(c.T, g.tag)
	next := "hears"
	if !g.heard(max(0, len(g.Record())-2*int(g.Rate())), after) {
		next = "does not hear"
	}
	c.note("%s reads `%s` and %s the next action", g.name, strings.TrimSpace(e.Var("read_result")), next)
}

// command fails the cell when a command of the API is refused.
func (c *cell) command(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// brief is a context for one command.
func (c *cell) brief() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	c.Cleanup(cancel)
	return ctx
}
