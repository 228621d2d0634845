package adapter

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"strings"
	"time"

	"parley/adapter/config"
	"parley/engine"
)

// NewLog makes the process's logger: to w, as the configuration says.
func NewLog(w io.Writer, c config.Log) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.Level}
	if c.Format == "json" {
		return slog.New(newCalm(slog.NewJSONHandler(w, o)))
	}
	return slog.New(newCalm(slog.NewTextHandler(w, o)))
}

// observer writes one line for each admission, leave and refusal, and one for
// what is done to a room. PINs are not in events, so they are not in here.
func observer(log *slog.Logger, also ...engine.Observer) engine.Observer {
	return func(e engine.Event) {
		for _, o := range also {
			o(e)
		}
		logEvent(log, e)
	}
}

// levelOf is how much an event matters to who runs Parley.
func levelOf(e engine.Event) slog.Level {
	switch e.Type {
	case engine.EventTalking, engine.EventSilent, engine.EventSpeaker, engine.EventModified,
		engine.EventDigit,                      // the key itself is nobody's business
		engine.EventArrived, engine.EventEnded: // what becomes of a call is told besides
		return slog.LevelDebug
	case engine.EventRejected:
		if e.Outcome.Result == engine.ResultFailed && e.Reason != engine.ReasonHangup && e.Reason != engine.ReasonTransferred {
			return slog.LevelWarn
		}
	case engine.EventRoomModified:
		if e.Reason != engine.ReasonNone {
			return slog.LevelWarn
		}
	case engine.EventRecordFailed: // logTrouble warns
	case engine.EventRecordStarted, engine.EventRecordPaused, engine.EventRecordResumed, engine.EventRecordEnded, engine.EventRoomStarted, engine.EventRoomEnded, engine.EventRoomLocked, engine.EventRoomUnlocked,
		engine.EventRoomMoved, engine.EventIgnored, engine.EventJoined, engine.EventWaiting,
		engine.EventRestored, engine.EventLeft, engine.EventMuted,
		engine.EventUnmuted, engine.EventDeafened, engine.EventUndeafened, engine.EventHandRaised,
		engine.EventHandLowered, engine.EventHeld, engine.EventUnheld, engine.EventPlayQueued, engine.EventPlaying, engine.EventPlayed, engine.EventPlayContinues, engine.EventPlayPaused, engine.EventPlayResumed,
		engine.EventPlayModified, engine.EventDialing, engine.EventRinging, engine.EventDialed:
	}
	return slog.LevelInfo
}

func logEvent(log *slog.Logger, e engine.Event) {
	ctx, level := context.Background(), levelOf(e)
	if log.Enabled(ctx, level) { // most events, who talks, are for a log of all
		log.LogAttrs(ctx, level, string(e.Type), eventAttrs(e)...)
	}
	logTrouble(log, e)
}

// eventAttrs is what a line says of an event.
func eventAttrs(e engine.Event) []slog.Attr {
	attrs := []slog.Attr{slog.String("room", string(e.Room))}
	switch {
	case e.Recording != nil:
		attrs = append(attrs, recordingAttrs(e.Recording)...)
	case e.Dial != nil:
		attrs = append(attrs, dialAttrs(e.Dial)...)
	case e.Leg != "":
		attrs = append(attrs, callAttrs(e)...)
	}
	if e.Reason != engine.ReasonNone {
		attrs = append(attrs, slog.String("reason", string(e.Reason)))
	}
	if e.Type == engine.EventLeft {
		attrs = append(attrs, slog.String("exit", string(e.Outcome.Exit)), slog.Duration("duration", e.Outcome.Duration))
		if e.To != "" {
			attrs = append(attrs, slog.String("to", e.To))
		}
	}
	if e.Type == engine.EventRestored && e.Gap > 0 {
		attrs = append(attrs, slog.Duration("gap", e.Gap.Round(time.Millisecond)))
	}
	if len(e.Changes) > 0 {
		attrs = append(attrs, slog.String("what", strings.Join(e.Changes, "; ")))
	}
	attrs = append(attrs, slog.Int("present", e.Present))
	if e.Invite.Source != "" {
		attrs = append(attrs, slog.String("source", e.Invite.Source))
	}
	return attrs
}

// logTrouble writes what an event says is wrong.
func logTrouble(log *slog.Logger, e engine.Event) {
	if e.Type == engine.EventRecordFailed {
		log.LogAttrs(context.Background(), slog.LevelWarn, "room "+string(e.Room)+": "+e.Recording.Error+". The room goes on. [recording_failed]")
	}
	if e.Reason == engine.ReasonBadRoomName && e.Invite.Room == "" && e.Invite.Dialplan {
		log.LogAttrs(context.Background(), slog.LevelWarn, "call "+string(e.Leg)+": parley_room not set. [bad_room_name]")
	}
	if e.Type == engine.EventJoined || e.Type == engine.EventWaiting || e.Type == engine.EventRestored || e.Type == engine.EventRejected {
		for _, w := range e.Outcome.Warnings {
			log.LogAttrs(context.Background(), slog.LevelWarn, "call "+string(e.Leg)+": "+w)
		}
	}
}

func recordingAttrs(r *engine.Recording) []slog.Attr {
	attrs := []slog.Attr{slog.String("file", cmp.Or(r.File, r.Name)), slog.Bool("auto", r.Auto)}
	if r.DurationMS > 0 {
		attrs = append(attrs, slog.Duration("length", time.Duration(r.DurationMS)*time.Millisecond))
	}
	if r.End != "" {
		attrs = append(attrs, slog.String("end", string(r.End)))
	}
	if r.LostMS > 0 {
		attrs = append(attrs, slog.Duration("missing", time.Duration(r.LostMS)*time.Millisecond))
	}
	if r.Error != "" {
		attrs = append(attrs, slog.String("error", r.Error))
	}
	return attrs
}

func dialAttrs(j *engine.Job) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("call", string(j.Leg)), slog.String("job", string(j.ID)), slog.String("address", j.Address),
	}
	if j.Cause != "" {
		attrs = append(attrs, slog.String("cause", string(j.Cause)), slog.Int("sip_status", j.SIP), slog.String("said", j.Text))
	}
	return attrs
}

func callAttrs(e engine.Event) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("call", string(e.Leg)), slog.String("kind", e.Invite.Kind),
		slog.String("caller", e.Invite.Caller.Number),
	}
	if e.Invite.Switch != "" {
		attrs = append(attrs, slog.String("switch", e.Invite.Switch))
	}
	if e.Member.ID != 0 {
		attrs = append(attrs, slog.Uint64("member", uint64(e.Member.ID)), slog.String("role", e.Member.Role))
	}
	return attrs
}
