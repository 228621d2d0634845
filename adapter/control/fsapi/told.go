package fsapi

import (
	"slices"
	"strconv"
	"strings"

	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
)

// louder tells of a gain that has been set. The switch has other words for a
// command than for a key, and for a key the two sides are mixed up in them.
func (r *run) louder(e engine.Event) (told []telling) {
	byKey := strings.HasPrefix(e.By, "by key")
	for _, side := range []struct {
		change         string
		to             engine.Decibels
		command, byKey conference.Action
	}{
		{engine.ChangeTalk, e.Member.Talk, conference.VolumeInSet, conference.TalkKey},
		{engine.ChangeListen, e.Member.Listen, conference.VolumeOutSet, conference.ListenKey},
	} {
		step := conference.Step(float64(side.to))
		switch {
		case !slices.Contains(e.Changes, side.change):
		case byKey:
			told = append(told, r.tell(side.byKey, e.Member.ID, esl.Headers{{Name: "New-Level", Value: strconv.Itoa(step)}}))
		default:
			told = append(told, r.tell(side.command, e.Member.ID, level(step)))
		}
	}
	return told
}

// plays tells of what a command has played: that it begins or waits, and when it
// is over.
func (r *run) plays(e engine.Event) telling {
	file := strings.Join(e.Play.What.Items, "!")
	async := strconv.FormatBool(strings.HasSuffix(e.Play.ID, " async"))
	id := e.Member.ID
	if e.Type != engine.EventPlayed {
		if name := r.typed[e.Play.ID]; name != "" {
			file = name
		}
		delete(r.typed, e.Play.ID)
		if id != 0 {
			return r.tell(conference.PlayMember, id, esl.Headers{{Name: "File", Value: file}})
		}
		return r.tell(conference.PlayFile, 0, esl.Headers{{Name: "File", Value: file}, {Name: "Async", Value: async}})
	}
	if e.Play.Err != nil && id == 0 {
		return r.tell(conference.PlayFile, 0, esl.Headers{{Name: "File", Value: file}, {Name: "Async", Value: async}, {Name: "Error", Value: "File could not be played"}})
	}
	h := r.room(nil)
	action := conference.PlayDone
	if id != 0 {
		action = conference.MemberDone
	}
	ms := e.Play.For.Milliseconds()
	for _, p := range []esl.Header{
		{Name: "seconds", Value: strconv.FormatInt(ms/1000, 10)},
		{Name: "milliseconds", Value: strconv.FormatInt(ms, 10)},
		{Name: "samples", Value: strconv.FormatInt(ms*int64(r.rate)/1000, 10)},
		{Name: "Action", Value: string(action)},
	} {
		h = append(h, p)
	}
	if g := r.members[id]; g != nil {
		h = r.memberHeaders(r.room(h), g, "")
	}
	h = append(h, esl.Header{Name: "File", Value: file})
	if async == "true" {
		h = append(h, esl.Header{Name: "Async", Value: async})
	}
	return maintenance(h)
}

// dialed tells the result of a call out that "bgdial" has ordered.
func (r *run) dialed(e engine.Event) []telling {
	if e.Dial == nil || !strings.HasPrefix(string(e.Dial.ID), bgJob) {
		return nil
	}
	h := append(r.room(nil), esl.Header{Name: "Action", Value: string(conference.DialResult)}, esl.Header{Name: "Result", Value: string(e.Dial.Cause)},
		esl.Header{Name: "Job-UUID", Value: strings.TrimPrefix(string(e.Dial.ID), bgJob)})
	if e.Dial.Cause == engine.CauseSuccess {
		h = append(h, esl.Header{Name: "Peer-UUID", Value: string(e.Dial.Leg)})
	}
	return []telling{maintenance(h)}
}
