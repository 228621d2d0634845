// Package native is Parley's own switch: rooms are mixed here, and callers hear
// prompts, press keys and are recorded here, whatever carries their media. It
// is driven by 20 ms ticks (internal/tick) that neither wait, lock, log nor
// allocate. What a room should be is a plan: built by the Bridge's methods,
// loaded by the tick at its start and acknowledged at its end; only then the
// facts are posted.
package native

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/internal/tick"
	"parley/recording"
	"parley/sound"
)

// Errors to be tested with errors.Is.
var (
	ErrBusy   = errors.New("native: busy")                // a limit on legs or on load
	ErrFormat = errors.New("native: format not possible") // no codec, or no whole number of samples in 20 ms
	ErrClosed = errors.New("native: closed")
)

// Defaults of Options.
const (
	DefaultMaxLegs   = 10_000
	DefaultMaxLoad   = 0.8
	DefaultMediaLost = 30 * time.Second
	DefaultKeep      = time.Minute
)

const (
	ringSize = 1 << 12 // notes between two looks of the courier
	jobLimit = 256     // sounds waiting to be loaded
)

// Clock runs tasks once per 20 ms: a *tick.Pool, in tests a *tick.Manual.
type Clock interface {
	Add(*tick.Task)
	Remove(*tick.Task)
	Workers() int
	Load() float64
	Stats() tick.Stats
}

// Sounds loads what is to be played, a *sound.Library. It may block.
type Sounds interface {
	Load(spec, language string) (*sound.Clip, error)
}

// Options of a Switch.
type Options struct {
	Clock      Clock          // required
	Sounds     Sounds         // required
	MaxLegs    int            // at one time; 0 means DefaultMaxLegs
	MaxLoad    float64        // share of the clock's time above which there are no new legs and rooms; 0 means DefaultMaxLoad
	MediaLost  time.Duration  // without a packet, unless held, until a leg is given up; 0 means DefaultMediaLost
	Recordings *recording.Dir // of rooms; nil = none can be made
	Keep       time.Duration  // how long recordings outlive their leg; 0 means DefaultKeep
	Log        *slog.Logger   // nil means no log
	Ended      func(Health)   // is told how the packets of each leg that has ended came; nil = nobody is
	Outbox     func() Outbox  // makes one for a worker, for ports that are Batchers; nil means none
}

// Switch makes legs and bridges. Its methods may be called from any goroutine.
type Switch struct {
	opts    Options
	notes   *ring
	wake    chan struct{} // capacity 1: there are notes
	jobs    chan func()
	quit    chan struct{}
	once    sync.Once
	wg      sync.WaitGroup
	scratch []scratch // by worker
	alone   *Bridge   // owner of a leg while its own task runs it
	totals  totals
	ledger  *ledger
	now     atomic.Int64 // of the last tick, Unix ns

	mu    sync.Mutex
	tapes map[engine.LegID]kept // guarded by mu
	// stocks has the spare encoders and decoders by format; guarded by mu.
	stocks map[codec.Format]*stock
}

// scratch is memory that one worker uses during one tick.
type scratch struct {
	packet  [maxPacket]byte
	payload [2 * maxFrame]byte
	decoded [6 * maxFrame]int16 // codec.MaxFrame at 48 kHz
	past    [primers * maxFrame]int16
	out     [maxFrame]int16
	prompt  [maxFrame]int16
	fade    [fades][maxFrame]int16
	outbox  Outbox // nil where there are none
}

// flush sends what ports have put into the outbox.
func (s *scratch) flush() {
	if s.outbox != nil {
		s.outbox.Flush()
	}
}

const (
	maxPacket = 4096 // bytes of payload
	maxFrame  = 960  // samples of 20 ms at 48 kHz
)

// New starts a switch: two goroutines, one to post facts, one to load sounds.
func New(o Options) (*Switch, error) {
	if o.Clock == nil || o.Sounds == nil {
		return nil, errors.New("native: Options.Clock and Options.Sounds are required")
	}
	if o.MaxLegs < 0 || o.MaxLoad < 0 || o.MediaLost < 0 || o.Keep < 0 {
		return nil, errors.New("native: Options.MaxLegs, MaxLoad, MediaLost and Keep may not be negative")
	}
	setDefault(&o.MaxLegs, DefaultMaxLegs)
	setDefault(&o.MaxLoad, DefaultMaxLoad)
	setDefault(&o.MediaLost, DefaultMediaLost)
	setDefault(&o.Keep, DefaultKeep)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Switch{
		opts:    o,
		notes:   newRing(ringSize),
		wake:    make(chan struct{}, 1),
		jobs:    make(chan func(), jobLimit),
		quit:    make(chan struct{}),
		scratch: make([]scratch, o.Clock.Workers()),
		alone:   &Bridge{},
		ledger:  newLedger(o.Ended),
		tapes:   make(map[engine.LegID]kept),
		stocks:  make(map[codec.Format]*stock),
	}
	for i := range s.scratch {
		if o.Outbox != nil {
			s.scratch[i].outbox = o.Outbox()
		}
	}
	s.wg.Go(s.courier)
	s.wg.Go(s.loader)
	return s, nil
}

func setDefault[T int | float64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// Close ends the switch's goroutines. Legs and bridges should have been closed
// before, and the clock be stopped after: what they have to tell is lost.
func (s *Switch) Close() {
	s.once.Do(func() { close(s.quit) })
	s.wg.Wait()
}

// Busy says why no new leg or room should be taken on; nil when it may.
func (s *Switch) Busy() error { return s.Fits(1) }

// Fits is Busy for so many legs that come together.
func (s *Switch) Fits(legs int) error {
	if n := s.totals.legs.Load(); n+int64(legs) > int64(s.opts.MaxLegs) {
		return s.full(n)
	}
	if load := s.opts.Clock.Load(); load > s.opts.MaxLoad {
		return fmt.Errorf("%w: load %.2f of %.2f", ErrBusy, load, s.opts.MaxLoad)
	}
	return nil
}

// full refuses a leg where there are so many.
func (s *Switch) full(legs int64) error {
	return fmt.Errorf("%w: %d legs of %d (max_legs)", ErrBusy, legs, s.opts.MaxLegs)
}

// NewLeg starts a call's media: from now on port is driven once per 20 ms, until
// Leg.Close closes it. Errors wrap ErrBusy or ErrFormat; the port is then still
// the caller's to close.
func (s *Switch) NewLeg(id engine.LegID, port Port, f codec.Format) (*Leg, error) {
	if !slices.Contains(codec.Rates(), f.Rate) || f.Rate%50 != 0 || f.Clock <= 0 || f.Clock%50 != 0 {
		return nil, fmt.Errorf("%w: %s/%d", ErrFormat, f.Name, f.Rate)
	}
	if err := f.Valid(); err != nil {
		return nil, fmt.Errorf("%w: %s/%d: %w", ErrFormat, f.Name, f.Rate, err)
	}
	if err := s.Busy(); err != nil {
		return nil, err
	}
	if n := s.totals.legs.Add(1); n > int64(s.opts.MaxLegs) { // another came at the same moment
		s.totals.legs.Add(-1)
		return nil, s.full(n)
	}
	l := newLeg(s, id, port, f)
	s.ledger.open(l)
	l.rouse()
	return l, nil
}

// frame is the number of samples in a tick.
func frame(r codec.Rate) int { return r.Samples(tick.Period) }

// load runs a job in the loader's goroutine; false when too many wait.
func (s *Switch) load(job func()) bool {
	select {
	case s.jobs <- job:
		return true
	default:
		return false
	}
}

func (s *Switch) loader() {
	for {
		select {
		case job := <-s.jobs:
			job()
		case <-s.quit:
			return
		}
	}
}
