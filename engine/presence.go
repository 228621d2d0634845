package engine

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"
)

// holding says whether members wait for a moderator now.
func (r *room) holding() bool {
	p := r.profile
	switch {
	case r.moderators() > 0 || r.forced:
		return false
	case !r.gatherUntil.IsZero() && r.opened:
		return false
	case p.RequireModerator:
		return true
	default:
		return p.WaitForModerator && (!r.opened || p.RewaitOnModeratorExit)
	}
}

// reconcile lets members in, or sets them apart, as holding says, and brings
// everybody's music in line.
func (r *room) reconcile(now time.Time) {
	hold := r.holding()
	r.opened = r.opened || !hold && r.audible() > 0
	for _, s := range r.seats {
		if wait := hold && s.role != RoleModerator; s.phase.present() && s.want.Waiting != wait {
			s.want.Waiting = wait
			r.set(s, asking{by: byRule})
		}
	}
	for _, s := range r.seats {
		r.ambience(now, s)
	}
}

// reported takes a member's state from his bridge. What somebody else has
// changed there is from now on what we want too.
func (r *room) reported(now time.Time, s *seat, f Applied) {
	if r.pending[f.Op] == nil {
		s.cannot(f.Err)
	}
	if f.Op == 0 && s.phase.present() {
		follow(&s.want.Muted, s.state.Muted, f.State.Muted)
		follow(&s.want.Deaf, s.state.Deaf, f.State.Deaf)
		follow(&s.want.Talk, s.state.Talk, f.State.Talk)
		follow(&s.want.Listen, s.state.Listen, f.State.Listen)
	}
	a := s.asking(f.Op)
	s.asks = slices.DeleteFunc(s.asks, func(old asking) bool { return old.op <= f.Op })
	if a.toHold { // that he is not heard is the hold's doing
		f.State.Muted = a.muted
	}
	if !errors.Is(f.Err, ErrCannot) { // else it is the place's doing: see Limited
		s.note(now, a.by, s.state, f.State)
	}
	if f.Err != nil { // the command is told otherwise
		a.sets &= partHold
	}
	r.cause = a
	r.applied(now, s, f.State)
	r.heldOrNot(now, s)
	r.cause = asking{}
}

// follow makes a wish of what was changed.
func follow[T comparable](want *T, was, is T) {
	if was != is {
		*want = is
	}
}

// applied notes a member's state as it has come true.
func (r *room) applied(now time.Time, s *seat, state MemberState) {
	if !s.phase.present() {
		return
	}
	was := s.state
	s.state = state
	switch {
	case was.Waiting && !state.Waiting:
		s.step(now, stepJoin)
		r.entered(now, s)
		r.reconcile(now)
	case !was.Waiting && state.Waiting:
		s.step(now, stepWait)
		r.tell(now, EventWaiting, s, ReasonNone)
		r.startWait(now, s)
		r.reconcile(now)
	}
	if was.Muted != state.Muted || r.cause.sets&partMuted != 0 {
		r.tell(now, either(state.Muted, EventMuted, EventUnmuted), s, ReasonNone)
	}
	r.heard(now, s, was.Muted, state.Muted, r.profile.MutedSound, r.profile.UnmutedSound)
	if was.Deaf != state.Deaf || r.cause.sets&partDeaf != 0 {
		r.tell(now, either(state.Deaf, EventDeafened, EventUndeafened), s, ReasonNone)
	}
	r.heard(now, s, was.Deaf, state.Deaf, r.profile.DeafSound, r.profile.UndeafSound)
	r.louder(now, s, was)
	if was != state {
		r.remember(s)
	}
}

// either is one of two, by what is so.
func either[T any](is bool, on, off T) T {
	if is {
		return on
	}
	return off
}

// heard announces a change of one switch of a member's state to him.
func (r *room) heard(now time.Time, s *seat, was, is bool, onSound, offSound string) {
	if was != is && !r.cause.quiet {
		r.private(now, s, either(is, onSound, offSound))
	}
}

// louder tells of gains.
func (r *room) louder(now time.Time, s *seat, was MemberState) {
	var what []string
	if was.Talk != s.state.Talk || r.cause.sets&partTalk != 0 {
		what = append(what, ChangeTalk)
	}
	if was.Listen != s.state.Listen || r.cause.sets&partListen != 0 {
		what = append(what, ChangeListen)
	}
	if what == nil {
		return
	}
	e := r.event(now, EventModified, s, ReasonNone)
	e.Changes = what
	r.house.observe(e)
}

// private plays to one member; his music comes back afterwards.
func (r *room) private(now time.Time, s *seat, items ...string) {
	m := media(r.languageOf(s), items...)
	if m.Empty() || s.way != wayNone || s.invite.Untold { // on his way he hears nothing
		return
	}
	s.tune = tuneNone
	s.say(now, m, nil)
}

// entered is a member's first moment among the others.
func (r *room) entered(now time.Time, s *seat) {
	r.tell(now, EventJoined, s, ReasonNone)
	if s.request.entry.silent {
		s.told = tuneAlone // he is not told that he is
	}
	if r.audible() > 1 {
		r.cue(now, s, r.entryItems(s)...)
	}
	r.announceCount(now, s)
}

// Of the sounds that tell of comers and goers mostCues wait at most: in a rush
// they would go on long after it, each of them late. What is more is left out. One
// that nobody has called over after cueTime is.
const (
	mostCues = 4
	cueTime  = 15 * time.Second
)

// cue has the room hear of somebody who comes or goes.
func (r *room) cue(now time.Time, s *seat, items ...string) {
	maps.DeleteFunc(r.cues, func(_ OpID, since time.Time) bool { return now.Sub(since) > cueTime })
	m := media(r.profile.Language, items...)
	if m.Empty() || len(r.cues) >= mostCues {
		return
	}
	if r.cues == nil {
		r.cues = map[OpID]time.Time{}
	}
	op := s.op()
	r.cues[op] = now
	r.at.bridge.Play(op, m, Audience{})
}

// entryItems is what the room hears of a joiner.
func (r *room) entryItems(s *seat) []string {
	items := []string{pick(s.settings.EnterSound, r.profile.EnterSound, r.profile.EntryTone)}
	if s.request.wantNoTone["join"] || s.request.entry.silent {
		items = nil
	}
	if s.named && !s.request.entry.silent {
		items = append(items, RecordedName(s.leg.ID()), r.profile.HasJoinedSound)
	}
	return items
}

// exitItems is what the room hears of a leaver.
func (r *room) exitItems(s *seat) []string {
	items := []string{pick(s.settings.ExitSound, r.profile.ExitSound, r.profile.ExitTone)}
	if s.request.wantNoTone["leave"] {
		items = nil
	}
	if s.named {
		items = append(items, RecordedName(s.leg.ID()), r.profile.HasLeftSound)
	}
	return items
}

func (r *room) announceCount(now time.Time, s *seat) {
	n := r.audible()
	if s.request.entry.silent || r.profile.AnnounceCount == 0 || n < max(r.profile.AnnounceCount, 2) {
		return
	}
	if r.profile.AnnounceCountTo == ToAll {
		r.cue(now, s, countItems(n)...)
		return
	}
	r.private(now, s, countItems(n)...)
}

func countItems(n int) []string {
	return []string{"phrase:count:" + strconv.Itoa(n)}
}

// ambience gives a member the music that belongs to his situation, once a
// prompt he hears is over.
func (r *room) ambience(now time.Time, s *seat) {
	want := r.tuneFor(s)
	if want != s.told {
		s.told = tuneNone
	}
	if want == s.tune || s.tune == tuneNone && s.prompt != 0 || !s.phase.present() || s.way != wayNone {
		return
	}
	s.tune = want
	var intro, loop string
	switch want {
	case tuneNone:
		s.hush()
		return
	case tuneAlone:
		intro, loop = r.profile.AloneSound, r.profile.MOHSound
	case tuneWait:
		intro, loop = r.profile.WaitPrompt, pick(r.profile.WaitSound, r.profile.MOHSound)
	}
	if s.told == want {
		intro = ""
	}
	s.told = want
	language := r.languageOf(s)
	s.say(now, media(language, intro), func(now time.Time) {
		music := media(language, loop)
		music.Loop = true
		s.say(now, music, nil)
	})
}

// retune ends everybody's music, so that it begins again as it is now.
func (r *room) retune() {
	for _, s := range r.seats {
		if s.tune != tuneNone {
			s.hush()
			s.tune = tuneNone
		}
	}
}

// tuneFor says which music a member should hear.
func (r *room) tuneFor(s *seat) tune {
	switch {
	case s.invite.Untold:
		return tuneNone
	case s.phase == phaseWaiting:
		return tuneWait
	case s.audible() && r.present() == 1 && !s.request.noMOH && r.gatherUntil.IsZero():
		return tuneAlone
	default:
		return tuneNone
	}
}

// startWait starts the clock of a wait.
func (r *room) startWait(now time.Time, s *seat) {
	if r.profile.WaitTimeout > 0 {
		s.expires = now.Add(r.profile.WaitTimeout)
	}
}

func (r *room) waitedTooLong(now time.Time, s *seat) {
	if r.profile.OnWaitTimeout == WaitOpen {
		r.forced = true
		r.reconcile(now)
		return
	}
	s.out.Result = ResultRejected
	s.out.Hangup = r.profile.OnWaitTimeout == WaitHangup
	r.dismiss(now, s, ReasonNoModerator, ExitNone, r.profile.NoModSound)
}

// ends follows a member's leaving: the room may be over, now or in a while.
func (r *room) ends(now time.Time, s *seat) {
	if r.ending != ReasonNone {
		return
	}
	others := r.count(func(o *seat) bool { return o.phase.present() && o.settings.EndOnExit == EndLast })
	switch {
	case s.settings.EndOnExit == EndAny, s.settings.EndOnExit == EndLast && others == 0:
		r.endWithin(now, r.profile.EndGrace)
	case r.profile.RequireModerator && s.role == RoleModerator && r.moderators() == 0 && r.profile.ModeratorGrace > 0:
		r.endWithin(now, r.profile.ModeratorGrace)
	}
}

func (r *room) endWithin(now time.Time, grace time.Duration) {
	if grace == 0 {
		r.end(now, ReasonModeratorLeft)
		return
	}
	r.endAt, r.endWhy = now.Add(grace), ReasonModeratorLeft
}

// end takes everybody out. The name is free for a new instance at once.
func (r *room) end(now time.Time, why Reason) {
	if r.ending != ReasonNone {
		return
	}
	r.detached(why)
	sound := r.profile.EndedSound
	if why == ReasonModeratorLeft {
		sound = pick(r.profile.ModLeftSound, sound)
	}
	for _, s := range slices.Clone(r.seats) {
		if s.phase < phaseAdmitting {
			r.refuse(now, s, why)
		} else {
			r.dismiss(now, s, why, ExitEnded, sound)
		}
	}
}

// detached marks the instance as over: nobody is sent to it any more.
func (r *room) detached(why Reason) {
	r.ending, r.endAt = why, time.Time{}
	r.cancelDials()
	r.house.detach(r)
}

// pick returns the first that is set.
func pick[T ~string](sounds ...T) T {
	for _, s := range sounds {
		if s != "" {
			return s
		}
	}
	return ""
}

// languageOf is the language of a caller's own prompts.
func (r *room) languageOf(s *seat) string { return pick(s.request.language, r.profile.Language) }
