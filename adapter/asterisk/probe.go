package asterisk

import (
	"context"
	"errors"
	"fmt"

	"parley/adapter/trouble"
	"parley/ari"
)

// Found is what a look at a switch tells.
type Found struct {
	Version string
	Taken   bool // somebody has the application now: we, or another client
	NoSpool bool // it has no folder for recordings
}

// Probe looks at a switch, within ctx, and changes nothing there. Of the
// options it needs Name, URL, User, Password and App. The error's text is a
// line for an admin, with its code.
func Probe(ctx context.Context, o Options) (f Found, err error) {
	client, err := ari.New(ari.Options{URL: o.URL, User: o.User, Password: o.Password, App: o.App})
	if err != nil {
		return f, fmt.Errorf("switch %s: %w. [bad_value]", o.Name, err)
	}
	info, err := client.Info(ctx)
	if err == nil {
		f.Version = info.SystemInfo.Version
		err = client.MayWrite(ctx)
	}
	if err == nil {
		f.Taken, err = client.Registered(ctx)
	}
	if err == nil {
		f.NoSpool = client.RecordingsTrouble(ctx) != ""
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return f, fmt.Errorf("ari %s %s: no answer in time. Is this the address, and does a firewall let us through? [ari_timeout]",
			o.Name, o.URL)
	case err != nil:
		return f, errors.New(o.trouble(err, trouble.Tried))
	}
	return f, nil
}
