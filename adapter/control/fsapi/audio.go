package fsapi

import (
	"slices"

	"parley/engine"
)

// The sides of a member that "uuid_audio" changes.
const (
	readMute   = "read mute"
	writeMute  = "write mute"
	readLevel  = "read level"
	writeLevel = "write level"
)

// change is what "uuid_audio" has done to one side of a member.
type change struct {
	back engine.Command // to what was before
	busy int            // of those commands that are being carried out, which the next events are about
}

// touches notes that a side is about to be changed; how it was counts once. The
// caller holds mu.
func (g *guest) touches(what string, back engine.Command) {
	if g.audio == nil {
		g.audio = map[string]*change{}
	}
	if g.audio[what] == nil {
		g.audio[what] = &change{back: back}
	}
	g.audio[what].busy++
}

// touched is the end of what touches has begun. The caller holds mu.
func (g *guest) touched(what string) {
	if c := g.audio[what]; c != nil {
		c.busy--
	}
}

// heeds leaves a side as it is that somebody else has set since. The caller holds
// mu.
func (g *guest) heeds(e engine.Event) {
	for what, c := range g.audio {
		if c.busy == 0 && isAbout(e, what) {
			delete(g.audio, what)
		}
	}
}

// isAbout says whether an event tells of a side of its member, changed or not.
func isAbout(e engine.Event, what string) bool {
	switch what {
	case readMute:
		return e.Type == engine.EventMuted || e.Type == engine.EventUnmuted
	case writeMute:
		return e.Type == engine.EventDeafened || e.Type == engine.EventUndeafened
	case readLevel:
		return e.Type == engine.EventModified && slices.Contains(e.Changes, engine.ChangeTalk)
	default:
		return e.Type == engine.EventModified && slices.Contains(e.Changes, engine.ChangeListen)
	}
}
