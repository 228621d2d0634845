package bench

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
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
	Target     string    `json:"target"`
	Codec      string    `json:"codec"`
	Rooms      int       `json:"rooms"`
	Callers    int       `json:"callers"` // per room
	Talkers    int       `json:"talkers"` // of those
	Noise      float64   `json:"noise_dbfs,omitempty"`
	Loss       float64   `json:"loss_percent,omitempty"` // of the callers' packets, by the generator
	Jitter     float64   `json:"jitter_ms,omitempty"`    // σ, likewise
	Seconds    float64   `json:"seconds"`
	Warmup     float64   `json:"warmup_seconds"`
	Background bool      `json:"background,omitempty"` // the generator got what others left of the processors
	Calls      Calls     `json:"calls"`
	Packets    Packets   `json:"packets"`
	Delay      *Delay    `json:"delay_ms,omitempty"` // nil where no room has two listeners
	Levels     Levels    `json:"levels"`
	SINAD      float64   `json:"sinad_db"`           // at sampled listeners, median of pieces of 100 ms
	Glitches   *Glitches `json:"glitches,omitempty"` // nil unless one tone is said in a room
	Server     *Cost     `json:"server,omitempty"`   // nil without a PID
	Ticks      *Ticks    `json:"ticks,omitempty"`    // nil without a URL of metrics
	Watchers   *Watchers `json:"watchers,omitempty"` // nil without any
	Own        Cost      `json:"generator"`
	Lateness   Times     `json:"generator_late_ms"` // of its own sending
}

// Calls says what became of the calls.
type Calls struct {
	Up      int            `json:"up"`
	Refused map[string]int `json:"refused,omitempty"` // by SIP code, or by what happened
	Ended   int            `json:"ended"`             // by the server, before the end
	Again   int            `json:"again,omitempty"`   // hung up and made anew meanwhile
	Answer  Times          `json:"answer_ms"`         // from the INVITE to its 200
}

// Packets is what came back.
type Packets struct {
	Sent     uint64  `json:"sent"`
	Expected uint64  `json:"expected"` // one for each that was said
	Received uint64  `json:"received"`
	Delivery float64 `json:"delivery"` // received of expected; the edges of the time measured are worth one packet per caller
	Lost     uint64  `json:"lost"`     // numbers skipped by the sender or the network
	Other    uint64  `json:"other"`    // of another codec or length
	Gaps     Times   `json:"interarrival_ms"`
}

// Times are a distribution in milliseconds.
type Times struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Delay is from mouth to ear: from the moment a packet was said to the moment
// at which the listener could play the same sound. The length of packets is not
// in it, what they were held back on the way is.
type Delay struct {
	P50     float64 `json:"p50"`
	P95     float64 `json:"p95"`
	Max     float64 `json:"max"`
	Bursts  int     `json:"bursts"`  // that were heard
	Missing int     `json:"missing"` // that were not
}

// Glitches are places where a listener hears a lone tone change or break.
type Glitches struct {
	Count   int     `json:"count"`
	Seconds float64 `json:"seconds"` // listened to
	Lost    uint64  `json:"lost"`    // packets of the tone, on their way to the server
	PerLost float64 `json:"per_lost,omitempty"`
}

// Ticks is what a Parley says of its mixer's punctuality in the time measured.
type Ticks struct {
	Run     uint64 `json:"run"`
	Late    uint64 `json:"late"`       // by more than 2 ms
	Overdue uint64 `json:"overdue"`    // by more than 20 ms
	Stuck   int    `json:"stuck_legs"` // there still after all had hung up
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
	Idle    int64   `json:"rss_idle_kib,omitempty"`    // before the first call
	RSS     int64   `json:"rss_kib,omitempty"`         // the most, looked at once a second
	Start   int64   `json:"rss_start_kib,omitempty"`   // at the beginning of the time measured
	End     int64   `json:"rss_end_kib,omitempty"`     // and at its end
	Minutes []int64 `json:"rss_minutes_kib,omitempty"` // after each minute of it
	PerLeg  float64 `json:"rss_per_leg_kib,omitempty"`
	Threads int     `json:"threads,omitempty"` // the most
}

// report sums up. The driver has stopped.
func (l *load) report(idle state, s spent) *Report {
	o, d := l.opt, l.driver
	r := &Report{
		Target: o.Target, Codec: fullName(o.Codec), Rooms: o.Rooms, Callers: o.Callers, Talkers: o.Talkers, Noise: o.Noise,
		Loss: o.Loss, Jitter: float64(o.Jitter) / float64(time.Millisecond),
		Seconds: s.wall.Seconds(), Warmup: o.Warmup.Seconds(), Background: o.Background, Lateness: d.late.times(),
	}
	r.Calls = Calls{Up: l.up(), Refused: l.refused, Again: l.churned, Answer: l.answer.times()}
	p := &r.Packets
	for _, g := range l.legs {
		p.Sent += g.sent
		p.Received += g.heard.packets
		p.Lost += g.heard.lost
		p.Other += g.heard.other
	}
	p.Expected = p.Sent
	p.Delivery = float64(p.Received) / float64(max(p.Expected, 1))
	p.Gaps = d.gaps.times()
	r.hear(l.judge(), o)
	r.Own = s.cost(s.self, r.Calls.Up)
	if o.PID != 0 {
		c := s.cost(s.server, r.Calls.Up)
		c.Idle, c.RSS, c.Threads, c.Start, c.End = idle.rss, s.server.rss, s.server.threads, s.rss[0], s.rss[1]
		c.Minutes = s.minutes
		c.PerLeg = float64(c.RSS-c.Idle) / float64(max(r.Calls.Up, 1))
		r.Server = &c
	}
	return r
}

// hear takes over what listeners said.
func (r *Report) hear(j *judge, o Options) {
	r.Levels, r.SINAD = j.levels, median(j.sinad)
	if j.delay.total > 0 || j.missing > 0 {
		h := &j.delay
		r.Delay = &Delay{
			P50: h.percentile(0.5), P95: h.percentile(0.95), Max: h.max(), Bursts: int(h.total), Missing: j.missing,
		}
	}
	if o.Talkers == 1 {
		r.Glitches = &j.glitches
	}
}

func (s *spent) cost(used state, legs int) Cost {
	return Cost{
		CPU:  s.perSecond(used.cpu, legs),
		User: s.perSecond(used.user, legs), System: s.perSecond(used.system, legs),
	}
}

func (h *histogram) times() Times {
	return Times{P50: h.percentile(0.5), P99: h.percentile(0.99), Max: h.max()}
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
	note(r.Packets.Delivery < minDelivery && r.Calls.Again == 0, "only %.2f %% of the packets came", 100*r.Packets.Delivery)
	loud := r.Levels.Sent > level(r.Talkers)+0.1 // a mixer has to turn it down
	note(!loud && r.Levels.Tones > 0 && math.Abs(r.Levels.Worst) > tolerance, "a tone is %+.1f dB off at a listener", r.Levels.Worst)
	note(r.Levels.Own > r.Levels.Sent+ownLevel, "a talker hears himself at %.1f dBFS", r.Levels.Own)
	note(r.Levels.Stray > r.Levels.Sent+ownLevel, "a room hears a tone at %.1f dBFS that nobody in it says", r.Levels.Stray)
	if d := r.Delay; d != nil && r.Loss == 0 && !loud {
		note(d.Missing > (d.Bursts+d.Missing)/10, "%d of %d bursts were not heard", d.Missing, d.Bursts+d.Missing)
	}
	if w := r.Watchers; w != nil {
		note(w.Broken > 0, "%d watchers saw events in the wrong order, or went without a notice", w.Broken)
		note(w.Asked == 0, "no command of the event socket was answered")
	}
	if t := r.Ticks; t != nil {
		note(t.Stuck > 0, "%d legs are left after all have hung up", t.Stuck)
	}
	note(r.Lateness.P99 > 10, "the generator itself was %.1f ms late (p99)", r.Lateness.P99)
	return bad
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	var b strings.Builder
	line := func(name, format string, a ...any) {
		fmt.Fprintf(&b, "%-10s "+format+"\n", append([]any{name}, a...)...)
	}
	line("load", "%d × %d callers at %s, %s 20 ms, %d talkers a room at %.0f dBFS, the others %s%s, %.1f s after %.0f s",
		r.Rooms, r.Callers, r.Target, r.Codec, r.Talkers, r.Levels.Sent, r.others(), r.impairment(), r.Seconds, r.Warmup)
	if r.Background {
		line("processors", "the server's first; callers and clients get what it leaves")
	}
	again := ""
	if r.Calls.Again > 0 {
		again = fmt.Sprintf(", %d made anew", r.Calls.Again)
	}
	line("calls", "%d up, %d ended by the server%s; answered after %s", r.Calls.Up, r.Calls.Ended, again, r.Calls.Answer)
	p := r.Packets
	line("packets", "%.3f %% of %d came, %d numbers skipped, %d of another kind", 100*p.Delivery, p.Expected, p.Lost, p.Other)
	line("arrival", "%s between packets", p.Gaps)
	r.printSound(line)
	if c := r.Server; c != nil {
		line("server", "%s, at most %d threads", c, c.Threads)
		line("memory", "%.1f KiB per leg (%d KiB before the first call, %d at most under load, %+d in the time measured)",
			c.PerLeg, c.Idle, c.RSS, c.End-c.Start)
	}
	if t := r.Ticks; t != nil {
		line("ticks", "%d, of them %d late by more than 2 ms and %d by more than 20 ms", t.Run, t.Late, t.Overdue)
	}
	if w := r.Watchers; w != nil {
		line("watchers", "%d, of %d events each had %d or more; %d were told to be lost, %d watchers were cut off, %d are wrong; %d commands",
			w.Clients, w.Fired, w.Least, w.Lost, w.Cut, w.Broken, w.Asked)
	}
	line("generator", "%s, late by %s", r.Own, r.Lateness)
	for _, problem := range r.Problems() {
		line("BAD", "%s", problem)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) others() string {
	if r.Noise != 0 {
		return fmt.Sprintf("noise of %v dBFS", r.Noise)
	}
	return "digital silence"
}

func (r *Report) impairment() string {
	if r.Loss == 0 && r.Jitter == 0 {
		return ""
	}
	return fmt.Sprintf(", %.3g %% loss and %.3g ms jitter on their way", r.Loss, r.Jitter)
}

// printSound is what listeners heard.
func (r *Report) printSound(line func(name, format string, a ...any)) {
	if d := r.Delay; d != nil && d.Bursts == 0 {
		line("delay", "unknown: none of %d bursts was heard", d.Missing)
	} else if d != nil {
		line("delay", "p50 %.1f, p95 %.1f, max %.1f ms from mouth to ear, by %d bursts; %d were not heard",
			d.P50, d.P95, d.Max, d.Bursts, d.Missing)
	}
	v := r.Levels
	line("levels", "%d tones at %d listeners, worst %+.2f dB; own voice at most %.0f dBFS, other rooms' %.0f dBFS",
		v.Tones, v.Listeners, v.Worst, v.Own, v.Stray)
	if v.Tones > 0 {
		line("clean", "SINAD %.1f dB", r.SINAD)
	}
	if g := r.Glitches; g != nil {
		line("glitches", "%d of a tone in %.0f s; %d of its packets were lost", g.Count, g.Seconds, g.Lost)
	}
}

func (t Times) String() string {
	return fmt.Sprintf("p50 %.1f, p99 %.1f, max %.1f ms", t.P50, t.P99, t.Max)
}

func (c Cost) String() string {
	return fmt.Sprintf("%.3f CPU-ms per participant-second (user %.3f, system %.3f)", c.CPU, c.User, c.System)
}
