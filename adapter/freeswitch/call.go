package freeswitch

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync/atomic"
	"time"

	"parley/engine"
	"parley/engine/native"
	"parley/esl"
	"parley/esl/conference"
	"parley/internal/tasks"
)

var (
	errBridge  = errors.New("freeswitch: the bridge to our SIP endpoint ended before audio came")
	errSilence = errors.New("freeswitch: the switch did not connect the caller with our SIP endpoint")
	errBusy    = errors.New("freeswitch: our SIP endpoint takes no more calls")
	errLeft    = errors.New("freeswitch: the call is over, or elsewhere")
	errMute    = errors.New("freeswitch: the switch does not answer")
	errLink    = errors.New("freeswitch: no link to the switch")

	errOccupied = errors.New("freeswitch: the name is taken at the switch")
)

// place is where a call is, as seen by who controls it.
type place int

const (
	here  place = iota // in the dialplan's socket line, or in a conference we run
	moved              // the switch has transferred it
	away               // hung up, or nobody can control it any more
)

// control is how a call is told things: over the socket that its dialplan
// opened, or, where there is none, over the link to its switch.
type control interface {
	Start(ctx context.Context, app, arg string) (id string, err error)
	SetVars(ctx context.Context, vars map[string]string) error
	API(ctx context.Context, cmd, arguments string) (string, error)
	Events() <-chan *esl.Event // closed at the end of the control
	Exit(ctx context.Context) error
}

// call is one channel of a switch in our hands. What is not atomic belongs to
// its goroutine, serve. Its audio is with us, by a bridge to our SIP endpoint,
// or at the switch: there it hears what the switch plays, or is in a conference.
// A bridge can stand inside a conference: the call is out of the mix then, and
// back in it, with all its rights, when the bridge ends, whatever became of us.
type call struct {
	adapter *Adapter
	control control
	session *esl.Session // its own socket; nil: it has none
	dump    dump         // of an adopted one: what the switch had of it
	uuid    string
	profile string         // of its dialling to us
	codecs  string         // to offer us
	codec   string         // it has at the switch
	asked   string         // profile of ours that the dialplan named
	link    *Link          // of its switch; nil: none is configured
	order   *engine.Placed // that it was made by; nil: by a dialplan
	log     *slog.Logger
	done    chan struct{} // closed at the end
	tasks   *tasks.Queue
	release chan engine.Outcome // capacity 1

	over     atomic.Bool                        // the call has left
	adopted  atomic.Bool                        // it has no socket: its dialplan goes on when its conference is over
	rights   atomic.Pointer[engine.Rights]      // to be remembered; nil: nothing new
	token    atomic.Bool                        // they are on the channel
	last     atomic.Pointer[engine.MemberState] // that it had in its room
	untaken  atomic.Pointer[error]              // why its room did not have it
	recalled atomic.Bool                        // it is to stay in its conference without us
	gap      atomic.Int64                       // from the order to bring its audio here until it was, in ns; 0: it was not
	voice    atomic.Pointer[native.Leg]         // nil: the audio is at the switch
	inside   atomic.Pointer[inside]             // nil: in no conference
	still    atomic.Uint64                      // the engine.OpID of what its conference plays to it and has paused; 0: nothing
	echoes   echoes                             // of orders about its place there

	original  map[string]string // of the variables that are borrowed
	sink      engine.Sink
	media     Media         // nil: the audio is at the switch
	peer      string        // UUID that the switch gives its leg to us
	connected chan struct{} // closed when the bridge stands; nil: it does, or none was begun
	bridge    string        // Application-UUID of the bridge; "": it does not run
	stage     string        // Application-UUID of the conference; "": it does not run, or was not begun by us
	onStage   func()        // joins the next conference when that has ended; nil = there is none
	fetch     *fetch        // audio is on its way to us
	parting   *parting
	where     *Bridge // of the conference that was asked to take the call
	speaker   speaker
	place     place
	deflected deflection
	retries   bool // its dialplan tries again when we are gone
	parted    bool // LegGone has been posted
}

// inside is a call's place in a conference of its switch.
type inside struct {
	conference string
	member     conference.MemberID
	state      engine.MemberState // that the conference has for him, less what we could not know
	locked     bool               // the conference was, when he was taken on in it
}

func (a *Adapter) newCall(uuid string, by control) *call {
	return &call{
		adapter: a, control: by, uuid: uuid, log: a.opt.Log.With("call", uuid),
		done: make(chan struct{}), tasks: tasks.New(), release: make(chan engine.Outcome, 1),
		original: map[string]string{}, peer: a.legs + strings.ToLower(rand.Text()),
	}
}

// prepare subscribes, and makes sure that the caller's dialplan goes on
// whatever becomes of us. Results of an earlier room are removed. earlier is
// the same channel's stay in a socket line that it was transferred from: what
// we see of it may be what was borrowed then. A call that is back keeps what
// brought it here until it has something newer.
func (c *call) prepare(ctx context.Context, s *esl.Session, earlier *call, back bool) error {
	if err := s.Linger(ctx, lingering); err != nil {
		return err
	}
	if err := s.MyEvents(ctx); err != nil {
		return err
	}
	vars := c.borrow(earlier, s.Var)
	maps.Copy(vars, noResults())
	if !back {
		vars[tokenVariable], vars[fallbackVariable] = "", ""
	}
	vars[lostVariable], c.original[tokenVariable], c.original[fallbackVariable] = "", "", ""
	return s.SetVars(ctx, vars)
}

// enter brings the call to its room.
func (c *call) enter(in engine.Invite) {
	c.sink = c.adapter.opt.Exchange.Arrive(&leg{c}, in)
	if c.order != nil {
		c.order.Settle(nil)
	}
	if c.media != nil {
		c.media.Attach(c.sink)
	}
	c.sink.Post(engine.MediaUp{Leg: c.id()})
}

// serve stays with the call until it is given back.
func (c *call) serve(ctx context.Context) {
	lose := func(why engine.Reason) { c.sink.Post(engine.LegGone{Leg: c.id(), Reason: why}) }
	events, ending := c.control.Events(), ctx.Done()
	var verdict <-chan time.Time // after the end of the audio: why?
	for {
		select {
		case o := <-c.release:
			c.giveBack(ctx, o)
			return
		case <-c.tasks.Wake():
			c.work()
		case <-c.hungUp():
			c.homeless()
			verdict = time.After(bridgeEnd)
		case e := <-events:
			was := c.place
			if c.follow(ctx, e) {
				verdict = time.After(bridgeEnd)
			}
			if e == nil {
				events = c.rescued()
			}
			c.tell(was, e == nil)
		case <-verdict: // the call has not left, its audio has
			if verdict = nil; c.lost() {
				lose(engine.ReasonMediaLost)
			}
		case <-ending:
			ending = nil
			lose(engine.ReasonSwitchLost)
		}
	}
}

// work does what others have asked for.
func (c *call) work() {
	for _, do := range c.tasks.Take() {
		do()
	}
}

// rescued is called when nothing controls the call any more. One that stands in
// a conference is not over by that: the link to its switch takes it on.
func (c *call) rescued() <-chan *esl.Event {
	if c.inside.Load() == nil || c.link == nil || c.adopted.Load() {
		return nil
	}
	n, err := c.link.connect(c.uuid)
	if err != nil {
		return nil
	}
	c.log.Warn("freeswitch: the call's socket is lost; it goes on over the link to its switch")
	c.control, c.place = n, here
	c.adopted.Store(true)
	return n.Events()
}

// tell reports that the call has left.
func (c *call) tell(was place, over bool) {
	if was != here || c.place == here {
		return
	}
	c.over.Store(true)
	if c.parted {
		return
	}
	c.parted = true
	gone := engine.LegGone{Leg: c.id(), Reason: engine.ReasonHangup}
	switch {
	case over:
		gone.Reason = engine.ReasonSwitchLost
		c.adapter.returns.Miss(time.Now(), c.uuid)
	case c.place == moved:
		gone.Reason = engine.ReasonTransferred
	case c.deflected.op != 0:
		c.goneElsewhere(&gone)
	}
	c.sink.Post(gone)
}

// ended says whether the call has been given back.
func (c *call) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *call) id() engine.LegID { return engine.LegID(c.uuid) }

// follow takes an event, nil when there will be none any more: it keeps track
// of where the call is and what runs on it, and says whether the bridge to us
// has just ended. A call that was transferred gets its variables back at once:
// it has no use for ours.
func (c *call) follow(ctx context.Context, e *esl.Event) (bridgeEnded bool) {
	switch {
	case e == nil, e.Name() == "CHANNEL_HANGUP":
		c.place, c.deflected.end = away, e
	case e.Name() == "DTMF":
		c.pressed(e.Value("DTMF-Digit"), e.Value("DTMF-Duration"))
	case e.Name() == "CHANNEL_EXECUTE":
		c.begun(e)
	case e.Name() == "CHANNEL_BRIDGE":
		c.bridged(e)
	case e.Name() != "CHANNEL_EXECUTE_COMPLETE":
	case e.Value("Application") == "socket" && c.place == here:
		c.place = moved
		c.adapter.returns.End(c.uuid)
		vars := maps.Clone(c.original)
		maps.Copy(vars, noResults())
		vars[bridgeStatus] = ""
		c.set(ctx, vars)
	case e.Value("Application-UUID") == c.bridge:
		c.bridge = ""
		if f := c.fetch; f != nil {
			f.failed = fmt.Errorf("%w: %s", errBridge, e.Var("originate_disposition"))
			f.cancel() // nobody comes any more
		}
		c.arrived()
		return true
	case e.Value("Application") == "conference":
		c.offStage(ctx)
	default:
		c.finished(e)
	}
	return false
}

// set sets variables of the channel. Values come from callers and dialplans;
// what the switch would not take as it stands is taken out.
func (c *call) set(ctx context.Context, vars map[string]string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settling)
	defer cancel()
	clean := map[string]string{}
	for name, value := range vars {
		clean[name] = literal(value)
	}
	if err := c.control.SetVars(ctx, clean); err != nil {
		c.log.Warn("freeswitch: variables not set", "error", err)
	}
}

// api runs a command of the switch for this call.
func (c *call) api(cmd, arguments string) (string, error) {
	ctx, cancel := brief()
	defer cancel()
	return c.control.API(ctx, cmd, arguments)
}

// literal makes a text that the switch takes for itself: without line breaks,
// and without what begins an expansion.
func literal(text string) string {
	if esl.Literal(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '$':
			return -1
		case r < ' ':
			return ' '
		}
		return r
	}, text)
}

// fail gives a call back that never had audio.
func (c *call) fail(ctx context.Context, err error) {
	if c.place != here {
		c.log.Info("freeswitch: the call left before its audio came")
		return
	}
	c.log.Warn("freeswitch: no audio came; the call goes on in its dialplan", "error", err)
	why := engine.ReasonMediaLost
	if no, ours := errors.AsType[*engine.RefusalError](err); ours {
		why = no.Reason
	} else if errors.Is(err, errBusy) {
		why = engine.ReasonNodeBusy
	}
	c.giveBack(ctx, engine.Outcome{Result: engine.ResultFailed, Reason: why})
}

// results are variables that show an outcome.
func results(o engine.Outcome) map[string]string {
	vars := map[string]string{}
	for _, v := range o.Variables() {
		vars["parley_"+v.Name] = v.Value
	}
	return vars
}

// noResults are the same variables, of a call that is in a room or to be.
func noResults() map[string]string {
	vars := results(engine.Outcome{})
	for name := range vars {
		vars[name] = ""
	}
	return vars
}

// bridgeStatus is how our end of the bridge ended, "sip:200". Sofia would tell
// it to a caller who is refused before he was answered, as an answer.
const bridgeStatus = "last_bridge_proto_specific_hangup_cause"

// giveBack writes the results on the channel and lets the dialplan go on, or
// ends the call. By then nothing of ours runs on it, so that what comes next
// has the caller's audio. The end of ctx does not hinder it: we may be leaving.
func (c *call) giveBack(ctx context.Context, o engine.Outcome) {
	ctx = context.WithoutCancel(ctx)
	if c.remains(ctx, o) {
		return
	}
	c.clear(ctx, o)
	if c.place != here {
		return
	}
	vars := maps.Clone(c.original)
	if c.bridge != "" || c.stage != "" || len(c.speaker.doomed) > 0 {
		vars["socket_resume"] = "true" // it still runs: only this gets the caller out of it
	}
	if c.willReturn() {
		delete(vars, tokenVariable)
		delete(vars, fallbackVariable)
		o.Hangup = false
	} else {
		c.adapter.returns.End(c.uuid)
		maps.Copy(vars, results(o))
	}
	vars[bridgeStatus] = ""
	c.set(ctx, vars)
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	if o.Hangup {
		if _, err := c.control.API(ctx, "uuid_kill", c.uuid+" "+string(cmp.Or(o.Cause, engine.CauseNormal))); err != nil {
			c.log.Warn("freeswitch: call not ended", "error", err)
		}
		return
	}
	if err := c.control.Exit(ctx); err != nil {
		c.log.Warn("freeswitch: no goodbye from the switch", "error", err)
	}
}
