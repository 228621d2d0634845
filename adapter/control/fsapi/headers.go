package fsapi

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"parley/engine"
	"parley/esl"
)

// usual is how many headers an event about a member has at most, mostly.
const usual = 80

// memberHeaders adds those of a member, in the switch's order: floor, channel,
// caller's profile, member. cause is set when the call has ended.
func (r *run) memberHeaders(h esl.Headers, g *guest, cause string) esl.Headers {
	h = append(h, esl.Header{Name: "Floor", Value: strconv.FormatBool(r.floor != 0 && r.floor == g.view.ID)})
	h = g.appendChannel(h, talking(cause))
	return g.appendMember(h, r.levelsOf(g.view.ID).energy)
}

// channel is the basic data of a channel.
func (g *guest) channel(is phase) esl.Headers {
	return g.appendChannel(make(esl.Headers, 0, usual), is)
}

func (g *guest) appendChannel(h esl.Headers, is phase) esl.Headers {
	m := &g.view
	codec, rate, bits := codecOf(m.Codec)
	id, name := g.uuid(), channelName(m)
	h = append(h, esl.Headers{
		{Name: "Channel-State", Value: is.state},
		{Name: "Channel-Call-State", Value: is.call},
		{Name: "Channel-State-Number", Value: is.number},
		{Name: "Channel-Name", Value: name},
		{Name: "Unique-ID", Value: id},
		{Name: "Call-Direction", Value: g.direction()},
		{Name: "Presence-Call-Direction", Value: g.direction()},
		{Name: "Channel-HIT-Dialplan", Value: "true"},
		{Name: "Channel-Call-UUID", Value: id},
		{Name: "Answer-State", Value: is.answer},
	}...)
	if is.cause != "" {
		h = append(h, esl.Header{Name: "Hangup-Cause", Value: is.cause})
	}
	for _, way := range []string{"Read", "Write"} {
		if is.call == "DOWN" || is.cause != "" && g.ringing { // there is no audio yet, or was none
			break
		}
		h = append(h, esl.Header{Name: "Channel-" + way + "-Codec-Name", Value: codec}, esl.Header{Name: "Channel-" + way + "-Codec-Rate", Value: rate},
			esl.Header{Name: "Channel-" + way + "-Codec-Bit-Rate", Value: bits})
	}
	return g.appendProfile(h, id, name)
}

// appendProfile adds the caller's profile.
func (g *guest) appendProfile(h esl.Headers, id, name string) esl.Headers {
	began := strconv.FormatInt(g.since.UnixMicro(), 10)
	h = append(h, esl.Header{Name: "Caller-Direction", Value: g.direction()}, esl.Header{Name: "Caller-Logical-Direction", Value: g.direction()})
	he, other, first := g.parties()
	if !g.called {
		h = append(h, esl.Header{Name: "Caller-Username", Value: g.view.Number}, esl.Header{Name: "Caller-Dialplan", Value: "XML"})
	}
	for _, pair := range []esl.Header{
		{Name: "Caller-Caller-ID-Name", Value: he.Name},
		{Name: "Caller-Caller-ID-Number", Value: he.Number},
		{Name: "Caller-Orig-Caller-ID-Name", Value: first.Name},
		{Name: "Caller-Orig-Caller-ID-Number", Value: first.Number},
		{Name: "Caller-Callee-ID-Name", Value: other.Name},
		{Name: "Caller-Callee-ID-Number", Value: other.Number},
		{Name: "Caller-Network-Addr", Value: sourceAddress(g.invite)},
		{Name: "Caller-ANI", Value: first.Number},
		{Name: "Caller-Destination-Number", Value: g.destination()},
	} {
		if pair.Value != "" {
			h = append(h, pair)
		}
	}
	h = append(h, esl.Headers{
		{Name: "Caller-Unique-ID", Value: id},
		{Name: "Caller-Source", Value: "parley"},
		{Name: "Caller-Context", Value: "default"},
		{Name: "Caller-Channel-Name", Value: name},
		{Name: "Caller-Profile-Index", Value: "1"},
		{Name: "Caller-Profile-Created-Time", Value: began},
		{Name: "Caller-Channel-Created-Time", Value: began},
		{Name: "Caller-Channel-Answered-Time", Value: began},
	}...)
	for _, never := range [...]string{
		"Caller-Channel-Progress-Time", "Caller-Channel-Progress-Media-Time", "Caller-Channel-Hangup-Time", "Caller-Channel-Transfer-Time",
		"Caller-Channel-Resurrect-Time", "Caller-Channel-Bridged-Time", "Caller-Channel-Last-Hold", "Caller-Channel-Hold-Accum",
	} {
		h = append(h, esl.Header{Name: never, Value: "0"})
	}
	return append(h, esl.Header{Name: "Caller-Screen-Bit", Value: "true"}, esl.Header{Name: "Caller-Privacy-Hide-Name", Value: "false"},
		esl.Header{Name: "Caller-Privacy-Hide-Number", Value: "false"})
}

// parties are who calls and who is called, and who called first.
func (g *guest) parties() (he, other, first engine.Caller) {
	he, other = engine.Caller{Number: g.view.Number, Name: g.name()}, g.seen
	switch {
	case !g.called:
		return he, other, he
	case g.view.ID == 0: // until he is in, it is us who call him
		return other, he, other
	}
	return he, other, other
}

// appendMember adds what the conference itself knows of a member.
func (g *guest) appendMember(h esl.Headers, energy int) esl.Headers {
	m := &g.view
	kind := "member"
	if m.Role == moderator {
		kind = moderator
	}
	yes := strconv.FormatBool
	return append(h, esl.Headers{
		{Name: "Video", Value: "false"},
		{Name: "Hear", Value: yes(!m.Deaf)},
		{Name: "See", Value: "true"},
		{Name: "Speak", Value: yes(!m.Muted)},
		{Name: "Talking", Value: yes(m.Talking && !m.Muted)},
		{Name: "Mute-Detect", Value: "false"},
		{Name: "Hold", Value: yes(m.Hold)},
		{Name: "Member-ID", Value: m.ID.String()},
		{Name: "Member-Type", Value: kind},
		{Name: "Member-Ghost", Value: "false"},
		{Name: "Energy-Level", Value: strconv.Itoa(energy)},
		{Name: "Current-Energy", Value: "0"},
	}...)
}

// codecOf takes "PCMU/8000" apart, and knows the bits per second.
func codecOf(text string) (name, rate, bits string) {
	name, rate, _ = strings.Cut(text, "/")
	hz, err := strconv.Atoi(rate)
	if err != nil {
		return "PCMU", "8000", "64000"
	}
	per := 8
	if name == "L16" {
		per = 16
	}
	return name, rate, strconv.Itoa(hz * per)
}

// sourceAddress is where a call comes from, without what else tells sources
// apart; "" = unknown, as for one that we or an Asterisk made.
func sourceAddress(in engine.Invite) string {
	at, _, _ := strings.Cut(in.Source, "/")
	if _, err := netip.ParseAddr(at); err != nil {
		return ""
	}
	return at
}

func (g *guest) direction() string {
	if g.called {
		return "outbound"
	}
	return "inbound"
}

// name is what the switch shows for one: who has none is called by his number,
// or as somebody whom it has called.
func (g *guest) name() string {
	switch {
	case g.view.Name != "":
		return g.view.Name
	case g.called:
		return "Outbound Call"
	default:
		return g.view.Number
	}
}

// destination is what was dialled: the room, or who was called into it.
func (g *guest) destination() string {
	if g.called {
		return g.view.Number
	}
	return g.invite.Room
}

// pulse is HEARTBEAT.
func (a *API) pulse(now time.Time) esl.Headers {
	n, born, peak := a.sessions()
	up := now.Sub(a.since)
	number := strconv.Itoa
	return esl.Headers{
		{Name: "Event-Info", Value: "System Ready"},
		{Name: "Up-Time", Value: upTime(up) + ", " + fraction(up)},
		{Name: "FreeSWITCH-Version", Value: a.release()},
		{Name: "Uptime-msec", Value: strconv.FormatInt(up.Milliseconds(), 10)},
		{Name: "Session-Count", Value: number(n)},
		{Name: "Max-Sessions", Value: "0"},
		{Name: "Session-Per-Sec", Value: "0"},
		{Name: "Session-Per-Sec-Last", Value: "0"},
		{Name: "Session-Per-Sec-Max", Value: "0"},
		{Name: "Session-Per-Sec-FiveMin", Value: "0"},
		{Name: "Session-Since-Startup", Value: number(born)},
		{Name: "Session-Peak-Max", Value: number(peak)},
		{Name: "Session-Peak-FiveMin", Value: number(peak)},
		{Name: "Idle-CPU", Value: "0.000000"},
	}
}
