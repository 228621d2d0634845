package conference

import (
	"errors"
	"strings"
	"testing"
)

type badCase struct {
	name, in, where string
	err             error
}

func jsonCases() []badCase {
	return []badCase{
		{name: "no list", in: `{}`, err: ErrMalformed, where: "begins with"},
		{name: "nothing", in: ``, err: ErrMalformed, where: "begins with"},
		{name: "null", in: `null`, err: ErrMalformed, where: "begins with"},
		{name: "cut", in: `[{"conference_name":"a"`, err: ErrMalformed, where: "byte 23"},
		{name: "something after it", in: `[] []`, err: ErrMalformed, where: "byte 4"},
		{name: "a size that is a text", in: `[{"conference_name":"a","member_count":"2"}]`, err: ErrMalformed, where: "member_count"},
		{name: "no name", in: `[{"conference_name":"a"},{}]`, err: ErrMalformed, where: "room 2"},
		{name: "a negative size", in: `[{"conference_name":"a","member_count":-1}]`, err: ErrMalformed, where: `room 1, "a"`},
		{
			name: "a member without a number", in: `[{"conference_name":"a","members":[{},{"type":"caller","uuid":"x"}]}]`,
			err: ErrMalformed, where: `room 1, "a", member 1: number 0`,
		},
		{
			name: "a UUID that is a command", in: `[{"conference_name":"a","members":[{"type":"caller","id":1,"uuid":"x all"}]}]`,
			err: ErrMalformed, where: `channel "x all"`,
		},
		{name: "deep", in: `[` + strings.Repeat(`{"a":`, maxDepth), err: ErrTooLarge, where: "byte 77"},
		{name: "huge", in: strings.Repeat(" ", MaxList+1), err: ErrTooLarge},
		{name: "many rooms", in: `[` + strings.Repeat(`{"conference_name":"a"},`, MaxRooms) + `{"conference_name":"a"}]`, err: ErrTooLarge},
		{name: "no such room", in: "-ERR Conference 3001 not found\n", err: ErrNoConference, where: "3001"},
		{name: "no module", in: "-ERR conference Command not found!\n", err: ErrNotLoaded},
	}
}

func xmlCases() []badCase {
	room := func(inner string) string {
		return `<conferences><conference name="a"><members>` + inner + "</members></conference></conferences>"
	}
	return []badCase{
		{name: "nothing", in: ``, err: ErrMalformed},
		{name: "another document", in: `<html></html>`, err: ErrMalformed, where: "line 1"},
		{name: "cut", in: "<?xml version=\"1.0\"?>\n<conferences>\n  <conference", err: ErrMalformed, where: "line 3"},
		{name: "something after it", in: "<conferences></conferences>\n<more/>", err: ErrMalformed, where: "line 2"},
		{name: "a size that is none", in: "<conferences>\n<conference name=\"a\" member-count=\"x\"></conference></conferences>", err: ErrMalformed, where: "line 2"},
		{name: "no name", in: "<conferences><conference/></conferences>", err: ErrMalformed, where: "room 1"},
		{name: "a member without a number", in: room(`<member type="caller"><uuid>x</uuid></member>`), err: ErrMalformed, where: "number 0"},
		{name: "an encoded blank in a UUID", in: room(`<member type="caller"><id>1</id><uuid>x%20all</uuid></member>`), err: ErrMalformed, where: "x all"},
		{name: "an entity of its own", in: `<!DOCTYPE a [<!ENTITY b "c">]><conferences>&b;</conferences>`, err: ErrMalformed},
		{name: "deep", in: "<conferences>" + strings.Repeat("<a>", maxDepth), err: ErrTooLarge, where: "levels"},
		{name: "huge", in: strings.Repeat(" ", MaxList+1), err: ErrTooLarge},
		{name: "no such room", in: "-ERR Conference 3001 not found\n", err: ErrNoConference},
	}
}

func listCases() []badCase {
	const head = "+OK Conference a (1 member rate: 8000 flags: running)\n"
	return []badCase{
		{name: "a line break in a name", in: head + "7;sofia/x;u;An\nn;1001;hear;0;0;100\n", err: ErrMalformed, where: "line 2"},
		{name: "a number that is none", in: head + "x;c;u;n;1;hear;0;0;100\n", err: ErrMalformed, where: "line 2"},
		{name: "number nought", in: "0;c;u;n;1;hear;0;0;100\n", err: ErrMalformed, where: "number 0"},
		{name: "a gate that is none", in: "1;c;u;n;1;hear;0;0;\n", err: ErrMalformed, where: "line 1"},
		{name: "a header without counts", in: "+OK Conference a (b)\n", err: ErrMalformed, where: "line 1"},
		{name: "a header cut off", in: "+OK Conference a (1 member rate: 8000 fl", err: ErrMalformed, where: "line 1"},
		{name: "a header without a name", in: "+OK Conference  (1 member rate: 8000 flags: none)\n", err: ErrMalformed, where: "line 1"},
		{name: "a size that is none", in: "+OK Conference a (x members rate: 8000 flags: none)\n", err: ErrMalformed, where: "line 1"},
		{name: "huge", in: strings.Repeat("\n", MaxList+1), err: ErrTooLarge},
		{name: "many members", in: strings.Repeat("1;c;u;n;1;hear;0;0;100\n", MaxMembers+1), err: ErrTooLarge},
		{name: "no such room", in: "-ERR Conference 3001 not found\n", err: ErrNoConference},
		{name: "prose", in: "Conference command, not specified.\nTry 'help'\n", err: ErrMalformed, where: "line 1"},
	}
}

func TestBadListsAreRefusedAndSayWhere(t *testing.T) {
	for _, tc := range []struct {
		name  string
		parse func([]byte) ([]Room, error)
		cases []badCase
	}{{"json_list", ParseJSON, jsonCases()}, {"xml_list", ParseXML, xmlCases()}, {"list", ParseList, listCases()}} {
		for _, bad := range tc.cases {
			_, err := tc.parse([]byte(bad.in))
			if !errors.Is(err, bad.err) || err != nil && !strings.Contains(err.Error(), bad.where) {
				t.Errorf("%s, %s: %v, want %v with %q", tc.name, bad.name, err, bad.err, bad.where)
			}
		}
	}
}
