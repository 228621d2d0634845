package ari

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	v6 "github.com/CyCoreSystems/ari/v6"
)

// Events about recordings.
type (
	RecordingStarted  = v6.RecordingStarted
	RecordingFinished = v6.RecordingFinished
	RecordingFailed   = v6.RecordingFailed
)

// Record has the switch record a bridge to NAME.FORMAT in its folder of
// recordings. RecordingStarted follows, or RecordingFailed. ErrConflict is a
// recording of that name, or one that runs, unless it may be overwritten.
func (c *Client) Record(ctx context.Context, bridge, name, format string, overwrite bool) error {
	exists := "fail"
	if overwrite {
		exists = "overwrite"
	}
	return c.call(ctx, http.MethodPost, []string{"bridges", bridge, "record"},
		url.Values{"name": {name}, "format": {format}, "ifExists": {exists}}, nil, nil)
}

// StopRecord ends a recording: RecordingFinished. ErrNotFound is one that does
// not run.
func (c *Client) StopRecord(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodPost, []string{"recordings", "live", name, "stop"}, nil, nil, nil)
}

// PauseRecord has a recording leave out what comes, or go on.
func (c *Client) PauseRecord(ctx context.Context, name string, on bool) error {
	method := http.MethodDelete
	if on {
		method = http.MethodPost
	}
	return c.call(ctx, method, []string{"recordings", "live", name, "pause"}, nil, nil, nil)
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
