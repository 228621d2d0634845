package fsapi

import (
	"maps"
	"strconv"
	"time"

	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
)

// subclass is that of all events about rooms.
const subclass = conference.Subclass

// run is one run of a room, as far as its events tell: what the switch knows of
// it and the engine does not.
type run struct {
	uuid     string
	name     string
	profile  string
	floor    engine.MemberID // 0 = nobody
	members  map[engine.MemberID]*guest
	talked   map[engine.MemberID]time.Time           // when each last did
	leaves   map[engine.MemberID][]conference.Action // what is told of who is being taken out, by each command; "" = nothing beside his leaving
	door     map[string]string                       // files set for "enter" and "exit"
	recorded int                                     // recordings of the room that run
	taped    map[string]*guest                       // whose recordings run, by the name
	typed    map[string]string                       // by ID of the play: what the command has called it
	levels   map[engine.MemberID]levels              // set by command
	usual    levels                                  // of the others
	vars     esl.Headers                             // set by command
	set      map[string]string                       // settings, likewise
	since    time.Time
	rate     int // Hz: the highest that a member's codec had

	stays    []conference.Stay // that are over
	attempts []conference.Attempt
}

// guest is a call, from its arrival or the order to make it to its end; a member, from
// his joining to his leaving.
type guest struct {
	view   engine.MemberView
	invite engine.Invite
	since  time.Time
	vars   map[string]string  // by uuid_setvar
	audio  map[string]*change // what uuid_audio has changed, and nobody since
	seen   engine.Caller      // by him, where we called him
	called bool               // we called him

	ringing bool // he has not answered
	hung    bool // that he has hung up is told
}

// runOf is a copy of what is known of a room.
func (a *API) runOf(id engine.InstanceID) run {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.catchUp()
	r := a.rooms[id]
	if r == nil {
		return run{}
	}
	c := *r
	c.talked, c.door = maps.Clone(r.talked), maps.Clone(r.door)
	c.levels, c.set = maps.Clone(r.levels), maps.Clone(r.set)
	return c
}

// begin follows a run of a room from its first event on.
func (a *API) begin(e engine.Event) *run {
	r := &run{
		uuid: uuidOf(string(e.Instance)), name: string(e.Room), profile: "none", members: map[engine.MemberID]*guest{},
		talked: map[engine.MemberID]time.Time{}, leaves: map[engine.MemberID][]conference.Action{}, typed: map[string]string{}, door: map[string]string{},
		taped: map[string]*guest{}, levels: map[engine.MemberID]levels{}, set: map[string]string{}, since: e.Time, rate: 8000,
	}
	if e.Profile != "" {
		r.profile = e.Profile
	}
	if p := a.opts.Exchange.Profile(e.Room, e.Profile); p != nil {
		r.usual = usualLevels(p)
	}
	a.rooms[e.Instance] = r
	return r
}

// event turns an event of the engine into those of the switch.
func (a *API) event(e engine.Event) []telling {
	if r := a.rooms[e.Instance]; r != nil {
		return a.follow(r, e)
	}
	if e.Type != engine.EventRoomStarted && e.Type != engine.EventRestored {
		return nil
	}
	r := a.begin(e)
	return append([]telling{r.tell(conference.Created, 0, nil)}, a.follow(r, e)...)
}

// follow is event in a run that is known.
func (a *API) follow(r *run, e engine.Event) []telling {
	id := e.Member.ID
	if g := r.members[id]; g != nil && e.Type != engine.EventLeft {
		g.view = e.Member
		g.heeds(e)
	}
	switch e.Type {
	case engine.EventWaiting, engine.EventJoined, engine.EventRestored:
		return a.joined(r, e)
	case engine.EventLeft:
		return a.left(r, e)
	case engine.EventTalking, engine.EventSilent:
		return r.talks(e)
	case engine.EventSpeaker:
		return r.speaks(id)
	case engine.EventModified:
		return r.louder(e)
	case engine.EventPlayQueued, engine.EventPlaying, engine.EventPlayed:
		if e.Type != engine.EventPlaying || !e.Play.Late { // a switch tells when it is queued
			return []telling{r.plays(e)}
		}
	case engine.EventRecordStarted, engine.EventRecordPaused, engine.EventRecordResumed, engine.EventRecordEnded, engine.EventRecordFailed:
		return a.recorded(r, e)
	case engine.EventDialed:
		return r.dialed(e)
	case engine.EventRejected:
		r.refused(e)
	case engine.EventRoomEnded:
		return a.end(r, e)
	default:
		if action, ok := actions()[e.Type]; ok {
			return []telling{r.tell(action, id, nil)}
		}
	}
	return nil
}

// recorded tells of a recording, which comes and goes as a member does there.
func (a *API) recorded(r *run, e engine.Event) []telling {
	told := r.records(e)
	if e.Recording.Member == 0 && (e.Type == engine.EventRecordStarted || e.Recording.File != "" && len(r.members) == 0) {
		told = append(told, a.presence(r))
	}
	return told
}

// end tells of the end of a run, which is followed no longer.
func (a *API) end(r *run, e engine.Event) []telling {
	delete(a.rooms, e.Instance)
	forced := e.Reason == engine.ReasonEnded || e.Reason == engine.ReasonModeratorLeft
	return []telling{a.presence(r), r.tell(conference.Destroyed, 0, nil), a.cdr(r, e.Time, forced)}
}

// actions are the events that are told by one of the switch's alone.
func actions() map[engine.EventType]conference.Action {
	return map[engine.EventType]conference.Action{
		engine.EventMuted:        conference.Muted,
		engine.EventUnmuted:      conference.Unmuted,
		engine.EventDeafened:     conference.Deafened,
		engine.EventUndeafened:   conference.Undeafened,
		engine.EventHeld:         conference.Held,
		engine.EventUnheld:       conference.Unheld,
		engine.EventRoomLocked:   conference.Locked,
		engine.EventRoomUnlocked: conference.Unlocked,
	}
}

// joined tells of a member once, whether he waits at first or not. The first
// one gets the floor.
func (a *API) joined(r *run, e engine.Event) []telling {
	id := e.Member.ID
	if r.members[id] != nil {
		return nil
	}
	known := a.calls[e.Leg]
	r.members[id] = &guest{
		view: e.Member, invite: e.Invite, since: known.since, vars: known.vars, seen: known.seen, called: known.called,
	}
	r.rate = max(r.rate, rateOf([]*engine.MemberView{&e.Member}))
	told := []telling{r.tell(conference.AddMember, id, nil), a.presence(r)}
	if r.floor == 0 {
		told = append(told, r.giveFloor(id))
	}
	return told
}

// left tells of a member's leaving, and how he came to leave.
func (a *API) left(r *run, e engine.Event) []telling {
	id := e.Member.ID
	g := r.members[id]
	if g == nil {
		return nil
	}
	var told []telling
	switch how := r.leaves[id]; {
	case len(how) > 0 && how[0] == "", e.Outcome.Cause != "": // somebody has ended his call
	case len(how) > 0:
		told = append(told, r.tell(how[0], id, nil))
	case e.To != "":
		told = append(told, r.sent(id, e.To))
	case e.Reason == engine.ReasonKicked:
		told = append(told, r.tell(conference.Kicked, id, nil))
	}
	if r.floor == id { // whose it was, the switch does not say then
		r.floor = 0
		told = append(told, r.giveFloor(0))
	}
	r.record(g, e)
	if known := a.calls[e.Leg]; known != nil { // he may be on his way to another room
		known.vars = g.vars
	}
	delete(r.members, id)
	delete(r.talked, id)
	delete(r.levels, id)
	delete(r.leaves, id)
	gone := r.memberHeaders(r.room(nil), g, endOf(e))
	told = append(told, a.presence(r), maintenance(append(gone, esl.Header{Name: "Action", Value: string(conference.DelMember)})))
	if r.floor == 0 {
		if next := r.oldest(); next != 0 {
			told = append(told, r.giveFloor(next))
		}
	}
	return told
}

// oldest is the member who has been there longest, or 0.
func (r *run) oldest() engine.MemberID {
	var id engine.MemberID
	for m := range r.members {
		if id == 0 || m < id {
			id = m
		}
	}
	return id
}

// talks follows who speaks. A floor that is nobody's, by command, is his.
func (r *run) talks(e engine.Event) []telling {
	id, on := e.Member.ID, e.Type == engine.EventTalking
	if r.members[id] == nil {
		return nil
	}
	r.talked[id] = e.Time
	if e.Member.Muted {
		return nil
	}
	if !on {
		return []telling{r.tell(conference.StopTalking, id, nil)}
	}
	told := []telling{r.tell(conference.StartTalking, id, nil)}
	if r.floor == 0 {
		told = append(told, r.giveFloor(id))
	}
	return told
}

// speaks gives the floor to who has it now. The switch takes it from nobody who
// falls silent.
func (r *run) speaks(id engine.MemberID) []telling {
	if r.members[id] == nil || r.floor == id {
		return nil
	}
	return []telling{r.giveFloor(id)}
}

// giveFloor changes the holder. The action stands in the middle, and of a new
// holder both sets of headers come.
func (r *run) giveFloor(to engine.MemberID) telling {
	h := r.room(nil)
	h = append(h, esl.Header{Name: "Action", Value: string(conference.FloorChange)}, esl.Header{Name: "Old-ID", Value: idOr(r.floor)})
	r.floor = to
	if g := r.members[to]; g != nil {
		h = r.memberHeaders(r.room(h), g, "")
	}
	return maintenance(append(h, esl.Header{Name: "New-ID", Value: idOr(to)}))
}

func idOr(id engine.MemberID) string {
	if id == 0 {
		return "none"
	}
	return id.String()
}

// tell makes an event about the room, or with a member about him.
func (r *run) tell(action conference.Action, id engine.MemberID, more esl.Headers) telling {
	h := r.room(nil)
	if g := r.members[id]; g != nil {
		h = r.memberHeaders(h, g, "")
	}
	h = append(h, esl.Header{Name: "Action", Value: string(action)})
	return maintenance(append(h, more...))
}

// room appends the headers that every event has. Of none it begins a list with
// room for those of a member.
func (r *run) room(h esl.Headers) esl.Headers {
	if h == nil {
		h = make(esl.Headers, 0, usual)
	}
	h = append(h,
		esl.Header{Name: "Conference-Name", Value: r.name},
		esl.Header{Name: "Conference-Domain", Value: domain},
		esl.Header{Name: "Conference-Size", Value: strconv.Itoa(len(r.members))},
		esl.Header{Name: "Conference-Ghosts", Value: "0"},
		esl.Header{Name: "Conference-Profile-Name", Value: r.profile},
		esl.Header{Name: "Conference-Unique-ID", Value: r.uuid},
	)
	return append(h, r.vars...)
}

// domain is Conference-Domain, of which we have none.
const domain = "parley"
