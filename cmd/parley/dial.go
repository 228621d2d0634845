package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"parley/adapter/control"
	"parley/engine"
)

// dialFlags are those of `parley room NAME dial ADDRESS`.
type dialFlags struct {
	callerName, callerNumber, name, role string
	timeout                              time.Duration
	background                           bool
}

func (d *dialFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&d.callerName, "caller-name", "", "dial: name that the party sees (default: the room's title or name)")
	f.StringVar(&d.callerNumber, "caller-number", "", "dial: number that the party sees")
	f.StringVar(&d.name, "name", "", "dial: name of the member in lists")
	f.StringVar(&d.role, "role", "", "dial: member or moderator")
	f.DurationVar(&d.timeout, "timeout", 0, "dial: how long the phone may ring (default: dial.timeout_s)")
	f.BoolVar(&d.background, "bg", false, "dial: do not wait for the answer")
}

// dial calls somebody into a room. Unless it is in the background it waits; an
// interrupt gives the call up.
func dial(f *flags, d *dialFlags, room, address string) func(*cobra.Command, *control.Client) error {
	return func(cmd *cobra.Command, c *control.Client) error {
		begun := context.WithoutCancel(cmd.Context()) // who interrupts us now must still learn the job, to end it
		legs, err := c.Dial(begun, room, control.Order{
			Endpoints:  []control.Endpoint{{Address: address, Name: d.name, Role: d.role}},
			CallerName: d.callerName, CallerNumber: d.callerNumber, Timeout: d.timeout.Seconds(),
		})
		if err != nil {
			return err
		}
		id := legs[0].Job
		if d.background {
			if f.json {
				return printJSON(cmd, legs[0])
			}
			fmt.Fprintln(cmd.OutOrStdout(), "calling, job", id)
			return nil
		}
		j, err := await(cmd.Context(), c, id)
		if err != nil {
			return err
		}
		if f.json {
			err = printJSON(cmd, j)
		} else {
			fmt.Fprintln(cmd.OutOrStdout(), jobLine(j))
		}
		if err == nil && j.State != engine.DialAnswered {
			return errSaid
		}
		return err
	}
}

// await polls a job until it is over.
func await(ctx context.Context, c *control.Client, id string) (engine.Job, error) {
	for {
		j, err := c.Job(ctx, id, 20*time.Second)
		if ctx.Err() != nil {
			late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			_ = c.GiveUp(late, id) // we leave in any case
			return engine.Job{}, ctx.Err()
		}
		if err != nil || !j.EndedAt.IsZero() {
			return j, err
		}
	}
}

// jobLine is how a call ended: "not answered: USER_BUSY (486 Busy Here)".
func jobLine(j engine.Job) string {
	switch {
	case j.State == engine.DialAnswered:
		return fmt.Sprintf("answered: %s is in room %s, call %s", j.Address, j.Room, j.Leg)
	case j.SIP != 0:
		return fmt.Sprintf("not answered: %s (%d %s)", j.Cause, j.SIP, j.Text)
	default:
		return fmt.Sprintf("not answered: %s (%s)", j.Cause, j.Text)
	}
}
