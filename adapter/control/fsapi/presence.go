package fsapi

import (
	"fmt"
	"strconv"

	"parley/esl"
)

// maintenance is an event about a room.
func maintenance(h esl.Headers) telling { return telling{"CUSTOM", subclass, h, nil} }

// presence is PRESENCE_IN, which has the lamps of phones show that there is
// somebody in a room. The caller holds mu.
func (a *API) presence(r *run) telling {
	a.presences++
	h := esl.Headers{
		{Name: "proto", Value: "conf"},
		{Name: "login", Value: r.name},
		{Name: "from", Value: r.name + "@" + domain},
		{Name: "event_type", Value: "presence"},
		{Name: "alt_event_type", Value: "dialog"},
		{Name: "event_count", Value: strconv.Itoa(a.presences)},
		{Name: "unique-id", Value: r.name},
	}
	n := len(r.members)
	if n == 0 {
		return telling{"PRESENCE_IN", "", append(h, esl.Headers{
			{Name: "force-status", Value: "Inactive"},
			{Name: "channel-state", Value: "CS_HANGUP"},
			{Name: "answer-state", Value: "terminated"},
			{Name: "call-direction", Value: "inbound"},
		}...), nil}
	}
	status, answer, direction := "Active (1 caller)", "early", "outbound"
	if n > 1 {
		status, answer, direction = fmt.Sprintf("Active (%d callers)", n), "confirmed", "inbound"
	}
	return telling{"PRESENCE_IN", "", append(h, esl.Headers{
		{Name: "force-status", Value: status},
		{Name: "channel-state", Value: "CS_ROUTING"},
		{Name: "answer-state", Value: answer},
		{Name: "presence-call-direction", Value: direction},
	}...), nil}
}
