package fsapi

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"parley/engine"
	"parley/esl/conference"
)

// What "uuid_…" commands answer where they say no more than whether it went well.
const (
	operationFailed = "-ERR Operation failed\n"
	success         = "+OK Success\n"
)

// driveCommands are those that do something with a channel.
func driveCommands() []word {
	return []word{
		{"uuid_answer", "<uuid>", 0, (*API).answered},
		{"uuid_audio", audioSyntax, 2, (*API).audio},
		{"uuid_break", "<uuid> [all]", 1, (*API).breakOff},
		{"uuid_bridge", "<uuid> <other_uuid>", 2, (*API).bridge},
		{"uuid_broadcast", "<uuid> <path> [aleg|bleg|holdb|both]", 2, (*API).broadcast},
		{"uuid_deflect", "<uuid> <uri>", 2, (*API).deflect},
		{"uuid_display", "<uuid> <display>", 2, (*API).display},
		{"uuid_hold", "[off|toggle] <uuid> [<display>]", 0, (*API).holdCall},
		{"uuid_kill", "<uuid> [cause]", 1, (*API).kill},
		{"uuid_media", "[off] <uuid>", 0, (*API).bypassMedia},
		{"uuid_park", "<uuid>", 0, (*API).park},
		{"uuid_pre_answer", "<uuid>", 0, (*API).answered},
		{"uuid_record", recordSyntax, 3, (*API).recordCall},
		{"uuid_send_dtmf", "<uuid> <dtmf_data>", 2, (*API).sendKeys},
		{"uuid_transfer", "<uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]", 2, (*API).transferCall},
	}
}

// errNotIn is why a channel cannot do what members can. Other than with us, at the
// switch it mostly could.
var errNotIn = errors.New("Operation failed") //nolint:staticcheck // the switch's words

// do gives a command about a channel. One that is in no room obeys none.
func (a *API) do(ctx context.Context, c *channel, command engine.Command) error {
	if c.member.ID == 0 {
		return errNotIn
	}
	ctx, cancel := brief(ctx)
	defer cancel()
	return a.opts.Exchange.Do(ctx, c.room.Name, command)
}

// sendKeys sends keys to a phone. How long each lasts, "12@200", is for us to say.
func (a *API) sendKeys(ctx context.Context, arguments string) string {
	id, data, _ := strings.Cut(arguments, " ")
	data = strings.TrimLeft(data, " ")
	c, ok := a.member(ctx, id)
	if !ok {
		return "-ERR Cannot locate session!\n"
	}
	keys, _, _ := strings.Cut(data, "@")
	if a.do(ctx, &c, engine.Press{Member: c.member.ID, Digits: strings.ToUpper(keys)}) != nil {
		return operationFailed
	}
	return "+OK " + id + " sent DTMF " + data + ".\n"
}

// breakOff ends what a command has played to a channel.
func (a *API) breakOff(ctx context.Context, arguments string) string {
	id, _, _ := strings.Cut(arguments, " ")
	c, ok := a.member(ctx, id)
	if !ok {
		return noChannel
	}
	return a.order(ctx, &c, engine.StopPlay{Member: c.member.ID}, "+OK\n")
}

// holdCall is "uuid_hold", which is content with a channel that is not there.
func (a *API) holdCall(ctx context.Context, arguments string) string {
	words := append(split(arguments), "", "")
	if words[0] == "" {
		return usage("[off|toggle] <uuid> [<display>]") + operationFailed
	}
	how, id := strings.ToLower(words[0]), words[1]
	if how != "off" && how != "toggle" {
		id = words[0]
	}
	c, ok := a.member(ctx, id)
	hold := engine.Hold{Member: c.member.ID, On: how != "off"}
	if how == "toggle" {
		hold.Next = other(new(bool))
	}
	if ok && a.do(ctx, &c, hold) != nil {
		return operationFailed
	}
	return success
}

const audioSyntax = "<uuid> [start [read|write] [mute|level <level>]|stop]"

// audio mutes or turns up one direction of a channel: "read" is what he says,
// "write" what he hears.
func (a *API) audio(ctx context.Context, arguments string) string {
	words := split(arguments)
	c, ok := a.member(ctx, words[0])
	if !ok {
		return noChannel
	}
	if strings.EqualFold(words[1], "stop") {
		return a.audioAsItWas(ctx, &c)
	}
	if !strings.EqualFold(words[1], "start") || len(words) < 5 {
		return usage(audioSyntax)
	}
	what := strings.ToLower(words[2] + " " + words[3])
	command, back := sided(&c.member, what, words[4])
	if command == nil {
		return usage(audioSyntax)
	}
	a.withGuest(&c, func(g *guest) { g.touches(what, back) })
	answer := a.order(ctx, &c, command, "+OK\n")
	a.withGuest(&c, func(g *guest) { g.touched(what) })
	return answer
}

// sided is what "uuid_audio" does to one side of a member, where of a mute level 0
// ends it, and what takes it back. nil = it does nothing of the kind.
func sided(m *engine.MemberView, what, level string) (command, back engine.Command) {
	step := stepFrom(0, level)
	gain := engine.Loud(engine.Decibels(conference.Gain(step)))
	switch what {
	case readMute:
		return engine.Mute{Member: m.ID, On: step != 0, Quiet: true}, engine.Mute{Member: m.ID, On: m.Muted, Quiet: true}
	case writeMute:
		return engine.Deafen{Member: m.ID, On: step != 0}, engine.Deafen{Member: m.ID, On: m.Deaf}
	case readLevel:
		return engine.Gain{Member: m.ID, Talk: gain}, engine.Gain{Member: m.ID, Talk: engine.Loud(m.Talk)}
	case writeLevel:
		return engine.Gain{Member: m.ID, Listen: gain}, engine.Gain{Member: m.ID, Listen: engine.Loud(m.Listen)}
	}
	return nil, nil
}

// audioAsItWas takes back what "uuid_audio" has done to a channel. What others have
// done stays.
func (a *API) audioAsItWas(ctx context.Context, c *channel) string {
	var changed map[string]*change
	a.withGuest(c, func(g *guest) { changed, g.audio = g.audio, nil })
	for _, what := range slices.Sorted(maps.Keys(changed)) {
		if err := a.do(ctx, c, changed[what].back); err != nil {
			return refusal(err)
		}
	}
	return "+OK\n"
}

// answered is "uuid_answer" and "uuid_pre_answer": who is a member has been.
func (a *API) answered(ctx context.Context, id string) string {
	if _, ok := a.channel(ctx, id); !ok {
		return "-ERROR\n"
	}
	return "+OK\n"
}
