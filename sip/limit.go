package sip

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Rate is how much one source address may ask of us.
type Rate struct {
	Requests float64 // requests outside calls (INVITE, OPTIONS …) per second; 0 means DefaultRequests
	Burst    int     // of those at once, and calls whose ACK has not come; 0 means DefaultBurst
	Messages float64 // messages of any kind per second, beyond which they are not even read; 0 means DefaultMessages, and 20 for each of Requests
	Sources  int     // addresses remembered; 0 means DefaultSources
	Off      bool    // no limit at all
}

// Defaults of Rate. They let a busy PBX through; a flood is two orders above.
const (
	DefaultRequests = 100
	DefaultBurst    = 400
	DefaultMessages = 2000
	DefaultSources  = 8192
)

// limiter counts what each source asks. It remembers a bounded number of
// sources: when the younger half of its table is full, the older half, which
// nobody in it has used since, is forgotten.
type limiter struct {
	opt Rate

	mu         sync.Mutex
	young, old map[netip.Addr]*allowance // guarded by mu
}

// allowance is what one source may still do.
type allowance struct {
	requests, messages *rate.Limiter
	unconfirmed        atomic.Int32 // calls
}

func newLimiter(o Rate) *limiter {
	if o.Requests == 0 {
		o.Requests = DefaultRequests
	}
	if o.Burst == 0 {
		o.Burst = DefaultBurst
	}
	if o.Messages == 0 {
		o.Messages = max(DefaultMessages, 20*o.Requests)
	}
	if o.Sources == 0 {
		o.Sources = DefaultSources
	}
	return &limiter{opt: o, young: map[netip.Addr]*allowance{}}
}

// request takes one request outside calls from what source may ask.
func (l *limiter) request(source netip.Addr, now time.Time) bool {
	return l.opt.Off || l.of(source).requests.AllowN(now, 1)
}

// message takes one message of any kind.
func (l *limiter) message(source netip.Addr, now time.Time) bool {
	return l.opt.Off || l.of(source).messages.AllowN(now, 1)
}

// place takes one of the calls that a source may have without having confirmed the
// answer: who calls under a false address never does. free gives it back, once.
func (l *limiter) place(source netip.Addr) (free func(), ok bool) {
	if l.opt.Off {
		return func() {}, true
	}
	a := l.of(source)
	if int(a.unconfirmed.Add(1)) > l.opt.Burst {
		a.unconfirmed.Add(-1)
		return nil, false
	}
	return func() { a.unconfirmed.Add(-1) }, true
}

func (l *limiter) of(source netip.Addr) *allowance {
	if source.Is6() { // whoever has one address of a /64 has all of them
		p, _ := source.Prefix(64)
		source = p.Addr()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.young[source]; a != nil {
		return a
	}
	a := l.old[source]
	if a == nil {
		a = &allowance{
			requests: rate.NewLimiter(rate.Limit(l.opt.Requests), l.opt.Burst),
			messages: rate.NewLimiter(rate.Limit(l.opt.Messages), int(2*l.opt.Messages)),
		}
	}
	if len(l.young) >= l.opt.Sources/2 {
		l.old, l.young = l.young, map[netip.Addr]*allowance{}
	}
	l.young[source] = a
	return a
}
