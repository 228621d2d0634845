package adapter

import (
	"context"
	"strings"

	"parley/adapter/config"
)

// Reload reads the configuration again and puts it in force for new calls.
// The report says what changed, what waits for a restart, and what live rooms
// keep. With an error nothing has changed.
func (a *App) Reload(ctx context.Context) ([]string, error) {
	a.reloads.Lock()
	defer a.reloads.Unlock()
	next, warnings, err := config.Load(a.opt.Source)
	if err != nil {
		return nil, err
	}
	library, err := NewSounds(next)
	if err != nil {
		return nil, err
	}
	changes := changes(config.Diff(a.config.Load(), next), config.Diff(a.started, next))
	a.config.Store(next)
	a.sounds.Store(library)
	a.unplayed.Forget()
	a.ari.UsersChanged()
	if socket := a.socket.Load(); socket != nil {
		socket.UsersChanged()
	}
	var report []string
	for _, w := range warnings {
		report = append(report, w.String())
	}
	for _, c := range changes {
		report = append(report, c.String())
	}
	report = append(report, a.exchange.Reload(ctx, next.Directory())...)
	if len(report) == 0 {
		report = []string{"nothing changed"}
	}
	a.renewLinks()
	a.opt.Log.Info("reload: " + strings.Join(report, "; "))
	return report, nil
}

// changes are what takes effect now, compared with the last reload, and what
// waits for a restart, compared with what this process was started on.
func changes(last, started []config.Change) []config.Change {
	var list []config.Change
	for _, c := range last {
		if !c.Restart {
			list = append(list, c)
		}
	}
	for _, c := range started {
		if c.Restart {
			list = append(list, c)
		}
	}
	return list
}
