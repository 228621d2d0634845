package engine

import (
	"fmt"
	"slices"
	"time"
)

// Silencer is a Bridge that can end what it plays to the room. Each play that
// is ended settles with Played, as one that ends by itself.
type Silencer interface{ StopPlay() }

// playing is what Play plays.
type playing struct {
	Playback
	op       OpID   // of the part that plays, or is the first to
	rest     []part // that come after it
	at       *venue // into the room: where
	since    time.Time
	gain     Decibels
	beside   bool      // what else is played
	queued   bool      // it has not begun
	stopped  bool      // no more of it begins
	controls []control // under way
}

// obeyMore takes the commands about gains, holds, what is played, and rules.
func (r *room) obeyMore(now time.Time, o order) {
	switch c := o.command.(type) {
	case Gain:
		r.change(o, c.Member, asking{sets: c.parts()}, func(s *seat) {
			follows(&s.want.Talk, c.Talk)
			follows(&s.want.Listen, c.Listen)
		})
	case Hold:
		r.change(o, c.Member, asking{sets: partHold}, func(s *seat) { s.toHold = next(c.Next, s.toHold, c.On) })
	case Play:
		o.reply <- r.play(now, c)
	case StopPlay:
		o.reply <- r.stopPlay(now, c)
	case ControlPlay:
		r.controlPlay(o, c)
	case Rule:
		o.reply <- r.rule(now, c)
	case Treat:
		r.treat(o, c)
	case Press:
		o.reply <- r.press(c)
	case Redirect:
		r.redirect(o, c)
	default:
		r.obeyRecord(now, o)
	}
}

// parts are those that are set.
func (g Gain) parts() (p parts) {
	if g.Talk != nil {
		p |= partTalk
	}
	if g.Listen != nil {
		p |= partListen
	}
	return p
}

// wish is what the bridge is asked for: who is on hold is not heard.
func (s *seat) wish() MemberState {
	w := s.want
	w.Muted = w.Muted || s.toHold
	return w
}

// heldOrNot tells of a hold, or its end, that has come true.
func (r *room) heldOrNot(now time.Time, s *seat) {
	if r.cause.sets&partHold == 0 || !s.phase.present() {
		return
	}
	s.onHold = r.cause.toHold
	r.tell(now, either(s.onHold, EventHeld, EventUnheld), s, ReasonNone)
}

// changedAtTheCall follows what somebody did to a member where his call is: it
// is asked of the place that mixes the room.
func (r *room) changedAtTheCall(s *seat, f Changed) {
	if !s.phase.present() {
		return
	}
	f.Apply(&s.want)
	r.set(s, asking{by: atSwitch})
}

// Apply makes the change.
func (f Changed) Apply(s *MemberState) {
	assign(&s.Muted, f.Muted)
	assign(&s.Deaf, f.Deaf)
	assign(&s.Talk, f.Talk)
	assign(&s.Listen, f.Listen)
}

// Loud is a gain whatever it is now.
func Loud(gain Decibels) func(Decibels) Decibels {
	return func(Decibels) Decibels { return gain }
}

func follows(gain *Decibels, next func(Decibels) Decibels) {
	if next != nil {
		*gain = next(*gain)
	}
}

// assign sets what is given.
func assign[T any](to *T, value *T) {
	if value != nil {
		*to = *value
	}
}

func (r *room) memberSeat(id MemberID) *seat {
	i := slices.IndexFunc(r.seats, func(s *seat) bool { return s.phase.present() && s.member == id })
	if i < 0 {
		return nil
	}
	return r.seats[i]
}

// noMember says that a number is nobody's, or that who has it is not in the
// room, though the roster shows him.
func (r *room) noMember(id MemberID) error {
	for _, s := range r.seats {
		if s.member == id && id != 0 {
			return fmt.Errorf("%w: %s in room %s is %s", ErrNoMember, id, r.name, s.phase)
		}
	}
	return fmt.Errorf("%w: %s in room %s", ErrNoMember, id, r.name)
}

// play begins what a command wants played.
func (r *room) play(now time.Time, c Play) error {
	p, err := r.ordered(c)
	if err != nil {
		return err
	}
	p.since = now
	if c.Member == 0 {
		return r.playToRoom(now, p)
	}
	s := r.memberSeat(c.Member)
	switch {
	case s == nil:
		return r.noMember(c.Member)
	case s.way != wayNone:
		return fmt.Errorf("%w: member %s is on his way", ErrMoving, c.Member)
	}
	s.tune = tuneNone
	r.overPlay(now, s)
	r.sayPart(now, s, p)
	r.tellPlay(now, EventPlaying, s, p.Playback)
	return nil
}

func (r *room) playToRoom(now time.Time, p *playing) error {
	if r.at == nil || r.present() == 0 {
		return fmt.Errorf("%w in room %s", ErrNoMember, r.name)
	}
	if p.beside {
		r.giveWay(now)
	}
	p.at = r.at
	p.number(&r.ops)
	r.plays = append(r.plays, p)
	if p.queued = r.behind(now, p); p.queued {
		p.Late = true
		r.tellPlay(now, EventPlayQueued, nil, p.Playback)
	} else {
		r.tellPlay(now, EventPlaying, nil, p.Playback)
	}
	r.at.bridge.Play(p.op, p.What, Audience{Beside: p.beside})
	for _, next := range p.rest {
		r.at.bridge.Play(next.op, next.what, Audience{})
	}
	return nil
}

// behind says whether a play into the room waits for others: those by command
// that came before it, and the sounds of comers and goers.
func (r *room) behind(now time.Time, p *playing) bool {
	if p.beside {
		return false
	}
	for op, since := range r.cues {
		if op < p.op && now.Sub(since) <= cueTime {
			return true
		}
	}
	for _, o := range r.plays {
		if o.op < p.op && o.at == p.at && !o.beside {
			return true
		}
	}
	return false
}

// beginPlays tells of the plays into the room whose turn has come.
func (r *room) beginPlays(now time.Time) {
	for _, p := range r.plays {
		if p.queued && !p.stopped && !r.behind(now, p) {
			p.queued, p.since = false, now
			r.tellPlay(now, EventPlaying, nil, p.Playback)
		}
	}
}

// giveWay ends what is played beside the others: its end is told before the next
// such begins.
func (r *room) giveWay(now time.Time) {
	for _, old := range slices.Clone(r.plays) {
		b, ok := old.at.bridge.(Ender)
		if !old.beside || !ok {
			continue
		}
		r.played(now, Played{Op: old.op})
		b.EndPlay(old.op)
	}
}

// stopPlay ends what is played by command.
func (r *room) stopPlay(now time.Time, c StopPlay) error {
	if c.Member == 0 {
		switch {
		case r.at == nil:
			return nil
		case c.ID != "":
			return r.endPlay(c.ID)
		}
		b, ok := r.at.bridge.(Silencer)
		if !ok {
			return fmt.Errorf("%w: %s cannot end what it plays to a room", ErrBadCommand, r.at.place)
		}
		for _, p := range r.plays {
			p.stopped = p.at == r.at
		}
		b.StopPlay()
		return nil
	}
	s := r.memberSeat(c.Member)
	if s == nil {
		return r.noMember(c.Member)
	}
	if s.playing != nil && (c.ID == "" || c.ID == s.playing.ID) {
		s.hush()
		r.overPlay(now, s)
		r.ambience(now, s)
	}
	return nil
}

// played follows the end of a play into the room.
func (r *room) played(now time.Time, f Played) {
	i := slices.IndexFunc(r.plays, func(p *playing) bool { return p.has(f.Op) })
	if i < 0 {
		return
	}
	p := r.plays[i]
	if p.early(f) {
		return
	}
	if p.Err = f.Err; !p.stopped && p.next() {
		if !p.queued {
			r.continues(now, nil, p)
		}
		return
	}
	if !p.queued {
		p.For = now.Sub(p.since)
	}
	r.plays = slices.Delete(r.plays, i, i+1)
	r.unsettled(p)
	r.tellPlay(now, EventPlayed, nil, p.Playback)
}

// unplayed notes why a play to a member failed.
func (s *seat) unplayed(f PromptDone) {
	if s.playing != nil && s.playing.op == f.Op {
		s.playing.Err = f.Err
	}
}

// settlePlays tells of the plays to members that are over: ended, or replaced
// by a prompt.
func (r *room) settlePlays(now time.Time) {
	for _, s := range r.seats {
		if s.playing != nil && (s.prompt != s.playing.op || !s.phase.present()) {
			r.overPlay(now, s)
		}
	}
}

// overPlay tells that what was played to a member is over.
func (r *room) overPlay(now time.Time, s *seat) {
	if p := s.playing; p != nil {
		s.playing = nil
		r.unsettled(p)
		p.For = now.Sub(p.since)
		r.tellPlay(now, EventPlayed, s, p.Playback)
	}
}

func (r *room) tellPlay(now time.Time, what EventType, s *seat, p Playback) {
	e := r.event(now, what, s, ReasonNone)
	e.Play = p
	r.house.observe(e)
}

// liveRules are rules that no variable of a call sets for the room.
func liveRules() map[string]func(value string) (func(*Profile), error) {
	pins := func(of func(*Profile) *[]PIN) func(string) (func(*Profile), error) {
		return func(value string) (func(*Profile), error) {
			if value == "" {
				return func(p *Profile) { *of(p) = nil }, nil
			}
			var q request
			if readPIN(func(*request, PIN) {})(&q, value) != nil {
				return nil, fmt.Errorf("%w: a PIN has 1 to 16 digits", ErrBadCommand)
			}
			return func(p *Profile) { *of(p) = []PIN{NewPIN(value)} }, nil
		}
	}
	sound := func(set func(*Profile, string)) func(string) (func(*Profile), error) {
		return func(value string) (func(*Profile), error) { return func(p *Profile) { set(p, value) }, nil }
	}
	return map[string]func(string) (func(*Profile), error){
		"pin":           pins(func(p *Profile) *[]PIN { return &p.Member.PINs }),
		"moderator_pin": pins(func(p *Profile) *[]PIN { return &p.Moderator.PINs }),
		"moh_sound":     sound(func(p *Profile, v string) { p.MOHSound = v }),
		"enter_sound":   sound(func(p *Profile, v string) { p.EnterSound, p.EntryTone = v, "" }),
		"exit_sound":    sound(func(p *Profile, v string) { p.ExitSound, p.ExitTone = v, "" }),
	}
}

// rule sets a rule of the room until it ends.
func (r *room) rule(now time.Time, c Rule) error {
	if c.To != nil {
		c.Value = c.To()
	}
	set := roomSetting{name: c.Name, value: c.Value}
	if read := liveRules()[c.Name]; read != nil {
		apply, err := read(c.Value)
		if err != nil {
			return err
		}
		set.apply = apply
	} else {
		q := readVariables(map[string]string{c.Name: c.Value})
		if len(q.room) != 1 {
			return fmt.Errorf("%w: %q is no rule of a room: %s", ErrBadCommand, clip(c.Name), joinWarnings(q.warnings))
		}
		set = q.room[0]
	}
	r.live = append(slices.DeleteFunc(r.live, func(old roomSetting) bool { return old.name == c.Name }), set)
	r.settle(r.directory)
	if c.Name == "moh_sound" {
		r.retune()
	}
	r.reconcile(now)
	e := r.event(now, EventRoomModified, nil, ReasonNone)
	e.Changes = []string{c.Name + " " + byCommand}
	r.house.observe(e)
	return nil
}
