package engine

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestRecordOneMember: his recording ends when he leaves, and the room is told
// nothing of it; the other one's goes on.
func TestRecordOneMember(t *testing.T) {
	bubble(t, func(p *Profile) { p.RecordSound, p.RecordEndSound = "on-air", "off-air" }, func(t *testing.T, th *theatre) {
		a := th.call("a", "1", nil)
		th.call("b", "1", nil)
		time.Sleep(time.Minute)
		v, err := th.Room(t.Context(), "1")
		if err != nil {
			t.Fatal(err)
		}
		b := th.stage("1")
		b.mu.Lock()
		b.played = nil
		b.mu.Unlock()
		live(t, th, Record{File: "a.wav", Member: v.Members[0].ID, MaxSilence: time.Second, Exists: ExistsAppend})
		live(t, th, Record{File: "b.wav", Member: v.Members[1].ID})
		b.mu.Lock()
		for _, tape := range b.tapes {
			if tape.File == "a.wav" && (tape.Member != v.Members[0].ID || tape.MaxSilence != time.Second || tape.Exists != ExistsAppend || tape.Rate != 0) {
				t.Errorf("%+v", tape)
			}
		}
		b.mu.Unlock()
		if err := th.Do(t.Context(), "1", Record{File: "c.wav", Member: 99}); !errors.Is(err, ErrNoMember) {
			t.Errorf("one who is not there: %v", err)
		}
		if err := th.Do(t.Context(), "1", MuteRecord{File: "a.wav", On: true}); !errors.Is(err, ErrCannot) {
			t.Errorf("a place that cannot mute: %v", err)
		}
		a.sink.Post(LegGone{Leg: a.id, Reason: ReasonHangup})
		time.Sleep(time.Second)
		want(t, "recordings", th.tapes(), "b.wav running")
		if list := th.recordings(); len(list) < 3 || list[len(list)-1].Member != v.Members[0].ID || list[len(list)-1].State != RecordingDone {
			t.Errorf("%+v", list)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, sound := range b.played {
			if strings.Contains(sound, "air") {
				t.Errorf("the room hears %s", sound)
			}
		}
	})
}

// TestKeysAreTold those of a member, and none of what he answers to a prompt.
func TestKeysAreTold(t *testing.T) {
	bubble(t, func(p *Profile) { p.Member.PINs = []PIN{NewPIN("1234")} }, func(t *testing.T, th *theatre) {
		a := th.call("a", "1", nil)
		time.Sleep(time.Second)
		a.press("1234")
		time.Sleep(time.Minute)
		a.sink.Post(Digit{Leg: a.id, Digit: '5', Held: 80 * time.Millisecond})
		time.Sleep(time.Second)
		told := ""
		th.mu.Lock()
		for _, e := range th.events {
			if e.Type == EventDigit {
				told += string(rune(e.Digit)) + " " + e.Held.String() + " " + string(e.Leg)
			}
		}
		th.mu.Unlock()
		want(t, "told", told, "5 80ms a")
	})
}
