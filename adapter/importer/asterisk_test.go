package importer

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestAsterisksGrammar: what Asterisk 22 shows for the same lines.
func TestAsterisksGrammar(t *testing.T) {
	c, err := readConf("x.conf", []byte(`; nothing
[tpl](!)
type=user
announcement=one
[u1](tpl)
pin=12
;-- a comment ;-- in a comment --;
pin=99
--; announcement=two
[u2](tpl)
announcement += three
timeout = 5 ;-- x --; 
class = a\;b ; c
[U1](+)
muted => yes
[u3]( tpl , u1 )
;--- a comment of one line
quiet=yes
no option
#exec date
[u4](!)
admin=yes
[u4]
\#1=mute
\=x=y
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range c.sections {
		line := fmt.Sprintf("%s:%d", s.name, s.line)
		for _, v := range s.last() {
			line += fmt.Sprintf(" %s=%s:%d", v.name, v.value, v.line)
		}
		got = append(got, line)
	}
	for _, v := range c.skipped {
		got = append(got, fmt.Sprintf("%s:%d", v.name, v.line))
	}
	want := []string{
		"tpl:2 type=user:3 announcement=one:4",
		"u1:5 type=user:3 pin=12:6 announcement=two:9 muted=yes:15",
		"u2:10 type=user:3 announcement=one three:11 timeout=5:12 class=a;b:13",
		"u3:16 type=user:3 pin=12:6 announcement=two:9 muted=yes:15 quiet=yes:18",
		"u4:21 admin=yes:22",
		"u4:23 #1=mute:24 =x=y:25",
		"no option:19", "#exec:20",
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// brokenConf is shared by the table and by fuzzing.
func brokenConf() []struct{ name, in, want string } {
	user := "[u]\ntype=user\n"
	return []struct{ name, in, want string }{
		{"empty", "", "f.conf: there is no section with type=bridge, type=user or type=menu in it"},
		{"no section", "; x\n\npin=1", "f.conf:3: there is no [section] before it"},
		{"open section", "[u\ntype=user", "f.conf:1: a section needs a name and a ]"},
		{"no name", "[]", "f.conf:1: a section needs a name and a ]"},
		{"words behind it", "[u] x", "f.conf:1: after [u] there must be nothing, or (…)"},
		{"open bases", "[u](a", "f.conf:1: after [u] there must be nothing, or (…)"},
		{"no such base", user + "[v](w)", "f.conf:3: [v](w): there is no section of that name before it"},
		{"nothing to add to", "[u](+)", "f.conf:1: [u](+): there is no section of that name before it"},
		{"open comment", user + ";-- x\n", "f.conf:4: a comment that begins with ;-- has no --;"},
		{"deep comment", strings.Repeat(";-- ", 65), "f.conf:1: comments more than 64 deep"},
		{"long line", user + strings.Repeat("x", 8193), "f.conf:3: a line of more than 8192 bytes"},
		{"long value", user + "pin=" + strings.Repeat("1", 4097), "f.conf:3: an option of more than 4096 bytes"},
		{"growing value", user + strings.Repeat("a+="+strings.Repeat("1", 3000)+"\n", 2), "f.conf:4: an option of more than 4096 bytes"},
		{"no text", "[u]\ntype=\xff", "f.conf:2: it is not UTF-8"},
		{"many options", "[a](!)\n" + strings.Repeat("x=1\n", 30_000) + "[b](a)\n", "f.conf:30002: more than 50000 options"},
		{"many sections", manySections(10_001, ""), "f.conf:10001: more than 10000 sections"},
		{"many profiles", manySections(120, "type=user\n") + strings.ReplaceAll(manySections(120, "type=bridge\n"), "[s", "[b"), "f.conf: more than 10000 pairs of a bridge and a user profile"},
		{"PIN of letters", user + "pin=abc", "f.conf:3: user u: pin: a PIN must be 1 to 16 digits; change it there first"},
		{"two of a name", user + "[b c]\ntype=user\n[b-c]\ntype=user", "f.conf:5: user b-c: two profiles would be named b-c; rename one"},
		{"long names", "[" + strings.Repeat("b", 120) + "]\ntype=bridge\n[" + strings.Repeat("u", 20) + "]\ntype=user", "f.conf:3: user " + strings.Repeat("u", 20) + ": the name " + strings.Repeat("b", 120) + "." + strings.Repeat("u", 20) + " is too long"},
	}
}

func manySections(n int, text string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "[s%d]\n%s", i, text)
	}
	return b.String()
}

func TestConfBridgeWholeOrNot(t *testing.T) {
	for _, tt := range brokenConf() {
		t.Run(tt.name, func(t *testing.T) {
			in := tt.in
			if tt.name == "many sections" {
				in = strings.ReplaceAll(in, "\n\n", "\n")
			}
			_, err := ConfBridge("f.conf", []byte(in))
			if err == nil || err.Error() != tt.want {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
	if _, err := ConfBridge("f.conf", make([]byte, MaxBytes+1)); err == nil || err.Error() != "f.conf: more than 4194304 bytes" {
		t.Errorf("too large: %v", err)
	}
}

// TestAsteriskEveryOptionIsInATable compares with the options that Asterisk 22
// documents, and with the reference where it is beside the checkout.
func TestAsteriskEveryOptionIsInATable(t *testing.T) {
	var got []string
	for kind, rules := range map[string]map[string]rule[*section]{"bridge": bridgeRules(), "user": userRules(), "meetme": meetMeRules()} {
		for name, r := range rules {
			got = append(got, kind+" "+name)
			if (r.to == nil) == (r.kind == "") || r.kind != "" && !strings.HasSuffix(r.text, ".") {
				t.Errorf("%s %s: neither mapped nor reported, or both", kind, name)
			}
		}
	}
	for name := range maps.Keys(menuActions()) {
		got = append(got, "menu "+name)
	}
	slices.Sort(got)
	want := strings.Split(strings.TrimSpace(testdata(t, "asterisk-options.txt")), "\n")
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d options, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	text, err := os.ReadFile(shared + "../reference/asterisk.md")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the reference is not beside this checkout")
	}
	_, tables, _ := strings.Cut(string(text), "## 5. confbridge.conf")
	tables, meetme, _ := strings.Cut(tables, "### 7.1 MeetMe")
	meetme, _, _ = strings.Cut(meetme, "## 8.")
	known := strings.Fields(strings.Join(want, " ") + " name type action sound_* increase") // of increase/decrease_…
	seen := 0
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z_/ ,*]+?)(?:\(.*?\))? (?:\(PR|\|)`).FindAllStringSubmatch(tables, -1) {
		for name := range strings.FieldsFuncSeq(m[1], func(r rune) bool { return strings.ContainsRune(" ,/", r) }) {
			if seen++; !slices.Contains(known, name) {
				t.Errorf("the reference has %s", name)
			}
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\| (\S.*?) \|`).FindAllStringSubmatch(meetme, -1) {
		for name := range strings.SplitSeq(m[1], " / ") {
			if name, _, _ = strings.Cut(name, "("); name != "opt" && name != "---" {
				if seen++; !slices.Contains(want, "meetme "+name) {
					t.Errorf("the reference has MeetMe option %s", name)
				}
			}
		}
	}
	if seen < 90 {
		t.Errorf("only %d names found in the reference", seen)
	}
}

// FuzzConfBridge: what is imported loads, and what is not has a reason of one
// line.
func FuzzConfBridge(f *testing.F) {
	f.Add([]byte(testdata(f, "confbridge.conf")))
	for _, tt := range brokenConf() {
		if len(tt.in) < 4096 {
			f.Add([]byte(tt.in))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ConfBridge("f.conf", data)
		judgeImport(t, r, err)
	})
}

// FuzzMeetMe is the same for meetme.conf and the option string.
func FuzzMeetMe(f *testing.F) {
	f.Add([]byte(testdata(f, "meetme.conf")), "dM(jazz)sw(60)xG(intro)p(12)")
	f.Add([]byte("[rooms]\nconf=>1,2,3"), "1aAbcCdDeEFiIklLmnoPqrStTvX")
	f.Fuzz(func(t *testing.T, data []byte, options string) {
		r, err := MeetMe("f.conf", data, options)
		judgeImport(t, r, err)
	})
}

func judgeImport(t *testing.T, r *Result, err error) {
	t.Helper()
	if err != nil {
		checkLine(t, err.Error())
		return
	}
	for _, l := range r.Lines {
		checkLine(t, l.String())
	}
	load(t, r)
}
