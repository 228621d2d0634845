package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"parley/adapter"
	"parley/adapter/config"
)

func checkCommand(f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Say what is wrong with the configuration", Args: cobra.NoArgs,
		Long: "Read the configuration as serve would, look for every sound it names, and print each problem with file and line.",
		RunE: func(cmd *cobra.Command, _ []string) error { return check(cmd, f) },
	}
}

// finding is a line of `parley check`.
type finding struct {
	Part string `json:"part"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

func check(cmd *cobra.Command, f *flags) error {
	c, warnings, err := config.Load(config.Source{File: f.config})
	var found []finding
	for _, w := range warnings {
		found = append(found, finding{"warning", true, w.String()})
	}
	if err != nil {
		for _, p := range problems(err) {
			found = append(found, finding{"config", false, p})
		}
		return report(cmd, f, found)
	}
	found = append(found, finding{"config", true, summary(c, len(warnings))})
	found = append(found, checkSounds(c)...)
	return report(cmd, f, found)
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

func checkSounds(c *config.Config) []finding {
	library, err := adapter.NewSounds(c)
	if err != nil {
		return []finding{{"sounds", false, err.Error()}}
	}
	var found []finding
	good := 0
	for _, s := range c.Sounds() {
		if err := library.Check(s.Spec, s.Language); err != nil {
			found = append(found, finding{"sounds", false, fmt.Sprintf("%s: %s %v. [media_missing]", s.Owner, s.Key, err)})
			continue
		}
		good++
	}
	return append(found, finding{"sounds", len(found) == 0, fmt.Sprintf("%d of %d sounds found", good, good+len(found))})
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
