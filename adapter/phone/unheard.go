package phone

import (
	"context"
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

// askTime is how long a room may take to say who a call is.
const askTime = time.Second

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
	a.voice.port.Doubt()
	o := a.phones.opt
	text := fmt.Sprintf("leg %s %s: no media received in %v s; we sent %d packets to %s%s. "+
		"Firewall or NAT? Range %s/udp, advertised address %s (set media.advertise)",
		a.id, a.whose(), o.Unheard.Seconds(), st.PacketsOut, s.Remote, unusable(st.Dropped), o.Ports, o.Advertise)
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

// whose names the call's switch, or where it comes from, and its number in the
// room as soon as it has one: "pbx1 #3".
func (a *alarm) whose() string {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	from := "from " + a.info.Source.Addr().String()
	e, err := a.phones.opt.Exchange.ExplainCall(ctx, a.id)
	if err != nil {
		return from // the call is not in the room yet, or not any more
	}
	if e.Switch != "" {
		from = e.Switch
	}
	if e.Member != 0 {
		from += " #" + e.Member.String()
	}
	return from
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
