package native

import (
	"slices"
	"sync/atomic"
	"time"

	"parley/engine"
)

// farthest is how far one order goes; more would not fit into a number of samples.
const farthest = 24 * time.Hour

// deck is how a play, or a prompt, is played: whether it pauses, and from where.
// Orders come from any goroutine; the tick that plays it obeys them.
type deck struct {
	asked  atomic.Pointer[asked] // not yet obeyed
	length atomic.Int64          // ns of a lap; there with the reels
	at     atomic.Int64          // ns of it that have been played
	paused atomic.Bool

	obeyed *asked          // the tick's: not yet told
	off    bool            // the tick's: it did not sound; the next frame fades in
	gain   engine.Decibels // the tick's
}

// asked is what a deck has been asked for since it last obeyed.
type asked struct {
	engine.PlayControl
	ops  []engine.OpID
	leg  engine.LegID // a prompt's
	deck *deck
	out  *outlet
}

// ask adds an order. Of two the later counts; but one to go on by some time goes
// on from where the other goes.
func (d *deck) ask(a asked) {
	for {
		old := d.asked.Load()
		sum := a
		sum.deck = d
		if old != nil {
			sum.ops = slices.Concat(old.ops, a.ops)
			sum.PlayControl = after(old.PlayControl, a.PlayControl)
		}
		if d.asked.CompareAndSwap(old, &sum) {
			return
		}
	}
}

// after is one order in place of two.
func after(old, c engine.PlayControl) engine.PlayControl {
	if c.Pause == nil {
		c.Pause = old.Pause
	}
	if c.Gain == nil {
		c.Gain = old.Gain
	}
	switch {
	case c.Seek == nil:
		c.Seek = old.Seek
	case old.Seek != nil && c.Seek.By:
		c.Seek = &engine.Seek{To: within(old.Seek.To) + within(c.Seek.To), By: old.Seek.By}
	}
	return c
}

// within keeps a time within what one order may ask for.
func within(d time.Duration) time.Duration { return min(max(d, -farthest), farthest) }

// settled tells that it is so.
func (a *asked) settled() {
	head := a.deck.head()
	for _, op := range a.ops {
		a.out.post(engine.PlayChanged{Leg: a.leg, Op: op, At: head})
	}
}

// head is where the play is, for everybody.
func (d *deck) head() engine.Playhead {
	return engine.Playhead{
		Position: time.Duration(d.at.Load()), Duration: time.Duration(d.length.Load()), Paused: d.paused.Load(),
	}
}

// turn is how 20 ms of a play sound: from and to are whether it is on at their
// beginning and at their end. What fades out is played again later.
type turn struct {
	from, to bool
	seek     *engine.Seek
}

func (t turn) sounds() bool { return t.from || t.to }

// turn obeys what has been asked. A play that has not begun does not fade out.
func (d *deck) turn(begun bool, reels []*reel) (t turn) {
	t.from = !d.off
	if d.obeyed == nil && d.asked.Load() != nil {
		d.obeyed = d.asked.Swap(nil)
		d.obey(reels)
		t.seek = d.obeyed.Seek
	}
	t.to = t.seek == nil && !d.paused.Load()
	t.from = t.from && (begun || t.to)
	return t
}

func (d *deck) obey(reels []*reel) {
	if on := d.obeyed.Pause; on != nil {
		d.paused.Store(*on)
	}
	if db := d.obeyed.Gain; db != nil {
		d.gain = *db
		for _, r := range reels {
			r.gain.Set(float64(d.gain))
		}
	}
}

// play reads 20 ms of a reel and says how much of them is sound.
func (t turn) play(r *reel, dst []int16) int {
	cur, next := r.cur, r.next
	n := r.read(dst)
	clear(dst[n:])
	r.gain.Apply(dst)
	ramp(dst, t.from, t.to)
	if !t.to {
		r.cur, r.next = cur, next
	}
	return n
}

// end is the last act of a turn: where it goes on, and what there is to tell.
func (d *deck) end(s *Switch, t turn, reels []*reel) {
	d.off = !t.to
	if len(reels) > 0 {
		lead := reels[0]
		if t.seek != nil {
			to := int(within(t.seek.To) * time.Duration(lead.rate()) / time.Second)
			if t.seek.By {
				to += lead.at()
			}
			lead.seek(to)
			for _, r := range reels[1:] {
				r.follow(lead)
			}
		}
		d.at.Store(int64(lead.time(lead.at())))
	}
	if d.obeyed != nil && s.tell(note{kind: noteAsked, asked: d.obeyed}) {
		d.obeyed = nil
	}
}

// stay is the turn of what waits for its own.
func (d *deck) stay(s *Switch, reels []*reel) {
	if d.asked.Load() != nil || d.obeyed != nil {
		t := d.turn(false, reels)
		t.from, t.to = false, false
		d.end(s, t, reels)
	}
}

// ControlPlay implements engine.Player.
func (b *Bridge) ControlPlay(op, play engine.OpID, c engine.PlayControl) {
	if y := b.playOf(play); y != nil {
		y.deck.ask(asked{PlayControl: c, ops: []engine.OpID{op}, out: &b.out})
	}
}

// Playhead implements engine.Player.
func (b *Bridge) Playhead(play engine.OpID) (engine.Playhead, bool) {
	if y := b.playOf(play); y != nil {
		return y.deck.head(), true
	}
	return engine.Playhead{}, false
}

func (b *Bridge) playOf(op engine.OpID) *play {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.plays, func(y *play) bool { return y.op == op })
	if i < 0 {
		return nil
	}
	return b.plays[i]
}

// ControlPlay implements engine.Player.
func (l *Leg) ControlPlay(op, play engine.OpID, c engine.PlayControl) {
	if p := l.prompt.Load(); p != nil && p.op == play {
		p.deck.ask(asked{PlayControl: c, ops: []engine.OpID{op}, leg: l.id, out: &l.out})
	}
}

// Playhead implements engine.Player.
func (l *Leg) Playhead(play engine.OpID) (engine.Playhead, bool) {
	if p := l.prompt.Load(); p != nil && p.op == play {
		return p.deck.head(), true
	}
	return engine.Playhead{}, false
}
