package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"parley/adapter/config"
	"parley/bench"
)

const benchLong = `Call a conference server by SIP (UDP) as many callers, and report what came back
and what it cost. HOST:PORT is the server's; it may be any server that takes
calls for room numbers. Without it a Parley of its own is started for the time,
on free ports of 127.0.0.1, and its cost is measured: so this says how much of
a conference this machine carries beside the generator, which runs on it too.

With --pid the CPU time and memory of that process on this machine are reported,
with --metrics what a Parley says of its ticks. --talkers 1 counts the glitches
of a lone tone, --churn and a long --duration make a soak:

  parley bench --callers 200                              how much does a room of 200 cost?
  parley bench --rooms 50 --callers 4 --codec G722
  parley bench --talkers 1 --loss 2 --jitter 20ms         how good is a bad line?
  parley bench --rooms 20 --callers 20 --churn 5 --duration 1h
  parley bench --rooms 50 --callers 4 --watchers 200      do clients of events make rooms late?
  parley bench --rooms 50 --callers 4 --watchers 200 --background   apart from what those take of the processors?
  parley bench 192.0.2.7:5060 --room 3001

The exit code is 1 when calls failed, packets or tones were missing, or a talker
heard himself.`

func benchCommand(f *flags) *cobra.Command {
	var o bench.Options
	var name string
	c := &cobra.Command{
		Use: "bench [HOST:PORT]", Short: "Load a conference server and measure its cost", Long: benchLong, Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.Codec, err = bench.Codec(name); err == nil {
				err = misused(cmd, len(args) > 0)
			}
			if err != nil {
				return usageError{err}
			}
			o.Progress = func(s string) { fmt.Fprintln(cmd.ErrOrStderr(), s) }
			if !cmd.Flags().Changed("talkers") {
				o.Talkers = min(o.Talkers, max(o.Callers, 1))
			}
			if len(args) > 0 {
				o.Target = args[0]
				return measure(cmd, f, o)
			}
			return measureOwn(cmd, f, o)
		},
	}
	benchFlags(c, &o, &name)
	c.AddCommand(reflectCommand())
	return c
}

func benchFlags(c *cobra.Command, o *bench.Options, codec *string) {
	flag := c.Flags()
	flag.IntVar(&o.Room, "room", bench.DefaultRoom, "number of the first room; the others follow")
	flag.IntVar(&o.Rooms, "rooms", 1, "rooms")
	flag.IntVar(&o.Callers, "callers", bench.DefaultCallers, "callers in each room")
	flag.IntVar(&o.Talkers, "talkers", bench.DefaultTalkers, "of them, how many say a tone")
	flag.StringVar(codec, "codec", "PCMU", "codec of all callers: "+bench.Codecs())
	flag.Float64Var(&o.Level, "level", 0, "dBFS of each tone (0 = as loud as all together do not clip)")
	flag.Float64Var(&o.Noise, "noise", 0, "dBFS of noise that the others send (0 = digital silence)")
	flag.Float64Var(&o.Loss, "loss", 0, "per cent of the callers' packets that are lost")
	flag.DurationVar(&o.Jitter, "jitter", 0, "standard deviation of what their packets are late by")
	flag.Float64Var(&o.Churn, "churn", 0, "callers per second who hang up and call again")
	flag.DurationVar(&o.Warmup, "warmup", bench.DefaultWarmup, "time between the last answer and the measurement")
	flag.DurationVar(&o.Duration, "duration", bench.DefaultDuration, "time measured")
	flag.IntVar(&o.Watchers, "watchers", 0, "clients of the event socket that follow all events")
	flag.Float64Var(&o.Events, "events", bench.DefaultEvents, "events a second that are caused for them")
	flag.StringVar(&o.EventSocket, "event-socket", "", "HOST:PORT of the server's event socket")
	flag.StringVar(&o.Password, "password", config.DefaultESLPassword, "of the event socket")
	flag.IntVar(&o.Phases, "phases", bench.DefaultPhases, "moments of each 20 ms at which callers send")
	flag.Float64Var(&o.Rate, "rate", bench.DefaultRate, "calls made per second")
	flag.IntVar(&o.PID, "pid", 0, "process id of the server (0 = do not measure it)")
	flag.StringVar(&o.Metrics, "metrics", "", "URL of the server's metrics, where it is a Parley")
	flag.BoolVar(&o.Background, "background", false, "callers and clients get only what the server leaves of the processors")
}

// misused says which options would have no effect: what has a default cannot be
// none of it, and some are about the server that was named.
func misused(cmd *cobra.Command, target bool) error {
	for _, name := range []string{"room", "rooms", "callers", "talkers", "warmup", "duration", "phases", "rate", "events"} {
		if f := cmd.Flags().Lookup(name); f.Changed && (f.Value.String() == "0" || f.Value.String() == "0s") {
			return fmt.Errorf("parley bench --%s %s: must be more than 0", name, f.Value)
		}
	}
	for _, name := range []string{"pid", "metrics", "event-socket", "password"} {
		if !target && cmd.Flags().Changed(name) {
			return fmt.Errorf("parley bench --%s: of which server? give HOST:PORT; of the one that is started here it is known", name)
		}
	}
	return nil
}

// measureOwn measures a Parley that is started for it.
func measureOwn(cmd *cobra.Command, f *flags, o bench.Options) error {
	s, err := startServer(cmd.Context(), o.Watchers > 0)
	if err != nil {
		return err
	}
	o.Target, o.Metrics, o.PID = s.sip, "http://"+s.http+"/metrics", s.pid()
	o.EventSocket, o.Password = s.esl, config.DefaultESLPassword
	err = measure(cmd, f, o)
	if stopped := s.stop(); err == nil {
		err = stopped
	}
	return err
}

func measure(cmd *cobra.Command, f *flags, o bench.Options) error {
	r, err := bench.Run(cmd.Context(), o)
	if err != nil {
		return err
	}
	if f.json {
		err = printJSON(cmd, r)
	} else {
		err = r.Print(cmd.OutOrStdout())
	}
	if err == nil && len(r.Problems()) > 0 {
		return errSaid
	}
	return err
}

func reflectCommand() *cobra.Command {
	return &cobra.Command{
		Use: "reflect [HOST:PORT]", Short: "Be the least server there can be: take calls and send every packet back",
		Long: "Reflect is what `parley bench` compares with: system calls and nothing else. It mixes nothing, so\n" +
			"that the tones are reported as missing. The default is 127.0.0.1:5090.",
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			at := "127.0.0.1:5090"
			if len(args) > 0 {
				at = args[0]
			}
			return bench.Reflect(cmd.Context(), at)
		},
	}
}
