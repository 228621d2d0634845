package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"parley/adapter/control"
	"parley/engine"
)

func explainCommand(f *flags) *cobra.Command {
	all := &cobra.Command{
		Use: "explain call ID | room NAME", Short: "Say where each setting of a call or room comes from",
		Long: "Show every setting of a call or room with its value and source, and below it, after a minus, what has lost to it. " +
			"ID is the UUID or channel id that the switch has for the call, or its SIP Call-ID; calls that have left are remembered for an hour.",
		Args: func(*cobra.Command, []string) error { return errors.New("parley explain what? call ID or room NAME") },
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	of := func(use, short string, ask func(context.Context, *control.Client, string) (engine.Explanation, error)) {
		all.AddCommand(&cobra.Command{
			Use: use, Short: short, Args: usageArgs(cobra.ExactArgs(1)),
			RunE: func(cmd *cobra.Command, args []string) error {
				c, err := client(f)
				if err != nil {
					return err
				}
				e, err := ask(cmd.Context(), c, args[0])
				if err != nil {
					return err
				}
				if f.json {
					return printJSON(cmd, e)
				}
				printExplanation(cmd.OutOrStdout(), e, time.Now())
				return nil
			},
		})
	}
	of("call ID", "Explain a call", func(ctx context.Context, c *control.Client, id string) (engine.Explanation, error) {
		return c.ExplainCall(ctx, id)
	})
	of("room NAME", "Explain a room", func(ctx context.Context, c *control.Client, name string) (engine.Explanation, error) {
		e, err := c.ExplainRoom(ctx, name)
		return e, named("explain room", name, err)
	})
	return all
}

func printExplanation(w io.Writer, e engine.Explanation, now time.Time) {
	fmt.Fprintln(w, explained(e, now))
	for _, s := range e.Settings {
		mark, lost := " ", ""
		if s.Lost != "" {
			mark, lost = "-", ": "+s.Lost
		}
		if s.Fault != "" {
			mark, lost = "!", ": "+s.Fault
		}
		fmt.Fprintf(w, "%s %-28s %-27s %s%s\n", mark, s.Name, s.Value, s.Source, lost)
	}
	for _, l := range e.Limits {
		fmt.Fprintf(w, "not possible here: %s: %s\n", strings.Join(l.Settings, ", "), l.Why)
	}
	for _, text := range e.Warnings {
		fmt.Fprintln(w, "warning:", text)
	}
}

// explained is the first line.
func explained(e engine.Explanation, now time.Time) string {
	room := "room " + string(e.Room)
	if e.Title != "" {
		room += " (" + e.Title + ")"
	}
	if e.Call == "" {
		return room + "  " + e.State
	}
	line := []string{"call " + string(e.Call)}
	if e.Caller != "" {
		line = append(line, "from "+e.Caller)
	}
	line = append(line, "by "+e.Kind)
	if e.Switch != "" {
		line[len(line)-1] += " " + e.Switch
	}
	if e.Room != "" {
		line = append(line, room)
	}
	if e.Member != 0 {
		line = append(line, "member "+e.Member.String())
	}
	state := e.State
	if !e.LeftAt.IsZero() {
		state = fmt.Sprintf("left %s ago: %s", ago(now.Sub(e.LeftAt)), strings.TrimSpace(string(e.Result)+" "+string(e.Reason)))
	}
	return strings.Join(append(line, state), "  ")
}

func ago(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(max(0, d).Seconds()))
	}
	return fmt.Sprintf("%d min", int(d.Minutes()))
}
