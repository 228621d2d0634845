package engine

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	lonely = "you-are-alone *local_stream://moh"
	asked  = "enter-pin " + lonely
)

func TestPINsThatTheCallNames(t *testing.T) {
	onlyModerators := func(p *Profile) { p.Moderator.PINs = []PIN{NewPIN("98765")} }
	for _, c := range []struct {
		name   string
		edit   func(*Profile)
		vars   map[string]string
		digits string
		heard  string
		role   string // "" = still asked
	}{
		{"a member's, in a room without", nil, map[string]string{"member_pin": "55"}, "55", asked, "member"},
		{"a member's, in place of the profile's", pins, map[string]string{"member_pin": "55"}, "55#", asked, "member"},
		{
			"the profile's is not good any more", pins,
			map[string]string{"member_pin": "55"},
			"1234#",
			"enter-pin bad-pin enter-pin", "",
		},
		{"the moderators' one of the profile stays", pins, map[string]string{"member_pin": "55"}, "98765", asked, "moderator"},
		{"a moderator's", pins, map[string]string{"moderator_pin": "77"}, "77#", asked, "moderator"},
		{"a moderator's, and no digits", nil, map[string]string{"moderator_pin": "77"}, "#", asked, "member"},
		{"both the same make a member", nil, map[string]string{"moderator_pin": "77", "member_pin": "77"}, "77", asked, "member"},
		{"a flagged moderator is asked for it", nil, map[string]string{"flags": "moderator", "member_pin": "55"}, "55", asked, "moderator"},
		{
			"a flagged moderator is not asked for the profile's", pins,
			map[string]string{"flags": "moderator"},
			"",
			lonely, "moderator",
		},
		{
			"a flagged moderator with a wrong one", pins,
			map[string]string{"flags": "moderator", "member_pin": "55"},
			"66#",
			"enter-pin bad-pin enter-pin", "",
		},
		{
			"it can come along", nil,
			map[string]string{"member_pin": "55", "pin": "55"},
			"",
			lonely, "member",
		},
		{"one that nobody can type", nil, map[string]string{"member_pin": "12@x"}, "12#", "enter-pin bad-pin enter-pin", ""},
		{"the dialplan vouches", pins, map[string]string{"enforce_security": "false"}, "", lonely, "member"},
		{
			"the dialplan vouches for a moderator with a PIN", pins,
			map[string]string{"enforce_security": "false", "role": "moderator", "member_pin": "55"},
			"", lonely, "moderator",
		},
		{"it does not", onlyModerators, map[string]string{"enforce_security": "true"}, "#", asked, "member"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.edit, func(t *testing.T, th *theatre) {
				p := th.call("a", "1", c.vars)
				for i := range len(c.digits) {
					synctest.Wait()
					p.press(c.digits[i : i+1])
				}
				synctest.Wait()
				want(t, "heard", p.sounds(), c.heard)
				v, err := th.Room(t.Context(), "1")
				if err != nil {
					t.Fatal(err)
				}
				role := ""
				if len(v.Members) == 1 {
					role = v.Members[0].Role
				}
				want(t, "role", role, c.role)
				if role == "" {
					p.sink.Post(LegGone{Leg: p.id, Reason: ReasonHangup})
				}
			})
		})
	}
}

func TestALockDoesNotHoldWhomTheDialplanVouchesFor(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.call("a", "1", nil)
		synctest.Wait()
		if err := th.Do(t.Context(), "1", Lock{true}); err != nil {
			t.Fatal(err)
		}
		out := th.call("b", "1", map[string]string{"enforce_security": "true"})
		want(t, "outcome", line1(outcome(t, out)), "rejected locked")
		th.call("c", "1", map[string]string{"enforce_security": "false"})
		synctest.Wait()
		if v, err := th.Room(t.Context(), "1"); err != nil || len(v.Members) != 2 {
			t.Errorf("%+v, %v", v.Members, err)
		}
	})
}

func TestASilentEntryTellsNobody(t *testing.T) {
	edit := func(p *Profile) {
		p.AnnounceCount, p.AnnounceCountTo, p.Member.PlayEntryPrompt, p.AnnounceName = 2, ToAll, true, true
	}
	bubble(t, edit, func(t *testing.T, th *theatre) {
		silent := map[string]string{"silent_entry": "true"}
		enter := func(id string, vars map[string]string) *phone {
			p := th.call(id, "1", vars)
			synctest.Wait()
			p.press("#") // ends the recording of the name
			synctest.Wait()
			return p
		}
		a := enter("a", silent)
		want(t, "he hears", a.sounds(), "say-your-name "+beep+" *local_stream://moh")
		b := enter("b", silent)
		want(t, "the room hears", th.stage("1").sounds(), "")
		enter("c", nil)
		want(t, "the room hears of another", th.stage("1").sounds(), DefaultEntryTone+" recorded:c has-joined phrase:count:3")
		want(t, "events", th.types(), "room.started participant.joined participant.joined participant.joined")
		for _, id := range []MemberID{2, 3} {
			if err := th.Do(t.Context(), "1", Kick{Member: id}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		want(t, "when he is alone later", a.sounds(), lonely)
		_ = b
	})
}

func TestACallNamesItsMenuAndGains(t *testing.T) {
	for _, c := range []struct {
		name, variable, value string
		keys                  string
		muted                 bool
		state                 MemberState
		warning               string
	}{
		{name: "a menu of the configuration", variable: "controls", value: "simple", keys: "0", muted: true},
		{name: "the keys of the role are gone", variable: "controls", value: "simple", keys: "*1"},
		{name: "no menu", variable: "controls", value: "none", keys: "*1"},
		{name: "the built-in one", variable: "controls", value: "moderator", keys: "*1", muted: true},
		{
			name: "one that is not there", variable: "controls", value: "gold", keys: "*1", muted: true,
			warning: `parley_controls: "gold" is not defined, using default`,
		},
		{name: "talk gain", variable: "talk_gain_db", value: "2.5", state: MemberState{Talk: 2.5}},
		{name: "listen gain", variable: "listen_gain_db", value: "-13.98", state: MemberState{Listen: -13.98}},
		{
			name: "a gain that is none", variable: "talk_gain_db", value: "loud",
			warning: `parley_talk_gain_db: bad value "loud", want dB, -20 to 20`,
		},
		{
			name: "no number", variable: "listen_gain_db", value: "NaN",
			warning: `parley_listen_gain_db: bad value "NaN", want dB, -20 to 20`,
		},
		{name: "too much", variable: "talk_gain_db", value: "20.1", warning: `parley_talk_gain_db: bad value "20.1", want dB, -20 to 20`},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := NewDirectory()
				d.Menus = map[string]Controls{"simple": {Name: "simple", Keys: []Control{{"0", ActionMute}}}}
				th := newTheatre(t, d)
				p := th.call("a", "1", map[string]string{c.variable: c.value})
				synctest.Wait()
				p.press(c.keys)
				synctest.Wait()
				c.state.Muted = c.muted
				if got := th.stage("1").state(1); got != c.state {
					t.Errorf("state %+v, want %+v", got, c.state)
				}
				if err := th.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
				want(t, "warnings", joinWarnings(outcome(t, p).Warnings), c.warning)
			})
		})
	}
}

func TestAPINThatIsNoneIsAskedForAndNotRepeated(t *testing.T) {
	for name, value := range map[string]string{"member_pin": "12 34", "moderator_pin": strings.Repeat("1", 17)} {
		bubble(t, nil, func(t *testing.T, th *theatre) {
			p := th.call("a", "1", map[string]string{name: value, "role": "moderator"})
			p.press("1#1234#12#")
			want(t, "outcome", line1(outcome(t, p)), "rejected pin_failed")
			e := th.explained(t, "a")
			want(t, "warnings", strings.Join(e.Warnings, ";"), "parley_"+name+": bad value, want a PIN of 1 to 16 digits; it is asked for all the same")
			want(t, "shown", about(e, name), "*** | variable parley_"+name)
		})
	}
}

func TestACallMayEndWithItsRoom(t *testing.T) {
	for _, c := range []struct {
		value string
		do    Command
		want  bool
	}{
		{"true", End{}, true}, {"false", End{}, false}, {"", End{}, false}, {"true", Kick{Member: 1}, false},
	} {
		bubble(t, nil, func(t *testing.T, th *theatre) {
			p := th.call("a", "1", map[string]string{"hangup_after_end": c.value})
			synctest.Wait()
			if err := th.Do(t.Context(), "1", c.do); err != nil {
				t.Fatal(err)
			}
			if o := outcome(t, p); o.Hangup != c.want {
				t.Errorf("hangup_after_end=%q, %T: %+v", c.value, c.do, o)
			}
		})
	}
}

func TestEndGraceOfTheCall(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		p := th.call("a", "1", map[string]string{"end_grace": "10"})
		m := th.call("m", "1", map[string]string{"end_on_exit": "any"})
		synctest.Wait()
		m.sink.Post(LegGone{Leg: m.id, Reason: ReasonHangup})
		synctest.Wait()
		if v, err := th.Room(t.Context(), "1"); err != nil || len(v.Members) != 1 {
			t.Fatalf("%+v, %v", v, err)
		}
		time.Sleep(11 * time.Second)
		want(t, "outcome", line1(outcome(t, p)), "joined moderator_left ended")
	})
}

// TestWhoIsUntoldHearsWhatIsPlayedToHimAlone by command, and nothing else: a snoop
// would whisper it.
func TestWhoIsUntoldHearsWhatIsPlayedToHimAlone(t *testing.T) {
	edit := func(p *Profile) {
		p.AnnounceCount, p.AnnounceCountTo, p.Member.PlayEntryPrompt, p.AnnounceName = 1, ToAll, true, true
		p.WelcomeSound, p.EntryPrompt, p.KickedSound = "welcome", "prompt", "kicked"
	}
	bubble(t, edit, func(t *testing.T, th *theatre) {
		a := newPhone("a")
		th.arrive(a, Invite{Room: "1", Source: "a", Untold: true})
		synctest.Wait()
		do := func(c Command) {
			t.Helper()
			if err := th.Do(t.Context(), "1", c); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		do(Mute{Member: 1, On: true})
		do(Play{Member: 1, What: Media{Items: []string{"asked-for"}}})
		want(t, "he hears", a.sounds(), "asked-for")
		do(Mute{Member: 1})
		time.Sleep(time.Minute)
		do(Kick{Member: 1})
		want(t, "he hears later", a.sounds(), "")
		if o := outcome(t, a); o.Reason != ReasonKicked {
			t.Errorf("%+v", o)
		}
	})
}
