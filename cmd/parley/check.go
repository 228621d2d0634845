package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"parley/adapter"
	"parley/adapter/config"
)

func checkCommand(f *flags) *cobra.Command {
	var dialplans []string
	c := &cobra.Command{
		Use: "check", Short: "Say what is wrong with the configuration, the switches and the sounds", Args: cobra.NoArgs,
		Long: "Read the configuration as serve would, ask each switch whether it is there and as it has to be, look for every sound " +
			"and audio port, and print a line for each, problems with file and line. Nothing is changed anywhere.",
		RunE: func(cmd *cobra.Command, _ []string) error { return check(cmd, f, dialplans) },
	}
	c.Flags().StringArrayVar(&dialplans, "dialplan", nil, "also judge the extensions of a FreeSWITCH dialplan, an XML file, that lead to Parley")
	return c
}

// finding is a line of `parley check`.
type finding = adapter.Finding

func check(cmd *cobra.Command, f *flags, dialplans []string) error {
	c, warnings, err := config.Load(f.source())
	var found []finding
	for _, w := range warnings {
		found = append(found, adapter.Found("warning", true, w.String()))
	}
	if err != nil {
		for _, p := range problems(err) {
			found = append(found, adapter.Found("config", false, p))
		}
		return report(cmd, f, found)
	}
	found = append(found, adapter.Found("config", true, summary(c, len(warnings))))
	sounds, err := adapter.CheckSounds(c)
	found = append(found, adapter.CheckSwitches(cmd.Context(), c, sounds)...)
	if err != nil {
		found = append(found, adapter.Found("sounds", false, err.Error()))
	} else {
		found = append(found, sounds.Findings()...)
	}
	found = append(found, adapter.CheckRTP(c))
	found = append(found, adapter.CheckRecordings(c)...)
	for _, path := range dialplans {
		found = append(found, checkDialplan(c, path)...)
	}
	return report(cmd, f, found)
}

// maxDialplan is more than any dialplan that is judged has.
const maxDialplan = 2 << 20

func checkDialplan(c *config.Config, path string) []finding {
	file, err := os.Open(path)
	if err != nil {
		return []finding{adapter.Found("dialplan", false, err.Error()+". [unreadable]")}
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxDialplan))
	if err != nil {
		return []finding{adapter.Found("dialplan", false, err.Error()+". [unreadable]")}
	}
	ours, wrong := adapter.CheckDialplan(path, data, c)
	var found []finding
	for _, p := range wrong {
		found = append(found, adapter.Found("dialplan", false, p))
	}
	if found == nil {
		found = []finding{adapter.Found("dialplan", true, fmt.Sprintf("%s (%s to Parley)", path, counted(ours, "extension")))}
	}
	return found
}

// summary says what was read.
func summary(c *config.Config, warnings int) string {
	file := "built-in defaults"
	if len(c.Files) > 0 {
		file = c.Files[0]
	}
	return fmt.Sprintf("%s (%s, %s, %s)", file, counted(len(c.Profiles), "profile"), counted(len(c.Rooms), "room"), counted(warnings, "warning"))
}

// problems splits a load's error into its lines.
func problems(err error) []string {
	var all config.Problems
	if !errors.As(err, &all) {
		return []string{err.Error()}
	}
	lines := make([]string, len(all))
	for i, p := range all {
		lines[i] = p.String()
	}
	return lines
}

func report(cmd *cobra.Command, f *flags, found []finding) error {
	bad := false
	for _, l := range found {
		bad = bad || !l.OK
	}
	if f.json {
		if err := printJSON(cmd, found); err != nil {
			return err
		}
	} else {
		for _, l := range found {
			word := "ok"
			switch {
			case !l.OK:
				word = "BAD"
			case l.Part == "warning":
				word = "-"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%-9s %-4s %s\n", l.Part, word, l.Text)
		}
	}
	if bad {
		return errSaid
	}
	return nil
}

func printJSON(cmd *cobra.Command, v any) error { return writeJSON(cmd.OutOrStdout(), v) }

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
