package main

import (
	"strings"
	"testing"
	"time"

	"parley/engine"
	"parley/sip/siptest"
)

func TestHowARoomSounds(t *testing.T) {
	fine := engine.MemberView{ID: 1, Number: "1001", State: "joined", Level: new(float64(-23)), QuietMS: new(int64(12)), Source: "10.1.1.9:4002"}
	with := func(change func(m *engine.MemberView)) engine.MemberView {
		m := fine
		m.ID, m.Number, m.Switch = 14, "+4930", "pbx1"
		change(&m)
		return m
	}
	for _, tt := range []struct {
		name string
		tell func(w *strings.Builder, r engine.RoomView) bool
		m    engine.MemberView
		want string
		bad  bool
	}{
		{"echo", tellNoisy, with(func(m *engine.MemberView) {
			m.Disturbance = &engine.Disturbance{Kind: engine.Echo, Share: 0.62, DelayMS: 210}
		}), "#14 +4930 via pbx1: returns 62 % of others' speech after 210 ms (echo); suggested: mute 14\n", true},
		{"howl", tellNoisy, with(func(m *engine.MemberView) {
			m.Disturbance = &engine.Disturbance{Kind: engine.Howl, Hz: 2900, Level: -12, Seconds: 4}
		}), "#14 +4930 via pbx1: a tone of about 2900 Hz at -12 dBov for 4 s (howl); suggested: mute 14\n", true},
		{"noise of one who is muted", tellNoisy, with(func(m *engine.MemberView) {
			m.Muted, m.Disturbance = true, &engine.Disturbance{Kind: engine.Noise, Level: -38, Seconds: 8}
		}), "#14 +4930 via pbx1: no pause in 8 s, -38 dBov (noise); muted, so nobody hears it\n", false},
		{"nobody is noisy", tellNoisy, fine, "nobody else in 3001 echoes", false},
		{
			"no RTP any more", tellSilent, with(func(m *engine.MemberView) { m.QuietMS = new(int64(48_300)) }),
			"#14 +4930 via pbx1: no RTP since 00:00:48 (last from 10.1.1.9:4002)\n", false,
		},
		{
			"no RTP ever", tellSilent, with(func(m *engine.MemberView) { m.QuietMS = nil }),
			"#14 +4930 via pbx1: no RTP has come yet, from 10.1.1.9:4002 or elsewhere\n", false,
		},
		{
			"muted by the profile", tellSilent, with(func(m *engine.MemberView) { m.Muted, m.MutedBy = true, "by the profile" }),
			"#14 +4930 via pbx1: muted by the profile\n", false,
		},
		{"held", tellSilent, with(func(m *engine.MemberView) { m.Held = true }), "#14 +4930 via pbx1: held by his side\n", false},
		{"on his way in", tellSilent, with(func(m *engine.MemberView) { m.State = "entering" }), "#14 +4930 via pbx1: not in the room: entering\n", false},
		{"waiting", tellSilent, with(func(m *engine.MemberView) { m.State = "waiting" }), "#14 +4930 via pbx1: waiting for moderator\n", false},
		{
			"silence", tellSilent, with(func(m *engine.MemberView) { m.Level = new(float64(-127)) }),
			"#14 +4930 via pbx1: sends packets, but only silence (last from 10.1.1.9:4002)\n", false,
		},
		{
			"too soft for a fixed gate", tellSilent, with(func(m *engine.MemberView) { m.Gated, m.Talking = true, true }),
			"#14 +4930 via pbx1: talks, -23 dBov now, but the gate lets nothing of it through\n", false,
		},
		{
			"noise only", tellSilent, with(func(m *engine.MemberView) { m.Gated, m.Level = true, new(float64(-51)) }),
			"#14 +4930 via pbx1: is heard when he talks; the gate takes -51 dBov for noise\n", false,
		},
		{"turned down", tellSilent, with(func(m *engine.MemberView) { m.Talk = -50 }), "#14 +4930 via pbx1: turned down by 50 dB\n", false},
		{
			"heard, and deaf", tellSilent, with(func(m *engine.MemberView) { m.Deaf, m.DeafBy = true, "by key *4" }),
			"#14 +4930 via pbx1: is heard, -23 dBov now; hears nobody: deaf by key *4\n", false,
		},
		{"a good line", tellDelays, with(func(m *engine.MemberView) { m.DelayMS, m.Codec = 30, "G722/16000" }), "43 ms  \n", false},
		{
			"bursts", tellDelays, with(func(m *engine.MemberView) { m.DelayMS, m.JitterMS, m.Lost, m.Capped = 180, 3, 0.04, true }),
			"jitter buffer 180 ms because some packets came late in bursts, 4 % are lost; capped\n", true,
		},
		{
			"jitter", tellDelays, with(func(m *engine.MemberView) { m.DelayMS, m.JitterMS = 90, 21 }),
			"jitter buffer 90 ms because packets come up to 21 ms apart\n", false,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var w strings.Builder
			bad := tt.tell(&w, engine.RoomView{Name: "3001", Mixer: "native", Members: []engine.MemberView{fine, tt.m}})
			if bad != tt.bad || !strings.Contains(w.String(), tt.want) {
				t.Errorf("%v, want %v\n%s", bad, tt.bad, w.String())
			}
		})
	}
}

func tellNoisy(w *strings.Builder, r engine.RoomView) bool  { return noisy(w, r) }
func tellSilent(w *strings.Builder, r engine.RoomView) bool { return whySilent(w, r) }
func tellDelays(w *strings.Builder, r engine.RoomView) bool { return delays(w, r) }

func TestWhatARoomAsAWholeLacks(t *testing.T) {
	muted := engine.MemberView{ID: 1, State: "joined", Muted: true, QuietMS: new(int64(1)), Level: new(float64(-30))}
	for _, tt := range []struct {
		name string
		r    engine.RoomView
		want string
	}{
		{"nobody", engine.RoomView{Prompting: 2}, "room: nobody is in it, 2 at the attendant\n"},
		{"one", engine.RoomView{Members: []engine.MemberView{{State: "joined", QuietMS: new(int64(1))}}}, "room: one member alone hears nobody\n"},
		{"all wait", engine.RoomView{Members: []engine.MemberView{{State: "waiting"}, {State: "waiting"}}}, "room: waiting for moderator\n"},
		{"a sound is missing", engine.RoomView{Mixer: "native", Members: []engine.MemberView{{State: "joined"}, {State: "joined"}}, Unplayed: []string{"no bing.wav"}}, "room: a sound was not played: no bing.wav\n"},
		{"all muted", engine.RoomView{Mixer: "native", Members: []engine.MemberView{muted, muted}}, "room: nobody is heard\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var w strings.Builder
			if bad := whySilent(&w, tt.r); !bad || !strings.Contains(w.String(), tt.want) {
				t.Errorf("%v\n%s", bad, w.String())
			}
		})
	}
}

// TestARoomWhoseAudioIsElsewhere: nothing is made up of what its switch does not
// tell, and that is no fault.
func TestARoomWhoseAudioIsElsewhere(t *testing.T) {
	r := engine.RoomView{Name: "3001", Mixer: "switch ast1", Members: []engine.MemberView{
		{ID: 1, Number: "1001", Switch: "ast1", State: "joined", Talking: true},
		{ID: 2, Number: "1002", Switch: "ast1", State: "joined"},
		{ID: 3, Number: "1003", Switch: "ast1", State: "joined", Muted: true, MutedBy: "by command"},
	}}
	for _, tt := range []struct {
		tell func(w *strings.Builder, r engine.RoomView) bool
		want string
	}{
		{tellSilent, "#1 1001 via ast1: is heard, talks now\n#2 1002 via ast1: can be heard, does not talk now\n#3 1003 via ast1: muted by command\n" +
			"room: mixed at switch ast1, whose audio is not seen here; nothing else keeps 2 of 3 from being heard\n"},
		{tellNoisy, "room: mixed at switch ast1, whose audio is not heard here\n"},
		{tellDelays, "room: mixed at switch ast1, which does not tell how late its members are heard\n"},
		{func(w *strings.Builder, r engine.RoomView) bool { printRoom(w, r); return false }, " *    -    -        -      -     -       -\n"},
	} {
		var w strings.Builder
		if bad := tt.tell(&w, r); bad || !strings.HasSuffix(w.String(), tt.want) && !strings.Contains(w.String(), tt.want) {
			t.Errorf("%v\n%swant\n%s", bad, w.String(), tt.want)
		}
	}
}

// says waits until a command on a room says something.
func (s *server) says(t *testing.T, want string, args ...string) {
	t.Helper()
	var out string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if _, out, _ = parley(t, append(args, "--config", s.file)...); strings.Contains(out, want) {
			return
		}
	}
	t.Errorf("%v: no %q in\n%s", args, want, out)
}

func TestSoundOfARunningRoom(t *testing.T) {
	s := serveFor(t, "profiles: [{name: default, "+quiet+"}]\n")
	howler := s.dial(t, "1001")
	howler.SetTone(siptest.Tone{Hz: 1000, DBFS: -9})
	s.says(t, "#1 1001 Ann:", "room", "3001", "why-silent")
	s.says(t, "room: one member alone hears nobody", "room", "3001", "why-silent")
	s.dial(t, "1002")
	s.says(t, "#2 1002 Ann: sends packets", "room", "3001", "why-silent")
	third := s.dial(t, "1003")
	s.says(t, "#3 1003 Ann: sends packets", "room", "3001", "why-silent")
	s.do(t, "room", "3001", "mute", "2")
	s.says(t, "#2 1002 Ann: muted by command", "room", "3001", "why-silent")
	s.says(t, "#3 1003 Ann: sends packets, but only silence (last from 127.0.0.1:", "room", "3001", "why-silent")
	third.Mute(true)
	s.says(t, "#3 1003 Ann: no RTP since 00:00:0", "room", "3001", "why-silent")
	if err := third.Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.says(t, "#3 1003 Ann: held by his side", "room", "3001", "why-silent")
	s.says(t, "#1 1001 Ann: is heard, -12 dBov now", "room", "3001", "why-silent")
	s.says(t, "#1 1001 Ann: a tone of about 1000 Hz at -12 dBov for ", "room", "3001", "noisy")
	s.says(t, `"kind": "howl"`, "room", "3001", "noisy", "--json")
	s.says(t, "PCMU/8000 ", "room", "3001", "delay")
}
