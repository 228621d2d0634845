package conference

import (
	"reflect"
	"testing"

	"parley/esl"
)

// fuzzList feeds a parser; what it accepts must be usable in commands, within
// the limits, and the same when parsed again.
func fuzzList(f *testing.F, parse func([]byte) ([]Room, error), cases []badCase, samples ...string) {
	f.Helper()
	for _, name := range samples {
		f.Add(sample(f, name))
	}
	for _, c := range cases {
		if len(c.in) < 1<<12 {
			f.Add([]byte(c.in))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		rooms, err := parse(in)
		if err != nil {
			return
		}
		again, err := parse(in)
		if err != nil || !reflect.DeepEqual(rooms, again) {
			t.Fatalf("a second time: %v, %v", again, err)
		}
		total := 0
		for i := range rooms {
			total += len(rooms[i].Members)
			for _, m := range rooms[i].Members {
				if m.ID <= 0 || !plainWord(m.UUID) || rooms[i].Find(m.ID) == nil {
					t.Fatalf("member %+v", m)
				}
			}
		}
		if len(rooms) > MaxRooms || total > MaxMembers {
			t.Fatalf("%d rooms, %d members", len(rooms), total)
		}
	})
}

func FuzzJSON(f *testing.F) {
	fuzzList(f, ParseJSON, jsonCases(), "live.json", "live-compact.json", "semicolon.json", "empty.json")
}

func FuzzXML(f *testing.F) {
	fuzzList(f, ParseXML, xmlCases(), "live.xml", "semicolon.xml", "empty.xml")
}

func FuzzList(f *testing.F) {
	fuzzList(f, ParseList, listCases(), "live.list", "room.list", "semicolon.list", "empty.list")
}

func FuzzChannels(f *testing.F) {
	f.Add(sample(f, "channels.json"))
	f.Add(sample(f, "nochannels.json"))
	f.Fuzz(func(t *testing.T, in []byte) {
		channels, err := ParseChannels(in)
		for _, c := range channels {
			if err != nil || !plainWord(c.UUID) {
				t.Fatalf("%v, %+v", err, c)
			}
		}
	})
}

func FuzzEvent(f *testing.F) {
	for _, e := range recorded(f, "events.txt") {
		f.Add(e.AppendPlain(nil))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := esl.ParseEvent(&esl.Message{Headers: esl.Headers{{Name: "Content-Type", Value: "text/event-plain"}}, Body: in})
		if err != nil {
			return
		}
		ev, ok := Parse(e)
		if ok && (ev.Action == "" || ev.Room == "") {
			t.Fatalf("%+v", ev)
		}
	})
}
