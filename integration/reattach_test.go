//go:build integration

package integration

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/engine"
	"parley/sip/siptest"
)

// TestFreeSWITCHReattach kills Parley under a room of three callers who have
// typed PINs, and starts it again: they are what they were, and were asked
// nothing. A fourth one's dialplan comes too late.
func TestFreeSWITCHReattach(t *testing.T) {
	t.Parallel()
	at := newPlace()
	startFreeSWITCH(t, at)
	p := run(t, at, at.base(false)+"reattach_window_s: 4\n"+contractProfiles)
	pins := []string{"98765#", "1234#", "1234#"}
	tones := []float64{500, 900, 1300}
	var calls []*siptest.Call
	for i, pin := range pins {
		calls = append(calls, call(t, at.fsSIP, "3101", tone(tones[i])))
		time.Sleep(time.Second)
		digits(t, calls[i], pin)
		p.members("3101", i+1)
	}
	late := call(t, at.fsSIP, "late", tone(1700))
	time.Sleep(time.Second)
	digits(t, late, "1234#")
	p.members("3101", 4)
	if err := p.api.Set(context.Background(), "3101", "2", "muted", true); err != nil {
		t.Fatal(err)
	}
	before := p.state("3101")
	if len(before.Members) != 4 || before.Members[0].Role != "moderator" || !before.Members[1].Muted {
		t.Fatalf("before: %+v", before)
	}
	time.Sleep(time.Second) // the last rights are on their way to the channel

	p.kill()
	killed, told := time.Now(), len(p.log())
	time.Sleep(time.Second)
	p.start()
	started := time.Now()
	p.members("3101", 3)
	t.Logf("all three were back %v after kill -9, %v after the start", time.Since(killed).Round(time.Millisecond),
		time.Since(started).Round(time.Millisecond))
	after := p.state("3101")
	if after.Instance != before.Instance || !after.StartedAt.Equal(before.StartedAt) {
		t.Errorf("it is another run: %+v, was %+v", after, before)
	}
	for i, m := range after.Members {
		was := before.Members[i]
		if m.CallID != was.CallID || m.ID != was.ID || m.Role != was.Role || m.Muted != was.Muted || !m.JoinedAt.Equal(was.JoinedAt) {
			t.Errorf("member %+v, was %+v", m, was)
		}
	}
	if err := p.api.Set(context.Background(), "3101", "2", "muted", false); err != nil {
		t.Fatal(err)
	}
	hears(t, calls, tones)
	log := p.log()[told:]
	if strings.Contains(log, "participant.joined") || strings.Contains(log, "participant.rejected") {
		t.Error("somebody came in as a newcomer")
	}
	gaps(t, log, 3)

	eventually(t, 15*time.Second, "the one who is late not being taken for what he was", func() (string, bool) {
		return "", strings.Contains(p.log()[told:], "parley_reattach is ignored: we have neither been started nor lost the call")
	})
	time.Sleep(time.Second)
	if v := p.state("3101"); len(v.Members) != 3 {
		t.Errorf("he came in without a PIN: %+v", v)
	}
	digits(t, late, "1234#")
	if v := p.members("3101", 4); v[3].ID <= 4 {
		t.Errorf("he is member %d", v[3].ID)
	}
}

// gaps prints how long each member was without audio.
func gaps(t *testing.T, log string, n int) {
	t.Helper()
	found := regexp.MustCompile(`participant\.restored .*member=(\d+) .*gap=(\S+)`).FindAllStringSubmatch(log, -1)
	if len(found) != n {
		t.Errorf("%d gaps, want %d", len(found), n)
	}
	for _, f := range found {
		gap, err := time.ParseDuration(f[2])
		if err != nil || gap < 200*time.Millisecond || gap > 8*time.Second {
			t.Errorf("gap %s of member %s", f[2], f[1])
		}
		t.Logf("member %s was away for %v", f[1], gap)
	}
}

// state is a room with its members in the order of their numbers.
func (p *parley) state(room string) engine.RoomView {
	p.t.Helper()
	v, err := p.api.Room(context.Background(), room)
	if err != nil {
		p.t.Fatal(err)
	}
	slices.SortFunc(v.Members, func(a, b engine.MemberView) int { return cmp.Compare(a.ID, b.ID) })
	return v
}

// TestFreeSWITCHRestart stops Parley as an admin does, and starts it again.
func TestFreeSWITCHRestart(t *testing.T) {
	t.Parallel()
	at := newPlace()
	startFreeSWITCH(t, at)
	p := run(t, at, at.base(false)+contractProfiles)
	tones := []float64{500, 900}
	calls := []*siptest.Call{call(t, at.fsSIP, "3001", tone(500)), call(t, at.fsSIP, "3001", tone(900))}
	p.members("3001", 2)
	before := p.state("3001")
	time.Sleep(time.Second)
	told := len(p.log())
	p.stop()
	p.start()
	p.members("3001", 2)
	if after := p.state("3001"); after.Instance != before.Instance || after.Members[0].CallID != before.Members[0].CallID {
		t.Errorf("room %+v, was %+v", after, before)
	}
	hears(t, calls, tones)
	gaps(t, p.log()[told:], 2)
}

// TestFreeSWITCHNoRetry: a dialplan that does not ask for it has its callers in
// the switch's own conference at once.
func TestFreeSWITCHNoRetry(t *testing.T) {
	t.Parallel()
	at := newPlace()
	fs := startFreeSWITCH(t, at)
	p := run(t, at, at.base(false)+contractProfiles)
	calls := []*siptest.Call{call(t, at.fsSIP, "once", tone(500)), call(t, at.fsSIP, "once", tone(900))}
	p.members("3003", 2)
	p.kill()
	killed := time.Now()
	eventually(t, 3*time.Second, "both callers in the switch's own conference", func() (string, bool) {
		return "", fs.inConference("3003-fallback", 2)
	})
	t.Logf("both callers were in the fallback %v after kill -9", time.Since(killed).Round(time.Millisecond))
	hears(t, calls, []float64{500, 900})
}

// TestFreeSWITCHFallbackNames: each room has a conference of its own, whatever
// says its name; who has none is in nobody's.
func TestFreeSWITCHFallbackNames(t *testing.T) {
	t.Parallel()
	at := newPlace()
	fs := startFreeSWITCH(t, at)
	p := run(t, at, at.base(false)+contractProfiles)
	asked := call(t, at.fsSIP, "asked", tone(500))
	time.Sleep(2 * time.Second)
	digits(t, asked, "3003#")
	p.members("3003", 1)
	p.kill()
	call(t, at.fsSIP, "conf-alpha", tone(900))
	call(t, at.fsSIP, "conf-beta", tone(1300))
	for _, name := range []string{"3003-fallback", "alpha-fallback", "beta-fallback"} {
		eventually(t, 5*time.Second, "one caller in "+name, func() (string, bool) { return fs.fsCLI("conference list"), fs.inConference(name, 1) })
	}
	if list := fs.fsCLI("conference list summary"); strings.Contains(list, "Conference -fallback ") {
		t.Error(list)
	}
	phone, err := siptest.New(siptest.Options{User: "1001"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(phone.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if c, err := phone.Dial(ctx, "sip:asked@"+at.fsSIP, tone(500)); err == nil {
		ended(t, c)
	}
	fs.logged("the caller has named no room")
}

// TestFreeSWITCHKilled: the switch's callers are gone, the phones keep talking.
func TestFreeSWITCHKilled(t *testing.T) {
	t.Parallel()
	at := newPlace()
	fs := startFreeSWITCH(t, at)
	p := run(t, at, at.base(false)+contractProfiles)
	phones := []*siptest.Call{call(t, at.sip, "3001", tone(500)), call(t, at.sip, "3001", tone(900))}
	call(t, at.fsSIP, "3001", tone(1300))
	call(t, at.fsSIP, "3001", tone(1700))
	p.members("3001", 4)
	fs.kill()
	killed := time.Now()
	p.members("3001", 2)
	t.Logf("both legs had left %v after the switch was killed", time.Since(killed).Round(time.Millisecond))
	lost := regexp.MustCompile(`participant\.left .*kind=freeswitch .*reason=switch_lost`).FindAllString(p.log(), -1)
	if len(lost) != 2 {
		t.Errorf("%s legs left with switch_lost", strconv.Itoa(len(lost)))
	}
	hears(t, phones, []float64{500, 900})
}

// TestFreeSWITCHKeepsTheRoom kills Parley over a room in the switch's own
// conference: nobody notices, and the next Parley finds everybody as he was.
func TestFreeSWITCHKeepsTheRoom(t *testing.T) {
	t.Parallel()
	for _, taken := range []bool{false, true} {
		t.Run(map[bool]string{false: "in the switch's mix", true: "while it is taken over"}[taken], func(t *testing.T) { keepsTheRoom(t, taken) })
	}
}

// keepsTheRoom kills Parley while a room stands in a conference of the switch:
// mixed there, or taken over, so that its callers stand beside the mix.
func keepsTheRoom(t *testing.T, taken bool) {
	at := newPlace()
	startFreeSWITCH(t, at)
	p := run(t, at, at.base(false)+at.pbx1()+strings.ReplaceAll(contractProfiles, "\n  - name: ", "\n  - mixer: switch\n    name: "))
	tones := []float64{500, 900, 1300}
	var calls []*siptest.Call
	for i, pin := range []string{"98765#", "1234#", "1234#"} {
		calls = append(calls, call(t, at.fsSIP, "3101", tone(tones[i])))
		time.Sleep(time.Second)
		digits(t, calls[i], pin)
		p.members("3101", i+1)
	}
	if err := p.api.Set(context.Background(), "3101", "2", "muted", true); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // the last rights are on their way to the channel
	before := p.state("3101")
	if taken {
		if _, err := p.api.TakeOver(context.Background(), "3101"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
	}
	p.kill()
	p.start()
	p.members("3101", 3)
	after := p.state("3101")
	if after.Instance != before.Instance || after.Mixer != before.Mixer {
		t.Errorf("it is another run: %+v, was %+v", after, before)
	}
	for i, m := range after.Members {
		was := before.Members[i]
		if m.CallID != was.CallID || m.ID != was.ID || m.Role != was.Role || m.Muted != was.Muted || !m.JoinedAt.Equal(was.JoinedAt) {
			t.Errorf("member %+v, was %+v", m, was)
		}
	}
	if err := p.api.Set(context.Background(), "3101", "2", "muted", false); err != nil {
		t.Fatal(err)
	}
	hears(t, calls, tones)
}
