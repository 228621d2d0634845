package asterisk

import (
	"context"
	"strings"

	"golang.org/x/sync/errgroup"

	"parley/ari"
	"parley/engine"
)

// positional are the arguments of Stasis(parley,…) that have no name, in
// ConfBridge's order.
func positional() []string { return []string{"room", "profile", "user_profile", "menu"} }

// readArgs sorts the arguments: name=value, or by position.
func readArgs(args []string) map[string]string {
	vars := map[string]string{}
	order := positional()
	for i, a := range args {
		a = strings.TrimSpace(a)
		name, value, named := strings.Cut(a, "=")
		switch {
		case named:
			vars[strings.ToLower(strings.TrimSpace(name))] = value
		case a != "" && i < len(order):
			vars[order[i]] = a
		}
	}
	return vars
}

// variableLimit is how many variables are asked for at one time.
const variableLimit = 4

// invite reads what the dialplan asks for: channel variables, and arguments,
// which win.
func (c *call) invite(ctx context.Context) engine.Invite {
	ch := c.snapshot
	in := engine.Invite{
		Kind: "asterisk", Switch: c.link.opt.Name, Dialplan: true, Variables: c.variables(ctx),
		Caller: engine.Caller{Number: callerNumber(ch), Name: callerName(ch)},
	}
	in.Source = c.link.opt.Name + "/" + in.Caller.Number
	for name, value := range readArgs(c.args) {
		in.Variables[name] = value
	}
	in.Room = in.Variables["room"]
	return in
}

// variables asks for each PARLEY_ variable that a call may set.
func (c *call) variables(ctx context.Context) map[string]string {
	names := engine.KnownVariables()
	values := make([]string, len(names))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(variableLimit)
	for i, name := range names {
		g.Go(func() error {
			v, err := c.link.client.Variable(ctx, c.channel, "PARLEY_"+strings.ToUpper(name))
			if err == nil {
				values[i] = v
			}
			return nil // one that is not set is no error
		})
	}
	_ = g.Wait()
	vars := map[string]string{}
	for i, name := range names {
		if values[i] != "" {
			vars[name] = values[i]
		}
	}
	return vars
}

func callerNumber(ch *ari.Channel) string {
	if ch.Caller == nil {
		return ""
	}
	return ch.Caller.Number
}

func callerName(ch *ari.Channel) string {
	if ch.Caller == nil {
		return ""
	}
	return ch.Caller.Name
}
