package ariserver

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/engine"
)

// call is a leg as a channel.
type call struct {
	channel
	room    engine.RoomName
	member  engine.MemberID // 0 = it is none (yet)
	bridge  *room           // nil = it is in none
	app     string          // that it is in
	job     engine.JobID    // that it was called by
	address string          // then
	talking time.Time       // since when; zero = it does not
	entered bool            // its application
	codec   string          // as "PCMU/8000"; "" = unknown

	created  *engine.Dial  // what it was created for; nil = it is dialled, or has come by itself
	unused   *time.Timer   // ends it when nobody dials it; nil = it was not created
	external bool          // its audio is there without a call: RTP to a program, or a snoop
	turn     chan struct{} // capacity 1: full while an order to one that was created is carried out; nil = none was
}

// room is a room as a bridge.
type room struct {
	bridge
	name engine.RoomName
	kept bool              // a client has made it: it stays when its room ends
	ends bool              // a client has it end
	vars map[string]string // that clients have set; never changed
}

// Observe follows the engine; it is an engine.Observer. Events are sent in the
// order that they come in.
func (s *Server) Observe(e engine.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed { // else the end of all has been told
		s.follows(e)
	}
}

func (s *Server) follows(e engine.Event) {
	switch e.Type {
	case engine.EventArrived:
		s.comes(e)
	case engine.EventEnded:
		s.ends(e)
	case engine.EventRoomStarted:
		s.roomStarted(e)
	case engine.EventRoomEnded:
		s.roomEnded(e)
	case engine.EventDialing, engine.EventRinging, engine.EventDialed:
		s.dials(e)
	case engine.EventWaiting:
		s.waits(e)
	case engine.EventJoined:
		s.joins(e)
	case engine.EventRestored:
		s.restores(e)
	case engine.EventLeft:
		s.leaves(e)
	case engine.EventRejected: // its end follows
	case engine.EventTalking, engine.EventSilent:
		s.talks(e)
	case engine.EventDigit:
		s.digit(e)
	case engine.EventHeld, engine.EventUnheld:
		s.holds(e)
	case engine.EventPlaying, engine.EventPlayed, engine.EventPlayContinues, engine.EventPlayPaused, engine.EventPlayResumed:
		s.plays(e)
	case engine.EventPlayQueued, engine.EventPlayModified: // it is so from the beginning; a seek, a gain: there is no event of these
	case engine.EventRecordStarted, engine.EventRecordPaused, engine.EventRecordResumed, engine.EventRecordEnded, engine.EventRecordFailed:
		s.records(e)
	case engine.EventRoomLocked, engine.EventRoomUnlocked, engine.EventRoomModified, engine.EventRoomMoved,
		engine.EventIgnored, engine.EventMuted, engine.EventUnmuted, engine.EventDeafened, engine.EventUndeafened,
		engine.EventModified, engine.EventSpeaker, engine.EventHandRaised, engine.EventHandLowered:
		s.tellUser(e)
	}
}

func (s *Server) comes(e engine.Event) {
	if s.calls[string(e.Leg)] == nil { // else it comes again
		s.newCall(string(e.Leg), nameOf(e.Invite), e, "Up", s.opt.App)
	}
}

func (s *Server) restores(e engine.Event) {
	if s.joins(e); e.Member.State == "waiting" {
		s.waits(e)
	}
}

// bridgeOf finds the bridge of a room by its name.
func (s *Server) bridgeOf(name engine.RoomName) *room {
	for _, r := range s.rooms {
		if r.name == name {
			return r
		}
	}
	return nil
}

// roomOf is the room of an event: an instance whose id is no bridge yet may run
// in one that a client has made.
func (s *Server) roomOf(e engine.Event) *room {
	if r := s.rooms[string(e.Instance)]; r != nil {
		return r
	}
	return s.bridgeOf(e.Room)
}

func (s *Server) roomStarted(e engine.Event) {
	if s.roomOf(e) != nil {
		return
	}
	s.newRoom(string(e.Instance), e.Room, e.Time)
}

// newRoom makes a bridge and tells of it.
func (s *Server) newRoom(id string, name engine.RoomName, at time.Time) *room {
	r := &room{name: name, bridge: bridge{
		ID: id, Technology: "softmix", Type: "mixing", Class: "stasis", Creator: "Parley", Name: string(name), Channels: []string{},
		CreationTime: stamp(at), VideoMode: "none",
	}}
	s.rooms[id] = r
	s.tell("BridgeCreated", at, &onBridge{Bridge: r.bridge}, subject{bridge: id})
	return r
}

func (s *Server) roomEnded(e engine.Event) {
	if r := s.roomOf(e); r != nil && !r.kept {
		s.dropRoom(r, e.Time)
	}
}

func (s *Server) dropRoom(r *room, at time.Time) {
	delete(s.rooms, r.ID)
	s.tell("BridgeDestroyed", at, &onBridge{Bridge: r.bridge}, subject{bridge: r.ID})
	s.unsubscribeAll("bridge:" + r.ID)
}

// callOf finds or makes the channel of an event's leg.
func (s *Server) callOf(e engine.Event) *call {
	c := s.calls[string(e.Leg)]
	if c == nil {
		c = s.newCall(string(e.Leg), nameOf(e.Invite), e, "Up", s.opt.App)
	}
	if c.room == "" { // he was asked for it
		c.Dialplan = planOf(c.app, e.Room)
	}
	c.member, c.room, c.codec = e.Member.ID, e.Room, e.Member.Codec
	if who := e.Invite.Caller; who.Number != "" || who.Name != "" {
		c.Caller = callerID{who.Name, who.Number}
	}
	return c
}

// nameOf is the name of a call's channel, without the number of the channel.
func nameOf(in engine.Invite) string {
	return strings.ToUpper(cmp.Or(in.Kind, "sip")) + "/" + cmp.Or(in.Caller.Number, "anonymous")
}

func (s *Server) newCall(id, name string, e engine.Event, state, app string) *call {
	s.made++
	c := &call{
		room: e.Room, app: app, codec: e.Member.Codec,
		channel: channel{
			ID: id, Name: fmt.Sprintf("%s-%08x", name, s.made), State: state, ProtocolID: id,
			Caller:       callerID{e.Invite.Caller.Name, e.Invite.Caller.Number},
			Dialplan:     planOf(app, e.Room),
			CreationTime: stamp(e.Time), Language: "en",
		},
	}
	s.calls[id] = c
	s.follow(c, "channel:"+id)
	s.tell("ChannelCreated", e.Time, &onChannel{Channel: c.channel}, c.subject())
	return c
}

// planOf is the dialplan of a call to a room.
func planOf(app string, room engine.RoomName) dialplan {
	return dialplan{Context: "parley", Exten: string(room), Priority: 1, AppName: "Stasis", AppData: app + "," + string(room)}
}

// subject is whom the events of a call concern.
func (c *call) subject() subject { return subject{channel: c.ID} }

// own is whom it concerns that a call comes into its application, and leaves it:
// that, too, if a client has it hear nothing else of the call.
func (c *call) own() subject { return subject{channel: c.ID, app: c.app} }

// arrives brings a call into its application, once.
func (s *Server) arrives(c *call, e engine.Event) {
	if c.entered {
		return
	}
	c.entered = true
	s.tell("StasisStart", e.Time, &stasisStart{Args: []string{string(e.Room), e.Member.Role}, Channel: c.channel}, c.own())
}

// waits follows a member who is kept apart: he is in the application, and in no
// bridge.
func (s *Server) waits(e engine.Event) {
	c := s.callOf(e)
	s.arrives(c, e)
	s.leaveBridge(c, e.Time)
}

func (s *Server) joins(e engine.Event) {
	c := s.callOf(e)
	s.arrives(c, e)
	r := s.roomOf(e)
	if r == nil || c.bridge == r {
		return
	}
	r.Channels = append(slices.Clone(r.Channels), c.ID)
	c.bridge = r
	s.follow(c, "bridge:"+r.ID)
	s.tell("ChannelEnteredBridge", e.Time, &between{Bridge: r.bridge, Channel: c.channel}, subject{channel: c.ID, bridge: r.ID})
}

func (s *Server) leaveBridge(c *call, at time.Time) {
	r := c.bridge
	if r == nil {
		return
	}
	r.Channels = slices.DeleteFunc(slices.Clone(r.Channels), func(id string) bool { return id == c.ID })
	c.bridge = nil
	s.tell("ChannelLeftBridge", at, &between{Bridge: r.bridge, Channel: c.channel}, subject{channel: c.ID, bridge: r.ID})
	if !r.ends && (r.kept || len(r.Channels) > 0) { // else its end follows, which his application is told
		s.unfollow(c, "bridge:"+r.ID)
	}
}

// leaves follows a member out of his room: to another one, to hear something yet, or
// to his end.
func (s *Server) leaves(e engine.Event) {
	if c := s.calls[string(e.Leg)]; c != nil {
		s.leaveBridge(c, e.Time)
		c.member = 0
	}
}

// ends follows a call to its end. One of an order that is not given yet is another.
func (s *Server) ends(e engine.Event) {
	c := s.calls[string(e.Leg)]
	if c == nil || c.created != nil {
		return
	}
	s.leaveBridge(c, e.Time) // it is in none, but where its room has failed
	cause := engine.CauseNormal
	if e.Outcome.Result != engine.ResultJoined && e.Reason != engine.ReasonHangup {
		cause = engine.CauseRejected
	}
	s.destroy(c, e.Time, cmp.Or(e.Outcome.Cause, cause))
}

func (s *Server) destroy(c *call, at time.Time, cause engine.Cause) {
	if c.entered {
		s.tell("StasisEnd", at, &onChannel{Channel: c.channel}, c.own())
	}
	delete(s.calls, c.ID)
	if c.unused != nil {
		c.unused.Stop()
	}
	if c.external {
		s.opt.DropMedia(engine.LegID(c.ID)) // no room has called it, or it is gone already
	}
	number, words := ended(cause)
	s.tell("ChannelDestroyed", at, &destroyed{Cause: number, Text: words, Channel: c.channel}, c.subject())
	s.unsubscribeAll("channel:" + c.ID)
}

// dials follows a call that we make.
func (s *Server) dials(e engine.Event) {
	c := s.calls[string(e.Leg)]
	switch {
	case c == nil && e.Type != engine.EventDialing: // its end has been told
		return
	case c == nil:
		o := cmp.Or(s.orders[e.Leg], &ordered{app: s.opt.App})
		c = s.newCall(string(e.Leg), nameOf(e.Invite), e, "Down", o.app)
		c.Vars = o.vars
		made := c.channel // he may be gone when the order is answered
		o.made = &made
	}
	c.job, c.address, c.room = e.Dial.ID, e.Dial.Address, e.Room
	if c.external && e.Dial.State != engine.DialFailed { // that it is up has been told
		return
	}
	status := ""
	switch e.Dial.State {
	case engine.DialRinging:
		c.State, status = "Ringing", "RINGING"
	case engine.DialAnswered:
		c.State, status = "Up", "ANSWER"
	case engine.DialFailed:
		status = dialStatus(e.Dial.Cause)
	case engine.DialCalling:
	}
	if c.State != "Down" && e.Dial.State != engine.DialFailed {
		s.tell("ChannelStateChange", e.Time, &onChannel{Channel: c.channel}, c.subject())
	}
	s.tell("Dial", e.Time, &dialEvent{Status: status, String: c.address, Peer: c.channel}, c.subject())
	if e.Dial.State == engine.DialFailed {
		s.destroy(c, e.Time, e.Dial.Cause)
	}
}

func (s *Server) talks(e engine.Event) {
	c := s.calls[string(e.Leg)]
	switch {
	case c == nil:
	case e.Type == engine.EventTalking:
		c.talking = e.Time
		s.tell("ChannelTalkingStarted", e.Time, &onChannel{Channel: c.channel}, c.subject())
	case !c.talking.IsZero():
		took := int(e.Time.Sub(c.talking).Milliseconds())
		c.talking = time.Time{}
		s.tell("ChannelTalkingFinished", e.Time, &talkingFinished{Duration: took, Channel: c.channel}, c.subject())
	}
}

// unknownPress is what Asterisk takes a key for of which it does not know how long
// it was held.
const unknownPress = 100 * time.Millisecond

func (s *Server) digit(e engine.Event) {
	c := s.calls[string(e.Leg)]
	if c == nil {
		return
	}
	held := int(cmp.Or(e.Held, unknownPress).Milliseconds())
	s.tell("ChannelDtmfReceived", e.Time, &dtmf{Digit: string(rune(e.Digit)), Duration: held, Channel: c.channel}, c.subject())
	s.pressed(c, e.Digit)
}

func (s *Server) holds(e engine.Event) {
	c := s.calls[string(e.Leg)]
	switch {
	case c == nil:
	case e.Type == engine.EventHeld:
		s.tell("ChannelHold", e.Time, &onChannel{Channel: c.channel}, c.subject())
	default:
		s.tell("ChannelUnhold", e.Time, &onChannel{Channel: c.channel}, c.subject())
	}
}

// tellUser tells what Asterisk has no event for, as a user's event with our
// name for it.
func (s *Server) tellUser(e engine.Event) {
	u := &userevent{Name: string(e.Type), Event: map[string]any{"eventname": string(e.Type), "room": string(e.Room)}}
	if e.Reason != engine.ReasonNone {
		u.Event["reason"] = string(e.Reason)
	}
	if len(e.Changes) > 0 {
		u.Event["what"] = strings.Join(e.Changes, "; ")
	}
	sub := subject{}
	if r := s.roomOf(e); r != nil {
		b := r.bridge
		u.Bridge, sub.bridge = &b, r.ID
	}
	if c := s.calls[string(e.Leg)]; c != nil {
		copied := c.channel
		u.Channel, sub.channel = &copied, c.ID
		u.Event["member"], u.Event["role"] = e.Member.ID, e.Member.Role
		u.Event["muted"], u.Event["deaf"] = e.Member.Muted, e.Member.Deaf
	}
	s.tell("ChannelUserevent", e.Time, u, sub)
}
