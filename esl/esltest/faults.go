package esltest

import (
	"slices"
	"strconv"
)

// Log is a line of the switch's log, for those connections that read it.
func (k *Core) Log(level int, file, text string) {
	k.mu.Lock()
	links := slices.Clone(k.links)
	k.mu.Unlock()
	for _, s := range links {
		s.Log(level, file, text)
	}
}

// Overtaken mutes a member who has just been unmuted, and sends the two events
// in the wrong order, as threads of the switch that overtake each other do.
func (k *Core) Overtaken(uuid string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.find(uuid)
	if c == nil || c.member == nil {
		return
	}
	const number = 1 << 40 // more than there were before
	c.member.mute = true
	k.tellOf(c.member, "mute-member", "Event-Sequence", strconv.Itoa(number+1))
	k.tellOf(c.member, "unmute-member", "Event-Sequence", strconv.Itoa(number))
}
