package fsapi

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/engine"
	"parley/esl/conference"
)

const moderator = "moderator"

// present are the members of a room as the switch would have them: those who
// are in it, and those who wait for a moderator, newest first.
func present(v *engine.RoomView) []*engine.MemberView {
	var list []*engine.MemberView
	for i := range v.Members {
		if m := &v.Members[i]; m.State == "joined" || m.State == "waiting" {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(x, y *engine.MemberView) int { return cmp.Compare(y.ID, x.ID) })
	return list
}

// sheets are all rooms that somebody is in.
func (c *call) sheets() []conference.Sheet {
	views, err := c.a.opts.Exchange.Rooms(c.ctx)
	if err != nil {
		return nil // the command has taken too long
	}
	var list []conference.Sheet
	for i := range views {
		if len(present(&views[i])) > 0 {
			list = append(list, c.a.sheet(&views[i]))
		}
	}
	return list
}

// sheet is a room for a list.
func (a *API) sheet(v *engine.RoomView) conference.Sheet {
	now := time.Now()
	members := present(v)
	r := a.runOf(v.Instance)
	s := conference.Sheet{
		Room: conference.Room{
			Name: string(v.Name), UUID: uuidOf(string(v.Instance)), Profile: v.Profile, Rate: rateOf(members), Locked: v.Locked,
			WaitMod: v.State == "waiting", Ending: v.State == "ending", Size: len(members), MaxMembers: v.MaxParticipants,
		},
		EnterSound: r.set[silent("enter")] == "", ExitSound: r.set[silent("exit")] == "", Variables: r.vars, Grace: time.Duration(atoi(r.set[graceTime])) * time.Second,
	}
	if !v.StartedAt.IsZero() {
		s.RunTime = now.Sub(v.StartedAt)
	}
	for _, t := range slices.Backward(v.Recordings) {
		if t.Member != 0 {
			continue
		}
		s.Recording = true
		s.Recordings = append(s.Recordings, conference.Recording{Path: t.Name, Paused: t.State == engine.RecordingPausing, Since: t.StartedAt})
	}
	for _, m := range members {
		g := a.guest(&channel{*v, *m})
		l := conference.Line{
			Member: conference.Member{
				ID: conference.MemberID(m.ID), UUID: g.uuid(), Channel: channelName(m), CallerName: g.name(), CallerNumber: m.Number,
				Hear: !m.Deaf, Speak: !m.Muted, Talking: m.Talking && !m.Muted, Hold: m.Hold, Floor: r.floor == m.ID, Moderator: m.Role == moderator,
				VolumeIn: conference.Step(float64(m.Talk)), VolumeOut: conference.Step(float64(m.Listen)), Energy: r.levelsOf(m.ID).energy,
			},
			Joined: now.Sub(m.JoinedAt), Quiet: -1,
		}
		if last := r.talked[m.ID]; m.Talking {
			l.Quiet = 0
		} else if !last.IsZero() {
			l.Quiet = now.Sub(last)
		}
		s.Lines = append(s.Lines, l)
	}
	return s
}

// rateOf is the highest sample rate that a member's codec has.
func rateOf(members []*engine.MemberView) int {
	rate := 8000
	for _, m := range members {
		_, text, _ := strings.Cut(m.Codec, "/")
		if n, err := strconv.Atoi(text); err == nil {
			rate = max(rate, n)
		}
	}
	return rate
}

// uuidOf gives a name of ours the form of a UUID, always the same (RFC 9562
// §5.8, version 8).
func uuidOf(name string) string {
	u := sha256.Sum256([]byte("parley " + name))
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16])
}

// uuid is a channel's Unique-ID: that of a call of ours is whatever word the order
// has, as at the switch.
func (g *guest) uuid() string {
	if g.called {
		return string(g.view.CallID)
	}
	return uniqueID(g.view.CallID)
}

// uniqueID is what the switch would call the leg of a caller: a channel's UUID as
// it is, and a SIP Call-ID, which may hold anything, in the form of one.
func uniqueID(leg engine.LegID) string {
	if conference.IsUUID(string(leg)) {
		return string(leg)
	}
	return uuidOf(string(leg))
}

// channelName is a leg's channel as the switch would name it.
func channelName(m *engine.MemberView) string {
	at := m.Switch
	if at == "" {
		at = "sip"
	}
	return "parley/" + at + "/" + m.Number
}
