package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options sets up an Exchange.
type Options struct {
	Directory *Directory    // nil = NewDirectory()
	Bridges   BridgeFactory // makes the bridge of each room; required
	Observer  Observer      // nil = nobody
	Throttle  ThrottleOptions
	MaxRooms  int                    // at one time; 0 = 10,000
	Panicked  func(RoomName, any)    // told of a panic in a room's goroutine
	Unplayed  func(RoomName, string) // told once in a room why a sound could not be played, in one line

	// Playable says what is wrong with a sound that a call names, where we mix
	// its room; "" is the default language. It may read files. nil = it is not asked.
	Playable func(spec, language string) error

	Router      Router        // for calls that we make; nil = none can be made
	DialTimeout time.Duration // for a party to answer; 0 = DefaultDialTimeout
	MaxDials    int           // that one room makes at one time; 0 = 20
}

// Exchange knows every running room, and is where calls arrive. Its methods
// may be called from any goroutine.
type Exchange struct {
	house       house
	playable    func(spec, language string) error
	lobby       *lobby
	maxRooms    int
	router      Router
	dialTimeout time.Duration
	busy        atomic.Bool
	dir         atomic.Pointer[Directory]
	quit        chan struct{} // closed when the time of Close is over
	vacated     chan struct{} // closed when the lobby is no more
	closing     sync.Once
	running     sync.WaitGroup

	mu    sync.Mutex
	rooms map[RoomName]*room // guarded by mu: instances that take calls
	all   map[*room]bool     // guarded by mu: those, and the ones that are ending
	shut  bool               // guarded by mu: no room begins any more

	resumed map[InstanceID]bool // guarded by mu: runs of an earlier process
}

// New starts an exchange. Close ends it.
func New(o Options) (*Exchange, error) {
	if o.Bridges == nil {
		return nil, fmt.Errorf("engine: Options.Bridges is not set")
	}
	x := &Exchange{
		maxRooms: o.MaxRooms, rooms: map[RoomName]*room{}, all: map[*room]bool{}, resumed: map[InstanceID]bool{}, quit: make(chan struct{}),
		vacated: make(chan struct{}),
	}
	x.house = house{
		bridges: o.Bridges, throttle: newThrottle(o.Throttle), observe: o.Observer, panicked: o.Panicked,
		archive: &archive{}, signals: &signals{}, jobs: &jobs{}, lines: &lines{}, spawn: x.running.Go, maxDials: o.MaxDials, detach: x.detach, retire: x.retire, forget: x.forget,
		onward: x.onward, busy: x.busy.Load,
	}
	x.playable = o.Playable
	if x.maxRooms == 0 {
		x.maxRooms = 10_000
	}
	x.prepareDials(o)
	if x.house.observe == nil {
		x.house.observe = func(Event) {}
	}
	if x.house.unplayed = o.Unplayed; o.Unplayed == nil {
		x.house.unplayed = func(RoomName, string) {}
	}
	if x.house.panicked == nil {
		x.house.panicked = func(RoomName, any) {}
	}
	if o.Directory == nil {
		o.Directory = NewDirectory()
	}
	x.house.lines.observe = x.house.observe
	x.dir.Store(o.Directory)
	x.lobby = &lobby{exchange: x, box: newMailbox()}
	x.running.Go(func() {
		defer close(x.vacated)
		run(x.lobby, x.lobby.box, x.quit)
		x.lobby.close(time.Now())
	})
	return x, nil
}

// Arrive takes a call on. Its leg posts facts, MediaUp first, to the sink that
// comes back; the engine answers by the leg's methods, Release last.
func (x *Exchange) Arrive(leg Leg, invite Invite) Sink {
	a := arrival{invite: invite.tidy(), request: readVariables(invite.Variables)}
	if invite.Restore != nil {
		invite.Room = string(invite.Restore.Room)
	}
	a.line = x.house.lines.open(leg, a.invite, x.lobby.box)
	defer a.line.coming.Add(-1)
	name, err := ParseRoomName(invite.Room)
	x.listen(name, &a.request)
	switch {
	case x.busy.Load():
		x.wait(a, ReasonNodeBusy)
	case invite.Room == "":
		x.wait(a, ReasonNone)
	case err != nil:
		x.wait(a, ReasonBadRoomName)
	default:
		x.enter(name, a)
	}
	return a.line
}

// listen warns of sounds that a call names and that cannot be played. A switch
// that mixes the room has sounds of its own.
func (x *Exchange) listen(name RoomName, q *request) {
	if x.playable == nil || len(q.sounds) == 0 {
		return
	}
	if p, _, _ := x.dir.Load().Lookup(name, q.profile); p.Mixer != MixerNative {
		return
	}
	for _, s := range q.sounds {
		if err := x.playable(s.Value, q.language); err != nil {
			q.warnings = append(q.warnings, fmt.Sprintf("parley_%s: %v", s.Name, err))
		}
	}
}

// wait sends a call to the lobby, and away where there is none any more.
func (x *Exchange) wait(a arrival, refusal Reason) {
	a.line.coming.Add(1)
	a.line.owner.Store(x.lobby.box)
	if !x.lobby.box.put(lobbyArrival{a, x.dir.Load().Profiles["default"], refusal}) {
		a.turnAway()
	}
}

// turnAway gives a call back that nobody can take on.
func (a arrival) turnAway() {
	a.line.release(Outcome{Result: ResultFailed, Reason: ReasonNodeBusy, Hangup: !a.invite.Dialplan})
}

// enter sends a call to its room, starting the room if need be.
func (x *Exchange) enter(name RoomName, a arrival) {
	if !x.entered(name, a) {
		x.turnedAway(a)
	}
}

// entered is false for a call whose room does not run, and may not begin.
func (x *Exchange) entered(name RoomName, a arrival) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	r := x.rooms[name]
	if r == nil {
		if x.crammed() {
			return false
		}
		r = x.open(name, a.line.leg.ID(), &a.invite, a.request.room)
	}
	a.line.coming.Add(1)
	a.line.owner.Store(r.box)
	r.box.put(a)
	return true
}

// crammed says whether no more rooms may run. Guarded by x.mu.
func (x *Exchange) crammed() bool { return x.shut || len(x.all) >= x.maxRooms }

// open starts a room for its first call, with the room-level variables of that.
func (x *Exchange) open(name RoomName, opener LegID, in *Invite, own []roomSetting) *room {
	r := &room{
		house: &x.house, box: newMailbox(), done: make(chan struct{}), name: name,
		instance: InstanceID(strings.ToLower(rand.Text()[:16])), pending: map[OpID]*waiter{}, had: map[MemberID]LegID{},
		asked: in.Variables["profile"], own: own, opener: opener, origins: in.Origins,
	}
	if back := in.Restore; back != nil {
		x.resume(r, back)
	}
	if warning := r.settle(x.dir.Load()); warning != "" {
		in.Warnings = append(in.Warnings, warning)
	}
	x.rooms[name], x.all[r] = r, true
	x.running.Go(r.run)
	return r
}

// detach frees the name of an instance that is ending.
func (x *Exchange) detach(r *room) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.rooms[r.name] == r {
		delete(x.rooms, r.name)
	}
}

// retire forgets an empty room, unless something is on its way to it.
func (x *Exchange) retire(r *room) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !r.box.closeIfEmpty() {
		return false
	}
	if x.rooms[r.name] == r {
		delete(x.rooms, r.name)
	}
	delete(x.all, r)
	return true
}

// Do asks a command of a running room and waits until it has come true.
func (x *Exchange) Do(ctx context.Context, name RoomName, c Command) error {
	reply := make(chan error, 1)
	r, err := x.send(name, order{c, reply})
	if err != nil {
		return err
	}
	select {
	case err := <-reply:
		return err
	case <-r.done:
		return ended(reply)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ended reads the answer of a room that has ended since.
func ended(reply chan error) error {
	select {
	case err := <-reply:
		return err
	default:
		return ErrClosed
	}
}

// send puts an item into the mailbox of a running room.
func (x *Exchange) send(name RoomName, item any) (*room, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r := x.rooms[name]
	if r == nil || !r.box.put(item) {
		return nil, fmt.Errorf("%w: %s", ErrNoRoom, name)
	}
	return r, nil
}

// Room shows a running room.
func (x *Exchange) Room(ctx context.Context, name RoomName) (RoomView, error) {
	return x.look(ctx, name, false)
}

// Sound shows a room with all that is known of how its members sound: who
// sends nothing and why, whose delay is long, who disturbs the others.
func (x *Exchange) Sound(ctx context.Context, name RoomName) (RoomView, error) {
	return x.look(ctx, name, true)
}

func (x *Exchange) look(ctx context.Context, name RoomName, closely bool) (RoomView, error) {
	reply := make(chan RoomView, 1)
	r, err := x.send(name, viewing{closely, reply})
	if err != nil {
		return RoomView{}, err
	}
	select {
	case v := <-reply:
		return v, nil
	case <-r.done:
		return RoomView{}, fmt.Errorf("%w: %s", ErrNoRoom, name)
	case <-ctx.Done():
		return RoomView{}, ctx.Err()
	}
}

// Rooms shows every running room, by name.
func (x *Exchange) Rooms(ctx context.Context) ([]RoomView, error) {
	views := []RoomView{}
	for _, name := range x.names() {
		v, err := x.Room(ctx, name)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil {
			views = append(views, v)
		}
	}
	return views, nil
}

func (x *Exchange) names() []RoomName {
	x.mu.Lock()
	defer x.mu.Unlock()
	names := make([]RoomName, 0, len(x.rooms))
	for n := range x.rooms {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Reload puts a new configuration in force: for new calls and rooms at once,
// for live rooms as the lines that come back say.
func (x *Exchange) Reload(ctx context.Context, d *Directory) []string {
	x.dir.Store(d)
	var report []string
	for _, name := range x.names() {
		reply := make(chan []string, 1)
		r, err := x.send(name, reloading{d, reply})
		if err != nil {
			continue
		}
		select {
		case lines := <-reply:
			report = append(report, lines...)
		case <-r.done:
		case <-ctx.Done():
			return report
		}
	}
	return report
}

// Throttled is how many sources of wrong PINs are slowed down now.
func (x *Exchange) Throttled(now time.Time) int { return x.house.throttle.braked(now) }

// SetBusy makes new calls be refused with node_busy: overload, or draining.
func (x *Exchange) SetBusy(on bool) { x.busy.Store(on) }

// Close ends every room, gives every call back, and returns when all is done
// or ctx ends: who hears why until then is given back at that moment.
func (x *Exchange) Close(ctx context.Context) error {
	x.SetBusy(true)
	stop := context.AfterFunc(ctx, func() { x.closing.Do(func() { close(x.quit) }) })
	defer stop()
	x.mu.Lock()
	x.shut = true // an arrival may have seen that we were not busy
	x.mu.Unlock()
	x.lobby.box.put(vacate{})
	for _, name := range x.names() {
		_ = x.Do(ctx, name, vacate{}) // who has ended meanwhile is no matter
	}
	err := x.waitRooms(ctx)
	<-x.vacated
	if err != nil {
		return err
	}
	x.running.Wait()
	return nil
}

func (x *Exchange) waitRooms(ctx context.Context) error {
	for {
		x.mu.Lock()
		var r *room
		for r = range x.all {
			break
		}
		x.mu.Unlock()
		if r == nil {
			return nil
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// forget drops a room that ended by a panic and so could not retire.
func (x *Exchange) forget(r *room) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.rooms[r.name] == r {
		delete(x.rooms, r.name)
	}
	delete(x.all, r)
}
