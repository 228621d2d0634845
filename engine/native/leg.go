package native

import (
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/internal/tick"
)

// Leg is the voice of one call. An adapter embeds it and adds Release, which
// makes an engine.Leg of it. In no room it is ticked by a task of its own; in a
// room, by the room.
type Leg struct {
	id       engine.LegID
	sw       *Switch
	port     Port
	pacer    Pacer    // the port, if it is one
	turner   Turner   // as is this
	noiser   Noiser   // and this
	peeker   Peeker   // and this
	presser  Presser  // and this
	batcher  Batcher  // and this; nil also where there are no outboxes
	crediter Crediter // and this
	sayer    Sayer    // and this
	format   codec.Format
	stock    *stock // of spare encoders and decoders; nil: it keeps its own
	task     *tick.Task
	out      outlet

	// owner is who may tick it: nil is its own task, sw.alone its own task at
	// this moment, else a room. A room lets go of it by storing nil.
	owner    atomic.Pointer[Bridge]
	room     atomic.Pointer[Bridge] // the room it is a member of, as ordered
	held     atomic.Bool
	unheard  atomic.Bool
	closed   atomic.Bool
	attached atomic.Bool
	counted  atomic.Bool // among the legs
	prompt   atomic.Pointer[prompt]
	tape     atomic.Pointer[tape]
	taps     atomic.Pointer[[]*tap] // who snoops on it; changed under mu
	level    atomic.Uint64          // bits of the float64
	talking  atomic.Bool
	gated    atomic.Bool   // nothing has come through its gate of late
	patience atomic.Uint64 // ticks without a packet until it is given up

	mu   sync.Mutex // guards "closed or in the clock"
	gone bool       // guarded by mu

	voice  voice  // the owner's
	memory memory // the owner writes, others read
}

func newLeg(s *Switch, id engine.LegID, port Port, f codec.Format) *Leg {
	l := &Leg{id: id, sw: s, port: port, format: f, stock: s.stockOf(f), voice: newVoice(f)}
	l.pacer, _ = port.(Pacer)
	l.turner, _ = port.(Turner)
	l.noiser, _ = port.(Noiser)
	l.peeker, _ = port.(Peeker)
	l.crediter, _ = port.(Crediter)
	l.presser, _ = port.(Presser)
	if spares(f) {
		l.sayer, _ = port.(Sayer)
	}
	if s.opts.Outbox != nil {
		l.batcher, _ = port.(Batcher)
	}
	if l.stock != nil {
		l.stock.welcome(&l.voice, l.sayer != nil)
	}
	l.task = tick.NewTask(l.tick)
	l.level.Store(math.Float64bits(silence))
	l.SetMediaLost(s.opts.MediaLost)
	l.counted.Store(true)
	return l
}

// Uncount takes the leg out of the number of legs, and out of their limit: it is
// the audio of no call.
func (l *Leg) Uncount() {
	if l.counted.CompareAndSwap(true, false) {
		l.sw.totals.legs.Add(-1)
	}
}

// Voice is the leg itself, so that a Bridge finds it in what embeds it.
func (l *Leg) Voice() *Leg { return l }

// ID is the call's name.
func (l *Leg) ID() engine.LegID { return l.id }

// Format is the encoding of its audio.
func (l *Leg) Format() codec.Format { return l.format }

// Codec implements engine.Coder.
func (l *Leg) Codec() string { return l.format.Name + "/" + strconv.Itoa(int(l.format.Rate)) }

// Attach says where facts go. Keys pressed before are kept.
func (l *Leg) Attach(sink engine.Sink) {
	l.out.open(sink)
	l.attached.Store(true)
}

// SetHold says that the other side holds the call: it is neither heard nor
// hears anything, and nothing is sent. What is played to it goes on unheard.
func (l *Leg) SetHold(on bool) { l.held.Store(on) }

// SetUnheard says that what comes is not the caller's voice, but music that his
// own switch plays while he holds: it is dropped. He is sent what he was sent
// before.
func (l *Leg) SetUnheard(on bool) { l.unheard.Store(on) }

// SetMediaLost changes, for this leg, how long may pass without a packet until
// it is given up; 0 is for ever, for a port whose silence means nothing.
func (l *Leg) SetMediaLost(after time.Duration) {
	ticks := uint64(after / tick.Period)
	if after <= 0 {
		ticks = math.MaxUint64
	}
	l.patience.Store(ticks)
}

// Press implements engine.Presser, where the port can send keys.
func (l *Leg) Press(digits string) error {
	p, ok := l.port.(interface{ SendDigit(d byte) error })
	if !ok {
		return fmt.Errorf("native: call %s: its audio has no way for keys", l.id)
	}
	for i := range len(digits) {
		if err := p.SendDigit(digits[i]); err != nil {
			return err
		}
	}
	return nil
}

// Play implements engine.Leg. The sounds are loaded elsewhere; until they are
// there is silence.
func (l *Leg) Play(op engine.OpID, what engine.Media) {
	p := &prompt{op: op}
	l.prompt.Store(p)
	ok := l.sw.load(func() {
		p.reel, p.err = l.sw.reel(what, l.format.Rate)
		if p.reel.empty() {
			l.settle(p, p.err)
			return
		}
		p.deck.length.Store(int64(p.reel.time(p.reel.length())))
		p.ready.Store(true)
	})
	if !ok {
		l.settle(p, ErrBusy)
	}
}

// StopPlay implements engine.Leg.
func (l *Leg) StopPlay() { l.prompt.Store(nil) }

// settle posts the end of a prompt, unless it was replaced or stopped.
func (l *Leg) settle(p *prompt, err error) {
	if l.prompt.CompareAndSwap(p, nil) {
		l.out.post(engine.PromptDone{Leg: l.id, Op: p.op, Err: err})
	}
}

// Record implements engine.Leg. At most MaxRecording is kept. A recording that
// is running is dropped and settles as one in which nothing was said.
func (l *Leg) Record(op engine.OpID, limit time.Duration) {
	t := newTape(op, l.format.Rate, limit)
	if old := l.tape.Swap(t); old != nil && old.settled.CompareAndSwap(false, true) {
		l.out.post(engine.Recorded{Leg: l.id, Op: old.op})
	}
}

// StopRecord implements engine.Leg.
func (l *Leg) StopRecord() {
	if t := l.tape.Load(); t != nil {
		t.stop.Store(true)
	}
}

// taped keeps a complete recording and posts it.
func (l *Leg) taped(t *tape) {
	if !t.settled.CompareAndSwap(false, true) {
		return
	}
	l.tape.CompareAndSwap(t, nil)
	said := t.clip()
	if said != nil {
		l.sw.keep(l.id, said)
	}
	l.out.post(engine.Recorded{Leg: l.id, Op: t.op, OK: said != nil})
}

// Close ends the call's media and closes its port; the adapter calls it when
// the call has ended, after it posted LegGone if the engine does not know yet.
// Nothing is posted afterwards. A member stays in its room, silent, until it
// is removed. Close is idempotent.
func (l *Leg) Close() error {
	l.mu.Lock()
	first := !l.gone
	l.gone = true
	l.mu.Unlock()
	if !first {
		return nil
	}
	l.out.close()
	l.closed.Store(true)
	l.sw.opts.Clock.Remove(l.task)
	l.prompt.Store(nil)
	l.tape.Store(nil)
	l.talking.Store(false)
	err := l.port.Close()
	l.sw.ledger.close(l)
	l.stock.leave()
	l.Uncount()
	l.sw.expire(l.id)
	l.EndSnoops()
	return err
}

// rouse starts the leg's own task, unless it is closed.
func (l *Leg) rouse() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.gone {
		l.sw.opts.Clock.Add(l.task)
	}
}

// rest stops the leg's own task: a room ticks it.
func (l *Leg) rest() { l.sw.opts.Clock.Remove(l.task) }

// loudness is the level of the last frame, dBov.
func (l *Leg) loudness() float64 { return math.Float64frombits(l.level.Load()) }

// health is the state of the port's stream.
func (l *Leg) health() Health {
	if m, ok := l.port.(Meter); ok {
		return m.Health()
	}
	return Health{}
}

// media is the state of a leg's media for the roster.
func (l *Leg) media(m engine.MemberID) engine.MemberMedia {
	h := l.health()
	out := engine.MemberMedia{
		Member: m, Level: l.loudness(), Talking: l.talking.Load(),
		Codec: l.Codec(), Delay: h.Delay, Late: h.Late,
		Jitter: h.Jitter, Capped: h.Capped, Source: h.Source, Held: l.held.Load(), Gated: l.gated.Load(), Quiet: -1,
	}
	if at := l.port.LastArrival(); at != 0 {
		out.Quiet = max(0, time.Duration(l.sw.now.Load()-at))
	}
	if all := h.Received + h.Lost; all > 0 {
		out.Lost = float64(h.Lost) / float64(all)
	}
	return out
}

// tick is the leg's own task. In a room it does nothing.
func (l *Leg) tick(worker int, now int64, n uint64) {
	if !l.owner.CompareAndSwap(nil, l.sw.alone) {
		return
	}
	defer l.owner.Store(nil)
	defer l.guard()
	if l.voice.broken {
		l.giveUp()
		return
	}
	l.sw.now.Store(now)
	s := &l.sw.scratch[worker]
	defer s.flush()
	if l.begin(s, now, n) && l.voice.live {
		l.alone(s, now, n)
	}
}

// guard keeps a panic to the leg it happened in: the leg is over.
func (l *Leg) guard() {
	if r := recover(); r != nil {
		l.voice.broken = true
		l.sw.opts.Log.Error("leg panicked", slog.String("leg", string(l.id)), slog.Any("panic", r),
			slog.String("stack", string(debug.Stack())))
	}
}
