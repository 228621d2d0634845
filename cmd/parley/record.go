package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"parley/adapter/control"
	"parley/engine"
)

// record reads what is to be done about the recordings of a room.
func record(f *flags, replace *bool, room string, args []string) (action, error) {
	what, file := "list", ""
	if len(args) > 0 {
		what = args[0]
	}
	if len(args) > 1 {
		file = args[1]
	}
	switch what {
	case "start":
		return func(cmd *cobra.Command, c *control.Client) error {
			r, err := c.Record(cmd.Context(), room, file, *replace)
			if err != nil {
				return err
			}
			return showRecordings(cmd, f, []engine.Recording{r})
		}, nil
	case "stop":
		return func(cmd *cobra.Command, c *control.Client) error { return c.StopRecord(cmd.Context(), room, file) }, nil
	case "pause", "resume":
		return func(cmd *cobra.Command, c *control.Client) error {
			return c.PauseRecord(cmd.Context(), room, file, what == "pause")
		}, nil
	case "list":
		if file != "" {
			return nil, usageError{fmt.Errorf("parley room %s record list: that is for all recordings, without a file", room)}
		}
		return func(cmd *cobra.Command, c *control.Client) error {
			list, err := c.Recordings(cmd.Context(), room)
			if err != nil {
				return err
			}
			return showRecordings(cmd, f, list)
		}, nil
	}
	return nil, usageError{fmt.Errorf("parley room %s record: unknown command %q; %s", room, what, oneOf(tapeVerbs))}
}

func showRecordings(cmd *cobra.Command, f *flags, list []engine.Recording) error {
	if f.json {
		return printJSON(cmd, list)
	}
	if len(list) == 0 {
		fmt.Fprintln(cmd.OutOrStdout(), "not recorded")
	}
	for _, r := range list {
		printRecording(cmd.OutOrStdout(), r)
	}
	return nil
}

func printRecording(w io.Writer, r engine.Recording) {
	file, auto, lost := r.File, "", ""
	if file == "" {
		file = r.Name
	}
	if r.Auto {
		auto = " (by the profile)"
	}
	if r.LostMS > 0 {
		lost = fmt.Sprintf(", %d ms missing", r.LostMS)
	}
	fmt.Fprintf(w, "recording %s %s at %d Hz to %s%s%s\n", r.State, clock(time.Duration(r.DurationMS)*time.Millisecond), r.Rate, file, auto, lost)
}
