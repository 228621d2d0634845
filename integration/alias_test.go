//go:build integration

package integration

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/engine"
	"parley/internal/audiotest"
)

// TestDialplanForModConference runs dialplans that set variables of
// mod_conference before the socket line (docs/freeswitch-aliases.md). A room in
// the switch's own conference must heed them once, not twice.
func TestDialplanForModConference(t *testing.T) {
	at := newPlace()
	startFreeSWITCH(t, at)
	w := watch(t, at)
	for i, mixer := range []string{"native", "switch"} {
		t.Run(mixer, func(t *testing.T) {
			p := run(t, at, contractConfig(mixer, at, at.fsESL))
			room := func(t *testing.T, k int) *cell {
				return &cell{T: t, p: p, w: w, room: "alias-" + mixer + "-" + string(rune('a'+k)), hash: 100 + 10*i + k}
			}
			t.Run("flags, limit, sound, silence", func(t *testing.T) { modConferenceVariables(room(t, 0)) })
			t.Run("the argument of conference", func(t *testing.T) { modConferenceArgument(room(t, 1)) })
		})
	}
}

func modConferenceVariables(c *cell) {
	a := c.joins("conference_member_flags=mute|moderator|ghost", "conference_max_members=2", "conference_join_volume_out=-4")
	if m := c.roster(a); m.Role != "moderator" || !m.Muted || m.Deaf || m.Listen > -13.9 {
		c.Errorf("a member %+v", m)
	}
	if v, _ := c.view(); v.MaxParticipants != 2 {
		c.Errorf("room for %d", v.MaxParticipants)
	}
	c.explained(a, "muted", "true", "from conference_member_flags")
	c.explained(a, "max_participants", "2", "from conference_max_members of call ")

	from := len(a.Record())
	b := c.joins("conference_enter_sound=tone_stream://%(500,0,1900)", "conference_silent_entry=true")
	time.Sleep(time.Second)
	if a.heard(from, exitHz) {
		c.Error("a silent entry was heard")
	}
	c.types(b, "#")
	c.members(1)
	time.Sleep(500 * time.Millisecond)
	from = len(a.Record())
	b = c.joins("conference_enter_sound=tone_stream://%(500,0,1900)")
	eventually(c.T, 5*time.Second, "the enter sound", func() (string, bool) { return "", a.heard(from, exitHz) })
	pcm := listen([]*guest{a, b})
	if quiet, far := audiotest.Steady(pcm[0], int(a.Rate()), b.hz), audiotest.Steady(pcm[1], int(b.Rate()), a.hz); quiet < -37 || quiet > -30 || far > -52 {
		c.Errorf("with volume_out -4 A hears B at %.1f dBFS; B hears A, who is muted, at %.1f", quiet, far)
	}
	full := c.dial()
	if e := c.reads(full); e != "rejected full" {
		c.Errorf("the third caller reads %q", e)
	}
	c.types(a, "#")
	end := c.w.end(c.T, a.tag)
	if got, want := end.Var("read_warnings"), "conference_member_flags: ghost has no effect"; got != want {
		c.Errorf("warnings %q, want %q", got, want)
	}
	if got := end.Var("conference_member_flags"); got != "mute|moderator|ghost" {
		c.Errorf("conference_member_flags is %q afterwards", got)
	}
}

func modConferenceArgument(c *cell) {
	line := "parley_conference=" + c.room + "@default+4711+flags{moderator|endconf}"
	m := c.dialAlone(line, "conference_member_flags_mute=true")
	time.Sleep(1500 * time.Millisecond)
	c.types(m, "4711")
	c.members(1)
	if got := c.roster(m); got.Role != "moderator" || !got.Muted {
		c.Errorf("a member %+v", got)
	}
	c.explained(m, "muted", "true", "from parley_conference, conference_member_flags_mute")
	other := c.joins()
	stranger := c.dialAlone(line)
	time.Sleep(1500 * time.Millisecond)
	c.types(stranger, "1#2#3#")
	if got := c.reads(stranger); got != "rejected pin_failed" {
		c.Errorf("with a wrong PIN he reads %q", got)
	}
	time.Sleep(2 * time.Second) // a key just after a PIN would be its end
	c.types(m, "#")
	if got := c.reads(other); got != "joined moderator_left ended" {
		c.Errorf("after endconf the other reads %q", got)
	}
	if strings.Contains(c.p.log(), "4711") {
		c.Error("a PIN is in the log")
	}
}

// reads is what a caller's dialplan reads.
func (c *cell) reads(g *guest) string {
	c.Helper()
	return strings.TrimSpace(c.w.end(c.T, g.tag).Var("read_result"))
}

// explained checks where a setting of a call is from.
func (c *cell) explained(g *guest, name, value, source string) {
	c.Helper()
	e, err := c.p.api.ExplainCall(c.brief(), c.w.channel(c.T, g.tag))
	if err != nil {
		c.Fatal(err)
	}
	i := slices.IndexFunc(e.Settings, func(s engine.Setting) bool { return s.Name == name && s.Lost == "" })
	if i < 0 || e.Settings[i].Value != value || !strings.HasPrefix(e.Settings[i].Source, source) {
		c.Errorf("%s is not %s %s: %+v", name, value, source, e.Settings)
	}
}
