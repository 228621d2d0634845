package conference

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// printed are the rooms of testdata/live.*, as testdata/README describes them.
func printed() []Sheet {
	line := func(id MemberID, uuid, name, number string, edit func(*Line)) Line {
		m := Line{Quiet: -1, Joined: 2 * time.Second, Member: Member{
			ID: id, UUID: uuid, Channel: "sofia/internal/" + number + "@127.0.0.1", CallerName: name, CallerNumber: number,
			Hear: true, Speak: true, Energy: 100,
		}}
		if edit != nil {
			edit(&m)
		}
		return m
	}
	began := time.Unix(1795930694, 0)
	return []Sheet{
		{
			Room: Room{
				Name: "weekly", UUID: "1cc5e8f4-7895-4e82-b9c0-e33a2f100a38", Rate: 8000, Locked: true, Recording: true,
				Size: 5, Ghosts: 1, MaxMembers: 20, RunTime: 3 * time.Second,
			},
			EnterSound: true, ExitSound: true, Recordings: []Recording{{Path: "/tmp/weekly.wav", Since: began}},
			Lines: []Line{
				line(14, "9a91a28d-7af0-45ad-8807-49c2a16c5448", "Fay", "1006", func(m *Line) {
					m.Talking, m.Floor, m.Joined, m.Quiet = true, true, time.Second, 0
				}),
				line(13, "cf077ac1-0e20-48be-946b-a86599bafe19", "Eve", "+15550100", func(m *Line) { m.Hold = true }),
				line(12, "fddd8ca6-ace2-47a9-8cfa-11bfe5826f2d", "1004", "1004", func(m *Line) { m.Ghost = true }),
				line(11, "c08bd729-6a6c-494a-9b34-fe93a9ed1caa", "Carl", "1003", func(m *Line) {
					m.Hear, m.VolumeIn, m.VolumeOut, m.Energy, m.Mandatory = false, 2, -3, 300, true
				}),
				line(10, "be31c2db-1635-4e84-b33c-9d54c49af004", "Björk & Co", "1002", func(m *Line) { m.Speak = false }),
				line(9, "dbb9f4b4-3d23-4230-bdc5-924f6c849259", "Ann", "1001", func(m *Line) { m.Moderator, m.Joined = true, 3*time.Second }),
			},
		},
		{
			Room: Room{
				Name: "other", UUID: "3859c800-d669-43ca-be0c-b9d09a60a1ad", Rate: 8000, WaitMod: true, Size: 1, RunTime: time.Second,
			},
			EnterSound: true, ExitSound: true,
			Lines: []Line{line(15, "bd0a25e1-b966-4f27-b048-8809db5f654b", "Guy", "1007", func(m *Line) {
				m.Floor, m.Energy, m.Joined = true, 0, time.Second
			})},
		},
	}
}

// TestPrintsWhatTheSwitchPrints compares byte by byte with the recordings.
func TestPrintsWhatTheSwitchPrints(t *testing.T) {
	rooms := printed()
	for _, row := range []struct{ file, have string }{
		{"live.list", PrintList(rooms, Style{})},
		{"room.list", PrintMembers(&rooms[0], Style{})},
		{"live.xml", PrintXML(rooms)},
		{"live.json", PrintJSON(rooms, false)},
		{"live-compact.json", PrintJSON(rooms, true)},
		{"empty.list", PrintList(nil, Style{})},
		{"empty.xml", PrintXML(nil)},
		{"empty.json", PrintJSON(nil, false)},
	} {
		want, err := os.ReadFile(filepath.Join("testdata", row.file))
		if err != nil {
			t.Fatal(err)
		}
		if row.have != string(want) {
			have, want := strings.Split(row.have, "\n"), strings.Split(string(want), "\n")
			for i := range min(len(have), len(want)) {
				if have[i] != want[i] {
					t.Errorf("%s, line %d:\n%q, want\n%q", row.file, i+1, have[i], want[i])
					break
				}
			}
			if len(have) != len(want) {
				t.Errorf("%s: %d lines, want %d", row.file, len(have), len(want))
			}
		}
	}
}

func TestStyles(t *testing.T) {
	rooms := printed()[1:]
	const head = "+OK Conference other (1 member rate: 8000 flags: wait_mod|running|answered|enforce_min|dynamic|exit_sound|enter_sound|json_status)\n"
	for _, row := range []struct{ have, want string }{
		{PrintList(rooms, Style{Summary: true}), head},
		{PrintList(rooms, Style{Pretty: true}), head + "15) Guy (1007)\n"},
		{
			PrintMembers(&rooms[0], Style{Delimiter: ","}),
			"15,sofia/internal/1007@127.0.0.1,bd0a25e1-b966-4f27-b048-8809db5f654b,Guy,1007,hear|speak|floor,0,0,0\n",
		},
	} {
		if row.have != row.want {
			t.Errorf("%q, want %q", row.have, row.want)
		}
	}
}

// TestReadsWhatItPrints holds both directions against each other, with names
// that callers may have.
func TestReadsWhatItPrints(t *testing.T) {
	rooms := printed()
	rooms[0].Lines[0].CallerName = "\x01<&>\"';\\\n\xff %41 |"
	for i, parse := range []func([]byte) ([]Room, error){ParseXML, ParseJSON} {
		text := []string{PrintXML(rooms), PrintJSON(rooms, false)}[i]
		back, err := parse([]byte(text))
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if len(back) != 2 || len(back[0].Members) != 6 || back[0].Members[3].VolumeOut != -3 {
			t.Fatalf("%+v", back)
		}
		want := rooms[1].Lines[0].Member
		want.Channel = ""
		if !reflect.DeepEqual(back[1].Members[0], want) {
			t.Errorf("%+v, want %+v", back[1].Members[0], want)
		}
	}
	if back, err := ParseList([]byte(PrintList(rooms, Style{}))); err != nil || len(back) != 2 || len(back[0].Members) != 6 {
		t.Errorf("%v %+v", err, back)
	}
}
