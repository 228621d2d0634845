package asterisk

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"parley/ari"
	"parley/ari/audiosocket"
)

// Names of what we create at a switch, so that a successor with the same
// application knows it: these, then a UUID.
func (l *Link) mediaPrefix() string  { return "parley-media-" + l.opt.App + "-" }
func (l *Link) bridgePrefix() string { return "parley-bridge-" + l.opt.App + "-" }
func (l *Link) roomPrefix() string   { return "parley-room-" + l.opt.App + "-" }

// ownUUID is the UUID in the name of something we create; ok is false for the
// names of others, such as an application whose name begins with ours.
func ownUUID(prefix, name string) (id string, ok bool) {
	id, ok = strings.CutPrefix(name, prefix)
	if !ok {
		return "", false
	}
	_, err := audiosocket.ParseUUID(id)
	return id, err == nil
}

func (l *Link) isMedia(channel string) bool {
	_, ok := ownUUID(l.mediaPrefix(), channel)
	return ok
}

// resync compares what the switch has with the calls that were known before
// the connection: calls that ended meanwhile end here, calls that wait for
// somebody are served, and what a dead predecessor left is removed.
func (l *Link) resync(ctx context.Context, before []*call) {
	channels, err := l.client.Channels(ctx)
	if err != nil {
		l.log.Warn("ari: channels not listed", "error", err)
		return
	}
	inside := l.inside(channels)
	ended := l.compare(before, inside)
	removed := l.sweep(ctx, channels, before)
	for _, c := range before {
		delete(inside, c.channel) // here or, by now, gone: not waiting
	}
	waiting := 0
	for _, ch := range byAge(inside) {
		if !l.isMedia(ch.ID) && l.call(ch.ID) == nil {
			waiting++
			l.arrived(ctx, ch, strings.Split(ch.Dialplan.AppData, ",")[1:])
		}
	}
	l.log.Info("ari "+l.opt.Name+": compared with the switch", "ended", ended, "waiting", waiting, "removed", removed)
}

// byAge puts channels in order: who has waited longest is served first.
func byAge(channels map[string]*ari.Channel) []*ari.Channel {
	return slices.SortedFunc(maps.Values(channels), func(a, b *ari.Channel) int {
		at, bt := a.Creationtime, b.Creationtime
		return cmp.Or(cmp.Compare(at.GetSeconds(), bt.GetSeconds()), cmp.Compare(at.GetNanos(), bt.GetNanos()), cmp.Compare(a.ID, b.ID))
	})
}

// inside are the channels that are in our application.
func (l *Link) inside(channels []ari.Channel) map[string]*ari.Channel {
	all := map[string]*ari.Channel{}
	for i := range channels {
		if l.isInside(&channels[i]) {
			all[channels[i].ID] = &channels[i]
		}
	}
	return all
}

// isInside says whether a channel is in our application.
func (l *Link) isInside(ch *ari.Channel) bool {
	d := ch.Dialplan
	if d == nil || !strings.EqualFold(d.AppName, "Stasis") {
		return false
	}
	app, _, _ := strings.Cut(d.AppData, ",")
	return app == l.opt.App
}

// compare brings the calls up to date with events that nobody has told. A hold
// may have ended, too: a caller who still holds sends nothing anyway.
func (l *Link) compare(before []*call, inside map[string]*ari.Channel) (ended int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range before {
		if inside[c.channel] == nil {
			ended++
			if l.calls[c.channel] == c {
				delete(l.calls, c.channel)
			}
			c.left.set()
			continue
		}
		if inside[c.mediaID] != nil {
			c.mediaIn.set()
		}
		c.hold(false)
	}
	return ended
}

// sweep removes media channels and bridges that nobody here uses. The callers
// are still in the application, and will be served: the handlers of the media
// must not send them on.
func (l *Link) sweep(ctx context.Context, channels []ari.Channel, before []*call) (removed int) {
	for i := range channels {
		if id := channels[i].ID; l.isMedia(id) && !l.isUsed(id) {
			l.disarm(ctx, id)
			if l.client.Hangup(ctx, id, "") == nil {
				removed++
			}
		}
	}
	bridges, err := l.client.Bridges(ctx)
	if err != nil {
		l.log.Warn("ari: bridges not listed", "error", err)
		return removed
	}
	for _, b := range bridges {
		if l.isLeftOver(b.ID) && l.client.DestroyBridge(ctx, b.ID) == nil {
			removed++
		}
	}
	l.see(channels, bridges)
	l.locate(bridges, before) //nolint:contextcheck // rooms do not end with the comparison
	return removed
}

// isLeftOver says whether a bridge is one of ours that nobody here uses.
func (l *Link) isLeftOver(bridge string) bool {
	_, private := ownUUID(l.bridgePrefix(), bridge)
	_, room := ownUUID(l.roomPrefix(), bridge)
	l.mu.Lock()
	defer l.mu.Unlock()
	return private && l.private[bridge] == nil || room && l.rooms[bridge] == nil
}

// locate makes up for reports of who came into a bridge, or out of it, that
// were lost.
func (l *Link) locate(bridges []ari.Bridge, calls []*call) {
	found := findings{}
	l.differBridges(context.Background(), bridges, found)
	for _, mend := range found {
		mend()
	}
	at := spots(bridges)
	for _, c := range calls {
		if was, _ := c.where.look(); was != at[c.channel] {
			c.mislaid(at[c.channel])
		}
	}
}

func (l *Link) room(id string) *Bridge {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rooms[id]
}

// isUsed says whether a media channel belongs to a call that lives here.
func (l *Link) isUsed(mediaID string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byMedia[mediaID] != nil
}
