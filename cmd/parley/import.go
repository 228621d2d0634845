package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"parley/adapter/importer"
)

func importCommand(f *flags) *cobra.Command {
	c := &cobra.Command{
		Use: "import", Short: "Turn a switch's conference configuration into Parley's",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("parley import: unknown source %.20q; one of freeswitch, confbridge, meetme", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(importFreeSWITCHCommand(f), importConfBridgeCommand(f), importMeetMeCommand(f))
	return c
}

// importFlags are those of every importer.
type importFlags struct {
	*flags
	out       string
	allowLoss bool
}

// importing makes the command of one source.
func importing(c *cobra.Command, f *flags, read func(file string, data []byte) (*importer.Result, error)) *cobra.Command {
	g := importFlags{flags: f}
	if c.Args == nil {
		c.Args = cobra.ExactArgs(1)
	}
	c.Args = usageArgs(c.Args)
	c.Long = strings.TrimSpace(c.Long + `
Without --out the YAML goes to the standard output and the report to the standard
error. With --out DIR the files profiles.d/*.yaml and rooms.d/*.yaml are made below
DIR, the folder of parley.yaml, and the report goes to the standard output. Nothing
is written there while parameters are lost, unless --allow-loss says that it may.`)
	c.Flags().StringVar(&g.out, "out", "", "folder of parley.yaml (default: print the YAML)")
	c.Flags().BoolVar(&g.allowLoss, "allow-loss", false, "exit 0, and write, although something is lost")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		var file string
		var data []byte
		var err error
		if len(args) > 0 {
			file = args[0]
			if data, err = readSource(file); err != nil {
				return err
			}
		}
		r, err := read(file, data)
		if err != nil {
			return err
		}
		return g.finish(cmd, r)
	}
	return c
}

func importFreeSWITCHCommand(f *flags) *cobra.Command {
	var set []string
	var vars map[string]string
	c := importing(&cobra.Command{
		Use: "freeswitch conference.conf.xml", Short: "Import mod_conference's profiles, caller controls and rooms",
	}, f, func(file string, data []byte) (*importer.Result, error) {
		return importer.FreeSWITCH(file, data, vars)
	})
	c.PreRunE = func(*cobra.Command, []string) (err error) {
		vars, err = variables(set)
		return err
	}
	c.Flags().StringArrayVar(&set, "set", nil, "NAME=VALUE: what $${NAME} stands for, as vars.xml has it; may be repeated")
	return c
}

func importConfBridgeCommand(f *flags) *cobra.Command {
	return importing(&cobra.Command{
		Use: "confbridge confbridge.conf", Short: "Import ConfBridge's bridge and user profiles and menus",
	}, f, importer.ConfBridge)
}

func importMeetMeCommand(f *flags) *cobra.Command {
	var options string
	c := importing(&cobra.Command{
		Use: "meetme [meetme.conf]", Short: "Import MeetMe's rooms, and its options in a dialplan",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 0 && options == "" {
				return errors.New("parley import meetme: name a meetme.conf, or --options, or both")
			}
			return nil
		},
	}, f, func(file string, data []byte) (*importer.Result, error) { return importer.MeetMe(file, data, options) })
	c.Flags().StringVar(&options, "options", "", "the option string of MeetMe(room,OPTIONS) in the dialplan")
	return c
}

func variables(set []string) (map[string]string, error) {
	vars := make(map[string]string, len(set))
	for _, s := range set {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" || !utf8.ValidString(s) {
			return nil, usageError{fmt.Errorf("--set %.40q: must be NAME=VALUE", s)}
		}
		vars[name] = value
	}
	return vars, nil
}

// readSource reads no more of a file than an importer takes.
func readSource(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, importer.MaxBytes+1))
}

// finish hands out the YAML and the report.
func (g importFlags) finish(cmd *cobra.Command, r *importer.Result) error {
	lost := r.Count(importer.Lost) > 0 && !g.allowLoss
	var wrote []string
	report := cmd.OutOrStdout()
	switch {
	case g.out == "":
		if _, err := cmd.OutOrStdout().Write(r.YAML()); err != nil {
			return err
		}
		report = cmd.ErrOrStderr()
	case !lost:
		var err error
		if wrote, err = writeFiles(g.out, r.Files()); err != nil {
			return err
		}
	}
	if err := printImport(report, g.json, r, wrote); err != nil {
		return err
	}
	switch {
	case !lost:
		return nil
	case g.out != "":
		return errors.New("nothing was written, because parameters are lost; --allow-loss writes all the same")
	default:
		return errSaid
	}
}

// writeFiles makes files below a folder and names them. None may be there yet:
// an import does not undo what somebody has changed since the last one.
func writeFiles(dir string, files []importer.File) ([]string, error) {
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = filepath.Join(dir, filepath.FromSlash(f.Name))
		if _, err := os.Lstat(names[i]); !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s is there already; move it away first", names[i])
		}
	}
	for i, f := range files {
		if err := os.MkdirAll(filepath.Dir(names[i]), 0o755); err != nil {
			return nil, err
		}
		// PINs are in it: not for everybody's eyes.
		if err := os.WriteFile(names[i], f.Data, 0o640); err != nil {
			return nil, err
		}
	}
	return names, nil
}

func printImport(w io.Writer, asJSON bool, r *importer.Result, wrote []string) error {
	if asJSON {
		return writeJSON(w, struct {
			importer.Report
			Wrote []string `json:"wrote"`
		}{r.Report, wrote})
	}
	for _, l := range r.Lines {
		fmt.Fprintln(w, l)
	}
	fmt.Fprintln(w, r.Summary())
	for _, name := range wrote {
		fmt.Fprintln(w, "wrote", name)
	}
	return nil
}
