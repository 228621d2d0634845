package conference

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func sample(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// live is the state that the samples live.* show, as xml_list knows it.
func live() []Room {
	return []Room{
		{
			Name: "weekly", UUID: "1cc5e8f4-7895-4e82-b9c0-e33a2f100a38", Rate: 8000,
			Locked: true, Recording: true, Size: 5, Ghosts: 1, MaxMembers: 20, RunTime: 3 * time.Second,
			Members: []Member{
				{
					ID: 14, UUID: "9a91a28d-7af0-45ad-8807-49c2a16c5448", CallerName: "Fay", CallerNumber: "1006",
					Hear: true, Speak: true, Talking: true, Floor: true, Energy: 100,
				},
				{
					ID: 13, UUID: "cf077ac1-0e20-48be-946b-a86599bafe19", CallerName: "Eve", CallerNumber: "+15550100",
					Hold: true, Energy: 100,
				},
				{
					ID: 12, UUID: "fddd8ca6-ace2-47a9-8cfa-11bfe5826f2d", CallerName: "1004", CallerNumber: "1004",
					Hear: true, Speak: true, Ghost: true, Energy: 100,
				},
				{
					ID: 11, UUID: "c08bd729-6a6c-494a-9b34-fe93a9ed1caa", CallerName: "Carl", CallerNumber: "1003",
					Speak: true, VolumeIn: 2, VolumeOut: -3, Energy: 300,
				},
				{
					ID: 10, UUID: "be31c2db-1635-4e84-b33c-9d54c49af004", CallerName: "Björk & Co", CallerNumber: "1002",
					Hear: true, Energy: 100,
				},
				{
					ID: 9, UUID: "dbb9f4b4-3d23-4230-bdc5-924f6c849259", CallerName: "Ann", CallerNumber: "1001",
					Hear: true, Speak: true, Moderator: true, Energy: 100,
				},
			},
		},
		{
			Name: "other", UUID: "3859c800-d669-43ca-be0c-b9d09a60a1ad", Rate: 8000, WaitMod: true, Size: 1, RunTime: time.Second,
			Members: []Member{{
				ID: 15, UUID: "bd0a25e1-b966-4f27-b048-8809db5f654b", CallerName: "Guy", CallerNumber: "1007",
				Hear: true, Speak: true, Floor: true,
			}},
		},
	}
}

// known takes out of rooms what a format does not carry.
func known(rooms []Room, without func(*Room), member func(*Member)) []Room {
	for i := range rooms {
		without(&rooms[i])
		for k := range rooms[i].Members {
			member(&rooms[i].Members[k])
		}
	}
	return rooms
}

func all(*Room)         {}
func whole(*Member)     {}
func noGhost(m *Member) { m.Ghost = false }
func noUUID(r *Room)    { r.UUID, r.RunTime, r.MaxMembers = "", 0, 0 }
func noName(m *Member)  { m.Channel = "" }

func TestOneConferenceIsTheSameInEveryFormat(t *testing.T) {
	for _, tc := range []struct {
		name  string
		parse func([]byte) ([]Room, error)
		file  string
		want  []Room
	}{
		{"xml_list", ParseXML, "live.xml", live()},
		{"json_list", ParseJSON, "live.json", known(live(), all, noGhost)},
		{"json_list compact", ParseJSON, "live-compact.json", known(live(), all, noGhost)},
		{"list", ParseList, "live.list", known(live(), noUUID, whole)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.parse(sample(t, tc.file))
			got = known(got, all, noName)
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%v\ngot  %+v\nwant %+v", err, got, tc.want)
			}
		})
	}
}

func TestNobodyIsAnEmptyList(t *testing.T) {
	for file, parse := range map[string]func([]byte) ([]Room, error){
		"empty.json": ParseJSON, "empty.xml": ParseXML, "empty.list": ParseList,
	} {
		if rooms, err := parse(sample(t, file)); err != nil || len(rooms) != 0 {
			t.Errorf("%s: %v, %v", file, rooms, err)
		}
	}
}

func TestListOfOneRoomIsCounted(t *testing.T) {
	rooms, err := ParseList(sample(t, "room.list"))
	if err != nil || len(rooms) != 1 {
		t.Fatalf("%v, %v", rooms, err)
	}
	r := rooms[0]
	if r.Name != "" || r.Size != 5 || r.Ghosts != 1 || r.Members[1].Channel != "sofia/internal/+15550100@127.0.0.1" {
		t.Errorf("%+v", r)
	}
}

func TestSemicolonsInNamesComeThrough(t *testing.T) {
	for file, parse := range map[string]func([]byte) ([]Room, error){
		"semicolon.json": ParseJSON, "semicolon.xml": ParseXML, "semicolon.list": ParseList,
	} {
		rooms, err := parse(sample(t, file))
		room := Named(rooms, "team; (red)")
		if err != nil || room == nil {
			t.Fatalf("%s: %v, %v", file, rooms, err)
		}
		m := room.Find(17)
		if m == nil || m.CallerName != "Ann; Sales; Vienna" || m.CallerNumber != "1008" || m.UUID != "eaedb878-a706-42c1-a9f7-683b7f24f0d6" {
			t.Errorf("%s: %+v", file, room.Members)
		}
	}
}

func TestListWithTooManySemicolons(t *testing.T) {
	const id = "eaedb878-a706-42c1-a9f7-683b7f24f0d6"
	for _, tc := range []struct{ name, in, channel, uuid, caller, number string }{
		{"in the channel's name", "1;sofia/x;y=1;" + id + ";Ann;100;hear;0;0;9", "sofia/x;y=1", id, "Ann", "100"},
		{"in the caller's name", "1;sofia/x;" + id + ";Ann;B;100;hear;0;0;9", "sofia/x", id, "Ann;B", "100"},
		{"a UUID of somebody's own", "1;sofia/x;leg-1;Ann;B;100;hear;0;0;9", "sofia/x", "leg-1", "Ann;B", "100"},
		{"a name like a UUID after one", "1;sofia/x;" + id + ";" + id + ";;100;hear;0;0;9", "sofia/x", id, id + ";", "100"},
		{"exactly enough", "1;" + id + ";leg-1;Ann;100;hear;0;0;9", id, "leg-1", "Ann", "100"},
	} {
		rooms, err := ParseList([]byte(tc.in))
		if err != nil || len(rooms) != 1 {
			t.Errorf("%s: %v, %v", tc.name, rooms, err)
			continue
		}
		m := rooms[0].Members[0]
		if m.Channel != tc.channel || m.UUID != tc.uuid || m.CallerName != tc.caller || m.CallerNumber != tc.number || !m.Hear || m.Energy != 9 {
			t.Errorf("%s: %+v", tc.name, m)
		}
	}
}

func TestOldListWithoutOK(t *testing.T) {
	old := strings.ReplaceAll(string(sample(t, "live.list")), "+OK ", "")
	rooms, err := ParseList([]byte(old))
	if err != nil || len(rooms) != 2 || rooms[0].Name != "weekly" || len(rooms[0].Members) != 6 {
		t.Errorf("%+v, %v", rooms, err)
	}
}

func TestBracketsInANameAreNoDepth(t *testing.T) {
	name := strings.Repeat("[{", maxDepth) + `"\`
	rooms, err := ParseJSON([]byte(`[{"conference_name":"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"}]`))
	if err != nil || len(rooms) != 1 || rooms[0].Name != name {
		t.Errorf("%+v, %v", rooms, err)
	}
}
