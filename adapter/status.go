package adapter

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/adapter/control"
	"parley/adapter/phone"
	"parley/engine/native"
	"parley/internal/priority"
)

// checks says of each part whether it works.
func (a *App) checks() []control.Check {
	list := []control.Check{
		{Name: "sip", Ready: true, Text: fmt.Sprintf("listening on %s, %d calls", a.sipListeners(), a.endpoint.Calls())},
	}
	if err := a.native.Busy(); err != nil {
		list = append(list, control.Check{Name: "mixer", Text: err.Error()})
	}
	if s := a.socket.Load(); s != nil {
		list = append(list, control.Check{Name: "esl_server", Ready: true, Text: fmt.Sprintf("listening on %s, %d clients", a.eslServer.Addr(), s.Clients())})
	}
	for _, l := range a.links {
		name, ready, text := l.Check()
		list = append(list, control.Check{Name: name, Ready: ready, Text: text, Code: codeOf(text)})
	}
	return list
}

// state is the whole process for `parley status`.
func (a *App) state() control.State {
	is, _ := priority.Read()
	return control.State{
		StartedAt: a.since, Priority: is, Legs: int(a.native.Counters().Legs), Recent: a.notes.recent(time.Now()),
	}
}

// sipListeners are the addresses in use, which those of a configuration read
// since need not be.
func (a *App) sipListeners() string {
	var all []string
	for _, at := range slices.Concat(a.endpoint.UDP(), a.endpoint.TCP()) {
		if text := at.String(); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return strings.Join(all, ", ")
}

// Banner is what `parley serve` prints when it is up: a line per listener,
// and how to make a first call.
func (a *App) Banner() string {
	c := a.config.Load()
	var b strings.Builder
	line := func(what, where, why string) { fmt.Fprintf(&b, "%-12s %-22s %s\n", what, where, why) }
	line("sip", c.SIP.Listen, strings.Join(c.SIP.Transports, " and ")+": phones, trunks and FreeSWITCH's media")
	line("esl", c.FreeSWITCH.Listen, "FreeSWITCH dialplans: socket "+c.FreeSWITCH.Listen+" async full")
	line("audiosocket", c.AudioSocket.Listen, "Asterisk's media")
	line("http", c.HTTP.Listen, "API, /healthz, /readyz, /metrics")
	if c.ESLServer.Listen != "" {
		line("esl_server", c.ESLServer.Listen, "fs_cli and other clients of FreeSWITCH")
	}
	line("rtp", fmt.Sprintf("%d-%d/udp", c.RTP.Ports.First, c.RTP.Ports.Last), "audio")
	if len(c.ARIServer.Users) > 0 {
		line("ari", c.HTTP.Listen+"/ari", "clients of Asterisk's REST interface")
	}
	for _, s := range c.Switches {
		line(s.Name, s.ARI+s.ESL, string(s.Kind))
	}
	if len(c.Files) == 0 {
		b.WriteString("\nNo configuration file: built-in defaults. configs/parley.yaml lists every key.\n")
	}
	fmt.Fprintf(&b, "\nFirst call: dial sip:3001@%s from two phones; both are in room 3001.\n"+
		"sip:%s@%s asks for the room number. `parley rooms` shows who is where.\n", c.SIP.Listen, phone.Attendant, c.SIP.Listen)
	return b.String()
}

// media are the mixer's figures for the metrics.
func (a *App) media() control.Media {
	n := a.native.Counters()
	return control.Media{
		Rooms: uint64(n.Rooms), Legs: uint64(n.Legs), Ticks: n.Ticks.Ticks, LateTicks: n.Ticks.Late, LateBig: n.Ticks.VeryLate,
		Received: n.Received, Lost: n.Lost, Undecodable: n.Undecodable, Dropped: n.Dropped, Recordings: uint64(n.Recordings), Unrecorded: n.Unrecorded,
	}
}

// ended takes what became of a leg's audio.
func (a *App) ended(h native.Health) {
	a.metrics.Ended(control.Stream{Received: h.Received, Lost: h.Lost, Late: h.Late, Delay: h.Delay, Jitter: h.Jitter})
}

// counters are those of the protocols, by metric name.
func (a *App) counters() map[string]float64 {
	s := a.endpoint.Stats()
	dropped, overtaken := a.freeswitch.Events()
	return map[string]float64{
		"parley_esl_events_dropped_total":     float64(dropped),
		"parley_esl_events_overtaken_total":   float64(overtaken),
		"parley_audit_mismatches_total":       float64(a.mismatches()),
		"parley_sip_messages_received_total":  float64(s.Received.Load()),
		"parley_sip_messages_malformed_total": float64(s.Malformed.Load()),
		"parley_sip_messages_flooded_total":   float64(s.Flooded.Load()),
		"parley_sip_requests_limited_total":   float64(s.Limited.Load()),
		"parley_sip_requests_refused_total":   float64(s.Refused.Load()),
		"parley_sip_unauthorized_total":       float64(s.Unauthorized.Load()),
		"parley_sip_calls_in_total":           float64(s.CallsIn.Load()),
		"parley_sip_calls_expired_total":      float64(s.Expired.Load()),
		"parley_sip_panics_total":             float64(s.Panics.Load()),
	}
}

// mismatches is how many differences there ever were between the switches and us.
func (a *App) mismatches() uint64 {
	n := a.freeswitch.Mismatches()
	for _, ast := range asterisks(a.links) {
		n += ast.Mismatches()
	}
	return n
}
