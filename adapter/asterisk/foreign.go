package asterisk

import (
	"context"
	"slices"
	"time"

	"parley/ari"
)

const confBridge = "ConfBridge" // who makes the bridge of such a room

// Foreign is a ConfBridge room: a conference that is not ours.
type Foreign struct {
	Name    string
	Members []ForeignMember
}

// ForeignMember is a call in it. What it may do there ARI does not tell.
type ForeignMember struct{ ID, Number, Name string }

// Foreign are the ConfBridge rooms of the switch, as of the last look.
func (l *Link) Foreign() []Foreign {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.foreign)
}

// see notes the conferences that are not ours.
func (l *Link) see(channels []ari.Channel, bridges []ari.Bridge) {
	who := map[string]ForeignMember{}
	for i := range channels {
		c := &channels[i]
		who[c.ID] = ForeignMember{c.ID, c.GetCaller().GetNumber(), c.GetCaller().GetName()}
	}
	var all []Foreign
	for _, b := range bridges {
		if b.Creator != confBridge {
			continue
		}
		f := Foreign{Name: b.Name}
		for _, id := range b.ChannelIDs {
			if m, ok := who[id]; ok { // not those that Asterisk keeps to itself
				f.Members = append(f.Members, m)
			}
		}
		all = append(all, f)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.foreign = all
	for id, a := range l.adopting {
		if _, there := who[id]; a.recalled.isSet() && (!there || time.Since(a.sent) > straggle) {
			delete(l.adopting, id)
		}
	}
}

// lookForeign looks for the conferences that are not ours.
func (l *Link) lookForeign(ctx context.Context) {
	channels, err := l.client.Channels(ctx)
	if err != nil {
		return // the next comparison says what is wrong
	}
	if bridges, err := l.client.Bridges(ctx); err == nil {
		l.see(channels, bridges)
	}
}
