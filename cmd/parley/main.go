// Command parley is a conference engine for FreeSWITCH, Asterisk and SIP.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"parley/adapter"
	"parley/adapter/config"
	"parley/bench"
	"parley/codec"
)

// version is set by the linker, which can set nothing but a variable.
var version = "dev"

// Exit codes of every command.
const (
	exitProblem = 1 // something is wrong
	exitUsage   = 2 // the command line is
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// errSaid: the problem has been printed already.
var errSaid = errors.New("said")

// usageError is a fault of the command line.
type usageError struct{ error }

// run is main with everything passed in; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := commands()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errSaid):
		return exitProblem
	case errors.As(err, &usage), errors.Is(err, bench.ErrOptions):
		fmt.Fprintln(stderr, err)
		return exitUsage
	default:
		fmt.Fprintln(stderr, err)
		return exitProblem
	}
}

// flags are those of every command.
type flags struct {
	config string
	json   bool
}

// source is the configuration that they name.
func (f *flags) source() config.Source {
	return config.Source{File: f.config, Commands: adapter.ESLCommands(), Events: adapter.ESLEvents()}
}

func commands() *cobra.Command {
	var f flags
	root := &cobra.Command{
		Use: "parley", Short: "A conference engine for FreeSWITCH, Asterisk and SIP",
		SilenceErrors: true, SilenceUsage: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVar(&f.config, "config", "", "configuration file (default: ./parley.yaml, /etc/parley/parley.yaml, built-in)")
	root.PersistentFlags().BoolVar(&f.json, "json", false, "print JSON")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(serveCommand(&f), checkCommand(&f), reloadCommand(&f), roomsCommand(&f), roomCommand(&f),
		auditCommand(&f), explainCommand(&f), statusCommand(&f), importCommand(&f), benchCommand(&f), versionCommand(&f))
	for _, c := range root.Commands() {
		c.Args = usageArgs(c.Args)
	}
	root.Args = usageArgs(func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("unknown command %q; parley --help lists them", args[0])
		}
		return nil
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

// usageArgs marks what is wrong with the arguments as a fault of usage.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

func versionCommand(f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.json {
				return printJSON(cmd, map[string]string{"version": version, "opus": codec.OpusBy()})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "parley %s, Opus by %s\n", version, codec.OpusBy())
			return nil
		},
	}
}
