package phone

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"parley/engine"
	"parley/sip"
)

// DefaultUnheard is how long a call may be silent from its beginning before
// the log says so.
const DefaultUnheard = 5 * time.Second

// alarm tells once of a call from which nothing has ever come, though it is
// not held. Its timer runs apart from the call's events.
type alarm struct {
	phones  *Phones
	id      engine.LegID
	info    sip.Info
	claimed bool // by a switch
	voice   *Media
	session atomic.Pointer[sip.Session] // agreed on last
	timer   *time.Timer
}

// arm starts the alarm of a call whose media begins.
func (t *talk) arm(id engine.LegID, s sip.Session) {
	a := &alarm{phones: t.phones, id: id, info: t.call.Info(), claimed: t.claim != nil, voice: t.voice}
	a.session.Store(&s)
	a.timer = time.AfterFunc(t.phones.opt.Unheard, a.ring)
	t.alarm = a
}

func (a *alarm) ring() {
	s, st := a.session.Load(), a.voice.port.Stats()
	if st.PacketsIn > 0 || a.voice.endures.Load() || s.Held() || !s.Direction.Receives() || !s.Remote.IsValid() {
		return
	}
	o := a.phones.opt
	text := fmt.Sprintf("leg %s from %s: no media received in %v; we sent %d packets to %s%s. "+
		"Firewall or NAT? Range %s/udp, advertised address %s (set media.advertise)",
		a.id, a.info.Source.Addr(), o.Unheard, st.PacketsOut, s.Remote, unusable(st.Dropped), o.Ports, o.Advertise)
	who := "the caller"
	if a.claimed {
		who = "the switch"
	}
	if at := s.Remote.Addr(); at.IsPrivate() && at != a.info.Source.Addr() {
		text += fmt.Sprintf("; %s advertises %s, which we cannot reach: docker network? [media_addr]", who, at)
	} else {
		text += ". [no_media]"
	}
	o.Log.Warn(text)
}

// unusable says what came and could not be used.
func unusable(dropped map[string]uint64) string {
	var all []string
	for _, why := range slices.Sorted(maps.Keys(dropped)) {
		all = append(all, fmt.Sprintf("%d by %s", dropped[why], why))
	}
	if all == nil {
		return ""
	}
	return " and dropped " + strings.Join(all, ", ")
}
