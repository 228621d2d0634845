package asterisk

import (
	"context"
	"strings"

	"parley/ari"
)

// Prefixes of what we create at a switch, so that a successor knows it.
const (
	mediaPrefix  = "parley-media-"
	bridgePrefix = "parley-bridge-"
)

// resync compares what the switch has with what we know, after a connect:
// calls that ended meanwhile end here, calls that wait for somebody are
// served, and what a dead predecessor left is removed.
func (l *Link) resync(ctx context.Context) {
	channels, err := l.client.Channels(ctx)
	if err != nil {
		l.log.Warn("ari: channels not listed", "error", err)
		return
	}
	there := map[string]bool{}
	for i := range channels {
		there[channels[i].ID] = true
	}
	ended := l.missing(there)
	for _, c := range ended {
		c.tell(&missing{})
	}
	served, removed := 0, l.sweep(ctx, channels)
	for i := range channels {
		if args, ours := l.waiting(&channels[i]); ours {
			served++
			l.arrived(ctx, &channels[i], args)
		}
	}
	l.log.Info("ari "+l.opt.Name+": compared with the switch", "ended", len(ended), "waiting", served, "removed", removed)
}

// missing returns the calls whose channel is not there any more.
func (l *Link) missing(there map[string]bool) []*call {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []*call
	for id, c := range l.calls {
		if !there[id] {
			list = append(list, c)
		}
	}
	return list
}

// waiting says whether a channel sits in our application without a call here,
// and with which arguments.
func (l *Link) waiting(ch *ari.Channel) (args []string, ours bool) {
	d := ch.Dialplan
	if d == nil || !strings.EqualFold(d.AppName, "Stasis") || strings.HasPrefix(ch.ID, mediaPrefix) {
		return nil, false
	}
	fields := strings.Split(d.AppData, ",")
	if fields[0] != l.opt.App {
		return nil, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return fields[1:], l.calls[ch.ID] == nil
}

// sweep removes media channels and bridges that nobody here uses.
func (l *Link) sweep(ctx context.Context, channels []ari.Channel) (removed int) {
	for i := range channels {
		if id := channels[i].ID; strings.HasPrefix(id, mediaPrefix) && !l.used(id) {
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
		if id, ok := strings.CutPrefix(b.ID, bridgePrefix); ok && !l.used(mediaPrefix+id) {
			if l.client.DestroyBridge(ctx, b.ID) == nil {
				removed++
			}
		}
	}
	return removed
}

func (l *Link) used(mediaID string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byMedia[mediaID] != nil
}
