package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits of named signals. Those for calls that are not here yet are kept as
// many and as long as the last two say.
const (
	maxSignal   = 64  // bytes of a name
	maxSignals  = 64  // names that one call may list
	maxLeg      = 256 // bytes of a call's id
	keptSignals = 1000
	signalTime  = time.Minute
)

// SignalFate is what became of a signal.
type SignalFate string

// The fates. An ignored signal is forgotten.
const (
	SignalDelivered SignalFate = "delivered" // the call leaves because of it
	SignalQueued    SignalFate = "queued"    // for when the call comes
	SignalIgnored   SignalFate = "ignored"
)

// Signalled answers a signal; Why is set when it was ignored.
type Signalled struct {
	Signal SignalFate `json:"signal"`
	Why    string     `json:"why,omitempty"`
}

// signalName says whether s can be the name of a signal.
func signalName(s string) bool {
	return s != "" && len(s) <= maxSignal && strings.IndexFunc(s, func(r rune) bool { return r > 127 || !roomByte(byte(r)) }) < 0
}

// Signal interrupts a call's stay, at the attendant, waiting or in a room: its
// dialplan goes on and reads the name. A call that is not here yet is
// interrupted as it arrives; for one that has left the signal is ignored, and
// so it is by a call that does not allow its name.
func (x *Exchange) Signal(ctx context.Context, leg LegID, name string) (Signalled, error) {
	if !signalName(name) {
		return Signalled{}, fmt.Errorf("%w: signal %q, want 1 to %d of A-Z a-z 0-9 . _ -", ErrBadCommand, clip(name), maxSignal)
	}
	if leg == "" || len(leg) > maxLeg {
		return Signalled{}, fmt.Errorf("%w: a call's id of %d bytes, want 1 to %d", ErrBadCommand, len(leg), maxLeg)
	}
	q := x.house.signals
	s := q.put(leg, name)
	if err := x.hand(ctx, leg); err != nil {
		q.withdraw(s)
		return Signalled{}, err
	}
	select {
	case a := <-s.answer:
		return a, nil
	default:
	}
	now := time.Now()
	if _, left := x.house.archive.find(now, leg); left && q.withdraw(s) {
		return Signalled{SignalIgnored, "the call has left"}, nil
	}
	if a, waits := q.keep(now, s); waits {
		return a, nil
	}
	select { // the call has just come
	case a := <-s.answer:
		return a, nil
	case <-ctx.Done():
		return Signalled{}, ctx.Err()
	}
}

// hand lets every owner of calls look whether the signal is for one of them.
func (x *Exchange) hand(ctx context.Context, leg LegID) error {
	if err := look(ctx, x.lobby.box, x.vacated, leg); err != nil {
		return err
	}
	x.mu.Lock()
	rooms := slices.Collect(maps.Keys(x.all))
	x.mu.Unlock()
	for _, r := range rooms {
		if err := look(ctx, r.box, r.done, leg); err != nil {
			return err
		}
	}
	return nil
}

// look has one owner look, and waits until it has.
func look(ctx context.Context, box *mailbox, done <-chan struct{}, leg LegID) error {
	looked := make(chan struct{}, 1)
	if !box.put(signalling{leg, looked}) {
		return nil
	}
	select {
	case <-looked:
	case <-done:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// signalling tells an owner that there may be a signal for a call.
type signalling struct {
	leg    LegID
	looked chan struct{} // capacity 1
}

// signals are those that no call has taken yet.
type signals struct {
	mu   sync.Mutex
	list []*namedSignal // guarded by mu: oldest first
}

// namedSignal is one signal. Whoever takes it off the list answers it.
type namedSignal struct {
	leg    LegID
	name   string
	until  time.Time      // guarded by signals.mu; zero = its sender still looks for the call
	answer chan Signalled // capacity 1
}

func (q *signals) put(leg LegID, name string) *namedSignal {
	s := &namedSignal{leg: LegID(strings.Clone(string(leg))), name: strings.Clone(name), answer: make(chan Signalled, 1)}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, s)
	return s
}

// withdraw takes a signal back; false means that somebody has taken it.
func (q *signals) withdraw(s *namedSignal) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.list)
	q.list = slices.DeleteFunc(q.list, func(o *namedSignal) bool { return o == s })
	return len(q.list) < n
}

// keep leaves a signal for a call that is still to come, or refuses it where
// too many wait. It is false when somebody has taken the signal.
func (q *signals) keep(now time.Time, s *namedSignal) (a Signalled, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !slices.Contains(q.list, s) {
		return Signalled{}, false
	}
	q.sweep(now)
	kept := 0
	for _, o := range q.list {
		if !o.until.IsZero() {
			kept++
		}
	}
	if kept >= keptSignals {
		q.list = slices.DeleteFunc(q.list, func(o *namedSignal) bool { return o == s })
		return Signalled{SignalIgnored, fmt.Sprintf("the call is not here, and %d signals wait for others already", kept)}, true
	}
	s.until = now.Add(signalTime)
	return Signalled{Signal: SignalQueued}, true
}

// sweep forgets those that have waited too long. The caller holds mu.
func (q *signals) sweep(now time.Time) {
	q.list = slices.DeleteFunc(q.list, func(s *namedSignal) bool { return due(now, s.until) })
}

// each takes the signals for a call off the list, and answers each by what do
// says: why it is ignored, "" when it is not.
func (q *signals) each(now time.Time, leg LegID, do func(name string) (why string)) {
	var mine []*namedSignal
	q.mu.Lock()
	q.sweep(now)
	q.list = slices.DeleteFunc(q.list, func(s *namedSignal) bool {
		if s.leg == leg {
			mine = append(mine, s)
		}
		return s.leg == leg
	})
	q.mu.Unlock()
	for _, s := range mine {
		a := Signalled{Signal: SignalDelivered}
		if why := do(s.name); why != "" {
			a = Signalled{SignalIgnored, why}
		}
		s.answer <- a
	}
}

// signalled looks for signals for a call of the room.
func (r *room) signalled(now time.Time, m signalling) {
	if i := slices.IndexFunc(r.seats, func(s *seat) bool { return s.leg.ID() == m.leg }); i >= 0 {
		r.takeSignals(now, r.seats[i])
	}
	m.looked <- struct{}{}
}

func (r *room) takeSignals(now time.Time, s *seat) {
	r.house.signals.each(now, s.leg.ID(), func(name string) string {
		why := s.hears(name)
		switch {
		case why != "":
		case s.phase < phaseAdmitting:
			r.refuse(now, s, ReasonSignal)
		default:
			r.dismiss(now, s, ReasonSignal, ExitSignal, "")
		}
		return why
	})
}

// signalled looks for signals for a call at the attendant.
func (l *lobby) signalled(now time.Time, m signalling) {
	if i := slices.IndexFunc(l.calls, func(c *lobbyCall) bool { return c.leg.ID() == m.leg }); i >= 0 {
		l.takeSignals(now, l.calls[i])
	}
	m.looked <- struct{}{}
}

func (l *lobby) takeSignals(now time.Time, c *lobbyCall) {
	l.exchange.house.signals.each(now, c.leg.ID(), func(name string) string {
		why := c.hears(name)
		if why == "" {
			l.refuse(now, c, ReasonSignal)
		}
		return why
	})
}

// hears notes a signal as the way out of a call, unless it says why not.
func (c *call) hears(name string) (why string) {
	switch {
	case c.phase > phaseJoined:
		return "the call is leaving"
	case !c.request.signals.allow(name):
		return "the call does not allow it (parley_allow_signals=" + c.request.signals.String() + ")"
	}
	c.out.Signal, c.out.Exit = name, ExitSignal
	return ""
}

// signalList says which signals a call allows. The zero value allows all.
type signalList struct {
	limited bool
	names   []string
}

func (l signalList) allow(name string) bool { return !l.limited || slices.Contains(l.names, name) }

func (l signalList) String() string {
	switch {
	case !l.limited:
		return "*"
	case len(l.names) == 0:
		return "none"
	default:
		return strings.Join(l.names, ",")
	}
}

// readSignals takes *, none (or nothing at all), or a list of names. What can
// be no name is left out: a slip of the pen does not allow more.
func readSignals(q *request, v string) error {
	q.signals = signalList{limited: true}
	switch v {
	case "*":
		q.signals = signalList{}
		return nil
	case "", "none":
		return nil
	}
	var wrong []string
	for _, name := range strings.FieldsFunc(v, func(r rune) bool { return r == '|' || r == ',' || r == ' ' }) {
		if !signalName(name) || len(q.signals.names) == maxSignals {
			wrong = append(wrong, clip(name))
			continue
		}
		q.signals.names = append(q.signals.names, name)
	}
	if wrong != nil {
		return fmt.Errorf("%w, left out: %s; want *, none, or up to %d names of A-Z a-z 0-9 . _ -", errValue, strings.Join(wrong, ", "), maxSignals)
	}
	return nil
}
