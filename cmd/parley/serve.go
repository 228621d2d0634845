package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"parley/adapter"
	"parley/adapter/config"
	"parley/internal/priority"
)

func serveCommand(f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Run Parley until it is told to stop", Args: cobra.NoArgs,
		Long: "Run Parley. SIGHUP reloads the configuration; SIGINT and SIGTERM give every call back and stop.",
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd, f) },
	}
}

func serve(cmd *cobra.Command, f *flags) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP) // from the beginning: it would end the process
	defer signal.Stop(hup)
	source := f.source()
	c, warnings, err := config.Load(source)
	for _, w := range warnings {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning:", w)
	}
	if err != nil {
		return err
	}
	// The audio path allocates nothing, so collecting more often costs next to
	// nothing, and a leg takes half as much memory beyond what it uses. What setting up
	// calls leaves behind is given back when a rush is over.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	log := adapter.NewLog(cmd.ErrOrStderr(), c.Log)
	if err := priority.ShortSlices(); err != nil {
		log.Debug("audio gets no sooner to a processor than other programs", "error", err)
	}
	app, err := adapter.Start(cmd.Context(), c, adapter.Options{
		Source: source, Warnings: warnings, Version: version, Log: log, Tidy: debug.FreeOSMemory,
	})
	if err != nil {
		return err
	}
	fmt.Fprint(cmd.OutOrStdout(), app.Banner())
	var watch sync.WaitGroup
	defer watch.Wait()
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	watch.Go(func() { reloadOnHangup(ctx, hup, app, log) })
	return app.Run(ctx)
}

// reloadOnHangup reloads at each SIGHUP until ctx ends.
func reloadOnHangup(ctx context.Context, hup <-chan os.Signal, app *adapter.App, log *slog.Logger) {
	for {
		select {
		case <-hup:
			if _, err := app.Reload(ctx); err != nil {
				log.Error("reload refused, nothing changed:\n" + err.Error())
			}
		case <-ctx.Done():
			return
		}
	}
}
