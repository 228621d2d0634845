package freeswitch

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
	"parley/internal/tasks"
)

// Times a conference of the switch has for what it is asked.
const (
	admitTime = 5 * time.Second
	leaveTime = 2 * time.Second // then the call is ended
)

// Bridge is a room in a conference of a switch; it implements engine.Bridge.
// One goroutine does what it is asked and takes what the switch reports; its
// methods only put.
type Bridge struct {
	link   *Link
	room   string // the conference's name
	sink   engine.Sink
	tasks  *tasks.Queue
	quit   chan struct{}
	closed atomic.Bool
	media  atomic.Pointer[[]engine.MemberMedia] // what Levels shows
	heads  atomic.Pointer[map[engine.OpID]engine.Playhead]

	members []*member // the goroutine's, as all below
	locked  bool
	shut    bool   // locked, as the room wants it
	echoes  echoes // of orders about all of it
	deaf    []engine.Edge
	tapes   []*tape
	plays   []*play       // in the order in which the switch has taken them
	run     string        // of this bridge, in the tags of its plays
	related map[pair]bool // as the switch has it
}

// member is one call in the conference.
type member struct {
	id      engine.MemberID
	call    *call
	inner   conference.MemberID // 0: not in it yet
	state   engine.MemberState  // as the switch has it
	asked   engine.MemberState  // as the room wants it
	admit   engine.OpID         // not settled yet; 0: it is
	remove  engine.OpID         // likewise
	kicked  bool                // by somebody at the switch
	out     bool                // of the conference, and nobody has said why yet
	talking bool
}

// do puts a task, unless the bridge is closed by then.
func (b *Bridge) do(task func()) {
	b.tasks.Put(func() {
		if !b.closed.Load() {
			task()
		}
	})
}

func (b *Bridge) work() {
	for {
		select {
		case <-b.tasks.Wake():
			for _, do := range b.tasks.Take() {
				do()
				b.show()
			}
		case <-b.quit:
			return
		}
	}
}

func (b *Bridge) post(f engine.Fact) {
	if !b.closed.Load() {
		b.sink.Post(f)
	}
}

// Admit implements engine.Bridge. The leg is one of this switch; it may be in
// the conference already.
func (b *Bridge) Admit(op engine.OpID, m engine.MemberID, l engine.Leg, s engine.MemberState) {
	b.do(func() {
		one, ok := l.(*leg)
		if !ok || one.link != b.link {
			b.post(engine.AdmitFailed{Op: op, Member: m, Reason: engine.ReasonMediaLost})
			return
		}
		who := &member{id: m, call: one.call, asked: s, admit: op}
		b.members = append(b.members, who)
		if in := one.inside.Load(); in != nil && in.conference == b.room {
			who.inner, who.state = in.member, in.state
			if len(b.members) == 1 && in.locked {
				b.locked, b.shut = true, true
			}
			b.admitted(who)
			return
		}
		one.tasks.Put(func() { one.join(b, m, who.entry(b)) })
		time.AfterFunc(admitTime, func() { b.do(func() { b.overdue(who, op) }) })
		b.seek(who)
	})
}

// entry is the argument of the conference application for a member.
func (m *member) entry(b *Bridge) conference.Spec {
	spec := conference.Spec{Name: b.room, Profile: b.profile(m.call)}
	if m.asked.Muted || m.asked.Waiting {
		spec.Flags = append(spec.Flags, "mute")
	}
	if m.asked.Deaf || m.asked.Waiting {
		spec.Flags = append(spec.Flags, "deaf")
	}
	return spec
}

// profile is the switch's profile for the conference that c opens.
func (b *Bridge) profile(c *call) string {
	return b.link.adapter.opt.Exchange.Profile(engine.RoomName(b.room), c.asked).ConferenceProfile
}

// overdue gives up on a member who did not come.
func (b *Bridge) overdue(m *member, op engine.OpID) {
	if m.admit == op {
		b.forget(m)
		b.post(engine.AdmitFailed{Op: op, Member: m.id, Reason: engine.ReasonMediaLost})
	}
}

// offStage follows the word of a call that its conference is over. The switch
// tells us of it too, unless the link is down.
func (b *Bridge) offStage(c *call) {
	m := b.byCall(c.uuid)
	switch {
	case m == nil:
	case m.admit != 0:
		b.overdue(m, m.admit)
	default:
		b.unexplained(m)
	}
}

// admitted settles Admit for a member who is in the conference.
func (b *Bridge) admitted(m *member) {
	op := m.admit
	m.admit = 0
	if m.call.codec == "" {
		b.learnCodec(m.call)
	}
	b.store(m)
	_ = b.apply(m) // it is logged
	if b.lock() != nil {
		b.post(engine.Locked{On: b.locked})
	}
	b.post(engine.Joined{Op: op, Member: m.id})
	if m.remove != 0 {
		b.leave(m)
	}
}

// store tells the call what the conference has of it.
func (b *Bridge) store(m *member) {
	m.call.inside.Store(&inside{conference: b.room, member: m.inner, state: m.state})
}

// Set implements engine.Bridge. What the switch refuses stays as it is, and
// that is what the fact says.
func (b *Bridge) Set(op engine.OpID, id engine.MemberID, s engine.MemberState) {
	b.do(func() {
		m := b.find(id)
		if m == nil {
			b.post(engine.Left{Op: op, Member: id})
			return
		}
		m.asked = s
		var err error
		if m.inner != 0 && !m.out {
			err = b.refused(b.apply(m))
		} else {
			m.state = s // his entry says so
		}
		b.post(engine.Applied{Op: op, Member: id, State: m.reported(), Err: err})
	})
}

// reported is the member's state as the room has to see it. The switch knows
// no waiting: it is a member who neither hears nor is heard.
func (m *member) reported() engine.MemberState {
	s := m.state
	s.Waiting = m.asked.Waiting
	if s.Waiting {
		s.Muted, s.Deaf = m.asked.Muted, m.asked.Deaf
	}
	return s
}

// any is a call of the conference, by whose own socket the switch can be told
// things while the link is down.
func (b *Bridge) any() *call {
	if len(b.members) == 0 {
		return nil
	}
	return b.members[0].call
}

// Remove implements engine.Bridge. A call that the switch does not let go is
// ended.
func (b *Bridge) Remove(op engine.OpID, id engine.MemberID) {
	b.do(func() {
		m := b.find(id)
		if m == nil {
			b.post(engine.Left{Op: op, Member: id})
			return
		}
		m.remove = op
		switch {
		case m.out, m.call.voice.Load() != nil, m.call.over.Load(), m.call.stays(): // out of the mix, or not ours any more
			b.gone(m)
		case m.inner != 0 && m.call.adopted.Load():
			b.hide(m)
		case m.inner != 0:
			b.leave(m)
		}
	})
}

// hide takes a member out of the mix who must not leave the conference before
// he has his results: his dialplan goes on as soon as he does.
func (b *Bridge) hide(m *member) {
	m.asked.Muted, m.asked.Deaf = true, true
	_ = b.apply(m) // it is logged
	b.gone(m)
}

// leave has the switch take a member out.
func (b *Bridge) leave(m *member) {
	b.tell(conference.Hup(b.room, m.inner))
	time.AfterFunc(leaveTime, func() { b.do(func() { b.insist(m) }) })
}

// insist ends the call of a member who was to leave and has not.
func (b *Bridge) insist(m *member) {
	if b.find(m.id) != m {
		return
	}
	b.link.log.Warn("freeswitch: no confirmation in 2 s that the member left; ending the call with uuid_kill",
		"room", b.room, "call", m.call.uuid)
	_, err := b.link.api("uuid_kill", m.call.uuid+" NORMAL_CLEARING")
	if err != nil && !errors.As(err, new(*esl.ReplyError)) {
		b.link.log.Error("freeswitch: call not ended", "call", m.call.uuid, "error", err)
	}
	b.gone(m)
}

// gone settles Remove, or reports that a member left by himself.
func (b *Bridge) gone(m *member) {
	b.forget(m)
	b.post(engine.Left{Op: m.remove, Member: m.id})
}

// Limits implements engine.Limited.
func (*Bridge) Limits() []engine.Limit {
	return []engine.Limit{{
		Settings: []string{"record_rate"},
		Why:      "mod_conference records at the rate of its conference, and below recordings_dir of the switch",
	}, {
		Settings: []string{"mode", "gate", "agc", "comfort_noise"},
		Why:      "mod_conference treats what members say by its own profile, see conference_profile",
	}}
}

// Lock implements engine.Locker: callers whose dialplan says conference are
// kept out too.
func (b *Bridge) Lock(op engine.OpID, on bool) {
	b.do(func() {
		b.shut = on
		err := b.lock()
		b.post(engine.Locked{Op: op, On: on == (err == nil), Err: err})
	})
}

// lock makes the conference locked, or not, as the room is, as soon as there is
// one. What the switch refuses stays as it is.
func (b *Bridge) lock() error {
	there := slices.ContainsFunc(b.members, func(m *member) bool { return m.inner != 0 })
	if b.locked == b.shut || !there {
		return nil
	}
	causes, lock := conference.Unlocked, conference.Unlock
	if b.shut {
		causes, lock = conference.Locked, conference.Lock
	}
	args, err := lock(b.room)
	if err == nil {
		err = b.echoes.order(causes, func() error { return b.link.confer(b.any(), args) })
	}
	if b.done(err) {
		b.locked = b.shut
		return nil
	}
	b.shut = b.locked
	return b.refused(err)
}

// Levels implements engine.Bridge. The switch tells who talks, but not how loud.
func (b *Bridge) Levels(dst []engine.MemberMedia) []engine.MemberMedia {
	if list := b.media.Load(); list != nil {
		dst = append(dst, *list...)
	}
	return dst
}

func (b *Bridge) show() {
	list := make([]engine.MemberMedia, 0, len(b.members))
	for _, m := range b.members {
		list = append(list, engine.MemberMedia{Member: m.id, Unseen: true, Talking: m.talking, Codec: m.call.codec})
	}
	b.media.Store(&list)
	heads := make(map[engine.OpID]engine.Playhead, len(b.plays))
	for _, p := range b.plays {
		heads[p.op] = p.head()
	}
	b.heads.Store(&heads)
}

// Close implements engine.Bridge. Who is in the conference stays there.
func (b *Bridge) Close() {
	if b.closed.CompareAndSwap(false, true) {
		b.link.unhost(b)
		close(b.quit)
	}
}

func (b *Bridge) forget(m *member) {
	b.unheard(m)
	for i, o := range b.members {
		if o == m {
			b.members = append(b.members[:i:i], b.members[i+1:]...)
			return
		}
	}
}

func (b *Bridge) find(id engine.MemberID) *member {
	for _, m := range b.members {
		if m.id == id {
			return m
		}
	}
	return nil
}

func (b *Bridge) byCall(uuid string) *member {
	for _, m := range b.members {
		if m.call.uuid == uuid {
			return m
		}
	}
	return nil
}
