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
	"time"

	"parley/engine"
)

func TestFreeSWITCHReportAndYAML(t *testing.T) {
	r, err := FreeSWITCH("freeswitch.xml", []byte(testdata(t, "freeswitch.xml")), nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "freeswitch.yaml", string(r.YAML()))
	same(t, "freeswitch.report", report(r))
	for _, secret := range []string{"0123", "9876", "4711", "user:secret"} {
		if strings.Contains(report(r), secret) {
			t.Errorf("the report has %s in it", secret)
		}
	}
}

// TestFreeSWITCHComesBackFromTheLoader follows values through Parley's own
// loader.
func TestFreeSWITCHComesBackFromTheLoader(t *testing.T) {
	r, err := FreeSWITCH("freeswitch.xml", []byte(testdata(t, "freeswitch.xml")), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, r)
	p := profileOf(t, c, "team")
	staff := []engine.Control{
		{Digits: "0", Action: engine.ActionMute},
		{Digits: "*A", Action: engine.ActionDeafOn},
		{Digits: "3", Action: engine.ActionListenUp},
		{Digits: "*1", Action: engine.ActionLock},
	}
	for what, ok := range map[string]bool{
		"seats":              p.MaxParticipants == 20 && p.ReserveModeratorSeats == 0,
		"member PIN":         len(p.Member.PINs) == 1 && p.Member.PINs[0].Matches(engine.NewPIN("0123")),
		"moderator PIN":      len(p.Moderator.PINs) == 1 && p.Moderator.PINs[0].Matches(engine.NewPIN("9876")),
		"tries":              p.PINAttempts == 5 && p.PINTimeout == 10*time.Second,
		"count":              p.AnnounceCount == 4 && p.AnnounceCountTo == engine.ToJoiner,
		"end":                p.EndGrace == 30*time.Second && p.Member.EndOnExit == engine.EndLast && p.Moderator.EndOnExit == engine.EndLast,
		"wait":               p.WaitForModerator && !p.RequireModerator && p.WaitSound == "local_stream://moh" && p.WaitPrompt == "",
		"mute":               p.Member.JoinMuted && p.Moderator.JoinMuted && !p.Member.JoinDeaf,
		"no music alone":     p.MOHSound == "" && p.AloneSound == "say:Nobody is here yet.",
		"member controls":    p.Member.Controls.Name == "none" && len(p.Member.Controls.Keys) == 0,
		"moderator controls": slices.Equal(p.Moderator.Controls.Keys, staff),
		"entry prompt":       p.EntryPrompt == "welcome" && p.Member.PlayEntryPrompt && p.Moderator.PlayEntryPrompt,
		"enter sound":        p.EnterSound == "in.wav" && strings.HasPrefix(p.ExitSound, "file_string://"),
		"lock":               p.LockExempts == engine.ExemptNobody,
		"silence":            p.MutedSound == "" && p.EndedSound == "" && p.ModLeftSound == "" && p.UnlockedSound == "",
		"lost sounds":        p.KickedSound == "kicked" && p.LockedSound == "conference-locked",
	} {
		if !ok {
			t.Errorf("%s: %+v", what, p)
		}
	}
	p = profileOf(t, c, "sales-2")
	if p.Create != engine.CreateRunning || !p.Member.JoinDeaf || p.Moderator.EndOnExit != engine.EndAny || p.PINAttempts != 1 ||
		p.MutedSound != "you-are-muted" || p.MaxParticipants != 0 || p.Member.Controls.Name != "none" {
		t.Errorf("sales-2: %+v", p)
	}
	p = profileOf(t, c, "plain")
	if p.EntryTone != "" || p.ExitTone != "" || p.MOHSound != "" || p.AloneSound != "" || p.Moderator.Controls.Name != "none" {
		t.Errorf("plain: %+v", p)
	}
	if len(c.Rooms) != 1 || c.Rooms[0].Name != "3001" {
		t.Errorf("rooms %v", c.Rooms)
	}
}

// TestFreeSWITCHItsOwnSample imports the sample of FreeSWITCH itself, which is
// not part of this repository; the report was read by a person, line by line.
func TestFreeSWITCHItsOwnSample(t *testing.T) {
	data := sample(t, "freeswitch-conference.conf.xml")
	r, err := FreeSWITCH("conference.conf.xml", data, map[string]string{"hold_music": "local_stream://moh"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "freeswitch-sample.report", report(r))
	c := load(t, r)
	if p := profileOf(t, c, "wideband"); p.MOHSound != "local_stream://moh" || p.EnterSound != "tone_stream://%(200,0,500,600,700)" ||
		p.Member.Controls.Keys[8] != (engine.Control{Digits: "#", Action: engine.ActionLeave}) {
		t.Errorf("wideband: %+v", p)
	}
	if p := profileOf(t, c, "sla"); p.MOHSound != "" || p.EntryTone != "" || p.Member.Controls.Name != "none" {
		t.Errorf("sla: %+v", p)
	}
	if unset, err := FreeSWITCH("conference.conf.xml", data, nil); err != nil || unset.Count(Lost) != r.Count(Lost)+8 {
		t.Errorf("without hold_music %d lost, with it %d: %v", unset.Count(Lost), r.Count(Lost), err)
	}
}

// TestFreeSWITCHEveryParameterIsInTheTable compares with the parameters that
// mod_conference 1.11 reads, one a line, and with the reference where it is
// beside the checkout.
func TestFreeSWITCHEveryParameterIsInTheTable(t *testing.T) {
	read := strings.Fields(testdata(t, "freeswitch-parameters.txt"))
	sampleOnly := []string{"ack-sound", "nack-sound", "video-layout-bgcolor"}
	want := slices.Sorted(slices.Values(append(read, sampleOnly...)))
	if got := slices.Sorted(maps.Keys(rules())); !slices.Equal(got, want) {
		for _, name := range want {
			if !slices.Contains(got, name) {
				t.Errorf("%s has no rule", name)
			}
		}
		t.Errorf("%d rules, want %d", len(got), len(want))
	}
	for name, r := range rules() {
		if (r.to == nil) == (r.kind == "") || r.kind != "" && !strings.HasSuffix(r.text, ".") {
			t.Errorf("%s: neither mapped nor reported, or both", name)
		}
	}
	text, err := os.ReadFile(shared + "../reference/freeswitch.md")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the reference is not beside this checkout")
	}
	_, text2, _ := strings.Cut(string(text), "### 4.2")
	text2, _, _ = strings.Cut(text2, "### 4.8")
	before, _, _ := strings.Cut(text2, "### 4.6")
	seen := 0
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z][a-z-]+(?:, [a-z][a-z-]+)*) \|`).FindAllStringSubmatch(before, -1) {
		for name := range strings.SplitSeq(m[1], ", ") {
			if seen++; !slices.Contains(want, name) && name != "name" {
				t.Errorf("the reference has %s", name)
			}
		}
	}
	if seen < 60 {
		t.Errorf("only %d names found in the reference", seen)
	}
}

func TestFreeSWITCHVariables(t *testing.T) {
	const conf = `<configuration name="conference.conf"><profiles>
<profile name="a"><param name="max-members" value="$${n}"/></profile>
<X-PRE-PROCESS cmd="set" data="n=7"/>
<profile name="b"><param name="max-members" value="$${n}"/><param name="alone-sound" value="$${dir}/x.wav"/></profile>
</profiles></configuration>`
	r, err := FreeSWITCH("c.xml", []byte(conf), map[string]string{"dir": "sounds"})
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, r)
	a, b := profileOf(t, c, "a"), profileOf(t, c, "b")
	if a.MaxParticipants != 0 || b.MaxParticipants != 7 || b.AloneSound != "sounds/x.wav" {
		t.Errorf("%d, %d, %q", a.MaxParticipants, b.MaxParticipants, b.AloneSound)
	}
	want := "c.xml:2: profile a: max-members: $${n} has no value, so Parley's default stays; give one with --set n=VALUE. [lost]\n"
	if got := report(r); !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	r, err = FreeSWITCH("c.xml", []byte(conf), map[string]string{"n": "3"})
	if err != nil || profileOf(t, load(t, r), "b").MaxParticipants != 3 {
		t.Errorf("what is given does not win: %v", err)
	}
}

// TestFreeSWITCHSmallCases: each profile of its own, its YAML or its report.
func TestFreeSWITCHSmallCases(t *testing.T) {
	for _, tt := range []struct{ name, params, want string }{
		{"one is no limit", "max-members=1", "mod_conference takes 1 as no limit. [unneeded]"},
		{"no limit", "max-members=0", "0 differ, 0 unneeded, 0 lost"},
		{"more than Parley takes", "max-members=200000", "100000 is the most. [differs]"},
		{"one limit above it", "max-members=2", "max_participants: 2"},
		{"one PIN for both", "pin=55;moderator-pin=55", "moderator-pin: It is the same as pin"},
		{"two PINs", "pin=55;moderator-pin=66", `pins: ["66"]`},
		{"no music", "moh-sound=silence", "moh_sound: none # line 1: moh-sound"},
		{"no music either", "moh-sound=indicate_hold", "moh_sound: none # line 1: moh-sound"},
		{"a recording of one's own", "pin-sound=/srv/conf-pin.wav", "pin_sound: /srv/conf-pin.wav"},
		{"a stock recording", "pin-sound=conference/conf-pin.wav", "pin_sound: enter-pin"},
		{"flags of old", "member-flags=waste", "member-flags waste: mod_conference does not read it any more. [unneeded]"},
		{"flags unknown", "conference-flags=wait_mod", "conference-flags wait_mod: mod_conference does not know it either. [unneeded]"},
		{"a parameter without effect", "video-mode=mux", "video-mode: Parley mixes no video. [lost]"},
		{"a value without effect there", "comfort-noise=False;energy-level=0", "0 differ, 0 unneeded, 0 lost"},
		{"controls by the name none", "caller-controls=none", "controls: none"},
		{"a count below none", "announce-count=-1", "announce-count: It is not a whole number; Parley's default stays. [lost]"},
	} {
		var b strings.Builder
		for pair := range strings.SplitSeq(tt.params, ";") {
			name, value, _ := strings.Cut(pair, "=")
			fmt.Fprintf(&b, `<param name="%s" value="%s"/>`, name, value)
		}
		r, err := FreeSWITCH("f.xml", []byte(`<configuration name="conference.conf"><caller-controls><group name="none"><control action="hangup" digits="#"/></group></caller-controls>`+
			`<profiles><profile name="p">`+b.String()+"</profile></profiles></configuration>"), nil)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		r.Lines = slices.DeleteFunc(r.Lines, func(l Line) bool { return l.Where == "controls none" })
		if all := string(r.YAML()) + report(r); !strings.Contains(all, tt.want) || strings.Contains(all, "action: leave") {
			t.Errorf("%s: no %q in\n%s", tt.name, tt.want, all)
		}
		load(t, r)
	}
}

// brokenXML is shared by the table and by fuzzing.
func brokenXML() []struct{ name, in, want string } {
	in := func(profile string) string {
		return "<configuration name=\"conference.conf\">\n<profiles>\n<profile name=\"p\">\n" + profile + "\n</profile></profiles></configuration>"
	}
	return []struct{ name, in, want string }{
		{"empty", "", "f.xml: no XML element in it"},
		{"no configuration", "<include>\n<section/></include>", `f.xml: there is no <configuration name="conference.conf"> in it`},
		{"cut", "<configuration name=\"conference.conf\">\n<profiles>", "f.xml:2: XML: unexpected EOF"},
		{"crossed", "<configuration>\n<a></b></a></configuration>", "f.xml:2: XML: element <a> closed by </b>"},
		{"document type", "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>\n<configuration/>", "f.xml:1: a document type or another <! directive is not read"},
		{"unknown entity", in("<param name=\"pin\" value=\"&a;\"/>"), "f.xml:4: XML: invalid character entity &a;"},
		{"other charset", "<?xml version=\"1.0\" encoding=\"koi8-r\"?><configuration/>", "f.xml:1: XML: xml: opening charset \"koi8-r\": the file must be UTF-8"},
		{"deep", strings.Repeat("<a>", 17) + strings.Repeat("</a>", 17), "f.xml:1: elements more than 16 deep"},
		{"wide", "<a>" + strings.Repeat("<b/>", maxElements) + "</a>", "f.xml:1: more than 20000 elements"},
		{"long value", in(`<param name="pin" value="` + strings.Repeat("1", 4097) + `"/>`), "f.xml:4: value: a value of more than 4096 bytes"},
		{"swelling", in(`<X-PRE-PROCESS cmd="set" data="a=` + strings.Repeat("x", 3000) + `"/><param value="$${a}$${a}"/>`), "f.xml:4: value: a value of more than 4096 bytes"},
		{"many keys", strings.Replace(in(""), "<profiles>", "<caller-controls><group name=\"g\">"+manyKeys(10_001)+"</group></caller-controls><profiles>", 1), "f.xml:2: controls g: more than 10000 keys"},
		{"many rooms", strings.Replace(in(""), "<profiles>", "<advertise>"+manyRooms(10_001)+"</advertise><profiles>", 1), "f.xml: more than 10000 profiles, controls or rooms"},
		{"many profiles", in("</profile>" + manyProfiles(1900) + "<profile name=\"q\">"), "f.xml: its import has more than 1048576 bytes; import it in parts"},
		{"many attributes", "<a" + attributes(33) + "/>", "f.xml:1: an element with more than 32 attributes"},
		{"PIN of letters", in(`<param name="pin" value="12ab"/>`), "f.xml:4: profile p: pin: a PIN must be 1 to 16 digits; change it there first"},
		{"PIN too long", in(`<param name="moderator-pin" value="12345678901234567"/>`), "f.xml:4: profile p: moderator-pin: a PIN must be 1 to 16 digits; change it there first"},
		{"PIN unset", in(`<param name="pin" value="$${default_pin}"/>`), "f.xml:4: profile p: pin: $${default_pin} has no value; give it with --set"},
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<control action="mute" digits="%d"/>`, i)
	}
	return b.String()
}

func manyRooms(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<room name="%d"/>`, i)
	}
	return b.String()
}

func manyProfiles(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<profile name="p%d"/>`, i)
	}
	return b.String()
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a" + strings.Repeat("x", i) + `="1"`)
	}
	return b.String()
}

func TestFreeSWITCHWholeOrNot(t *testing.T) {
	for _, tt := range brokenXML() {
		t.Run(tt.name, func(t *testing.T) {
			_, err := FreeSWITCH("f.xml", []byte(tt.in), nil)
			if err == nil || err.Error() != tt.want {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
	if _, err := FreeSWITCH("f.xml", make([]byte, MaxBytes+1), nil); err == nil || err.Error() != "f.xml: more than 4194304 bytes" {
		t.Errorf("too large: %v", err)
	}
}

// FuzzFreeSWITCH: what is imported loads, and what is not has a reason of one
// line.
func FuzzFreeSWITCH(f *testing.F) {
	f.Add([]byte(testdata(f, "freeswitch.xml")))
	for _, tt := range brokenXML() {
		if len(tt.in) < 8192 {
			f.Add([]byte(tt.in))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := FreeSWITCH("f.xml", data, map[string]string{"music": "local_stream://moh"})
		judgeImport(t, r, err)
	})
}

func checkLine(t *testing.T, line string) {
	t.Helper()
	if strings.ContainsAny(line, "\n\r\x00") || len(line) > 600 {
		t.Errorf("a line of %d bytes that is no message: %q", len(line), line)
	}
}
