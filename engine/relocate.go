package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// Move is how a member came along when a room moved.
type Move struct {
	Member MemberID
	Gap    time.Duration // from the order to move until the new place had him
	Err    error         // why he could not be moved
}

// relocation is a room on its way from one venue to another.
type relocation struct {
	from, to *venue
	cause    string    // "" = asked for
	moves    []Move    // of those who have arrived, or could not
	tapes    []*taping // that ended with the place
	undone   error     // why everybody goes back
	reply    chan relocated
}

type relocated struct {
	moves []Move
	err   error
}

// Relocate brings a running room to another place of mixing, all members at
// once, and waits until they are there. Nothing else about them changes. If
// one cannot be moved everybody goes back, and the error says who and why.
// ErrUnrecorded is a move that has come true, of a room whose recording has not
// begun again there.
func (x *Exchange) Relocate(ctx context.Context, name RoomName, to Place) ([]Move, error) {
	return x.relocate(ctx, name, relocating{to: to})
}

// HandBack is Relocate to the switch that the members' calls are at home.
func (x *Exchange) HandBack(ctx context.Context, name RoomName) ([]Move, error) {
	return x.relocate(ctx, name, relocating{home: true})
}

func (x *Exchange) relocate(ctx context.Context, name RoomName, q relocating) ([]Move, error) {
	reply := make(chan relocated, 1)
	q.reply = reply
	r, err := x.send(name, q)
	if err != nil {
		return nil, err
	}
	select {
	case a := <-reply:
		return a.moves, a.err
	case <-r.done:
		select {
		case a := <-reply:
			return a.moves, a.err
		default:
			return nil, ErrClosed
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Placement is where a call that is about to arrive should have its audio: at
// home, the conference of its own switch, or at our mixer. What it turns out to
// be wrong about costs the call a move.
func (x *Exchange) Placement(room, profile string, home Place) Place {
	if _, err := ParseRoomName(room); err != nil {
		return Place{} // it is asked for the number, or told why not
	}
	p, r := x.ahead(room, profile)
	if r != nil {
		if at := r.shown.Load(); at != nil {
			if *at == home {
				return home
			}
			return Place{}
		}
	}
	if p.Mixer == MixerSwitch {
		return home
	}
	return Place{}
}

// MediaPath is the way by which the audio of a call that is about to arrive
// should come.
func (x *Exchange) MediaPath(room, profile string) MediaPath {
	p, _ := x.ahead(room, profile)
	return p.Media
}

// ahead is the profile of the room that a call is on its way to, as far as can
// be told, and the room if it runs.
func (x *Exchange) ahead(room, profile string) (*Profile, *room) {
	name, err := ParseRoomName(room)
	if err != nil {
		return x.Profile(RoomName(room), profile), nil
	}
	x.mu.Lock()
	r := x.rooms[name]
	x.mu.Unlock()
	if r != nil {
		profile = r.asked
	}
	return x.Profile(name, profile), r
}

// placeFor says where the room is mixed that a seat opens.
func (r *room) placeFor(s *seat) Place {
	if !s.audio.Native() {
		return s.audio
	}
	if m, ok := s.leg.(Mover); ok && r.profile.Mixer == MixerSwitch {
		return m.Home()
	}
	return Place{}
}

// asksToMove takes a request to move.
func (r *room) asksToMove(now time.Time, q relocating) {
	if q.home {
		q.to = r.home()
	}
	if r.at != nil && r.moving == nil && r.at.place == q.to && (!q.home || !q.to.Native()) {
		q.reply <- relocated{}
		return
	}
	if err := r.move(now, q.to, "", q.reply); err != nil {
		q.reply <- relocated{err: err}
	}
}

// home is the switch that members are at home: where the room is, or of the
// first who has one.
func (r *room) home() Place {
	if r.at != nil && !r.at.place.Native() {
		return r.at.place
	}
	for _, s := range r.seats {
		if m, ok := s.leg.(Mover); ok && s.expected() && !m.Home().Native() {
			return m.Home()
		}
	}
	return Place{}
}

// move sets everybody on the way to another place. An error has moved nobody.
func (r *room) move(now time.Time, to Place, cause string, reply chan relocated) error {
	switch {
	case r.ending != ReasonNone:
		return fmt.Errorf("%w: room %s is ending", ErrClosed, r.name)
	case r.moving != nil:
		return fmt.Errorf("%w: room %s, %s", ErrMoving, r.name, r.moving)
	case r.at == nil:
		return fmt.Errorf("%w: nobody is in room %s yet", ErrNoMember, r.name)
	case to == r.at.place: // and it was to go elsewhere: home
		return fmt.Errorf("%w: no member of room %s is a call of a switch that can mix it", ErrCannotMove, r.name)
	}
	for _, s := range r.seats {
		if s.expected() && !canReach(s.leg, to) {
			return fmt.Errorf("%w: member %s (%s %s) cannot be mixed at %s",
				ErrCannotMove, s.member, s.invite.Kind, clip(s.invite.Caller.Number), to.Switch)
		}
	}
	v, err := r.venueAt(to)
	if err != nil {
		return fmt.Errorf("%w to %s: %w", ErrNotMoved, to, err)
	}
	if _, ok := v.bridge.(Relater); len(r.relations) > 0 && !ok {
		return fmt.Errorf("%w: %s cannot keep members from hearing one another, and room %s has %d relations", ErrCannotMove, to, r.name, len(r.relations))
	}
	r.moving = &relocation{from: r.at, to: v, cause: cause, reply: reply}
	r.mixAt(v)
	r.travelAll(now)
	return nil
}

// changed tells how the room has changed.
func (r *room) changed(now time.Time, what EventType, why Reason, lines ...string) {
	e := r.event(now, what, nil, why)
	e.Changes = lines
	r.house.observe(e)
}

func (r *room) travelAll(now time.Time) {
	for _, s := range slices.Clone(r.seats) {
		r.travel(now, s)
	}
}

// undo sends everybody back to where the room was.
func (r *room) undo(now time.Time, why error) {
	m := r.moving
	m.undone = why
	r.mixAt(m.from)
	if m.from.failed {
		r.scattered(now)
		return
	}
	r.travelAll(now)
}

// note keeps the newest that is known of a member's move; what failed stays.
func (m *relocation) note(one Move) {
	for i := range m.moves {
		if m.moves[i].Member == one.Member {
			m.moves[i].Gap = max(one.Gap, m.moves[i].Gap)
			if one.Err != nil {
				m.moves[i].Err = one.Err
			}
			return
		}
	}
	m.moves = append(m.moves, one)
}

func (m *relocation) String() string { return m.from.place.String() + "→" + m.to.place.String() }

// follows says whether a member is still on the way to the room's venue. Who
// is on the way into the room at all is not waited for, unless he is about to
// come in where the room is no more.
func (s *seat) follows(to *venue) bool {
	if s.phase == phaseAdmitting {
		return s.in != nil && s.in != to
	}
	return s.phase.present() && (s.way != wayNone || s.in != to)
}

// settleMove ends a relocation once everybody is there, or is back.
func (r *room) settleMove(now time.Time) {
	m := r.moving
	if m == nil || slices.ContainsFunc(r.seats, func(s *seat) bool { return s.follows(r.at) }) {
		return
	}
	r.moving = nil
	slices.SortFunc(m.moves, func(a, b Move) int { return cmp.Compare(a.Member, b.Member) })
	c := &carried{open: 1, answer: relocated{moves: m.moves}, reply: m.reply}
	switch {
	case r.ending != ReasonNone:
		c.answer = relocated{err: fmt.Errorf("%w: room %s ended", ErrClosed, r.name)}
	case m.undone != nil:
		c.answer.err = fmt.Errorf("%w, %s: %s", ErrNotMoved, m, m.blame())
		r.changed(now, EventRoomModified, ReasonMediaLost, "mixer "+r.at.place.String()+" kept: "+m.blame())
		r.moveTapes(now, m.tapes, c)
	default:
		r.movedBy = change{by: cmp.Or(m.cause, byCommand), at: now}
		r.changed(now, EventRoomMoved, ReasonNone, m.changes()...)
		owed := r.owed
		r.owed = nil
		r.moveTapes(now, append(m.tapes, owed...), c)
	}
	r.lockVenue()
	c.settle(nil)
	for _, s := range slices.Clone(r.seats) {
		r.unhold(now, s, m.undone)
	}
}

// blame says who could not be moved, and why.
func (m *relocation) blame() string {
	for _, one := range m.moves {
		if one.Err != nil {
			return fmt.Sprintf("member %s could not be moved: %v", one.Member, one.Err)
		}
	}
	return m.undone.Error()
}

// changes are the lines of the event.
func (m *relocation) changes() []string {
	first := "mixer " + m.String()
	if m.cause != "" {
		first += ": " + m.cause
	}
	lines := []string{first}
	for _, one := range m.moves {
		lines = append(lines, fmt.Sprintf("member %s gap %d ms", one.Member, one.Gap.Milliseconds()))
	}
	return lines
}

// hold keeps a caller for the moment who cannot go to where the room is, or was
// and may be again; a room at a switch moves to our mixer for his sake. It is
// false when there is nothing to wait for.
func (r *room) hold(now time.Time, s *seat) bool {
	m := r.moving
	if canReach(s.leg, r.at.place) && (m == nil || canReach(s.leg, m.from.place)) {
		return false
	}
	s.held = true
	if m == nil {
		from := pick(s.invite.Switch, s.invite.Kind)
		if err := r.move(now, Place{}, "a caller from "+from+" came", nil); err != nil {
			r.refuse(now, s, ReasonNodeBusy)
		}
	}
	return true
}

// unhold goes on with a caller who was kept while the room moved.
func (r *room) unhold(now time.Time, s *seat, failed error) {
	switch {
	case !s.held || s.phase != phaseEntering:
	case failed != nil:
		s.held = false
		r.refuse(now, s, ReasonMediaLost)
	default:
		s.held = false
		r.admit(now, s)
	}
}

// Locker is a Bridge whose place other callers can come to without us: it keeps
// those out while the room is locked. Whom the room admits comes in all the
// same. Lock settles with Locked.
type Locker interface{ Lock(op OpID, on bool) }

// lockVenue tells the place of mixing whether the room is locked, if it cares
// and does not know. op is what it was asked, 0 = nothing.
func (r *room) lockVenue() (op OpID) {
	if r.at == nil || r.at.locked == r.locked {
		return 0
	}
	l, ok := r.at.bridge.(Locker)
	if !ok {
		return 0
	}
	r.ops++
	op, r.at.locked = r.ops, r.locked
	l.Lock(op, r.locked)
	return op
}
