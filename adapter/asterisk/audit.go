package asterisk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"parley/adapter/trouble"
	"parley/ari"
)

// auditEvery is the time from one comparison with the switch to the next.
const auditEvery = 10 * time.Second

// settleTime is how long a difference must last to be one: what the switch has
// reported may still be on its way to us, by another connection than the lists come
// on, and on a busy machine it takes its time.
const settleTime = time.Second

// Difference is something that the switch and we do not see alike.
type Difference = trouble.Difference

// findings are differences, each with what mends it.
type findings map[Difference]func()

// Audit looks now, whatever the clock says, and mends nothing.
func (l *Link) Audit(ctx context.Context) ([]Difference, error) {
	found, err := l.differ(ctx)
	return slices.Collect(maps.Keys(found)), err
}

// Mismatches is how many differences there ever were.
func (l *Link) Mismatches() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mismatches
}

// audit compares the switch with what we have. What differs twice is told, and
// mended.
func (l *Link) audit(ctx context.Context) {
	defer l.auditing.Store(false)
	first, err := l.differ(ctx)
	var again findings
	if err == nil && len(first) > 0 {
		select {
		case <-time.After(settleTime):
			again, err = l.differ(ctx)
		case <-ctx.Done():
			return
		}
	}
	if err != nil {
		l.blind(ctx, err)
		return
	}
	var stand []Difference
	for d := range again {
		if first[d] != nil {
			stand = append(stand, d)
		}
	}
	// Bridges first: who has lost his with all of a room has not been taken out.
	slices.SortFunc(stand, func(a, b Difference) int { return strings.Compare(a.Call, b.Call) })
	l.tell(stand)
	for _, d := range stand {
		again[d]()
	}
}

// blind says that the switch could not be compared. A connection is no use where
// requests are not obeyed, or the application is gone: to connect says why.
func (l *Link) blind(ctx context.Context, err error) {
	if errors.Is(err, ari.ErrUnregistered) && !l.troubled() {
		l.log.Warn(fmt.Sprintf("ari %s: Asterisk does not have application %q any more, although we are connected: has ari.conf been "+
			"reloaded? We connect again. [ari_unregistered]", l.opt.Name, l.opt.App))
	} else {
		l.log.Log(ctx, l.gravity(), "ari: not compared with the switch", "error", err)
	}
	if ctx.Err() == nil && !l.isReplaced() {
		l.client.Renew()
	}
}

// tell notes the differences of a look, and logs those that are new.
func (l *Link) tell(now []Difference) {
	l.mu.Lock()
	var fresh []Difference
	for _, d := range now {
		if !slices.Contains(l.drift, d) {
			fresh = append(fresh, d)
		}
	}
	l.drift = now
	l.mismatches += uint64(len(fresh))
	l.mu.Unlock()
	for _, d := range fresh {
		l.log.Warn("audit.mismatch", "room", d.Room, "call", d.Call, "what", d.Text)
	}
}

// differ asks the switch for everything.
func (l *Link) differ(ctx context.Context) (findings, error) {
	if err := l.client.MayWrite(ctx); err != nil { // lists are shown to a user who may only read, too
		return nil, err
	}
	if has, err := l.client.Registered(ctx); err != nil {
		return nil, err
	} else if !has {
		return nil, fmt.Errorf("%w: %s", ari.ErrUnregistered, l.opt.App)
	}
	channels, err := l.client.Channels(ctx)
	if err != nil {
		return nil, err
	}
	bridges, err := l.client.Bridges(ctx)
	if err != nil {
		return nil, err
	}
	l.see(channels, bridges)
	found := findings{}
	if l.isReplaced() { // of the rest another client is the judge
		l.differCalls(l.inside(channels), found)
		return found, nil
	}
	l.differBridges(ctx, bridges, found)
	l.differChannels(ctx, channels, bridges, found)
	return found, nil
}

// differCalls looks for calls that the switch does not have.
func (l *Link) differCalls(inside map[string]*ari.Channel, found findings) {
	l.mu.Lock()
	calls := maps.Clone(l.calls)
	l.mu.Unlock()
	for id := range calls {
		if inside[id] == nil {
			found[l.difference("", id, "on the roster, not at the switch")] = func() { l.ended(id, "") }
		}
	}
}

// differBridges looks for bridges of ours that nobody uses, and for rooms that
// have none.
func (l *Link) differBridges(ctx context.Context, bridges []ari.Bridge, found findings) {
	there := map[string]bool{}
	for i := range bridges {
		id := bridges[i].ID
		there[id] = true
		if l.isLeftOver(id) {
			found[l.difference("", "", "bridge "+id+" is left over")] = func() { _ = l.client.DestroyBridge(ctx, id) }
		}
	}
	l.mu.Lock()
	rooms := maps.Clone(l.rooms)
	l.mu.Unlock()
	for id, b := range rooms {
		if !there[id] && b.stood(id) {
			found[l.difference(b.room, "", "the room's bridge is gone")] = func() { l.destroyed(id) } //nolint:contextcheck // a room does not end with the comparison
		}
	}
}

// differChannels looks for calls that the switch does not have, or has
// elsewhere, and for channels of ours that belong to no call.
func (l *Link) differChannels(ctx context.Context, channels []ari.Channel, bridges []ari.Bridge, found findings) {
	inside := l.inside(channels)
	l.differCalls(inside, found)
	for i := range channels {
		ch := &channels[i]
		if l.isMedia(ch.ID) && !l.isUsed(ch.ID) {
			found[l.difference("", ch.ID, "media channel is left over")] = func() {
				l.disarm(ctx, ch.ID)
				_ = l.client.Hangup(ctx, ch.ID, "")
			}
		}
	}
	at := spots(bridges)
	l.mu.Lock()
	calls := maps.Clone(l.calls)
	l.mu.Unlock()
	for id, c := range calls {
		if was, _ := c.where.look(); inside[id] != nil && was != at[id] {
			text := fmt.Sprintf("in bridge %q, not in %q", at[id], was)
			if was != "" && !slices.ContainsFunc(bridges, func(b ari.Bridge) bool { return b.ID == was }) {
				text += ", which is gone" // who came a moment ago, and lost his bridge now, has not been taken out of it for long
			}
			found[l.difference("", id, text)] = func() { c.mislaid(at[id]) }
		}
	}
	for id, ch := range inside {
		if calls[id] == nil && !l.isMedia(id) {
			found[l.difference("", id, "in our application, not on the roster")] = func() {
				l.arrived(ctx, ch, strings.Split(ch.Dialplan.AppData, ",")[1:])
			}
		}
	}
}

func (l *Link) difference(room, call, text string) Difference {
	return Difference{Switch: l.opt.Name, Room: room, Call: call, Text: text}
}

// spots are the bridges that channels are in.
func spots(bridges []ari.Bridge) map[string]string {
	at := map[string]string{}
	for _, b := range bridges {
		for _, channel := range b.ChannelIDs {
			at[channel] = b.ID
		}
	}
	return at
}
