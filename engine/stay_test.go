package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestCommandsAnswerWhenItIsTrue(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a, m := th.call("a", "1", nil), th.call("m", "1", map[string]string{"role": "moderator"})
		synctest.Wait()
		ctx := t.Context()
		if err := th.Do(ctx, "1", Mute{Member: 0, On: true}); err != nil || !th.stage("1").state(1).Muted || th.stage("1").state(2).Muted {
			t.Errorf("mute all: %v %+v", err, th.stage("1").states)
		}
		if err := th.Do(ctx, "1", Deafen{1, true}); err != nil || !th.stage("1").state(1).Deaf {
			t.Errorf("deaf: %v", err)
		}
		if err := th.Do(ctx, "1", Mute{Member: 77, On: true}); !errors.Is(err, ErrNoMember) {
			t.Errorf("nobody: %v", err)
		}
		if err := th.Do(ctx, "nowhere", End{}); !errors.Is(err, ErrNoRoom) {
			t.Errorf("no room: %v", err)
		}
		if err := th.Do(ctx, "1", Kick{Member: 1}); err != nil {
			t.Errorf("kick: %v", err)
		}
		want(t, "kicked", line1(outcome(t, a)), "joined kicked kicked")
		stuck := th.stage("1")
		stuck.mu.Lock()
		stuck.stuck = true
		stuck.mu.Unlock()
		brief, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := th.Do(brief, "1", Mute{Member: 2, On: true}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a mute that no fact confirmed was called done: %v", err)
		}
		stuck.mu.Lock()
		stuck.stuck = false
		stuck.mu.Unlock()
		if err := th.Do(ctx, "1", End{}); err != nil {
			t.Errorf("end: %v", err)
		}
		want(t, "ended", line1(outcome(t, m)), "joined ended ended")
	})
}

func TestWrongPINsAreThrottledPerSource(t *testing.T) {
	bubble(t, pins, func(t *testing.T, th *theatre) {
		call := func(source string) *phone {
			p := newPhone("x")
			th.arrive(p, Invite{Room: "1", Source: source, Dialplan: true})
			synctest.Wait()
			return p
		}
		for _, reason := range []string{"pin_failed", "throttled"} { // the sixth is one too many
			p := call("guesser")
			p.press("1#2#3#")
			want(t, "guess", line1(outcome(t, p)), "rejected "+reason)
		}
		want(t, "braked", line1(outcome(t, call("guesser"))), "rejected throttled")
		p := call("somebody else")
		p.press("1234#")
		synctest.Wait()
		if v, _ := th.Room(t.Context(), "1"); len(v.Members) != 1 {
			t.Error("another source was braked too")
		}
		time.Sleep(11 * time.Second)
		p = call("guesser")
		p.press("7#")
		want(t, "one try", line1(outcome(t, p)), "rejected pin_failed")
	})
}

func TestNames(t *testing.T) {
	bubble(t, func(p *Profile) { p.AnnounceName = true }, func(t *testing.T, th *theatre) {
		for _, id := range []string{"a", "b"} {
			p := th.call(id, "1", nil)
			synctest.Wait()
			p.press("#") // ends the recording
			synctest.Wait()
		}
		want(t, "room", th.stage("1").sounds(), DefaultEntryTone+" recorded:b has-joined")
		if err := th.Do(t.Context(), "1", Kick{Member: 2}); err != nil {
			t.Fatal(err)
		}
		want(t, "room", th.stage("1").sounds(), DefaultExitTone+" recorded:b has-left")
	})
}

func TestWarnings(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.call("first", "1", map[string]string{"max_participants": "2"})
		p := th.call("a", "1", map[string]string{
			"mutted": "true", "beep": "loud", "max_participants": "9", "profile": "gold", "flags": "ghost|mute",
		})
		synctest.Wait()
		p.sink.Post(LegGone{Leg: p.id, Reason: ReasonHangup})
		got := joinWarnings(outcome(t, p).Warnings)
		for _, w := range []string{
			"unknown variable parley_mutted, did you mean parley_muted?", `parley_beep: bad value "loud"`,
			"parley_max_participants=9 is ignored", "flags without effect: ghost",
		} {
			if !strings.Contains(got, w) {
				t.Errorf("no %q in %q", w, got)
			}
		}
	})
}

// TestSoundsOfACallAreLookedFor where we mix its room.
func TestSoundsOfACallAreLookedFor(t *testing.T) {
	for _, tt := range []struct {
		name   string
		mixer  Mixer
		warned bool
	}{{"in our mixer", MixerNative, true}, {"in a switch's", MixerSwitch, false}} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, th *theatre) {
				p := DefaultProfile()
				p.Mixer = tt.mixer
				th.Reload(t.Context(), &Directory{Profiles: map[string]*Profile{"default": &p}})
				th.playable = func(spec, language string) error {
					if language != "de" {
						t.Errorf("%q is looked for in %q", spec, language)
					}
					if spec == "fine" {
						return nil
					}
					return errors.New("no " + spec)
				}
				c := th.call("a", "1", map[string]string{
					"language": "de", "enter_sound": "/etc/passwd", "exit_sound": "fine", "moh_sound": "zero", "play_entry_tone": "true", "play_exit_tone": "beep",
				})
				synctest.Wait()
				c.sink.Post(LegGone{Leg: c.id, Reason: ReasonHangup})
				got := joinWarnings(outcome(t, c).Warnings)
				wanted := "parley_enter_sound: no /etc/passwd; parley_moh_sound: no zero; parley_play_exit_tone: no beep"
				if !tt.warned {
					wanted = ""
				}
				want(t, "warnings", got, wanted)
			})
		})
	}
}

func TestLanguagesOfCalls(t *testing.T) {
	for v, ok := range map[string]bool{
		"en": true, "pt-BR": true, "pt_br": true, "es-419": true, "../../etc": false, "e": false, "-en": false, "4e": false, "de/x": false,
		strings.Repeat("a", 36): false,
	} {
		q := readVariables(map[string]string{"language": v})
		if ok != (q.warnings == nil) || ok != (q.language == v) {
			t.Errorf("%q: language %q, %q", v, q.language, q.warnings)
		}
	}
}

func TestLostAndHungUpCalls(t *testing.T) {
	for _, c := range []struct {
		name string
		why  Reason
		want string
	}{
		{"hang-up", ReasonHangup, "joined hangup hangup"},
		{"transfer", ReasonTransferred, "joined transferred transferred"},
		{"media", ReasonMediaLost, "joined media_lost lost"},
		{"switch", ReasonSwitchLost, "joined switch_lost lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, th *theatre) {
				th.call("stays", "1", nil)
				p := th.call("a", "1", nil)
				synctest.Wait()
				th.stage("1").sounds()
				time.Sleep(42 * time.Second)
				p.sink.Post(LegGone{Leg: p.id, Reason: c.why})
				o := outcome(t, p)
				want(t, "outcome", line1(o), c.want)
				if o.Duration != 42*time.Second {
					t.Errorf("duration %v", o.Duration)
				}
				want(t, "room", th.stage("1").sounds(), DefaultExitTone)
			})
		})
	}
	bubble(t, pins, func(t *testing.T, th *theatre) {
		p := th.call("a", "1", nil)
		synctest.Wait()
		p.sink.Post(LegGone{Leg: p.id, Reason: ReasonHangup})
		want(t, "during the PIN", line1(outcome(t, p)), "failed hangup")
		silent := newPhone("s")
		silent.sink = th.Arrive(silent, Invite{Room: "1"})
		time.Sleep(mediaTimeout)
		o := outcome(t, silent)
		want(t, "no media", line1(o), "failed media_lost")
		if !o.Hangup {
			t.Error("a call without a dialplan must be ended")
		}
	})
}

func TestNoPlaceAndPanic(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		other := th.call("other", "2", nil)
		synctest.Wait()
		th.mu.Lock()
		th.broken = true
		th.mu.Unlock()
		want(t, "no bridge", line1(outcome(t, th.call("a", "1", nil))), "failed node_busy")
		th.types()
		th.stage("2").sink.Post(nil) // a bridge that lies: this room only
		want(t, "panicked room", line1(outcome(t, other)), "failed node_busy lost")
		want(t, "told", th.types(), "participant.left room.ended")
	})
}

func TestSoundIsTreatedByTheProfileOfNow(t *testing.T) {
	bubble(t, func(p *Profile) { p.Sound = Sound{Gate: -40, AGC: true} }, func(t *testing.T, th *theatre) {
		th.call("a", "3001", nil)
		synctest.Wait()
		heard := func() Sound {
			synctest.Wait()
			b := th.stage("3001")
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.sound
		}
		if got := heard(); got != (Sound{Gate: -40, AGC: true}) {
			t.Errorf("at first %+v", got)
		}
		d := NewDirectory()
		d.Profiles["default"].Sound.Transparent = true
		th.Reload(t.Context(), d)
		if got := heard(); got != (Sound{Transparent: true}) {
			t.Errorf("after a reload %+v", got)
		}
	})
}

func TestReloadTellsWhatALiveRoomKeeps(t *testing.T) {
	bubble(t, func(p *Profile) { p.MaxParticipants = 20 }, func(t *testing.T, th *theatre) {
		for i := range 3 {
			th.call(fmt.Sprint(i), "3001", nil)
		}
		th.call("x", "own", map[string]string{"max_participants": "7"})
		synctest.Wait()
		d := NewDirectory()
		d.Profiles["default"].MaxParticipants = 2
		got := strings.Join(th.Reload(t.Context(), d), "\n")
		want(t, "report", got, "room 3001 live: applies now; 3 present, nobody removed")
		want(t, "next caller", line1(outcome(t, th.call("late", "3001", nil))), "rejected full")
		if v, _ := th.Room(t.Context(), "own"); v.MaxParticipants != 7 {
			t.Errorf("the opening call's limit became %d", v.MaxParticipants)
		}
	})
}

func TestWhoIsOnTheWayInIsNoMemberYet(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.call("a", "1", nil)
		synctest.Wait()
		b := th.stage("1")
		b.hold()
		th.call("b", "1", nil)
		synctest.Wait()
		err := th.Do(t.Context(), "1", Mute{Member: 2, On: true})
		if !errors.Is(err, ErrNoMember) || !strings.HasSuffix(err.Error(), ": 2 in room 1 is admitting") {
			t.Errorf("before the mixer has him: %v", err)
		}
		b.letGo()
		synctest.Wait()
		if err := th.Do(t.Context(), "1", Mute{Member: 2, On: true}); err != nil {
			t.Error(err)
		}
	})
}
