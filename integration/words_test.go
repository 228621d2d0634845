//go:build integration

package integration

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"parley/esl/conference"
	"parley/internal/audiotest"
	"parley/sip"
)

// TestWordsOfModConference speaks to a conference of the switch's own, with a
// blank and a quote in its name, in the words of esl/conference: what a command
// asks for must stand in all three lists afterwards.
func TestWordsOfModConference(t *testing.T) {
	at := newPlace()
	startFreeSWITCH(t, at)
	c := &cell{T: t, w: watch(t, at), room: "it's two words", hash: 200}
	a, b := c.plain("moderator"), c.plain("")
	var room *conference.Room
	eventually(t, 10*time.Second, "two members", func() (string, bool) {
		room = c.lists()
		return fmt.Sprintf("%+v", room), room != nil && len(room.Members) == 2
	})
	second, first := room.Members[0], room.Members[1]
	if first.CallerNumber != a.number || second.CallerNumber != b.number || !first.Moderator || second.Moderator {
		t.Fatalf("%+v", room)
	}
	for _, s := range []struct {
		name string
		make func() (string, error)
		is   func(conference.Room, conference.Member) bool
	}{
		{"mute", func() (string, error) { return conference.Mute(c.room, second.ID, true) }, func(_ conference.Room, m conference.Member) bool { return !m.Speak }},
		{"unmute", func() (string, error) { return conference.Unmute(c.room, second.ID, true) }, func(_ conference.Room, m conference.Member) bool { return m.Speak }},
		{"deaf", func() (string, error) { return conference.Deaf(c.room, second.ID, true) }, func(_ conference.Room, m conference.Member) bool { return !m.Hear }},
		{"undeaf", func() (string, error) { return conference.Undeaf(c.room, second.ID, true) }, func(_ conference.Room, m conference.Member) bool { return m.Hear }},
		{"hold", func() (string, error) { return conference.Hold(c.room, second.ID) }, func(_ conference.Room, m conference.Member) bool { return m.Hold }},
		{"unhold", func() (string, error) { return conference.Unhold(c.room, second.ID) }, func(_ conference.Room, m conference.Member) bool { return !m.Hold }},
		{"energy", func() (string, error) { return conference.Energy(c.room, second.ID, 300) }, func(_ conference.Room, m conference.Member) bool { return m.Energy == 300 }},
		{"gate open", func() (string, error) { return conference.Energy(c.room, second.ID, 0) }, func(_ conference.Room, m conference.Member) bool { return m.Energy == 0 }},
		{"volume out", func() (string, error) { return conference.VolumeOut(c.room, second.ID, 4) }, func(_ conference.Room, m conference.Member) bool { return m.VolumeOut == 4 }},
		{"lock", func() (string, error) { return conference.Lock(c.room) }, func(r conference.Room, _ conference.Member) bool { return r.Locked }},
		{"unlock", func() (string, error) { return conference.Unlock(c.room) }, func(r conference.Room, _ conference.Member) bool { return !r.Locked }},
		{"record", func() (string, error) { return conference.Record(c.room, "/tmp/two words.wav") }, func(r conference.Room, _ conference.Member) bool { return r.Recording }},
		{"stop recording", func() (string, error) { return conference.StopRecord(c.room, "/tmp/two words.wav") }, func(r conference.Room, _ conference.Member) bool { return !r.Recording }},
		{"play", func() (string, error) { return conference.Play(c.room, "silence_stream://100", second.ID) }, nil},
		{"stop", func() (string, error) { return conference.Stop(c.room, second.ID) }, nil},
		{"pin", func() (string, error) { return conference.PIN(c.room, "1234") }, nil},
		{"no pin", func() (string, error) { return conference.PIN(c.room, "") }, nil},
		{"hup", func() (string, error) { return conference.Hup(c.room, 4_000_000) }, nil},
	} {
		if s.name == "hup" {
			if err := c.confer(s.make()); !errors.Is(err, conference.ErrNoMember) {
				t.Errorf("%s of nobody: %v", s.name, err)
			}
			continue
		}
		eventually(t, 5*time.Second, s.name+" being taken", func() (string, bool) { // a recording may be listed before the switch knows its file
			err := c.confer(s.make())
			return fmt.Sprint(err), err == nil
		})
		if s.is == nil {
			continue
		}
		eventually(t, 5*time.Second, s.name, func() (string, bool) {
			r := c.lists()
			return fmt.Sprintf("%+v", r), r != nil && r.Find(second.ID) != nil && s.is(*r, *r.Find(second.ID))
		})
	}
	c.steps(a, b, second.ID)
	if err := c.confer(conference.Kick(c.room, conference.Everyone)); err != nil {
		t.Error(err)
	}
	eventually(t, 10*time.Second, "the end of the conference", func() (string, bool) {
		return "", errors.Is(c.confer(conference.Lock(c.room)), conference.ErrNoConference)
	})
}

// plain calls into the switch's own conference.
func (c *cell) plain(flags string) *guest {
	c.Helper()
	g := &guest{name: string(rune('A' + c.came)), number: fmt.Sprintf("7%03d%d", c.hash, c.came), hz: float64(500 + 400*c.came)}
	g.tag = "words-" + g.name
	c.came++
	g.Call = c.ring("plain", g, nil, sip.Header{Name: "X-Room", Value: c.room}, sip.Header{Name: "X-Flags", Value: flags})
	return g
}

// confer runs a command of the conference, if it could be written.
func (c *cell) confer(args string, err error) error {
	if err != nil {
		return err
	}
	ctx := c.brief()
	return conference.Answer(c.fs().conn.API(ctx, "conference", args))
}

// lists reads the room from all three lists. It is nil while they do not agree,
// as between two of them something may change.
func (c *cell) lists() *conference.Room {
	c.Helper()
	var seen []*conference.Room
	for _, l := range []struct {
		arg   string
		parse func([]byte) ([]conference.Room, error)
	}{{"xml_list", conference.ParseXML}, {"json_list", conference.ParseJSON}, {"list", conference.ParseList}} {
		rooms, err := l.parse([]byte(c.fs().api("conference", l.arg)))
		if err != nil {
			c.Fatalf("%s: %v", l.arg, err)
		}
		r := conference.Named(rooms, c.room)
		if r == nil {
			return nil
		}
		for i := range r.Members {
			m := &r.Members[i]
			m.Channel, m.Ghost, m.Talking, m.Floor = "", false, false, false // not in each, or not at one moment
		}
		r.UUID, r.RunTime, r.MaxMembers = "", 0, 0
		seen = append(seen, r)
	}
	if !reflect.DeepEqual(seen[0], seen[1]) || !reflect.DeepEqual(seen[1], seen[2]) {
		return nil
	}
	return seen[0]
}

// steps measures at A what VolumeIn does to B's tone.
func (c *cell) steps(a, b *guest, id conference.MemberID) {
	for _, step := range []int{-4, -2, 0, 1, 3} {
		if err := c.confer(conference.VolumeIn(c.room, id, step)); err != nil {
			c.Error(err)
		}
		pcm := listen([]*guest{a})[0]
		got := audiotest.Steady(pcm, int(a.Rate()), b.hz)
		if want := -20 + conference.Gain(step); math.Abs(got-want) > 1 {
			c.Errorf("at step %d B is heard at %.1f dBFS, want %.1f", step, got, want)
		}
	}
}
