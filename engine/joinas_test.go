package engine

import (
	"strings"
	"testing"
	"testing/synctest"
)

// users is a configuration as one that comes from user profiles: guests and
// chiefs have PINs, the boss has none.
func users() *Directory {
	d := NewDirectory()
	for name, edit := range map[string]func(*Profile){
		"guest": func(p *Profile) { p.JoinAs, p.Member.PINs = RoleMember, []PIN{NewPIN("555")} },
		"chief": func(p *Profile) {
			p.JoinAs, p.Member.PINs, p.Moderator.PINs = RoleModerator, []PIN{NewPIN("555")}, []PIN{NewPIN("98765")}
		},
		"boss":  func(p *Profile) { p.JoinAs, p.Moderator.JoinMuted = RoleModerator, true },
		"plain": pins,
	} {
		p := *d.Profiles["default"]
		p.Name = name
		edit(&p)
		d.Profiles[name] = &p
	}
	return d
}

func TestAProfileSaysWhoJoinsByIt(t *testing.T) {
	with := func(profile string, more ...string) map[string]string {
		vars := map[string]string{"profile": profile}
		for i := 0; i < len(more); i += 2 {
			vars[more[i]] = more[i+1]
		}
		return vars
	}
	for _, c := range []struct {
		name   string
		first  map[string]string // of a call that has opened the room; nil = nobody has
		vars   map[string]string
		digits string
		role   string // "" = still asked
	}{
		{"a boss opens the room", nil, with("boss"), "", "moderator"},
		{"a boss comes to others", with("default"), with("boss"), "", "moderator"},
		{"who names no profile is none because a boss opened the room", with("boss"), nil, "", "member"},
		{"who names another is none", with("boss"), with("default"), "", "member"},
		{"a role that the call names wins", nil, with("boss", "role", "member"), "", "member"},
		{"a chief types his PIN", with("default"), with("chief"), "98765", "moderator"},
		{"a chief does not get in by the members' PIN", with("default"), with("chief"), "555#", ""},
		{"a chief does not get in without", with("default"), with("chief"), "#", ""},
		{"the call's own PIN is a chief's, too", nil, with("chief", "member_pin", "77"), "77#", "moderator"},
		{"a guest types his", with("boss"), with("guest"), "555", "member"},
		{"a guest does not become a moderator by PIN", with("plain", "role", "moderator"), with("guest"), "98765#", ""},
		{"where nothing is said the PIN decides", nil, with("plain"), "98765", "moderator"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stagePlay(t, users(), func(t *testing.T, th *theatre) {
				if c.first != nil {
					th.call("first", "1", c.first)
					synctest.Wait()
				}
				p := th.call("a", "1", c.vars)
				synctest.Wait()
				p.press(c.digits)
				synctest.Wait()
				e, err := th.ExplainCall(t.Context(), "a")
				if err != nil {
					t.Fatal(err)
				}
				role := ""
				if e.State == "joined" {
					role, _, _ = strings.Cut(about(e, "role"), " ")
				} else {
					want(t, "state", e.State, "pin")
					p.sink.Post(LegGone{Leg: p.id, Reason: ReasonHangup})
				}
				want(t, "role", role, c.role)
			})
		})
	}
}

func TestExplainTellsOfTheProfileThatMadeAModerator(t *testing.T) {
	d := users()
	d.Settings = func(_ RoomName, profile string) []Setting {
		return []Setting{
			{Name: "profile", Value: "default", Source: BuiltIn},
			{Name: "join_as", Value: "moderator", Source: profile + ".yaml:3"},
			{Name: "moderator.join_muted", Value: "true", Source: profile + ".yaml:4"},
		}
	}
	stagePlay(t, d, func(t *testing.T, th *theatre) {
		th.call("a", "1", nil)
		synctest.Wait()
		th.call("b", "1", map[string]string{"profile": "boss"})
		c := th.call("c", "1", map[string]string{"profile": "bos"})
		synctest.Wait()
		e, err := th.ExplainCall(t.Context(), "b")
		if err != nil {
			t.Fatal(err)
		}
		want(t, "role", about(e, "role"), "moderator | join_as of profile boss, boss.yaml:3")
		want(t, "muted", about(e, "muted"), "true | moderator.join_muted, boss.yaml:4")
		c.sink.Post(LegGone{Leg: c.id, Reason: ReasonHangup})
		want(t, "warnings", joinWarnings(outcome(t, c).Warnings), "unknown profile bos, using default")
	})
}
