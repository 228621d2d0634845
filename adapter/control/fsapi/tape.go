package fsapi

import (
	"context"
	"strings"
	"time"

	"parley/engine"
	"parley/esl"
)

const recordSyntax = "<uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]"

// recordCall records what one member says; the switch has both directions in it.
func (a *API) recordCall(ctx context.Context, arguments string) string {
	words := split(arguments)
	c, ok := a.member(ctx, words[0])
	if !ok {
		return "-ERR Cannot locate session!\n"
	}
	verb, file := strings.ToLower(words[1]), words[2]
	var each func(name string) engine.Command
	session := " recording session!\n"
	switch verb {
	case "start":
		return a.tape(ctx, &c, file, append(words, "")[3])
	case "stop":
		each = func(name string) engine.Command { return engine.StopRecord{File: name} }
		session = " record session!\n"
	case "pause", "resume":
		each = func(name string) engine.Command { return engine.PauseRecord{File: name, On: verb == "pause"} }
	case "mask", "unmask":
		each = func(name string) engine.Command { return engine.MuteRecord{File: name, On: verb == "mask"} }
	default:
		return usage(recordSyntax)
	}
	done := false
	for _, t := range tapesOf(&c) {
		if t.Name == file || verb == "stop" && strings.EqualFold(file, "all") {
			done = a.do(ctx, &c, each(t.Name)) == nil || done
		}
	}
	if !done {
		return "-ERR Cannot " + verb + session
	}
	return success
}

// tapesOf are the recordings of a member alone.
func tapesOf(c *channel) (list []engine.Recording) {
	for _, t := range c.room.Recordings {
		if t.Member == c.member.ID {
			list = append(list, t)
		}
	}
	return list
}

// tape begins a recording, in place of a file that is there; it ends after so
// many seconds, 0 = by itself never. As at the switch, one that runs is as good as
// begun.
func (a *API) tape(ctx context.Context, c *channel, file, seconds string) string {
	for _, t := range tapesOf(c) {
		if t.Name == file {
			return success
		}
	}
	limit := time.Duration(max(0, atoi(seconds))) * time.Second
	err := a.do(ctx, c, engine.Record{Member: c.member.ID, File: file, Exists: engine.ExistsReplace, MaxDuration: limit})
	if err != nil {
		a.opts.Log.Warn("uuid_record: "+err.Error(), "room", c.room.Name)
		return "-ERR Cannot record session!\n"
	}
	return success
}

// tapes tells of the recording of a member, which at the switch is one of his
// channel. Of what never began nothing is told.
func (r *run) tapes(e engine.Event) []telling {
	is := e.Recording
	switch e.Type { //nolint:exhaustive // pauses are not told
	case engine.EventRecordStarted:
		if g := r.members[is.Member]; g != nil {
			r.taped[is.Name] = g
			return []telling{g.tape("RECORD_START", esl.Header{Name: "Record-File-Path", Value: is.Name})}
		}
	case engine.EventRecordEnded, engine.EventRecordFailed:
		g, why := r.taped[is.Name], "success-maxtime" // so is called what a command ends, too
		delete(r.taped, is.Name)
		switch {
		case e.Type == engine.EventRecordFailed:
			why = "uri-failure"
		case is.End == engine.RecordLeft, is.End == engine.RecordSilent:
			why = "success-silence"
		}
		if g != nil {
			return []telling{g.tape("RECORD_STOP", esl.Header{Name: "Record-File-Path", Value: is.Name}, esl.Header{Name: "Record-Completion-Cause", Value: why})}
		}
	}
	return nil
}

func (g *guest) tape(name string, more ...esl.Header) telling {
	return telling{name: name, headers: append(g.channel(talking("")), more...)}
}
