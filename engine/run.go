package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// owner is a state that belongs to one goroutine.
type owner interface {
	handle(now time.Time, item any)
	tick(now time.Time)
	deadline() time.Time // of the next tick; zero = none is due
	finished() bool      // looked at after each turn
}

// run gives o its goroutine until it has finished or quit is closed.
func run(o owner, box *mailbox, quit <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for !o.finished() {
		wait := time.Hour
		if d := o.deadline(); !d.IsZero() {
			wait = max(0, time.Until(d))
		}
		timer.Reset(wait)
		select {
		case <-box.wake:
			for _, item := range box.take() {
				o.handle(time.Now(), item)
			}
		case <-timer.C:
		case <-quit:
			return
		}
		o.tick(time.Now())
	}
}

// run is the room's goroutine. A panic ends this room only: its calls are
// given back, so that their dialplans go on.
func (r *room) run() {
	defer close(r.done)
	defer func() {
		if p := recover(); p != nil {
			r.house.panicked(r.name, p)
			r.abandon()
		}
	}()
	run(r, r.box, nil)
	r.stop()
}

// finished says whether nobody is left, and no call is on its way here.
func (r *room) finished() bool {
	return len(r.seats) == 0 && len(r.calling) == 0 && len(r.tapings) == 0 && r.house.retire(r)
}

// stop closes what the room used.
func (r *room) stop() {
	r.closeAll()
	r.playsGone(time.Now(), r.at, nil)
	why := r.ending
	if why == ReasonNone {
		why = r.lastWhy
	}
	r.over(time.Now(), why)
}

// over tells that there is no room any more, those who wait for an answer of it, too.
func (r *room) over(now time.Time, why Reason) {
	if !r.startedAt.IsZero() {
		r.tell(now, EventRoomEnded, nil, why)
	}
	for _, w := range r.pending {
		w.reply <- ErrClosed
	}
	for _, w := range r.reaching {
		w.order.reply <- ErrClosed
	}
}

// abandon releases everybody after a panic, without asking the state machine.
func (r *room) abandon() {
	r.house.forget(r)
	r.cancelDials()
	now := time.Now()
	lost := Outcome{Result: ResultFailed, Reason: ReasonNodeBusy, Exit: ExitLost}
	for _, s := range r.seats {
		out := lost
		out.Hangup = !s.invite.Dialplan
		if !s.joinedAt.IsZero() && s.phase < phaseParting { // else it has been told
			r.tell(now, EventLeft, s, lost.Reason)
		}
		s.line.release(out)
	}
	for _, item := range r.box.close() {
		switch m := item.(type) {
		case arrival:
			m.line.release(lost)
		case *outgoing:
			m.reply <- &RefusalError{Reason: ReasonNodeBusy}
		}
	}
	r.closeAll()
	r.over(now, lost.Reason)
}

func (r *room) closeAll() {
	for _, v := range r.venues {
		v.bridge.Close()
	}
}

// view is the room as lists show it, or as Sound does.
func (r *room) view(closely bool) RoomView {
	v := RoomView{
		Name: r.name, Title: r.title, Instance: r.instance, Profile: r.profile.Name, StartedAt: r.startedAt,
		Locked: r.locked, MaxParticipants: r.profile.MaxParticipants, Seq: r.seq, Mixer: r.mixer(),
		State: r.stateWord(), Members: []MemberView{}, Dialing: r.dials(), Relations: slices.Clone(r.relations),
		Recordings: r.recordings(time.Now()), Plays: r.playsNow(), LastID: r.lastID, Unplayed: slices.Clone(r.unheard),
	}
	media, disturbed := map[MemberID]MemberMedia{}, map[MemberID]Disturbance{}
	for _, at := range r.venues {
		for _, m := range at.bridge.Levels(nil) {
			media[m.Member] = m
		}
		if l, ok := at.bridge.(Listener); ok && closely {
			maps.Copy(disturbed, l.Disturbances())
		}
	}
	for _, s := range r.seats {
		if !s.phase.inBridge() {
			v.Prompting++
			continue
		}
		m := s.view()
		if h, ok := media[s.member]; ok {
			m.show(h)
			if closely {
				s.closely(&m, h, disturbed)
			}
		}
		v.Members = append(v.Members, m)
	}
	slices.SortStableFunc(v.Members, func(a, b MemberView) int { return cmp.Compare(a.ID, b.ID) })
	return v
}

// show adds what the place that mixes a member tells of his audio.
func (m *MemberView) show(h MemberMedia) {
	m.Codec = h.Codec
	if !h.Unseen {
		m.Level, m.Lost, m.Late, m.DelayMS = &h.Level, h.Lost, h.Late, h.Delay.Milliseconds()
	}
}

// closely adds what Sound tells of a member.
func (s *seat) closely(m *MemberView, h MemberMedia, disturbed map[MemberID]Disturbance) {
	m.JitterMS, m.Capped, m.Source, m.Held, m.Gated = h.Jitter.Milliseconds(), h.Capped, h.Source, h.Held, h.Gated
	if h.Quiet >= 0 && !h.Unseen {
		ms := h.Quiet.Milliseconds()
		m.QuietMS = &ms
	}
	if m.Muted {
		m.MutedBy = s.since("muted")
	}
	if m.Deaf {
		m.DeafBy = s.since("deaf")
	}
	if d, ok := disturbed[s.member]; ok {
		m.Disturbance = &d
	}
}

// since says who made a part of the state what it is.
func (s *seat) since(name string) string {
	for _, c := range s.changes {
		if c.name == name {
			return c.by
		}
	}
	return "by the profile or the call's own variables"
}

// mixer is where the room is mixed, or will be.
func (r *room) mixer() string {
	if r.at == nil {
		return string(r.profile.Mixer)
	}
	return r.at.place.String()
}

func (r *room) stateWord() string {
	switch {
	case r.ending != ReasonNone:
		return "ending"
	case r.audible() > 0:
		return "active"
	case r.present() > 0:
		return "waiting"
	case len(r.seats) == 0 && len(r.calling) > 0:
		return "dialing"
	default:
		return "prompting"
	}
}

// settle resolves the room's profile: configuration, then the variables of
// the call that opened it. It returns the warning about an unknown profile.
func (r *room) settle(d *Directory) (warning string) {
	r.directory = d
	p, configured, known := r.facts().profile()
	r.profile, r.configured = p, configured
	if e := d.Rooms[r.name]; e != nil {
		r.title = e.Title
	}
	if !known {
		return unknownProfile(r.asked, p)
	}
	return ""
}

func unknownProfile(name string, used *Profile) string {
	return fmt.Sprintf("unknown profile %s, using %s", clip(name), used.Name)
}
