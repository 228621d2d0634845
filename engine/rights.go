package engine

import (
	"fmt"
	"math"
	"time"
)

// Rights is what a call is in its room, as far as that is to outlive this
// process or the link to the call's switch. An adapter keeps it where the call
// is (Rememberer) and brings it back in Invite.Restore. The first group is the
// room's, the second the member's own.
type Rights struct {
	Room      RoomName   `json:"room"`
	Instance  InstanceID `json:"instance,omitempty"` // "" = it has ended here; a new one is begun
	Seq       uint64     `json:"seq,omitempty"`      // of its last event
	StartedAt time.Time  `json:"started_at,omitzero"`
	Locked    bool       `json:"locked,omitempty"`
	Opened    bool       `json:"opened,omitempty"`   // members have been let in
	Forced    bool       `json:"forced,omitempty"`   // without a moderator
	LastID    MemberID   `json:"last_id,omitempty"`  // the newest member's
	Profile   string     `json:"profile,omitempty"`  // that the opening call named
	Settings  []Variable `json:"settings,omitempty"` // room-level variables of the opening call
	Opener    LegID      `json:"opener,omitempty"`   // that call

	Member   MemberID    `json:"member"` // 0 = it has no rights any more
	Role     Role        `json:"role"`
	State    MemberState `json:"state"`
	Hand     bool        `json:"hand,omitempty"`
	JoinedAt time.Time   `json:"joined_at,omitzero"`
}

// Check says whether somebody can have such rights.
func (r Rights) Check() error {
	if _, err := ParseRoomName(string(r.Room)); err != nil {
		return err
	}
	gain := func(d Decibels) bool { return !math.IsNaN(float64(d)) && d >= -60 && d <= 60 }
	switch {
	case r.Member == 0 || r.Member == math.MaxUint32 || r.LastID == math.MaxUint32:
		return fmt.Errorf("engine: rights of member %d of %d", r.Member, r.LastID)
	case r.Role != RoleMember && r.Role != RoleModerator:
		return fmt.Errorf("engine: rights in role %d", r.Role)
	case !gain(r.State.Talk) || !gain(r.State.Listen):
		return fmt.Errorf("engine: rights with gains of %v and %v dB", r.State.Talk, r.State.Listen)
	default:
		return nil
	}
}

// Rememberer is a Leg that keeps its rights where they outlive us. Remember
// returns at once; a later one takes the place of an earlier one, and zero
// Rights mean that there are none to come back to.
type Rememberer interface {
	Leg
	Remember(now Rights)
}

// Times and numbers of rooms that members come back to.
const (
	// gathering is how long rules about who is there wait for the others.
	gathering = 10 * time.Second
	// seqGap is greater than the number of events that can have been told
	// since rights were remembered: no number is used twice.
	seqGap = 1 << 20
)

// byRestore is who wants what was so before.
const byRestore = "kept from before the call came back"

// resume makes a room the run that a call comes back to, unless that has been
// resumed before: then it is another run by the same rules. Guarded by x.mu.
func (x *Exchange) resume(r *room, back *Rights) {
	given := map[string]string{}
	for _, v := range back.Settings {
		given[v.Name] = v.Value
	}
	r.asked, r.own, r.opener = back.Profile, readVariables(given).room, back.Opener
	if back.Instance != "" && !x.resumed[back.Instance] {
		x.resumed[back.Instance] = true
		r.instance, r.startedAt = back.Instance, back.StartedAt
	}
}

// restore brings a call back to where it was. It has been asked and told
// everything before, and it has kept its seat.
func (r *room) restore(now time.Time, s *seat) {
	back := s.invite.Restore
	s.settle(back.Role, r.host(&s.request))
	fresh := s.entryState(back.State.Waiting)
	s.directory, s.hand, s.restored = r.directory, back.Hand, true
	s.note(now, byRestore, fresh, back.State)
	r.opened, r.forced = r.opened || back.Opened, r.forced || back.Forced
	r.lastID = max(r.lastID, back.LastID)
	if back.Instance == r.instance {
		r.seq = max(r.seq, back.Seq+seqGap)
	}
	if back.Locked && !r.locked && r.lockedBy.by == "" {
		r.locked, r.lockedBy = true, change{by: byRestore, at: now}
		r.tell(now, EventRoomLocked, nil, ReasonNone)
	}
	if !back.State.Waiting {
		r.gatherUntil = now.Add(gathering)
	}
	s.step(now, stepEnter)
	r.admit(now, s)
	r.lockVenue()
}

// number gives a seat its member ID: the one it had, where nobody else has had
// that meanwhile.
func (r *room) number(s *seat) MemberID {
	id := r.lastID + 1
	if back := s.invite.Restore; back != nil {
		owner, had := r.had[back.Member]
		here := r.count(func(o *seat) bool { return o.member == back.Member }) > 0
		if !here && (!had || owner == s.leg.ID()) {
			id = back.Member
		}
	}
	r.lastID = max(r.lastID, id)
	r.had[id] = s.leg.ID()
	return id
}

// cameBack is a restored member's first moment.
func (r *room) cameBack(now time.Time, s *seat) {
	if at := s.invite.Restore.JoinedAt; !at.IsZero() && at.Before(now) {
		s.joinedAt = at
	}
	e := r.event(now, EventRestored, s, ReasonNone)
	if lost := s.invite.Lost; !lost.IsZero() {
		e.Gap = max(0, now.Sub(lost))
	}
	r.house.observe(e)
	if s.phase == phaseWaiting {
		r.startWait(now, s)
	}
}

// rights are those of a member now.
func (r *room) rights(s *seat) Rights {
	settings := make([]Variable, len(r.own))
	for i, set := range r.own {
		settings[i] = Variable{set.name, set.value}
	}
	return Rights{
		Room: r.name, Instance: r.instance, Seq: r.seq, StartedAt: r.startedAt, Locked: r.locked, Opened: r.opened,
		Forced: r.forced, LastID: r.lastID, Profile: r.asked, Settings: settings, Opener: r.opener,
		Member: s.member, Role: s.role, State: s.state, Hand: s.hand, JoinedAt: s.joinedAt,
	}
}

// remember lets a member's leg keep his rights, if it can.
func (r *room) remember(s *seat) {
	if leg, ok := s.leg.(Rememberer); ok && s.phase.present() {
		leg.Remember(r.rights(s))
	}
}

// rememberAll follows a change of the room.
func (r *room) rememberAll() {
	for _, s := range r.seats {
		r.remember(s)
	}
}

// forget takes from a leg what would bring it back: it is to leave.
func (s *seat) forget() {
	if leg, ok := s.leg.(Rememberer); ok {
		leg.Remember(Rights{})
	}
}
