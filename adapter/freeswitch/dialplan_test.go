package freeswitch

import (
	"os"
	"slices"
	"strings"
	"testing"
)

const (
	set    = `<action application="set" data="parley_room=$1"/>`
	socket = `<action application="socket" data="127.0.0.1:8084 async full"/>`
	number = `<condition field="destination_number" expression="^3\d+$">`
)

// dialplanCases are extensions, a line each, from line 2 on, and what is said
// about them.
func dialplanCases() []struct {
	name, text string
	ours       int
	want       []string
} {
	return []struct {
		name, text string
		ours       int
		want       []string
	}{
		{"as it should be", `<extension name="a">` + "\n" + number + "\n" + set + "\n" + socket + "</condition></extension>", 1, nil},
		{
			"the result is tested too early", `<extension name="a">` + "\n" + number + set + "\n" + socket + "\n</condition>\n" +
				`<condition field="${parley_result}" expression="^$"/></extension>`, 1,
			[]string{"d.xml:6: condition on ${parley_result} in the extension of the socket (line 4): conditions are tested when an extension is " +
				"entered, before the call is with us. Put it into an extension of its own, and execute_extension that after the socket. [dialplan_result]"},
		},
		{
			"too early, in a regex", `<extension name="a">` + set + socket + `<condition regex="all"><regex field="${parley_reason}" expression="full"/></condition></extension>`, 1,
			[]string{"d.xml:2: condition on"},
		},
		{"a variable of its own may be tested", `<extension name="a"><condition field="${parley_room}" expression="."/>` + socket + `</extension>`, 1, nil},
		{
			"what comes after matches everybody", `<extension name="after">` + "\n" + `<condition field="${parley_result}" expression="^$"/></extension>`, 0,
			[]string{`d.xml:2: extension "after" tests ${parley_result} without a condition on destination_number: every call of the context that ` +
				`has no result matches it. Add <condition field="destination_number" expression="^after$"/> before it. [dialplan_after]`},
		},
		{
			"a condition that all numbers meet is none", `<extension name="after"><condition field="destination_number" expression="^(.*)$"/>` +
				`<condition field="${parley_result}" expression="^$"/></extension>`, 0, []string{`d.xml:2: extension "after" tests`},
		},
		{
			"what comes after, as it should be", `<extension name="after"><condition field="destination_number" expression="^after$"/>` +
				`<condition field="${parley_result}" expression="^$"/></extension>`, 0, nil,
		},
		{
			"an expression that only the switch can read", `<extension name="after"><condition field="destination_number" expression="^(?!x)after$"/>` +
				`<condition field="${parley_result}" expression="^$"/></extension>`, 0, nil,
		},
		{
			"who tries again", `<extension name="again"><condition field="destination_number" expression="^after$"/>` +
				`<condition field="${parley_result}" expression="^$"/><condition field="${parley_reattach}" expression="."/>` + socket + `</extension>`, 0, nil,
		},
		{
			"who tries again, whatever was dialled", `<extension name="again"><condition field="${parley_reattach}" expression="."/>` +
				`<condition field="${parley_result}" expression="^$"/>` + socket + `</extension>`, 0, []string{`d.xml:2: extension "again" tests`},
		},
		{
			"no mode", `<extension name="a">` + set + "\n" + `<action application="socket" data="10.0.0.5:8084"/></extension>`, 1,
			[]string{`d.xml:3: socket is "single-channel, static"; use: socket 10.0.0.5:8084 async full. [socket_mode]`},
		},
		{
			"async only", `<extension name="a"><action application="socket" data="127.0.0.1:8084 async"/></extension>`, 1,
			[]string{`d.xml:2: socket is "single-channel, async"; use: socket 127.0.0.1:8084 async full. [socket_mode]`},
		},
		{
			"full only", `<extension name="a"><action application="socket" data="127.0.0.1:8084 full"/></extension>`, 1,
			[]string{`d.xml:2: socket is "full, static"; use: socket 127.0.0.1:8084 async full. [socket_mode]`},
		},
		{"a host named full", `<extension name="a">` + set + `<action application="socket" data="full async"/></extension>`, 1, []string{`d.xml:2: socket is "single-channel, async"`}},
		{"somebody else's socket", `<extension name="ivr"><action application="socket" data="10.0.0.9:9000"/></extension>`, 0, nil},
		{"no address", `<extension name="a">` + set + `<action application="socket" data=" "/></extension>`, 1, []string{`d.xml:2: socket is "single-channel, static"; use: socket 127.0.0.1:8084 async full.`}},
		{"not closed", "<extension>\n<condition>", 0, []string{"d.xml:3: error on line 3: element <condition> closed by </include>. [dialplan_xml]"}},
		{"too deep", strings.Repeat("<a>", maxDepth+1), 0, []string{"d.xml:2: elements are more than 64 deep. [too_large]"}},
		{"too long", strings.Repeat(" ", maxDialplan), 0, []string{"d.xml: the file has more than 1048576 bytes. [too_large]"}},
	}
}

func TestDialplans(t *testing.T) {
	for _, tt := range dialplanCases() {
		t.Run(tt.name, func(t *testing.T) {
			ours, got := CheckDialplan("d.xml", []byte("<include>\n"+tt.text+"</include>\n"), Dialplan{Listen: "127.0.0.1:8084"})
			if ours != tt.ours || len(got) != len(tt.want) {
				t.Fatalf("%d of ours, want %d: %q, want %q", ours, tt.ours, got, tt.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], tt.want[i]) {
					t.Errorf("%s\nwant %s", got[i], tt.want[i])
				}
			}
		})
	}
}

func TestThePastedDialplanIsRight(t *testing.T) {
	data, err := os.ReadFile("../../configs/freeswitch/parley.xml")
	if err != nil {
		t.Fatal(err)
	}
	if ours, problems := CheckDialplan("parley.xml", data, Dialplan{Listen: "127.0.0.1:8084"}); ours != 1 || problems != nil {
		t.Errorf("%d extensions, %q", ours, problems)
	}
}

// TestWhatADialplanIncludes is followed as the switch does, its globals filled in.
func TestWhatADialplanIncludes(t *testing.T) {
	files := map[string]string{
		"top.xml": `<include><X-PRE-PROCESS cmd="set" data="port=9999"/><X-PRE-PROCESS cmd="include" data="default/*.xml"/>` +
			"\n" + `<X-PRE-PROCESS cmd="include" data="$${elsewhere}/x.xml"/></include>`,
		"default/a.xml": `<include><extension name="a">` + set + "\n" + `<action application="set" data="parley_role=king"/>` +
			`<action application="export" data="nolocal:parley_mutted=true"/><action application="multiset" data="parley_profile=nosuch x=1"/>` +
			"\n" + `<action application="set" data="parley_conference=3001+flags{bogus"/><action application="set" data="parley_muted=${muted}"/>` +
			"\n" + `<action application="socket" data="127.0.0.1:$${port} async full"/></extension></include>`,
		"loop.xml": `<X-PRE-PROCESS cmd="include" data="loop.xml"/>`,
	}
	how := Dialplan{
		Listen: "127.0.0.1:8084",
		Include: func(_, pattern string) ([]DialplanFile, error) {
			name := strings.ReplaceAll(pattern, "*", "a")
			return []DialplanFile{{name, []byte(files[name])}}, nil
		},
		Judge: func(name, value string) string {
			if value == "true" || value == "1" {
				return ""
			}
			return name + "=" + value + " is wrong"
		},
	}
	ours, got := CheckDialplan("top.xml", []byte(files["top.xml"]), how)
	want := []string{
		"default/a.xml:2: role=king is wrong. [dialplan_variable]",
		"default/a.xml:2: profile=nosuch is wrong. [dialplan_variable]",
		"default/a.xml:3: parley_conference: flags{ has no closing }; parley_conference: unknown flag \"bogus\". [dialplan_variable]",
		"top.xml:2: include of \"$${elsewhere}/x.xml\" is not followed: only the switch knows that variable. Give these files by --dialplan, too. [dialplan_include]",
		"default/a.xml:4: socket goes to 127.0.0.1:9999, where this Parley does not listen; freeswitch.listen is 127.0.0.1:8084. [socket_address]",
	}
	if ours != 1 || !slices.Equal(got, want) {
		t.Errorf("%d of ours\n%s\nwant\n%s", ours, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, got := CheckDialplan("loop.xml", []byte(files["loop.xml"]), how); len(got) != 1 || !strings.Contains(got[0], "[too_large]") {
		t.Errorf("a loop: %q", got)
	}
}

func FuzzDialplan(f *testing.F) {
	for _, tt := range dialplanCases() {
		if len(tt.text) < 10_000 {
			f.Add([]byte("<include>" + tt.text + "</include>"))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ours, problems := CheckDialplan("d.xml", data, Dialplan{Listen: "127.0.0.1:8084"})
		if ours < 0 || slices.ContainsFunc(problems, func(p string) bool { return !strings.HasPrefix(p, "d.xml:") }) {
			t.Errorf("%d, %q", ours, problems)
		}
	})
}
