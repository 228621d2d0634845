package freeswitch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"parley/adapter/trouble"
	"parley/esl"
)

// Found is what a look at a switch tells.
type Found struct {
	Version    string // "1.11.1"
	Profiles   int    // of its SIP endpoint that run
	Conference bool   // mod_conference is loaded
	Remote     bool   // it is on another machine than we are, or may be
	Shared     bool   // it can read the folder of our sounds
	Lacks      []Lack // of what it is to play
}

// Probe looks at a switch over a connection of its own, within ctx, and for the
// sounds that it is to play: ours, if it can read the folder share. The error's
// text is a line for an admin, with its code.
func Probe(ctx context.Context, o LinkOptions, share string, wishes []Wish) (Found, error) {
	c, err := esl.Dial(ctx, esl.ClientOptions{Address: o.Address, Password: o.Password})
	if err != nil {
		return Found{}, probeFailed(ctx, o, err)
	}
	defer func() { _ = c.Close() }()
	host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
	f := Found{Remote: elsewhere(host, ownAddress(o.Address))}
	for _, ask := range []struct {
		command, args string
		take          func(string)
	}{
		{"version", "short", func(text string) { f.Version, _, _ = strings.Cut(text, "-") }},
		{"sofia", "status", func(text string) { f.Profiles = sofiaProfiles(text) }},
		{"module_exists", "mod_conference", func(text string) { f.Conference = text == "true" }},
	} {
		text, err := c.API(ctx, ask.command, ask.args)
		if _, refused := errors.AsType[*esl.ReplyError](err); err != nil && !refused {
			return Found{}, probeFailed(ctx, o, err)
		}
		ask.take(strings.TrimSpace(text))
	}
	if len(wishes) == 0 {
		return f, nil
	}
	if f.Shared, f.Lacks, err = sounds(ctx, c, share, wishes); err != nil {
		return Found{}, probeFailed(ctx, o, err)
	}
	return f, nil
}

func probeFailed(ctx context.Context, o LinkOptions, err error) error {
	text, code := Trouble(o.Name, o.Address, trouble.Tried, err)
	if ctx.Err() != nil {
		text, code = fmt.Sprintf("esl %s %s: no answer in time. Is this the address, and does a firewall let us through?",
			o.Name, o.Address), "esl_timeout"
	}
	return fmt.Errorf("%s [%s]", text, code)
}

// elsewhere says whether the address of a switch is not one of this machine:
// our own address towards it is another.
func elsewhere(theirs, ours string) bool {
	ip := net.ParseIP(theirs)
	return theirs != ours && (ip == nil || !ip.IsLoopback())
}

// sofiaProfiles counts the profiles in what "sofia status" prints: lines of
// name, type, address and state, parted by tabs.
func sofiaProfiles(text string) (n int) {
	for line := range strings.Lines(text) {
		if f := strings.Split(line, "\t"); len(f) == 4 && strings.TrimSpace(f[1]) == "profile" {
			n++
		}
	}
	return n
}
