package engine

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// room is one run of a conference room: who is in it, who is on the way in,
// and the rules. All of it belongs to one goroutine (run); nothing here waits.
type room struct {
	house    *house
	box      *mailbox
	done     chan struct{}
	name     RoomName
	instance InstanceID
	title    string

	directory  *Directory // that profile is from
	profile    *Profile
	asked      string        // profile that the opening call named
	own        []roomSetting // room-level variables of the opening call
	opener     LegID         // that call
	origins    map[string]string
	configured bool

	at      *venue // where the room is mixed; nil until the first member
	venues  []*venue
	moving  *relocation           // nil: the room stays where it is
	shown   atomic.Pointer[Place] // of at, for everybody
	seats   []*seat
	calling []*outgoing // calls out, until their Way has returned
	ops     OpID
	lastID  MemberID
	had     map[MemberID]LegID // who has or had each, in this process
	seq     uint64
	pending map[OpID]*waiter

	awaited  []awaited  // for calls to be members
	reaching []reaching // commands whose place was asked whether it is there

	startedAt time.Time
	locked    bool
	lockedBy  change
	movedBy   change // to where it is mixed now; zero = it is where it began
	opened    bool   // members have been allowed in
	forced    bool   // opened without a moderator, by on_wait_timeout

	gatherUntil time.Time // members come back: the others may follow; zero = no more

	cause asking // of the change that is being told; by "" = nobody in particular

	tapings   []*taping
	owed      []*taping          // that where the room is could not begin
	taped     bool               // the profile has had it recorded since somebody is there
	live      []roomSetting      // rules set by command
	relations []Relation         // set by command, oldest first
	plays     []*playing         // into the room by command, in their order
	cues      map[OpID]time.Time // sounds of comers and goers that are not over, and since when
	unheard   []string           // why sounds could not be played, each once, the newest last

	ending  Reason
	endAt   time.Time // end_on_exit: when the grace is over
	endWhy  Reason
	lastWhy Reason // why the last member left
}

// house is what all rooms share.
type house struct {
	bridges  BridgeFactory
	throttle *throttle
	observe  Observer
	detach   func(*room) // no more calls for this instance
	archive  *archive
	signals  *signals
	jobs     *jobs
	lines    *lines
	maxDials int
	spawn    func(func())
	onward   func(RoomName, arrival) // a call that was transferred
	busy     func() bool             // we are
	retire   func(*room) bool        // closes the mailbox, unless a call came meanwhile
	forget   func(*room)             // after a panic
	panicked func(RoomName, any)
	unplayed func(RoomName, string) // why a sound could not be played, in one line
}

// handle takes one item of the mailbox.
func (r *room) handle(now time.Time, item any) {
	switch m := item.(type) {
	case arrival:
		r.arrive(now, m)
	case legFact:
		if s := r.seatOf(m.line); s != nil {
			r.applyLeg(now, s, m.fact)
		} else if m.line.elsewhere(r.box) {
			m.line.Post(m.fact)
		}
	case bridgeFact:
		r.applyBridge(now, m.from, m.fact)
	case order:
		r.obey(now, m)
	case relocating:
		r.asksToMove(now, m)
	case viewing:
		m.reply <- r.view(m.closely)
	case explaining:
		r.explain(m)
	case signalling:
		r.signalled(now, m)
	case *outgoing:
		r.dial(now, m)
	case progress:
		r.rings(now, m)
	case dialed:
		r.dialed(now, m)
	case reloading:
		m.reply <- r.reload(now, m.directory)
	default:
		panic(fmt.Sprintf("engine: %T in a room's mailbox", item))
	}
	r.tidy(now)
}

// tidy ends what the last turn has completed. It comes after each item and each
// turn, since who waited for a move may be the cause of another.
func (r *room) tidy(now time.Time) {
	r.settlePlays(now)
	r.beginPlays(now)
	r.settleMove(now)
	r.settleTapes(now)
	r.settleAwaited()
	if len(r.venues) > 1 {
		r.closeEmpty(now)
	}
}

// applyLeg takes a fact about a call.
func (r *room) applyLeg(now time.Time, s *seat, f Fact) {
	switch f := f.(type) {
	case MediaUp:
		if s.step(now, stepMediaUp) {
			r.greet(now, s)
		}
	case Digit:
		if !s.superfluous(now, f.Digit) {
			r.digit(now, s, f)
		}
	case PromptDone:
		r.unplayable(f.Err)
		s.unplayed(f)
		s.promptDone(now, f.Op)
		r.ambience(now, s)
	case PlayChanged:
		r.playChanged(now, s, f)
	case Recorded:
		r.recorded(now, s, f)
	case Moved:
		r.moved(now, s, f)
	case Changed:
		r.changedAtTheCall(s, f)
	case Redirected:
		r.redirected(s, f)
	case hangingUp:
		r.hangUp(now, s, f.cause)
	case awaiting:
		r.awaited = append(r.awaited, awaited{s.line, f.reply})
	case LegGone:
		r.lost(now, s, f.Reason, f.Cause)
	default:
		panic(fmt.Sprintf("engine: %T is no fact of a leg", f))
	}
}

// applyBridge takes a fact about the place of mixing. Together with applyLeg
// it is the one place where the roster changes.
func (r *room) applyBridge(now time.Time, at *venue, f Fact) {
	switch f := f.(type) {
	case Joined:
		r.withMember(at, f.Member, func(s *seat) { r.taken(now, s, f.Op) })
	case AdmitFailed:
		r.withMember(at, f.Member, func(s *seat) { r.notTaken(now, s, f) })
	case Applied:
		r.withMember(at, f.Member, func(s *seat) { r.reported(now, s, f) })
		r.settleOp(f.Op, f.Err)
	case Left:
		r.withMember(at, f.Member, func(s *seat) { r.out(now, s, f) })
		r.settleOp(f.Op, nil)
	case Talking:
		r.withMember(at, f.Member, func(s *seat) { r.talks(now, s, f.On) })
	case Floor:
		r.floorAt(now, at, f.Member)
	case Played:
		delete(r.cues, f.Op)
		r.unplayable(f.Err)
		r.played(now, f)
	case PlayChanged:
		r.playChanged(now, nil, f)
	case Related:
		r.related(now, f)
	case Locked:
		if f.Op == 0 || f.Err != nil {
			r.lockedThere(now, at, f.On)
		}
		r.settleOp(f.Op, f.Err)
	case Reached:
		r.reached(now, f)
	case BridgeFailed:
		r.abandonTapes(now, at)
		r.bridgeFailed(now, at)
	default:
		r.tapeFact(now, f)
	}
}

// tick does what is due by the clock.
func (r *room) tick(now time.Time) {
	for _, s := range slices.Clone(r.seats) {
		if s.ask != nil && due(now, s.ask.deadline) {
			s.answered(now)
		}
		if due(now, s.expires) {
			r.expired(now, s)
		}
		if due(now, s.menu.deadline) {
			if c, ok := s.menu.expire(); ok {
				r.act(now, s, c)
			}
		}
	}
	if due(now, r.gatherUntil) {
		r.gatherUntil = time.Time{}
		r.reconcile(now)
	}
	r.dueTapes(now)
	if due(now, r.endAt) {
		r.end(now, r.endWhy)
	}
	r.tidy(now)
}

// deadline is when tick is needed next; zero = never.
func (r *room) deadline() time.Time {
	d := sooner(r.endAt, r.gatherUntil)
	for _, s := range r.seats {
		d = sooner(d, s.deadline())
	}
	for _, t := range r.tapings {
		d = sooner(sooner(d, t.giveUp), t.full())
	}
	return d
}

// expired handles a phase that took too long.
func (r *room) expired(now time.Time, s *seat) {
	s.expires = time.Time{}
	switch s.phase {
	case phaseArriving:
		r.lost(now, s, ReasonMediaLost, CauseNone)
	case phaseNaming:
		s.leg.StopRecord()
		r.enter(now, s)
	case phaseWaiting:
		r.waitedTooLong(now, s)
	case phaseParting:
		r.release(now, s)
	case phaseNumber, phaseGreeting, phasePIN, phaseEntering, phaseAdmitting, phaseJoined,
		phaseRemoving, phaseLosing, phaseGone, phases:
	}
}

// maxUnheard is how many sounds that could not be played a room remembers.
const maxUnheard = 8

// unplayable reports a sound that nobody heard, once.
func (r *room) unplayable(err error) {
	if err == nil {
		return
	}
	why := strings.ReplaceAll(err.Error(), "\n", "; ")
	if slices.Contains(r.unheard, why) {
		return
	}
	r.unheard = append(r.unheard[max(0, len(r.unheard)-maxUnheard+1):], why)
	r.house.unplayed(r.name, why)
}

// talks notes that a member began or stopped to talk.
func (r *room) talks(now time.Time, s *seat, on bool) {
	if !s.phase.present() || s.talking == on {
		return
	}
	s.talking = on
	what := EventSilent
	if on {
		what = EventTalking
	}
	r.tell(now, what, s, ReasonNone)
}

// bridgeFailed follows the end of a place of mixing. Was the room on its way
// there, it stays where it was; was it on its way from there, it gets on.
func (r *room) bridgeFailed(now time.Time, at *venue) {
	switch m := r.moving; {
	case at != r.at:
		r.emptied(now, at)
		r.travelAll(now)
	case m != nil && m.undone == nil:
		r.emptied(now, at)
		r.undo(now, fmt.Errorf("%s failed", at.place))
	default:
		r.scattered(now)
	}
}

// scattered takes everybody out: their place is gone.
func (r *room) scattered(now time.Time) {
	r.detached(ReasonMediaLost)
	for _, s := range slices.Clone(r.seats) {
		if s.phase.inBridge() {
			s.out.Result, s.out.Reason, s.out.Exit = ResultFailed, ReasonMediaLost, ExitLost
			s.step(now, stepLost)
			r.left(now, s, ReasonMediaLost)
		} else {
			r.refuse(now, s, ReasonNodeBusy)
		}
	}
}

func (r *room) seatOf(l *line) *seat {
	for _, s := range r.seats {
		if s.line == l {
			return s
		}
	}
	return nil
}

// withMember finds the member that a venue speaks of, if it has a say in him.
func (r *room) withMember(at *venue, id MemberID, do func(*seat)) {
	for _, s := range r.seats {
		if s.member == id && s.in == at {
			do(s)
			return
		}
	}
}

// count returns how many seats satisfy a condition.
func (r *room) count(is func(*seat) bool) (n int) {
	for _, s := range r.seats {
		if is(s) {
			n++
		}
	}
	return n
}

func (r *room) moderators() int {
	return r.count(func(s *seat) bool { return s.audible() && s.role == RoleModerator })
}

func (r *room) present() int { return r.count(func(s *seat) bool { return s.phase.present() }) }

func (r *room) audible() int { return r.count((*seat).audible) }

// tell numbers an event and hands it out.
func (r *room) tell(now time.Time, what EventType, s *seat, why Reason) {
	r.house.observe(r.event(now, what, s, why))
}

// event numbers an event.
func (r *room) event(now time.Time, what EventType, s *seat, why Reason) Event {
	r.seq++
	e := Event{
		Type: what, Time: now, Room: r.name, Instance: r.instance, Seq: r.seq, Reason: why, Present: r.present(), By: r.cause.by,
		Profile: r.profile.Name,
	}
	if s != nil {
		e.Leg, e.Invite, e.Member, e.Outcome, e.To = s.leg.ID(), s.invite, s.view(), s.out, s.goingTo()
	}
	return e
}
