package fsapi

import (
	"context"
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

// transferCall sends a channel to an extension, which with us is a room, or to the
// application "conference".
func (a *API) transferCall(ctx context.Context, arguments string) string {
	words := split(arguments)
	if words[1] == "-bleg" || words[1] == "-both" {
		return "-ERR a member's call has one leg\n"
	}
	c, ok := a.member(ctx, words[0])
	if !ok {
		return noChannel
	}
	command := engine.Transfer{Member: c.member.ID}
	var wrong string
	if command.To, command.Profile, wrong = roomFor(append(words, "")[1:3]); wrong != "" {
		return wrong
	}
	if err := a.dismiss(ctx, &c, command, ""); err != nil {
		return refusal(err)
	}
	return "+OK\n"
}

// roomFor is the room and the profile that a destination and its dialplan mean, or
// the answer to one that a member cannot be sent to.
func roomFor(words []string) (to engine.RoomName, profile, wrong string) {
	d := conference.ParseDestination(words[0], words[1])
	if d.Application == "" {
		return engine.RoomName(d.Extension), "", ""
	}
	if d.Application != "conference" {
		return "", "", "-ERR a member's call goes to a conference, and not to " + d.Application + "\n"
	}
	spec, err := conference.ParseSpec(d.Argument)
	switch {
	case err != nil:
		return "", "", "-ERR NO_ROUTE_DESTINATION\n"
	case spec.PIN != "" || len(spec.Flags) > 0 || spec.Bridge != "":
		return "", "", "-ERR of the room that a member goes to only name and profile can be said\n"
	}
	return engine.RoomName(spec.Name), spec.Profile, ""
}

// sent tells that a member goes to another room. Where to stands before the
// action.
func (r *run) sent(id engine.MemberID, to string) telling {
	h := r.memberHeaders(r.room(nil), r.members[id], "")
	return maintenance(append(h, esl.Header{Name: "Old-Conference-Name", Value: r.name}, esl.Header{Name: "New-Conference-Name", Value: to},
		esl.Header{Name: "Action", Value: string(conference.Transferred)}))
}
