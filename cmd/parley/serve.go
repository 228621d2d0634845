package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"parley/adapter"
	"parley/adapter/config"
)

func serveCommand(f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Run Parley until it is told to stop", Args: cobra.NoArgs,
		Long: "Run Parley. SIGHUP reloads the configuration; SIGINT and SIGTERM give every call back and stop.",
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd, f) },
	}
}

func serve(cmd *cobra.Command, f *flags) error {
	source := config.Source{File: f.config}
	c, warnings, err := config.Load(source)
	for _, w := range warnings {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning:", w)
	}
	if err != nil {
		return err
	}
	log := adapter.NewLog(cmd.ErrOrStderr(), c.Log)
	app, err := adapter.Start(cmd.Context(), c, adapter.Options{Source: source, Version: version, Log: log})
	if err != nil {
		return err
	}
	fmt.Fprint(cmd.OutOrStdout(), app.Banner())
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	go reloadOnHangup(ctx, app, func(err error) { log.Error("reload refused, nothing changed:\n" + err.Error()) })
	return app.Run(ctx)
}

// reloadOnHangup reloads at each SIGHUP until ctx ends.
func reloadOnHangup(ctx context.Context, app *adapter.App, refused func(error)) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-hup:
			if _, err := app.Reload(ctx); err != nil {
				refused(err)
			}
		case <-ctx.Done():
			return
		}
	}
}
