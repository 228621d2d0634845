package adapter

import (
	"context"
	"fmt"
	"sync/atomic"

	"parley/adapter/config"
	"parley/adapter/control"
	"parley/adapter/control/ariserver"
	"parley/adapter/phone"
	"parley/engine"
	"parley/engine/native"
	"parley/internal/tick"
	"parley/recording"
	"parley/sound"
)

// sounds is the library in use; a reload replaces it.
type sounds struct{ atomic.Pointer[sound.Library] }

func (s *sounds) Load(spec, language string) (*sound.Clip, error) {
	return s.Pointer.Load().Load(spec, language)
}

// wrong says what is wrong with a sound, without speaking it.
func (s *sounds) wrong(spec, language string) error { return s.Pointer.Load().Check(spec, language) }

// openMixer sets up what makes and takes audio.
func (a *App) openMixer(_ context.Context, c *config.Config) error {
	library, err := NewSounds(c)
	if err != nil {
		return err
	}
	a.sounds.Store(library)
	a.pool = tick.New(tick.Options{})
	a.recordings = recording.NewDir(c.Recordings())
	for _, f := range CheckRecordings(c) {
		if !f.OK {
			a.opt.Log.Error(f.Text)
		}
	}
	a.metrics = control.NewMetrics(a.media, a.counters)
	a.native, err = native.New(native.Options{
		Clock: a.pool, Sounds: &a.sounds, MaxLegs: unlimited(c.Limits.MaxLegs), MediaLost: unlimited(c.Media.Timeout),
		Recordings: a.recordings, Log: a.opt.Log, Outbox: phone.Outbox, Ended: a.ended, MaxLoad: a.opt.MaxLoad,
	})
	return err
}

// openEngine sets up the rooms, and who is told of them.
func (a *App) openEngine(_ context.Context, c *config.Config) (err error) {
	a.ari = ariserver.New(ariserver.Options{
		Users: a.ariUsers, App: c.ARIServer.App, Version: a.opt.Version, Started: a.since, Log: a.opt.Log, Recordings: a.recordings,
		Playable: a.playable, Callable: a.callable, Referral: a.referral, OpenMedia: a.openMedia, DropMedia: a.dropMedia, Snoop: a.snoop,
	})
	a.exchange, err = engine.New(engine.Options{
		Directory: c.Directory(), Bridges: a.bridge, MaxRooms: c.Limits.MaxRooms,
		Observer: observer(a.opt.Log, tidy(a.opt.Tidy), a.metrics.Observe, a.switchEvents, a.ari.Observe), //nolint:contextcheck // what rooms tell is not ended with the start
		Router:   a.route, DialTimeout: c.Dial.Timeout, MaxDials: c.Dial.MaxPerRoom,
		Throttle: engine.ThrottleOptions{Failures: c.Throttle.Failures, RoomFailures: c.Throttle.RoomFailures, Period: c.Throttle.Period},
		Playable: a.sounds.wrong,
		Unplayed: func(r engine.RoomName, why string) {
			if a.unplayed.First(why) {
				a.opt.Log.Warn(fmt.Sprintf("room %s: %s. Nobody hears it. [media_missing]", r, why))
			}
		},
		Panicked: func(r engine.RoomName, p any) {
			a.opt.Log.Error("room ended by a fault of ours", "room", r, "panic", p)
		},
	})
	a.ari.Drive(a.exchange)
	return err
}
