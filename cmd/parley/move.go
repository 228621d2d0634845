package main

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"parley/adapter/control"
)

// move moves a room and prints how its members came along.
func move(f *flags, do func(*cobra.Command, *control.Client) (control.Move, error)) func(*cobra.Command, *control.Client) error {
	return func(cmd *cobra.Command, c *control.Client) error {
		m, err := do(cmd, c)
		if err != nil {
			return err
		}
		if f.json {
			err = printJSON(cmd, m)
		} else {
			printMove(cmd.OutOrStdout(), m)
		}
		if err == nil && len(m.Warnings) > 0 {
			return errSaid
		}
		return err
	}
}

func printMove(w io.Writer, m control.Move) {
	defer func() {
		for _, warning := range m.Warnings {
			fmt.Fprintf(w, "warning: %s\n", warning)
		}
	}()
	gaps := make([]float64, 0, len(m.Moves))
	for _, one := range m.Moves {
		fmt.Fprintf(w, "#%d %s %s   gap %.0f ms\n", one.Member, one.Number, one.Name, one.Gap)
		gaps = append(gaps, one.Gap)
	}
	if len(gaps) == 0 {
		fmt.Fprintf(w, "nobody had to move; mixer %s\n", m.Mixer)
		return
	}
	fmt.Fprintf(w, "mixer %s, %s, gap p95 %.0f ms\n", m.Mixer, counted(len(gaps), "member"), p95(gaps))
}

// p95 is the smallest gap that 95 of 100 are not above.
func p95(gaps []float64) float64 {
	slices.Sort(gaps)
	return gaps[int(math.Ceil(0.95*float64(len(gaps))))-1]
}

func auditCommand(f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "audit", Short: "Compare the rosters with what the switches have", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := client(f)
			if err != nil {
				return err
			}
			found, err := c.Audit(cmd.Context())
			if err != nil {
				return err
			}
			if f.json {
				err = printJSON(cmd, found)
			} else {
				printAudit(cmd.OutOrStdout(), found)
			}
			if err == nil && len(found) > 0 {
				return errSaid
			}
			return err
		},
	}
}

func printAudit(w io.Writer, found []control.Difference) {
	if len(found) == 0 {
		fmt.Fprintln(w, "rosters and switches agree")
		return
	}
	for _, d := range found {
		fmt.Fprintf(w, "%-10s %-14s %-36s %s\n", d.Switch, dash(d.Room), dash(d.Call), d.Text)
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
