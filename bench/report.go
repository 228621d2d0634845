package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"parley/internal/audiotest"
)

// What a good run may show at most.
const (
	tolerance   = 1.5   // dB, of a tone at a listener
	ownLevel    = -30.0 // dB, of one's own tone, of what was sent
	minDelivery = 0.995
)

// Report is the outcome of a measurement. Per participant-second means: of one
// caller in one second.
type Report struct {
	Target   string  `json:"target"`
	Rooms    int     `json:"rooms"`
	Callers  int     `json:"callers"` // per room
	Talkers  int     `json:"talkers"` // of those
	Noise    float64 `json:"noise_dbfs,omitempty"`
	Seconds  float64 `json:"seconds"`
	Warmup   float64 `json:"warmup_seconds"`
	Calls    Calls   `json:"calls"`
	Packets  Packets `json:"packets"`
	Levels   Levels  `json:"levels"`
	Server   *Cost   `json:"server,omitempty"` // nil without a PID
	Own      Cost    `json:"generator"`
	Lateness Times   `json:"generator_late_ms"` // of its own sending
}

// Calls says what became of the calls.
type Calls struct {
	Up      int            `json:"up"`
	Refused map[string]int `json:"refused,omitempty"` // by SIP code, or by what happened
	Ended   int            `json:"ended"`             // by the server, before the end
}

// Packets is what came back.
type Packets struct {
	Sent     uint64  `json:"sent"`
	Expected uint64  `json:"expected"` // one per caller who is up, in each 20 ms
	Received uint64  `json:"received"`
	Delivery float64 `json:"delivery"` // received of expected; the edges of the time measured are worth one packet per caller
	Lost     uint64  `json:"lost"`     // numbers skipped by the sender or the network
	Other    uint64  `json:"other"`    // neither PCMU nor 20 ms
	Gaps     Times   `json:"interarrival_ms"`
}

// Times are a distribution in milliseconds.
type Times struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Levels is what sampled listeners heard: per room the first caller, who talks,
// and the last one.
type Levels struct {
	Sent      float64 `json:"sent_dbfs"`
	Listeners int     `json:"listeners"`
	Tones     int     `json:"tones"`              // heard or not, that should be
	Worst     float64 `json:"worst_deviation_db"` // of a tone from what was sent
	Own       float64 `json:"own_dbfs"`           // loudest own tone
	Stray     float64 `json:"stray_dbfs"`         // loudest tone of a frequency that nobody in the room says
}

// Cost is what a process spent.
type Cost struct {
	CPU     float64 `json:"cpu_ms_per_participant_second"`
	User    float64 `json:"user_ms_per_participant_second"`
	System  float64 `json:"system_ms_per_participant_second"`
	Idle    int64   `json:"rss_idle_kib,omitempty"` // before the first call
	RSS     int64   `json:"rss_kib,omitempty"`      // the most, looked at once a second
	PerLeg  float64 `json:"rss_per_leg_kib,omitempty"`
	Threads int     `json:"threads,omitempty"` // the most
}

// report sums up. The driver has stopped.
func (l *load) report(idle state, s spent) *Report {
	o, d := l.opt, l.driver
	r := &Report{
		Target: o.Target, Rooms: o.Rooms, Callers: o.Callers, Talkers: o.Talkers, Noise: o.Noise,
		Seconds: s.wall.Seconds(), Warmup: o.Warmup.Seconds(), Lateness: d.late.times(),
	}
	r.Calls.Up, r.Calls.Refused = l.up(), l.refused
	p := &r.Packets
	for _, g := range l.legs {
		p.Sent += g.sent
		p.Received += g.heard.packets
		p.Lost += g.heard.lost
		p.Other += g.heard.other
	}
	p.Expected = uint64(d.periods) * uint64(r.Calls.Up)
	p.Delivery = float64(p.Received) / float64(max(p.Expected, 1))
	p.Gaps = d.gaps.times()
	r.Levels = l.levels()
	r.Own = s.cost(s.self, r.Calls.Up)
	if o.PID != 0 {
		c := s.cost(s.server, r.Calls.Up)
		c.Idle, c.RSS, c.Threads = idle.rss, s.server.rss, s.server.threads
		c.PerLeg = float64(c.RSS-c.Idle) / float64(max(r.Calls.Up, 1))
		r.Server = &c
	}
	return r
}

func (s *spent) cost(used state, legs int) Cost {
	return Cost{
		CPU:  s.perSecond(used.user+used.system, legs),
		User: s.perSecond(used.user, legs), System: s.perSecond(used.system, legs),
	}
}

func (h *histogram) times() Times {
	return Times{P50: h.percentile(0.5), P99: h.percentile(0.99), Max: h.max()}
}

// levels looks for every tone at every sampled listener who is up.
func (l *load) levels() Levels {
	o := l.opt
	v := Levels{Sent: level(o.Talkers), Own: audiotest.Floor, Stray: audiotest.Floor}
	for _, g := range l.legs {
		if g.record == nil || !g.live.Load() {
			continue
		}
		v.Listeners++
		pcm := g.pcm()
		said := make([]float64, 0, o.Talkers) // by others of this room
		for place := range o.Talkers {
			if place != g.place && l.legs[g.room*o.Callers+place].live.Load() {
				said = append(said, tone(g.room, place, o.Talkers))
			}
		}
		v.listen(pcm, g.says.hz, said)
	}
	return v
}

// listen judges what one listener heard.
func (v *Levels) listen(pcm []int16, own float64, said []float64) {
	v.Tones += len(said)
	for i := range MaxTalkers {
		hz := tone(0, i, MaxTalkers)
		got := audiotest.Steady(pcm, 8000, hz)
		switch {
		case slices.Contains(said, hz):
			if by := got - v.Sent; math.Abs(by) > math.Abs(v.Worst) {
				v.Worst = by
			}
		case hz == own:
			v.Own = max(v.Own, got)
		default:
			v.Stray = max(v.Stray, got)
		}
	}
}

// Problems are what makes a run worthless, or the server not good enough.
func (r *Report) Problems() []string {
	var bad []string
	note := func(is bool, format string, a ...any) {
		if is {
			bad = append(bad, fmt.Sprintf(format, a...))
		}
	}
	note(len(r.Calls.Refused) > 0, "calls were not answered: %v", r.Calls.Refused)
	note(r.Calls.Ended > 0, "%d calls were ended by the server", r.Calls.Ended)
	note(r.Packets.Delivery < minDelivery, "only %.2f %% of the packets came", 100*r.Packets.Delivery)
	note(r.Levels.Tones > 0 && math.Abs(r.Levels.Worst) > tolerance, "a tone is %+.1f dB off at a listener", r.Levels.Worst)
	note(r.Levels.Own > r.Levels.Sent+ownLevel, "a talker hears himself at %.1f dBFS", r.Levels.Own)
	note(r.Levels.Stray > r.Levels.Sent+ownLevel, "a room hears a tone at %.1f dBFS that nobody in it says", r.Levels.Stray)
	note(r.Lateness.P99 > 10, "the generator itself was %.1f ms late (p99)", r.Lateness.P99)
	return bad
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	var b strings.Builder
	line := func(name, format string, a ...any) {
		fmt.Fprintf(&b, "%-10s "+format+"\n", append([]any{name}, a...)...)
	}
	others := "digital silence"
	if r.Noise != 0 {
		others = fmt.Sprintf("noise of %v dBFS", r.Noise)
	}
	line("load", "%d × %d callers at %s, PCMU 20 ms, %d talkers a room at %.0f dBFS, the others %s, %.1f s after %.0f s",
		r.Rooms, r.Callers, r.Target, r.Talkers, r.Levels.Sent, others, r.Seconds, r.Warmup)
	line("calls", "%d up, %d ended by the server", r.Calls.Up, r.Calls.Ended)
	p := r.Packets
	line("packets", "%.3f %% of %d came, %d numbers skipped, %d of another kind", 100*p.Delivery, p.Expected, p.Lost, p.Other)
	line("arrival", "%s between packets", p.Gaps)
	v := r.Levels
	line("levels", "%d tones at %d listeners, worst %+.2f dB; own voice at most %.0f dBFS, other rooms' %.0f dBFS",
		v.Tones, v.Listeners, v.Worst, v.Own, v.Stray)
	if c := r.Server; c != nil {
		line("server", "%s, at most %d threads", c, c.Threads)
		line("memory", "%.1f KiB per leg (%d KiB before the first call, %d under load)", c.PerLeg, c.Idle, c.RSS)
	}
	line("generator", "%s, late by %s", r.Own, r.Lateness)
	for _, problem := range r.Problems() {
		line("BAD", "%s", problem)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t Times) String() string {
	return fmt.Sprintf("p50 %.1f, p99 %.1f, max %.1f ms", t.P50, t.P99, t.Max)
}

func (c Cost) String() string {
	return fmt.Sprintf("%.3f CPU-ms per participant-second (user %.3f, system %.3f)", c.CPU, c.User, c.System)
}
