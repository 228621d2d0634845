package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"strings"
	"time"
)

// Times and sizes of calls out.
const (
	DefaultDialTimeout = time.Minute // to answer
	maxDialTimeout     = 10 * time.Minute
	maxAddress         = 512 // bytes
	defaultMaxDials    = 20  // that one room makes at one time
)

// Dial is a call to be made into a room. When its party answers, it becomes a
// member by the same way as a caller: Exchange.Dial waits for that,
// Exchange.BgDial does not. The room is started if it does not run.
//
// Whoever orders a call vouches for its party: no PIN is asked and the lock
// does not count, unless Variables say enforce_security=true. A seat is kept
// from the order on.
//
// For `conference NAME dial ADDRESS NUMBER NAME` of FreeSWITCH: Room and Address
// as they stand there, Caller from the last two; `dial` answers with the Cause
// of the Job that comes back, `bgdial` with its ID, and its bgdial-result is the
// event EventDialed, whose Dial has the job.
type Dial struct {
	Room      RoomName
	Address   string            // what it can be is up to the Router
	Caller    Caller            // whom the party sees; "" = the room's title or name, and what is configured
	Party     Caller            // as lists show the member; "" = as the Router reads the address
	Variables map[string]string // as of a caller who arrives with them, without the prefix
	Origins   map[string]string // of those, as an Invite has them
	Warnings  []string          // likewise
	Channel   map[string]string // for the channel, at a switch: variables; by SIP: X- headers
	Timeout   time.Duration     // for the party to answer; 0 = Options.DialTimeout
	Job       JobID             // "" = one is made
	Leg       LegID             // that the call shall have; "" = one is made
}

// Router finds the way to an address: an error wraps ErrNoRoute, or is a
// RefusalError.
type Router func(address string) (Way, error)

// Way makes one call. It returns nil when the call is answered and was handed
// to Exchange.Arrive, with the leg and invite that it got, and a *CallError or
// the error of ctx, which ends at the timeout, when it was not. It must be
// quick to return after that.
type Way func(ctx context.Context, c OutCall) error

// OutCall is what a Way has to know.
type OutCall struct {
	Leg     LegID // of the engine.Leg to make
	Caller  Caller
	Channel map[string]string
	Invite  Invite // to arrive with; the Way fills in Kind, Switch, and Caller where it is empty
	Timeout time.Duration
	Ringing func(status int) // told of each sign of progress; status is SIP's, 0 = unknown
}

// RefusalError is an order that a rule does not allow now; its reason is the word
// that a caller would get.
type RefusalError struct {
	Reason Reason
	Why    string // for people; "" = the reason says it all
}

func (e *RefusalError) Error() string {
	if e.Why != "" {
		return "engine: refused: " + string(e.Reason) + ": " + e.Why
	}
	return "engine: refused: " + string(e.Reason)
}

// prepareDials fills in what calls out need.
func (x *Exchange) prepareDials(o Options) {
	if x.router = o.Router; x.router == nil {
		x.router = func(string) (Way, error) { return nil, fmt.Errorf("%w: this Parley makes no calls", ErrNoRoute) }
	}
	if x.dialTimeout = o.DialTimeout; x.dialTimeout == 0 {
		x.dialTimeout = DefaultDialTimeout
	}
	if x.house.maxDials == 0 {
		x.house.maxDials = defaultMaxDials
	}
}

// Dial makes a call into a room, and returns its job when it has been answered
// or has failed. When ctx ends first the call is cancelled. An error says that
// nobody was called.
func (x *Exchange) Dial(ctx context.Context, d Dial) (Job, error) {
	id, err := x.BgDial(ctx, d)
	if err != nil {
		return Job{}, err
	}
	stop := context.AfterFunc(ctx, func() { x.CancelDial(id) })
	defer stop()
	return x.Job(context.WithoutCancel(ctx), id, true)
}

// BgDial begins a call into a room: its room has agreed, and a seat is kept.
// The errors are ErrBadRoomName, ErrBadCommand, ErrNoRoute, ErrTooManyDials,
// ErrInUse (of Job or Leg), RefusalError, and that of ctx, when it ends before the
// room has agreed. An error says that nobody was called.
func (x *Exchange) BgDial(ctx context.Context, d Dial) (JobID, error) {
	name, err := d.check()
	if err != nil {
		return "", err
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if x.busy.Load() {
		return "", &RefusalError{Reason: ReasonNodeBusy}
	}
	way, err := x.router(d.Address)
	if err != nil {
		return "", err
	}
	if d.Timeout == 0 {
		d.Timeout = x.dialTimeout
	}
	d.trust()
	if err := x.house.jobs.begin(time.Now(), &d); err != nil {
		return "", err
	}
	o := outgoing{dial: d, way: way, request: readVariables(d.Variables), reply: make(chan error, 1)}
	r, err := x.place(name, &o)
	if err == nil {
		err = x.agreement(ctx, r, &o)
	}
	if err != nil {
		x.house.jobs.forget(d.Job)
		return "", err
	}
	return d.Job, nil
}

// agreement returns when the room has judged an order. One that nobody waits for any
// more is given up, before the room agrees or after it.
func (x *Exchange) agreement(ctx context.Context, r *room, o *outgoing) error {
	stop := context.AfterFunc(ctx, func() { x.CancelDial(o.dial.Job) })
	defer stop()
	select {
	case err := <-o.reply:
		return err
	case <-r.done:
		return ended(o.reply)
	}
}

// trust lets whom we call in without a PIN, unless the order says otherwise.
func (d *Dial) trust() {
	if _, set := d.Variables["enforce_security"]; set {
		return
	}
	d.Variables = maps.Clone(d.Variables)
	if d.Variables == nil {
		d.Variables = map[string]string{}
	}
	d.Variables["enforce_security"] = "false"
}

// check judges an order, and fills in what was left to us.
func (d *Dial) check() (RoomName, error) {
	name, err := ParseRoomName(string(d.Room))
	switch {
	case err != nil:
		return "", err
	case d.Address == "" || len(d.Address) > maxAddress || shown(d.Address, maxAddress) != d.Address:
		return "", fmt.Errorf("%w: address %q, want 1 to %d bytes of one line", ErrBadCommand, clip(d.Address), maxAddress)
	case d.Timeout < 0 || d.Timeout > maxDialTimeout:
		return "", fmt.Errorf("%w: timeout of %v, want up to %v", ErrBadCommand, d.Timeout, maxDialTimeout)
	case !legName(string(d.Leg)) || !legName(string(d.Job)):
		return "", fmt.Errorf("%w: id %q, want up to %d of A-Z a-z 0-9 . _ - : @", ErrBadCommand, clip(string(d.Leg)+string(d.Job)), maxLeg)
	}
	for _, v := range []Caller{d.Caller, d.Party} {
		if shown(v.Name, maxShown) != v.Name || shown(v.Number, maxShown) != v.Number {
			return "", fmt.Errorf("%w: name or number %q, want up to %d bytes of one line", ErrBadCommand, clip(v.Name+v.Number), maxShown)
		}
	}
	if d.Job == "" {
		d.Job = JobID(newUUID())
	}
	if d.Leg == "" {
		d.Leg = LegID(newUUID())
	}
	return name, nil
}

// legName says whether s can be an id that was chosen by somebody else.
func legName(s string) bool {
	return len(s) <= maxLeg && strings.IndexFunc(s, func(r rune) bool {
		return r > 127 || !roomByte(byte(r)) && r != ':' && r != '@'
	}) < 0
}

// newUUID makes a random UUID (RFC 9562 §5.4): switches want ids to look so.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// place puts an order into the mailbox of its room, starting that if need be.
func (x *Exchange) place(name RoomName, o *outgoing) (*room, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r := x.rooms[name]
	if r == nil {
		if x.crammed() {
			return nil, &RefusalError{Reason: ReasonNodeBusy}
		}
		r = x.open(name, o.dial.Leg, &Invite{Variables: o.dial.Variables, Origins: o.dial.Origins}, o.request.room)
	}
	if !r.box.put(o) {
		return nil, &RefusalError{Reason: ReasonEnded}
	}
	return r, nil
}

// CancelDial gives a call up that is not answered yet.
func (x *Exchange) CancelDial(id JobID) { x.house.jobs.cancel(id, CauseOriginatorCancel) }

// Job shows a call that was ordered not long ago; with wait, when it is over:
// answered, or failed.
func (x *Exchange) Job(ctx context.Context, id JobID, wait bool) (Job, error) {
	if wait {
		done, err := x.house.jobs.done(id)
		if err != nil {
			return Job{}, err
		}
		select {
		case <-done:
		case <-ctx.Done():
			return Job{}, ctx.Err()
		}
	}
	return x.house.jobs.find(id)
}
