package control

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"parley/engine"
)

// Stream is how a leg's packets came, from its beginning to its end.
type Stream struct {
	Received, Lost, Late uint64        // packets; who was late is lost, too
	Delay, Jitter        time.Duration // at its end: of the jitter buffer, of the arrivals
}

// quality is what became of the streams of legs that have ended, each once.
type quality struct{ loss, late, delay, jitter prometheus.Histogram }

func newQuality(in *prometheus.Registry) quality {
	made := func(name, help string, buckets ...float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
		in.MustRegister(h)
		return h
	}
	return quality{
		loss: made("parley_leg_loss_ratio", "Share of its packets that a leg has lost, of legs that have ended.",
			0, .001, .003, .01, .02, .05, .1, .2, .5),
		late: made("parley_leg_late_ratio", "Share of its packets that came too late for their turn, of legs that have ended.",
			0, .001, .003, .01, .02, .05, .1, .2, .5),
		delay: made("parley_leg_delay_seconds", "How long the jitter buffer held audio back at the end of a leg.",
			0, .02, .04, .06, .08, .1, .15, .2, .3, .5),
		jitter: made("parley_leg_jitter_seconds", "Jitter of a leg's packets at its end, RFC 3550 6.4.1.",
			.001, .002, .005, .01, .02, .05, .1, .2),
	}
}

// Ended takes the stream of a leg that has ended. Of whom nothing ever came there
// is nothing to judge. It may be called from any goroutine and does not wait.
func (m *Metrics) Ended(s Stream) {
	all := float64(s.Received + s.Lost)
	if s.Received == 0 {
		return
	}
	m.quality.loss.Observe(float64(s.Lost) / all)
	m.quality.late.Observe(float64(s.Late) / all)
	m.quality.delay.Observe(s.Delay.Seconds())
	m.quality.jitter.Observe(s.Jitter.Seconds())
}

// maxScraped is how many rooms one page is about.
const maxScraped = 100

// metrics is the page for Prometheus: of all, of each room (by=room), or of the
// members of the rooms that are named (room=NAME), who are in no other (ADR 28).
func (s *server) metrics(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	names, by := q["room"], q.Get("by")
	switch {
	case len(names) == 0 && !q.Has("by"):
		s.Metrics.ServeHTTP(w, r)
	case len(names) > 0 && q.Has("by"), len(names) > maxScraped, len(names) == 0 && by != "room":
		fail(w, http.StatusBadRequest, "bad_query", fmt.Sprintf("by=room, or room=NAME up to %d times", maxScraped))
	case len(names) == 0:
		rooms, err := s.Exchange.Rooms(r.Context())
		s.page(w, r, err, &roomsPage{rooms: rooms})
	default:
		rooms, err := s.named(r, names)
		s.page(w, r, err, &roomsPage{rooms: rooms, members: true})
	}
}

// named looks at rooms. One that does not run is empty: a scrape goes on when
// its room is over.
func (s *server) named(r *http.Request, names []string) (rooms []engine.RoomView, err error) {
	seen := map[engine.RoomName]bool{}
	for _, n := range names {
		name, err := engine.ParseRoomName(n)
		if err != nil || seen[name] {
			continue
		}
		seen[name] = true
		view, err := s.Exchange.Sound(r.Context(), name)
		switch {
		case errors.Is(err, engine.ErrNoRoom):
			view = engine.RoomView{Name: name}
		case err != nil:
			return nil, err
		}
		rooms = append(rooms, view)
	}
	return rooms, nil
}

func (s *server) page(w http.ResponseWriter, r *http.Request, err error, p *roomsPage) {
	if err != nil {
		s.refuse(w, err)
		return
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(p)
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

// roomsPage is what rooms were like at one moment.
type roomsPage struct {
	rooms   []engine.RoomView
	members bool // each of them, besides
}

// Describe sends nothing: what there is depends on who is there.
func (p *roomsPage) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (p *roomsPage) Collect(ch chan<- prometheus.Metric) {
	for i := range p.rooms {
		p.room(ch, &p.rooms[i])
		for k := range p.rooms[i].Members {
			if p.members {
				p.member(ch, string(p.rooms[i].Name), &p.rooms[i].Members[k])
			}
		}
	}
}

// room tells of a room as one: the worst of its members is what an alert is for.
func (p *roomsPage) room(ch chan<- prometheus.Metric, r *engine.RoomView) {
	tell := func(name, help string, v float64) {
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("parley_room_"+name, help, []string{"room"}, nil),
			prometheus.GaugeValue, v, string(r.Name))
	}
	talking, seen, loss, delay := 0, 0, 0.0, int64(0)
	for i := range r.Members {
		m := &r.Members[i]
		if m.Talking {
			talking++
		}
		if m.Level != nil {
			seen++
			loss, delay = max(loss, m.Lost), max(delay, m.DelayMS)
		}
	}
	tell("members", "Members of the room now, those who wait included.", float64(len(r.Members)))
	tell("talking", "Members who talk now.", float64(talking))
	if seen > 0 {
		tell("loss_ratio_max", "Share of packets lost of the member who has lost most.", loss)
		tell("delay_seconds_max", "How long a jitter buffer holds audio back, of the member who is latest.", float64(delay)/1000)
	}
}

// member tells of a member; of his audio only where the place that mixes sees it.
func (p *roomsPage) member(ch chan<- prometheus.Metric, room string, m *engine.MemberView) {
	tell := func(name, help string, kind prometheus.ValueType, v float64) {
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("parley_member_"+name, help, []string{"room", "member", "codec"}, nil),
			kind, v, room, strconv.FormatUint(uint64(m.ID), 10), m.Codec)
	}
	truth := func(name, help string, on bool) {
		v := 0.0
		if on {
			v = 1
		}
		tell(name, help, prometheus.GaugeValue, v)
	}
	truth("talking", "1 while he talks.", m.Talking)
	truth("floor", "1 while the floor is his.", m.Floor)
	if m.Level == nil {
		return
	}
	tell("level_dbov", "Level of his last 20 ms, dBov; -127 is silence.", prometheus.GaugeValue, *m.Level)
	tell("loss_ratio", "Share of his packets lost, 0 to 1.", prometheus.GaugeValue, m.Lost)
	tell("late_packets_total", "Packets of his that came too late for their turn.", prometheus.CounterValue, float64(m.Late))
	tell("delay_seconds", "How long the jitter buffer holds him back.", prometheus.GaugeValue, float64(m.DelayMS)/1000)
	tell("jitter_seconds", "Jitter of his packets, RFC 3550 6.4.1.", prometheus.GaugeValue, float64(m.JitterMS)/1000)
}
