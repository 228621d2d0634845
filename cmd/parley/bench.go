package main

import (
	"github.com/spf13/cobra"

	"parley/bench"
)

const benchLong = `Call a conference server by SIP (UDP) as many PCMU callers, and report what came
back and what it cost. HOST:PORT is the server's, 127.0.0.1:5070 by default; it
may be any server that takes calls for room numbers. With --pid the CPU time
and memory of that process on this machine are reported too.

The exit code is 1 when calls failed, packets or tones were missing, or a talker
heard himself.`

func benchCommand(f *flags) *cobra.Command {
	o := bench.Options{Target: "127.0.0.1:5070"}
	c := &cobra.Command{
		Use: "bench [HOST:PORT]", Short: "Load a conference server and measure its cost", Long: benchLong, Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Target = args[0]
			}
			return measure(cmd, f, o)
		},
	}
	flag := c.Flags()
	flag.IntVar(&o.Room, "room", bench.DefaultRoom, "number of the first room; the others follow")
	flag.IntVar(&o.Rooms, "rooms", 1, "rooms")
	flag.IntVar(&o.Callers, "callers", bench.DefaultCallers, "callers in each room")
	flag.IntVar(&o.Talkers, "talkers", bench.DefaultTalkers, "of them, how many say a tone")
	flag.Float64Var(&o.Noise, "noise", 0, "dBFS of noise that the others send (0 = digital silence)")
	flag.DurationVar(&o.Warmup, "warmup", bench.DefaultWarmup, "time between the last answer and the measurement")
	flag.DurationVar(&o.Duration, "duration", bench.DefaultDuration, "time measured")
	flag.IntVar(&o.Phases, "phases", bench.DefaultPhases, "moments of each 20 ms at which callers send")
	flag.Float64Var(&o.Rate, "rate", bench.DefaultRate, "calls made per second")
	flag.IntVar(&o.PID, "pid", 0, "process id of the server (0 = do not measure it)")
	c.AddCommand(reflectCommand())
	return c
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
