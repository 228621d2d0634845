// Package bench measures what a conference server costs, and what it makes of
// audio. It calls rooms by SIP as many plain callers, some of whom say a tone,
// and reports what came back (packets and their timing, the delay from mouth to
// ear, the level of each tone and all that is wrong with it) and what the
// server's process spent on it. Nothing in it knows which server that is.
//
// One goroutine drives the audio of all callers, so that the load itself stays
// cheap; see driver. Of the server's own code it uses the signalling (package
// sip) and the codecs (package codec), never its RTP.
package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"parley/codec"
	"parley/internal/priority"
)

// The errors of Run.
var (
	ErrOptions = errors.New("bench: bad option")
	ErrNoCall  = errors.New("bench: no call was answered")
)

// Options of a measurement.
type Options struct {
	Target   string        // HOST:PORT of the server, SIP over UDP
	Room     int           // number dialled for the first room, the others follow; 0 means DefaultRoom
	Rooms    int           // 0 means 1
	Callers  int           // per room; 0 means DefaultCallers
	Talkers  int           // of those, at most MaxTalkers; 0 means DefaultTalkers
	Codec    codec.Format  // of all callers; the zero value means PCMU
	Level    float64       // dBFS, of each tone; 0 means a level at which all talkers together do not clip
	Noise    float64       // dBFS, what those who do not talk send; 0 means digital silence
	Loss     float64       // per cent of the callers' packets, each for itself
	Jitter   time.Duration // σ of what their packets are held back by, in order
	Churn    float64       // callers per second who hang up and call again while the rest is measured
	Warmup   time.Duration // between the last answer and the first measured packet; 0 means DefaultWarmup
	Duration time.Duration // measured; 0 means DefaultDuration
	Phases   int           // groups of callers that send at different times of each 20 ms; 0 means DefaultPhases
	Rate     float64       // calls made per second; 0 means DefaultRate
	PID      int           // of the server, on this machine; 0 means that its cost is not measured
	Ports    [2]uint16     // first and last UDP port of the callers' audio; zero means DefaultPorts
	Metrics  string        // URL of the /metrics of a Parley whose ticks are to be reported; "" means not
	// Background has this process get only what others leave of the processors, so
	// that a server on this machine is measured apart from what the callers and
	// clients take of them. It does not come back from it. Linux only.
	Background bool
	// Watchers are clients of the server's event socket who follow all events;
	// Events a second are caused for them, over all rooms.
	Watchers    int
	Events      float64      // 0 means DefaultEvents
	EventSocket string       // HOST:PORT of it
	Password    string       // for "auth"
	Progress    func(string) // is told what is being done; nil means nobody is
}

// Defaults of Options.
const (
	DefaultRoom     = 3001
	DefaultCallers  = 100
	DefaultTalkers  = 3
	DefaultWarmup   = 5 * time.Second
	DefaultDuration = 30 * time.Second
	DefaultPhases   = 10
	DefaultRate     = 40
	DefaultEvents   = 50

	defaultFirst, defaultLast = 12000, 31999
)

// DefaultPorts are below those that systems hand out by themselves.
func DefaultPorts() [2]uint16 { return [2]uint16{defaultFirst, defaultLast} }

const (
	maxLegs   = 20_000
	maxJitter = 200 * time.Millisecond
	maxChurn  = 100

	maxWatchers = 1000
)

func (o *Options) complete() error {
	setDefault(&o.Room, DefaultRoom)
	setDefault(&o.Rooms, 1)
	setDefault(&o.Callers, DefaultCallers)
	setDefault(&o.Talkers, min(DefaultTalkers, o.Callers))
	setDefault(&o.Warmup, DefaultWarmup)
	setDefault(&o.Duration, DefaultDuration)
	setDefault(&o.Phases, DefaultPhases)
	setDefault(&o.Rate, DefaultRate)
	setDefault(&o.Events, DefaultEvents)
	setDefault(&o.Ports, DefaultPorts())
	setDefault(&o.Codec, codec.PCMU())
	setDefault(&o.Level, level(o.Talkers))
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return o.check()
}

// check says what cannot be measured.
func (o *Options) check() error {
	for _, x := range []float64{o.Noise, o.Level, o.Loss, o.Churn, o.Rate, o.Events} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%w: %v is no number", ErrOptions, x)
		}
	}
	switch {
	case o.Target == "":
		return fmt.Errorf("%w: no target", ErrOptions)
	case o.Rooms < 1 || o.Callers < 1 || o.Rooms > maxLegs/o.Callers:
		return fmt.Errorf("%w: %d rooms of %d callers, at most %d callers in all", ErrOptions, o.Rooms, o.Callers, maxLegs)
	case o.Talkers < 1 || o.Talkers > min(o.Callers, MaxTalkers):
		return fmt.Errorf("%w: %d talkers of %d callers, at most %d", ErrOptions, o.Talkers, o.Callers, MaxTalkers)
	case o.Noise > 0 || o.Level > 0:
		return fmt.Errorf("%w: noise of %v dBFS, tones of %v: 0 is the most there is", ErrOptions, o.Noise, o.Level)
	case o.Loss < 0 || o.Loss > 100 || o.Jitter < 0 || o.Jitter > maxJitter:
		return fmt.Errorf("%w: loss of %v %% and jitter of %v, at most 100 %% and %v", ErrOptions, o.Loss, o.Jitter, maxJitter)
	case o.Churn < 0 || o.Churn > maxChurn:
		return fmt.Errorf("%w: %v calls a second that are made anew, at most %d", ErrOptions, o.Churn, maxChurn)
	case o.Phases < 1 || o.Phases > 20:
		return fmt.Errorf("%w: %d phases, at most 20", ErrOptions, o.Phases)
	case o.Watchers < 0 || o.Watchers > maxWatchers || o.Events < 0 || o.Watchers > 0 && o.EventSocket == "":
		return fmt.Errorf("%w: %d watchers of %v events a second at event socket %q, at most %d", ErrOptions, o.Watchers, o.Events, o.EventSocket, maxWatchers)
	case o.Warmup < 0 || o.Duration < time.Second || o.Rate < 0 || o.PID < 0 || o.Room < 0:
		return fmt.Errorf("%w: a time, rate or number is too small", ErrOptions)
	}
	return nil
}

// Codec is the format of a name such as "PCMU" or, where there are several of
// one name, "L16/16000"; upper and lower case are the same.
func Codec(name string) (codec.Format, error) {
	for _, f := range codec.Known() {
		if strings.EqualFold(name, f.Name) || strings.EqualFold(name, fullName(f)) {
			return f, nil
		}
	}
	return codec.Format{}, fmt.Errorf("%w: codec %.20q: one of %s", ErrOptions, name, Codecs())
}

// Codecs lists the names of all codecs there are.
func Codecs() string {
	var all []string
	for _, f := range codec.Known() {
		all = append(all, fullName(f))
	}
	return strings.Join(all, ", ")
}

func fullName(f codec.Format) string { return fmt.Sprintf("%s/%d", f.Name, f.Rate) }

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Run makes the calls, measures, hangs up and reports. Calls that fail are
// part of the report; the error is for what makes a measurement impossible.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if o.Background {
		if err := priority.Background(); err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
	}
	idle, err := look(o.PID)
	if err != nil {
		return nil, err
	}
	l, err := newLoad(ctx, o)
	if err != nil {
		return nil, err
	}
	r, err := l.run(ctx, idle)
	if err == nil && o.Metrics != "" {
		r.Ticks.Stuck, err = l.aftermath(ctx)
	}
	return r, err
}

// run has the load talk until the report is complete, then hangs up.
func (l *load) run(ctx context.Context, idle state) (*Report, error) {
	defer l.close()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		l.driver.run()
	}()
	defer func() { // before the sockets are closed
		l.driver.stop.Store(true)
		<-stopped
	}()
	w, err := l.gather(ctx)
	if err != nil {
		return nil, err
	}
	defer w.close()
	spent, err := l.observe(ctx)
	if err != nil {
		return nil, err
	}
	ticks, err := l.punctual(ctx)
	if err != nil {
		return nil, err
	}
	ended := l.ended()
	l.driver.stop.Store(true)
	<-stopped
	r := l.report(idle, spent)
	r.Watchers = w.done(ctx)
	r.Calls.Ended, r.Ticks = ended, ticks
	return r, nil
}

// gather makes the calls, has clients watch, and waits until all is settled.
func (l *load) gather(ctx context.Context) (*watch, error) {
	o := l.opt
	o.Progress(fmt.Sprintf("calling: %d callers, %.3g a second", len(l.legs), o.Rate))
	if err := l.dial(ctx); err != nil {
		return nil, err
	}
	if l.up() == 0 {
		return nil, fmt.Errorf("%w: %v", ErrNoCall, l.refused)
	}
	w, err := startWatch(ctx, o)
	if err != nil {
		return nil, err
	}
	o.Progress(fmt.Sprintf("%d callers are up; warming up for %v", l.up(), o.Warmup))
	if err = pause(ctx, o.Warmup); err == nil {
		err = l.before(ctx)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// observe waits for the measured time and returns what was spent in it.
func (l *load) observe(ctx context.Context) (spent, error) {
	o := l.opt
	s, err := begin(o.PID)
	if err != nil {
		return s, err
	}
	ctx, cancel := context.WithCancel(ctx)
	churned := make(chan struct{})
	go func() {
		defer close(churned)
		l.churn(ctx)
	}()
	defer func() {
		cancel()
		<-churned
	}()
	l.driver.measure.Store(true)
	for left := o.Duration; left > 0; left -= time.Second {
		if left == o.Duration || left%(10*time.Second) == 0 {
			o.Progress(fmt.Sprintf("measuring: %v to go", left))
		}
		if err := pause(ctx, min(left, time.Second)); err != nil {
			return s, err
		}
		if err := s.sample(); err != nil {
			return s, err
		}
	}
	return s, s.finish()
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
