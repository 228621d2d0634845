package control

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"parley/engine"
)

// Media is what the native mixer counts; see NewMetrics.
type Media struct {
	Rooms, Legs               uint64 // now
	Ticks, LateTicks, LateBig uint64 // since start: run, over 2 ms late, over 20 ms late
	Dropped                   map[string]uint64
	Recordings                uint64 // now
	Unrecorded                uint64 // frames of 20 ms, since start
	Received, Lost            uint64 // packets, since start
	Undecodable               uint64 // likewise, which were no audio
}

// Metrics counts what happens and shows it to Prometheus.
type Metrics struct {
	registry   *prometheus.Registry
	admissions *prometheus.CounterVec
	leaves     *prometheus.CounterVec
	pinFails   prometheus.Counter
	restored   prometheus.Counter
	unrecorded prometheus.Counter
	quality    quality
}

// NewMetrics registers the counters; media is asked at each scrape, and extra
// are counters of other parts by their full metric name.
func NewMetrics(media func() Media, extra func() map[string]float64) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		admissions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_admissions_total", Help: "Calls admitted or refused, by result and reason.",
		}, []string{"result", "reason"}),
		leaves: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_leaves_total", Help: "Members who left, by reason.",
		}, []string{"reason"}),
		pinFails: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_pin_failures_total", Help: "Calls refused after their last wrong PIN.",
		}),
		restored: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_restored_total", Help: "Members who came back after we or their switch had lost them.",
		}),
	}
	m.unrecorded = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "parley_recordings_failed_total", Help: "Recordings that could not begin, or ended by a fault.",
	})
	m.registry.MustRegister(m.admissions, m.leaves, m.pinFails, m.restored, m.unrecorded, &mediaCollector{media, extra},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.quality = newQuality(m.registry)
	for _, r := range engine.Reasons() {
		m.admissions.WithLabelValues(string(resultOf(r)), string(r))
		m.leaves.WithLabelValues(string(r))
	}
	m.admissions.WithLabelValues(string(engine.ResultJoined), "")
	return m
}

// resultOf is the result of a call that is not admitted for a reason.
func resultOf(r engine.Reason) engine.Result {
	switch r {
	case engine.ReasonNodeBusy, engine.ReasonMediaLost, engine.ReasonSwitchLost, engine.ReasonHangup,
		engine.ReasonTransferred:
		return engine.ResultFailed
	default:
		return engine.ResultRejected
	}
}

// metricsTime is how long a page of metrics may wait for others and be made.
const metricsTime = 5 * time.Second

// Handler serves the metrics. One page is made at a time, before any of it is
// sent: neither many clients nor one that does not read take more than that.
func (m *Metrics) Handler() http.Handler {
	page, turn := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}), make(chan struct{}, 1)
	one := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
			page.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
	return http.TimeoutHandler(one, metricsTime, "metrics took too long")
}

// Observe is an engine.Observer.
func (m *Metrics) Observe(e engine.Event) {
	switch e.Type {
	case engine.EventJoined, engine.EventWaiting:
		if e.Time.Equal(e.Member.JoinedAt) {
			m.admissions.WithLabelValues(string(engine.ResultJoined), "").Inc()
		}
	case engine.EventRejected:
		m.admissions.WithLabelValues(string(e.Outcome.Result), string(e.Reason)).Inc()
		if e.Reason == engine.ReasonPINFailed {
			m.pinFails.Inc()
		}
	case engine.EventRestored:
		m.restored.Inc()
	case engine.EventLeft:
		m.leaves.WithLabelValues(string(e.Reason)).Inc()
	case engine.EventRecordFailed:
		m.unrecorded.Inc()
	case engine.EventRecordStarted, engine.EventRecordPaused, engine.EventRecordResumed, engine.EventRecordEnded,
		engine.EventRoomStarted, engine.EventRoomEnded, engine.EventRoomLocked, engine.EventRoomUnlocked,
		engine.EventRoomModified, engine.EventRoomMoved, engine.EventIgnored, engine.EventMuted, engine.EventUnmuted, engine.EventDeafened,
		engine.EventUndeafened, engine.EventModified, engine.EventHeld, engine.EventUnheld, engine.EventPlayQueued, engine.EventPlaying, engine.EventPlayed, engine.EventPlayContinues, engine.EventPlayPaused,
		engine.EventPlayResumed, engine.EventPlayModified, engine.EventTalking, engine.EventSilent, engine.EventSpeaker,
		engine.EventArrived, engine.EventEnded, engine.EventHandRaised, engine.EventHandLowered, engine.EventDigit, engine.EventDialing, engine.EventRinging, engine.EventDialed:
	}
}

// mediaCollector reads the mixer's counters when Prometheus asks.
type mediaCollector struct {
	media func() Media
	extra func() map[string]float64
}

// Describe sends nothing: the set of metrics depends on what was counted.
func (c *mediaCollector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *mediaCollector) Collect(ch chan<- prometheus.Metric) {
	m := c.media()
	gauge := func(name, help string, v uint64) {
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue, float64(v))
	}
	count := func(name, help string, v uint64) {
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, nil, nil), prometheus.CounterValue, float64(v))
	}
	gauge("parley_rooms", "Rooms that the native mixer runs now.", m.Rooms)
	gauge("parley_legs", "Legs with media now.", m.Legs)
	count("parley_ticks_total", "Room ticks of 20 ms that were run.", m.Ticks)
	count("parley_ticks_late_total", "Room ticks that began more than 2 ms late.", m.LateTicks)
	count("parley_ticks_overdue_total", "Room ticks that began more than 20 ms late.", m.LateBig)
	gauge("parley_recordings", "Recordings that the native mixer makes now.", m.Recordings)
	count("parley_recording_frames_dropped_total", "Frames of 20 ms that recordings lack since the disk, or the machine, was too slow.", m.Unrecorded)
	count("parley_rtp_packets_received_total", "Packets of audio accepted.", m.Received)
	count("parley_rtp_packets_lost_total", "Packets of audio that never came, or too late.", m.Lost)
	count("parley_rtp_packets_undecodable_total", "Packets that were no audio.", m.Undecodable)
	dropped := prometheus.NewDesc("parley_rtp_packets_dropped_total", "Packets dropped, by reason.", []string{"why"}, nil)
	for why, n := range m.Dropped {
		ch <- prometheus.MustNewConstMetric(dropped, prometheus.CounterValue, float64(n), why)
	}
	for name, v := range c.extra() {
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, "Counted by the part of that name.", nil, nil),
			prometheus.CounterValue, v)
	}
}
