package asterisk

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"parley/ari"
	"parley/engine"
)

// positional are the arguments of Stasis(parley,…) that have no name, in
// ConfBridge's order.
func positional() []string { return []string{"room", "bridge_profile", "user_profile", "controls"} }

// ConfBridge's profiles where none are named.
const (
	defaultBridge = "default_bridge"
	defaultUser   = "default_user"
)

// composed is the profile of a bridge profile and a user profile, either of
// which may be "", as `parley import confbridge` names it.
func composed(bridge, user string) string {
	switch {
	case user == "" || strings.EqualFold(user, defaultUser):
		return bridge
	case bridge == "" || strings.EqualFold(bridge, defaultBridge):
		return user
	default:
		return bridge + "." + user
	}
}

// readArgs sorts the arguments: name=value, or by position.
func readArgs(args []string) (vars map[string]string, warnings []string) {
	vars = map[string]string{}
	order := positional()
	for i, a := range args {
		a = strings.TrimSpace(a)
		name, value, named := strings.Cut(a, "=")
		switch {
		case named:
			vars[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		case a == "":
		case i < len(order):
			vars[order[i]] = a
		default:
			warnings = append(warnings, fmt.Sprintf("argument %d of Stasis() is ignored: it has no name", i+2))
		}
	}
	profile := composed(vars["bridge_profile"], vars["user_profile"])
	delete(vars, "bridge_profile")
	delete(vars, "user_profile")
	if profile != "" && vars["profile"] == "" {
		vars["profile"] = profile
	}
	return vars, warnings
}

// invite reads what the dialplan asks for: channel variables, and arguments,
// which win. For a call that we have ordered it is the order that counts.
func (c *call) invite(ctx context.Context) (engine.Invite, error) {
	if c.order != nil {
		return c.order.Arrival("asterisk", c.link.opt.Name), nil
	}
	vars, err := c.variables(ctx)
	if err != nil {
		return engine.Invite{}, fmt.Errorf("asterisk: the call's variables cannot be read: %w", err)
	}
	in := engine.Invite{
		Kind: "asterisk", Switch: c.link.opt.Name, Dialplan: true, Variables: vars, Warnings: c.warnings,
	}
	if who := c.snapshot.Caller; who != nil {
		in.Caller = engine.Caller{Number: who.Number, Name: who.Name}
	}
	in.Source = c.link.opt.Name + "/" + in.Caller.Number
	for name, value := range c.args {
		if name != guardArg && name != retryArg {
			in.Variables[name] = value
		}
	}
	if in.Room = in.Variables["room"]; in.Room == "" {
		c.log.Info("call " + c.channel + ": parley_room not set; the caller is asked for it")
	}
	in.Restore, in.Lost = c.comesBack(ctx, in.Room)
	if c.adopted != nil {
		in.Restore = c.adopted.rights()
	}
	return in, nil
}

// variables are the PARLEY_ variables of the channel. One that cannot be read
// is an error, as it could be the one that asks for a PIN.
func (c *call) variables(ctx context.Context) (map[string]string, error) {
	names := engine.KnownVariables()
	values, ok := c.evaluate(ctx, names)
	if !ok {
		var err error
		if values, err = c.readEach(ctx, names); err != nil {
			return nil, err
		}
	}
	vars := map[string]string{}
	for i, name := range names {
		if values[i] != "" {
			vars[name] = values[i]
		}
	}
	return vars, nil
}

// between stands between the values in one reply; no dialplan has it in one.
const between = "\x1f"

func channelVariable(name string) string { return "PARLEY_" + strings.ToUpper(name) }

// evaluate has Asterisk put all values into one text. false: this one lacks
// EVAL(), a part of func_strings, or a value holds what stands between them.
func (c *call) evaluate(ctx context.Context, names []string) (values []string, ok bool) {
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = "${" + channelVariable(name) + "}"
	}
	text, err := c.link.client.Variable(ctx, c.channel, "EVAL("+strings.Join(parts, between)+")")
	values = strings.Split(text, between)
	return values, err == nil && len(values) == len(names)
}

// readLimit is how many variables are asked for at one time.
const readLimit = 4

// readEach asks for each variable; one that is not set is "".
func (c *call) readEach(ctx context.Context, names []string) ([]string, error) {
	values := make([]string, len(names))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readLimit)
	for i, name := range names {
		g.Go(func() (err error) {
			values[i], err = c.link.client.Variable(ctx, c.channel, channelVariable(name))
			if errors.Is(err, ari.ErrNotFound) {
				return nil
			}
			return err
		})
	}
	return values, g.Wait()
}
