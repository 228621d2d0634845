package fsapi

import (
	"time"

	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
)

// cdrSubclass is that of the record of a room that has ended.
const cdrSubclass = "conference::cdr"

// maxRecords is how many members and refusals the record of a room keeps: the
// latest.
const maxRecords = 10_000

// record notes a member's stay for the room's record.
func (r *run) record(g *guest, e engine.Event) {
	end := e.Invite.Variables["end_on_exit"]
	r.stays = latest(r.stays, conference.Stay{
		Caller: g.cdrCaller(), Joined: g.view.JoinedAt, Left: e.Time, Moderator: g.view.Role == moderator,
		EndConference: end == "any" || end == "true", Mandatory: end == "last",
		Kicked: e.Reason == engine.ReasonKicked && len(r.leaves[g.view.ID]) == 0, Order: int(g.view.ID),
	})
}

// refused notes who was turned away, for the reasons that the switch notes.
func (r *run) refused(e engine.Event) {
	reason := map[engine.Reason]string{
		engine.ReasonPINFailed: "invalid_pin", engine.ReasonLocked: "conference_locked", engine.ReasonFull: "max_members_reached",
	}[e.Reason]
	if reason == "" {
		return
	}
	g := guest{view: e.Member, invite: e.Invite, called: e.Invite.Job != ""}
	g.view.CallID, g.view.Number, g.view.Name, g.view.Switch = e.Leg, e.Invite.Caller.Number, e.Invite.Caller.Name, e.Invite.Switch
	r.attempts = latest(r.attempts, conference.Attempt{Caller: g.cdrCaller(), Reason: reason, At: e.Time})
}

func latest[T any](list []T, item T) []T {
	if len(list) >= maxRecords {
		list = list[1:]
	}
	return append(list, item)
}

func (g *guest) cdrCaller() conference.CDRCaller {
	m := &g.view
	return conference.CDRCaller{
		Username: m.Number, Dialplan: "XML", Name: g.name(), Number: m.Number, Address: sourceAddress(g.invite),
		Destination: g.destination(), UUID: g.uuid(), Source: "parley", Context: "default", Channel: channelName(m),
		CalleeName: g.seen.Name, CalleeNumber: g.seen.Number, ANI: g.seen.Number,
	}
}

// cdr is the record of a room that has ended.
func (a *API) cdr(r *run, end time.Time, forced bool) telling {
	body := conference.PrintCDR(&conference.CDR{
		Name: r.name, Hostname: a.opts.Hostname, Rate: r.rate, Begin: r.since, End: end, Forced: forced, Stays: r.stays, Attempts: r.attempts,
	})
	return telling{"CUSTOM", cdrSubclass, esl.Headers{{Name: "CDR-Source", Value: cdrSubclass}}, []byte(body)}
}
