package conference

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"
	"time"

	"parley/esl"
)

// recorded are the events of a file of testdata.
func recorded(tb testing.TB, name string) []*esl.Event {
	tb.Helper()
	var events []*esl.Event
	r := esl.NewReader(bytes.NewReader(sample(tb, name)))
	for {
		m, err := r.Message()
		if errors.Is(err, io.EOF) {
			return events
		}
		if err != nil {
			tb.Fatal(err)
		}
		e, err := esl.ParseEvent(m)
		if err != nil {
			tb.Fatal(err)
		}
		events = append(events, e)
	}
}

const weeklyID = "1cc5e8f4-7895-4e82-b9c0-e33a2f100a38"

func ofRoom(a Action, seq uint64, size, ghosts int) Event {
	return Event{Action: a, Sequence: seq, Room: "weekly", RoomID: weeklyID, Profile: "default", Size: size, Ghosts: ghosts}
}

func ann(a Action, seq uint64, size, ghosts int) Event {
	e := ofRoom(a, seq, size, ghosts)
	e.Member, e.UUID, e.Channel = 9, "dbb9f4b4-3d23-4230-bdc5-924f6c849259", "sofia/internal/1001@127.0.0.1"
	e.CallerName, e.CallerNumber = "Ann", "1001"
	e.Hear, e.Speak, e.Moderator, e.Energy = true, true, true, 100
	return e
}

func carl(a Action, seq uint64, size, energy int) Event {
	e := ofRoom(a, seq, size, 1)
	e.Member, e.UUID, e.Channel = 11, "c08bd729-6a6c-494a-9b34-fe93a9ed1caa", "sofia/internal/1003@127.0.0.1"
	e.CallerName, e.CallerNumber = "Carl", "1003"
	e.Speak, e.Energy = true, energy
	return e
}

func with(e Event, set func(*Event)) Event {
	set(&e)
	return e
}

func recordedWant() []Event {
	return []Event{
		ofRoom(Created, 904, 0, 0),
		ann(AddMember, 908, 1, 0),
		with(ann(FloorChange, 917, 1, 0), func(e *Event) { e.Floor, e.NewFloor = true, 9 }),
		with(carl(VolumeInSet, 1128, 5, 100), func(e *Event) { e.Level = 2 }),
		{
			Action: Held, Sequence: 1134, Room: "weekly", RoomID: weeklyID, Profile: "default", Size: 5, Ghosts: 1,
			Member: 13, UUID: "cf077ac1-0e20-48be-946b-a86599bafe19", Channel: "sofia/internal/+15550100@127.0.0.1",
			CallerName: "Eve", CallerNumber: "+15550100", Hear: true, Speak: true, Hold: true, Energy: 100,
		},
		ofRoom(Locked, 1136, 5, 1),
		with(ofRoom(RecordStart, 1138, 5, 1), func(e *Event) { e.Path = "/tmp/weekly.wav" }),
		with(ofRoom(PlayFile, 1141, 5, 1), func(e *Event) { e.File = "tone_stream://%(100,0,500)" }),
		with(ofRoom(PlayFile, 1145, 5, 1), func(e *Event) { e.File, e.Error = "/nosuch.wav", "File could not be played" }),
		with(ann(Muted, 1147, 5, 1), func(e *Event) { e.Speak = false }),
		with(ann(MemberDone, 1155, 5, 1), func(e *Event) { e.File, e.Played = "tone_stream://%(100,0,500)", 200*time.Millisecond }),
		carl(Kicked, 1209, 5, 300),
		{
			Action: Transferred, Sequence: 1220, Room: "weekly", RoomID: weeklyID, Profile: "default", Size: 5, Ghosts: 1,
			Member: 10, UUID: "be31c2db-1635-4e84-b33c-9d54c49af004", Channel: "sofia/internal/1002@127.0.0.1",
			CallerName: "Björk & Co", CallerNumber: "1002", Hear: true, Energy: 100, From: "weekly", To: "elsewhere",
		},
		with(ann(DTMFSent, 1232, 5, 1), func(e *Event) { e.Digits, e.Energy = "12", 200 }),
		carl(DelMember, 1234, 4, 300),
		with(ofRoom(RecordStop, 1244, 4, 1), func(e *Event) { e.Path, e.Played = "/tmp/weekly.wav", 1700*time.Millisecond }),
		with(ofRoom(DialResult, 1279, 2, 1), func(e *Event) {
			e.Result, e.Job = "NORMAL_TEMPORARY_FAILURE", "fd9d3f32-4b32-4fec-a92e-d3ead6532bdb"
		}),
		with(ofRoom(FloorChange, 1298, 2, 1), func(*Event) {}),
		ofRoom(Destroyed, 1332, 0, 0),
	}
}

func TestParseReadsRecordedEvents(t *testing.T) {
	want := recordedWant()
	events := recorded(t, "events.txt")
	if len(events) != len(want) {
		t.Fatalf("%d events, want %d", len(events), len(want))
	}
	for i, e := range events {
		got, ok := Parse(e)
		if got.Core != "aeeb5f54-b999-433f-964a-668c41b67a08" || got.At.Year() != 2026 {
			t.Errorf("event %d: core %q at %v", i, got.Core, got.At)
		}
		got.Core, got.At = "", time.Time{}
		if !ok || !reflect.DeepEqual(got, want[i]) {
			t.Errorf("event %d, %v\ngot  %+v\nwant %+v", i, ok, got, want[i])
		}
	}
}

func event(lines ...string) *esl.Event {
	e := &esl.Event{Headers: esl.Headers{{Name: "Event-Name", Value: "CUSTOM"}, {Name: "Event-Subclass", Value: Subclass}}}
	for i := 0; i < len(lines); i += 2 {
		e.Headers = append(e.Headers, esl.Header{Name: lines[i], Value: lines[i+1]})
	}
	return e
}

func TestVariablesOfARoomDoNotStandForItsEvents(t *testing.T) {
	e, ok := Parse(event(
		"Conference-Name", "a", "Conference-Size", "1",
		"Conference-Name", "b", "Conference-Size", "9", "Action", "del-member", "Member-ID", "1", "Unique-ID", "x", "milliseconds", "?",
		"Unique-ID", "y", "Member-ID", "2", "Action", "add-member"))
	if !ok || e.Room != "a" || e.Size != 1 || e.Action != AddMember || e.Member != 2 || e.UUID != "y" {
		t.Errorf("%v, %+v", ok, e)
	}
}

func TestEventsThatSayTooLittleAreNone(t *testing.T) {
	cdr := &esl.Event{Headers: esl.Headers{
		{Name: "Event-Name", Value: "CUSTOM"},
		{Name: "Event-Subclass", Value: "conference::cdr"},
		{Name: "Conference-Name", Value: "a"},
		{Name: "Action", Value: "lock"},
	}}
	for name, e := range map[string]*esl.Event{
		"another subclass":        cdr,
		"no action":               event("Conference-Name", "a"),
		"no room":                 event("Action", "lock"),
		"a member that is no one": event("Conference-Name", "a", "Action", "add-member", "Member-ID", "x"),
		"a size that is none":     event("Conference-Name", "a", "Action", "lock", "Conference-Size", "1x"),
	} {
		if got, ok := Parse(e); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if e, ok := Parse(event("Conference-Name", "a", "Action", "brand-new")); !ok || e.Action != "brand-new" {
		t.Errorf("an action that Parse does not know: %v, %+v", ok, e)
	}
}

func TestKeysTellTheirLevelsAndDigits(t *testing.T) {
	e, _ := Parse(event("Conference-Name", "a", "Member-ID", "3", "Action", "gain-level", "New-Level", "-2"))
	if e.Action != TalkKey || e.Level != -2 {
		t.Errorf("%+v", e)
	}
	e, _ = Parse(event("Conference-Name", "a", "Member-ID", "3", "Action", "dtmf", "DTMF-Key", "*5"))
	if e.Action != DTMF || e.Digits != "*5" {
		t.Errorf("%+v", e)
	}
	e, _ = Parse(event("Conference-Name", "a", "Member-ID", "3", "Action", "transfer", "Dialplan", "100 XML default"))
	if e.Action != Transferred || e.To != "100 XML default" {
		t.Errorf("%+v", e)
	}
}
