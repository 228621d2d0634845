package engine

import (
	"fmt"
	"slices"
	"time"
)

// Player is a Bridge, or a Leg, that can change what it plays while it does.
type Player interface {
	// ControlPlay changes the Play of an order. It settles with PlayChanged when
	// that is so, and with nothing when the play has ended before.
	ControlPlay(op, play OpID, c PlayControl)
	// Playhead says how far a play is; false: it is over. Safe to call at any time.
	Playhead(play OpID) (Playhead, bool)
}

// Ender is a Bridge that can end one of its plays: Played.
type Ender interface{ EndPlay(play OpID) }

// PlayControl is a change of something that plays; nil is as it was.
type PlayControl struct {
	Pause *bool // it stands still, unheard, and goes on where it stopped
	Seek  *Seek
	Gain  *Decibels // 0 = as recorded; more than 20 is 20, less than -60 is silence
}

// Seek is where a play is to go on: To from its beginning, or with By from where
// it is, where less than 0 is back. Before the beginning is the beginning; after
// the end it is over, or begins again where it has no end.
type Seek struct {
	To time.Duration
	By bool
}

// Playhead is how far a play is.
type Playhead struct {
	Position time.Duration // from the beginning of all its items, or of the lap
	Duration time.Duration // of all its items, once; 0 = it is being loaded
	Paused   bool
	Unknown  bool // the place does not tell Position and Duration
}

// PlayChanged settles Player.ControlPlay: so it is now. With Err nothing has changed.
type PlayChanged struct {
	Leg LegID // of a Leg's play
	Op  OpID
	At  Playhead
	Err error
}

func (PlayChanged) isFact() {}

// ControlPlay changes what Play plays to a member, or with member 0 to the room:
// the play of that ID, or with "" the one whose turn it is, which is none that
// plays beside others. It is answered when
// it is so. The error wraps ErrNoPlay where nothing of that kind plays, or it
// ended before, and ErrCannot where it plays at a place that cannot. Next is in
// place of Pause what follows on what is, asked by the room in its turn.
type ControlPlay struct {
	Member MemberID
	ID     string
	Next   func(paused bool) bool
	PlayControl
}

func (ControlPlay) isCommand() {}

// PlayView is something that Play plays, at one moment.
type PlayView struct {
	ID         string   `json:"id,omitempty"`
	Member     MemberID `json:"member,omitempty"` // 0 = to the room
	Items      []string `json:"items"`
	Beside     bool     `json:"beside,omitempty"` // what else is played
	Paused     bool     `json:"paused"`
	Gain       Decibels `json:"gain_db"`
	PositionMS *int64   `json:"position_ms,omitempty"` // nil: the place that plays it does not tell
	DurationMS int64    `json:"duration_ms,omitempty"`

	// Position and Duration of it, exactly.
	Playhead `json:"-"`
}

// playsNow are the plays by command: those into the room first.
func (r *room) playsNow() (all []PlayView) {
	for _, p := range r.plays {
		all = append(all, p.view(p.at.bridge, 0))
	}
	for _, s := range r.seats {
		if s.playing != nil {
			all = append(all, s.playing.view(s.leg, s.member))
		}
	}
	return all
}

func (p *playing) view(by any, m MemberID) PlayView {
	v := PlayView{ID: p.ID, Member: m, Items: p.What.Items, Beside: p.beside, Gain: p.gain}
	if h, ok := by.(Player); ok {
		head, there := h.Playhead(p.op)
		if !there {
			return v
		}
		v.Playhead, v.Paused = head, head.Paused
		if !head.Unknown {
			ms := head.Position.Milliseconds()
			v.PositionMS, v.DurationMS = &ms, head.Duration.Milliseconds()
		}
	}
	return v
}

// findPlay is the play that a command means, and who plays it.
func (r *room) findPlay(id string, m MemberID) (p *playing, by any, err error) {
	if m != 0 {
		s := r.memberSeat(m)
		switch {
		case s == nil:
			return nil, nil, r.noMember(m)
		case s.playing != nil && (id == "" || s.playing.ID == id):
			return s.playing, s.leg, nil
		}
		return nil, nil, fmt.Errorf("%w: %q to member %s of room %s", ErrNoPlay, clip(id), m, r.name)
	}
	for _, p := range r.plays {
		if id == "" && !p.beside || id != "" && p.ID == id {
			return p, p.at.bridge, nil
		}
	}
	return nil, nil, fmt.Errorf("%w: %q to room %s", ErrNoPlay, clip(id), r.name)
}

// controlPlay passes a change on to who plays it.
func (r *room) controlPlay(o order, c ControlPlay) {
	p, by, err := r.findPlay(c.ID, c.Member)
	if err != nil {
		o.reply <- err
		return
	}
	player, ok := by.(Player)
	if !ok {
		o.reply <- fmt.Errorf("%w: %s cannot change what it plays", ErrCannot, r.at.place)
		return
	}
	if c.Next != nil {
		on := c.Next(p.pausing())
		c.Pause = &on
	}
	r.ops++
	p.controls = append(p.controls, control{r.ops, c.PlayControl})
	r.pending[r.ops] = &waiter{open: 1, reply: o.reply, at: p.at}
	player.ControlPlay(r.ops, p.op, c.PlayControl)
}

// pausing says whether it stands still, or is asked to.
func (p *playing) pausing() bool {
	on := p.At.Paused
	for _, c := range p.controls {
		assign(&on, c.Pause)
	}
	return on
}

// control is a change of a play that is under way.
type control struct {
	op OpID
	PlayControl
}

// playChanged follows a change of a play. s is the member who hears it, nil = all.
func (r *room) playChanged(now time.Time, s *seat, f PlayChanged) {
	for _, p := range r.changing(s) {
		i := slices.IndexFunc(p.controls, func(c control) bool { return c.op == f.Op })
		if i < 0 {
			continue
		}
		c := p.controls[i]
		p.controls = slices.Delete(p.controls, i, i+1)
		if f.Err == nil {
			assign(&p.gain, c.Gain)
			r.tellChange(now, s, p, f.At, c.PlayControl)
		}
		break
	}
	r.settleOp(f.Op, f.Err)
}

func (r *room) changing(s *seat) []*playing {
	switch {
	case s == nil:
		return r.plays
	case s.playing != nil:
		return []*playing{s.playing}
	default:
		return nil
	}
}

// tellChange tells what has become of a play.
func (r *room) tellChange(now time.Time, s *seat, p *playing, at Playhead, c PlayControl) {
	was := p.At.Paused
	p.At = at
	switch {
	case at.Paused && !was:
		r.tellPlay(now, EventPlayPaused, s, p.Playback)
	case was && !at.Paused:
		r.tellPlay(now, EventPlayResumed, s, p.Playback)
	}
	if c.Seek != nil || c.Gain != nil {
		r.tellPlay(now, EventPlayModified, s, p.Playback)
	}
}

// unsettled answers what was asked of a play that is over.
func (r *room) unsettled(p *playing) {
	for _, c := range p.controls {
		r.settleOp(c.op, fmt.Errorf("%w: %q has ended", ErrNoPlay, clip(p.ID)))
	}
	p.controls = nil
}

// endPlay ends one play into the room.
func (r *room) endPlay(id string) error {
	p, by, err := r.findPlay(id, 0)
	if err != nil {
		return err
	}
	b, ok := by.(Ender)
	if !ok {
		return fmt.Errorf("%w: %s cannot end one of what it plays to a room", ErrCannot, r.at.place)
	}
	p.stopped = true
	for _, next := range slices.Backward(p.rest) { // before the turn of each can come
		b.EndPlay(next.op)
	}
	b.EndPlay(p.op)
	return nil
}

// playsGone ends the plays at a place that is no longer there.
func (r *room) playsGone(now time.Time, at *venue, why error) {
	for _, p := range slices.Clone(r.plays) {
		if p.at == at {
			p.stopped = true
			r.played(now, Played{Op: p.op, Err: why})
		}
	}
}
