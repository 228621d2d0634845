package freeswitch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"parley/engine"
	"parley/esl"
)

// jobVariable is on every channel that we have the switch make: one whose order
// nobody knows any more is hung up.
const jobVariable = "parley_job"

// Way has the switch call an endpoint of its own: user/1001, sofia/gateway/….
func (l *Link) Way(endpoint string) engine.Way {
	return func(ctx context.Context, c engine.OutCall) error {
		client := l.connection()
		if client == nil {
			return &engine.CallError{Cause: engine.CauseNetworkDown, Text: "no link to switch " + l.opt.Name}
		}
		args, err := l.originate(endpoint, c)
		if err != nil {
			return err
		}
		o := engine.NewPlaced(c, endpoint)
		l.adapter.orders.Add(o)
		defer l.adapter.orders.Remove(o)
		told := make(chan error, 1)
		go func() { told <- l.place(ctx, client, args, c.Timeout) }()
		select {
		case err = <-told:
		case <-ctx.Done():
			_, err := l.api("uuid_kill", string(c.Leg)+" "+string(engine.GivenUp(ctx)))
			l.log.Debug("freeswitch: call given up", "call", c.Leg, "error", err)
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		select {
		case err = <-o.Ended():
			return err
		case <-time.After(engine.ArrivalTime):
			return engine.ErrNotTaken
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// place runs originate, and says what came of it.
func (l *Link) place(ctx context.Context, client *esl.Client, args string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout+engine.VerdictTime)
	defer cancel()
	_, err := client.Background(ctx, "originate", args)
	refused, ok := errors.AsType[*esl.ReplyError](err)
	if !ok {
		return err
	}
	why := strings.TrimSpace(strings.TrimPrefix(refused.Text, "-ERR"))
	return &engine.CallError{Cause: causeIn(why), Text: why}
}

// causeIn is the cause that a switch's answer names.
func causeIn(text string) engine.Cause {
	word, _, _ := strings.Cut(text, " ")
	if word == "" || strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" {
		return engine.CauseUnspecified
	}
	return engine.Cause(word)
}

// originate is what to tell the switch. The answered call is sent to our socket.
func (l *Link) originate(endpoint string, c engine.OutCall) (string, error) {
	if strings.ContainsFunc(endpoint, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`'"{}<>&|,\$`, r) }) {
		return "", fmt.Errorf("%w: switch %s cannot be told %.64q", engine.ErrNoRoute, l.opt.Name, endpoint)
	}
	vars := map[string]string{
		"origination_uuid": string(c.Leg), "origination_caller_id_name": harmlessName(c.Caller.Name),
		"originate_timeout": fmt.Sprint(max(1, int(c.Timeout/time.Second))), "ignore_early_media": "true", jobVariable: string(c.Invite.Job),
	}
	if c.Caller.Number != "" {
		vars["origination_caller_id_number"] = harmlessName(c.Caller.Number)
	}
	for name, value := range c.Channel {
		if !variableName(name) || harmlessName(value) != value {
			return "", fmt.Errorf("%w: variable %.40q cannot be told to switch %s", engine.ErrBadCommand, name, l.opt.Name)
		}
		if _, ours := vars[name]; !ours {
			vars[name] = value
		}
	}
	var b strings.Builder
	for i, name := range slices.Sorted(maps.Keys(vars)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(name + "='" + vars[name] + "'")
	}
	return "{" + b.String() + "}" + endpoint + " '&socket(" + l.adapter.opt.Socket + " async full)'", nil
}

// variableName says whether s can be the name of a variable.
func variableName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == ""
}

// harmlessName is a text without what has a meaning in a dial string.
func harmlessName(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`'"{}[]<>&|,\$;^`, r) {
			return -1
		}
		return r
	}, s)
}

// ordered finds the order of a channel. stray says that it was made by one that
// is not known any more.
func (a *Adapter) ordered(s *esl.Session) (o *engine.Placed, stray bool) {
	o = a.orders.Find(engine.LegID(s.UUID()))
	return o, o == nil && s.Var(jobVariable) != ""
}
