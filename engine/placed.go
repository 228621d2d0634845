package engine

import (
	"errors"
	"strings"
	"sync"
	"time"
)

// Times of a call that a switch makes for us.
const (
	VerdictTime = 10 * time.Second // for the switch to tell, when the party had time enough
	ArrivalTime = 20 * time.Second // from the answer until we have the call
)

// ErrNotTaken is a call that was answered at a switch and did not come to us.
var ErrNotTaken = errors.New("engine: the call was answered, but not taken by us")

// Placed is a call that a switch makes for us: a Way waits for it, and answered
// it arrives like any other, known by its leg. Its methods may be called from
// any goroutine.
type Placed struct {
	OutCall
	Endpoint string // at the switch
	ended    chan error
	once     sync.Once
}

// NewPlaced is a call of a Way to an endpoint.
func NewPlaced(c OutCall, endpoint string) *Placed {
	return &Placed{OutCall: c, Endpoint: endpoint, ended: make(chan error, 1)}
}

// Settle says what has become of it: nil is that it has arrived. What comes
// after the first word is not heard.
func (p *Placed) Settle(err error) { p.once.Do(func() { p.ended <- err }) }

// Ended gets what Settle says, once.
func (p *Placed) Ended() <-chan error { return p.ended }

// Arrival is what it arrives with, by a kind of leg of a switch.
func (p *Placed) Arrival(kind, name string) Invite {
	in := p.Invite
	in.Kind, in.Switch = kind, name
	if in.Caller.Number == "" {
		in.Caller.Number = Party(p.Endpoint)
	}
	return in
}

// Party is whom an endpoint of a switch names: PJSIP/1001@trunk,
// sofia/gateway/gw/123, user/1001@domain.
func Party(endpoint string) string {
	name := endpoint[strings.LastIndexByte(endpoint, '/')+1:]
	name, _, _ = strings.Cut(name, "@")
	return strings.TrimPrefix(name, "sip:")
}

// Orders are the calls that are being placed, by their legs. The zero value is
// ready, and its methods may be called from any goroutine.
type Orders struct {
	mu  sync.Mutex
	all map[LegID]*Placed // guarded by mu
}

// Add notes a call that is to come.
func (o *Orders) Add(p *Placed) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all == nil {
		o.all = map[LegID]*Placed{}
	}
	o.all[p.Leg] = p
}

// Remove forgets it.
func (o *Orders) Remove(p *Placed) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.all, p.Leg)
}

// Find is the order of a leg, or nil.
func (o *Orders) Find(leg LegID) *Placed {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all[leg]
}
