package fsapi

import (
	"strings"

	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
)

// transfer sends members to another room, "name" or "name@profile".
func (c *call) transfer() bool {
	if len(c.words) < 2 {
		return false
	}
	to, profile, _ := strings.Cut(c.words[0], "@")
	for _, who := range c.words[1:] {
		m := c.meant(who)
		if m == nil {
			c.printf("-ERR No Member %s in conference %s.\n", who, c.name)
			continue
		}
		if c.do(engine.Transfer{Member: m.ID, To: engine.RoomName(to), Profile: profile}) {
			c.printf("+OK Member '%d' sent to conference %s.\n", m.ID, c.words[0])
		}
	}
	return true
}

// sent tells that a member goes to another room. Where to stands before the
// action.
func (r *run) sent(id engine.MemberID, to string) telling {
	h := append(r.room(nil), r.memberHeaders(r.members[id], "")...)
	return maintenance(append(h, esl.Header{Name: "Old-Conference-Name", Value: r.name}, esl.Header{Name: "New-Conference-Name", Value: to},
		esl.Header{Name: "Action", Value: string(conference.Transferred)}))
}
