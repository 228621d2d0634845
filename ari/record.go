package ari

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	v6 "github.com/CyCoreSystems/ari/v6"
)

// Events about recordings.
type (
	RecordingStarted  = v6.RecordingStarted
	RecordingFinished = v6.RecordingFinished
	RecordingFailed   = v6.RecordingFailed
)

// Tape says how to record.
type Tape struct {
	Name, Format string
	Exists       string        // fail, overwrite or append
	MaxSilence   time.Duration // that ends it, in whole seconds; 0 = none does
}

// Record has the switch record a bridge to NAME.FORMAT in its folder of
// recordings. RecordingStarted follows, or RecordingFailed. ErrConflict is a
// recording of that name, or one that runs, unless Exists takes it.
func (c *Client) Record(ctx context.Context, bridge string, t Tape) error {
	return c.call(ctx, http.MethodPost, []string{"bridges", bridge, "record"}, url.Values{
		"name": {t.Name}, "format": {t.Format}, "ifExists": {t.Exists},
		"maxSilenceSeconds": {strconv.Itoa(int((t.MaxSilence + time.Second - 1) / time.Second))},
	}, nil, nil)
}

// StopRecord ends a recording: RecordingFinished. ErrNotFound is one that does
// not run.
func (c *Client) StopRecord(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodPost, []string{"recordings", "live", name, "stop"}, nil, nil, nil)
}

// PauseRecord has a recording leave out what comes, or go on; MuteRecord has it
// put silence in its place.
func (c *Client) PauseRecord(ctx context.Context, name string, on bool) error {
	return c.onTape(ctx, name, "pause", on)
}

// MuteRecord is described at PauseRecord.
func (c *Client) MuteRecord(ctx context.Context, name string, on bool) error {
	return c.onTape(ctx, name, "mute", on)
}

func (c *Client) onTape(ctx context.Context, name, what string, on bool) error {
	method := http.MethodDelete
	if on {
		method = http.MethodPost
	}
	return c.call(ctx, method, []string{"recordings", "live", name, what}, nil, nil, nil)
}

// RecordingsTrouble says that the switch cannot read its folder of recordings,
// where it says so: Asterisk 22 fails to list them then. "" for any other answer.
func (c *Client) RecordingsTrouble(ctx context.Context) string {
	err := c.call(ctx, http.MethodGet, []string{"recordings", "stored"}, nil, nil, nil)
	if refusal, ok := errors.AsType[*Error](err); ok && errors.Is(err, ErrSwitch) {
		return refusal.Error()
	}
	return ""
}
