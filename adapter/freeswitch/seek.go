package freeswitch

import (
	"time"

	"parley/esl/conference"
)

// seekEvery is the pause between looks for a newcomer.
const seekEvery = 200 * time.Millisecond

// seek looks for a newcomer in the conference over his call's own socket. While
// the link is down, nobody tells that he has come.
func (b *Bridge) seek(m *member) {
	if b.find(m.id) != m || m.admit == 0 || m.call.session == nil {
		return
	}
	if b.link.connection() == nil {
		if in := roster(b.ask(m.call), m.call.uuid); in != nil {
			b.entered(m, conference.Event{Member: in.ID, Hear: in.Hear, Speak: in.Speak})
			return
		}
	}
	time.AfterFunc(seekEvery, func() { b.do(func() { b.seek(m) }) })
}

// ask is the conference as a call's own socket shows it; nil: it does not.
func (b *Bridge) ask(c *call) *conference.Room {
	ctx, cancel := brief()
	defer cancel()
	text, err := c.session.API(ctx, "conference", "json_list")
	if err != nil {
		return nil
	}
	rooms, err := conference.ParseJSON([]byte(text))
	if err != nil {
		return nil
	}
	for i := range rooms {
		if rooms[i].Name == b.room {
			return &rooms[i]
		}
	}
	return nil
}
