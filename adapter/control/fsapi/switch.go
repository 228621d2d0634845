package fsapi

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// release names the version that clients look for, and whose it really is.
func (a *API) release() string { return Compatible + "-parley-" + a.opts.Version }

func (a *API) version(_ context.Context, arguments string) string {
	if strings.EqualFold(arguments, "short") {
		return Compatible + "-release\n"
	}
	return "FreeSWITCH Version " + a.release() + " (Parley " + a.opts.Version + ")\n"
}

// sessions are the channels there are, were since the start, and were at most.
func (a *API) sessions() (n, born, peak int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.catchUp()
	return len(a.calls), a.born, a.peak
}

// status is what operators look at first.
func (a *API) status(context.Context, string) string {
	n, born, peak := a.sessions()
	up := time.Since(a.since)
	return fmt.Sprintf("UP %s, %s\nFreeSWITCH (Version %s) is ready\n%d session(s) since startup\n"+
		"%d session(s) - peak %d, last 5min %d \n0 session(s) per Sec out of max 0, peak 0, last 5min 0 \n%d session(s) max\n"+
		"min idle cpu 0.00/0.00\nCurrent Stack Size/Max 0K/0K\n", upTime(up), fraction(up), a.release(), born, n, peak, peak, a.opts.Sessions)
}

// upTime writes a duration as the switch does, down to seconds.
func upTime(d time.Duration) string {
	s := int64(d / time.Second)
	const day = 24 * 60 * 60
	parts := []struct {
		n    int64
		unit string
	}{{s / (365 * day), "year"}, {s % (365 * day) / day, "day"}, {s % day / 3600, "hour"}, {s % 3600 / 60, "minute"}, {s % 60, "second"}}
	var list []string
	for _, p := range parts {
		list = append(list, plural(p.n, p.unit))
	}
	return strings.Join(list, ", ")
}

// fraction is what is below a second.
func fraction(d time.Duration) string {
	return plural(d.Milliseconds()%1000, "millisecond") + ", " + plural(d.Microseconds()%1000, "microsecond")
}

func plural(n int64, unit string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, unit)
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// uptime is how long we run, in seconds or in another unit.
func (a *API) uptime(_ context.Context, unit string) string {
	units := map[string]time.Duration{
		"": time.Second, "us": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
		"microseconds": time.Microsecond, "milliseconds": time.Millisecond, "seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour,
	}
	scale, ok := units[strings.ToLower(unit)]
	if !ok {
		return usage("[us|ms|s|m|h|d|microseconds|milliseconds|seconds|minutes|hours|days]")
	}
	return fmt.Sprintf("%d\n", time.Since(a.since)/scale)
}

// moduleExists knows the modules that we stand for.
func (a *API) moduleExists(_ context.Context, name string) string {
	if name == "" {
		return "" // no reply, as at the switch
	}
	return fmt.Sprint(slices.Contains(modules(), name))
}

func modules() []string { return []string{"mod_commands", "mod_conference", "mod_event_socket"} }

// globalVariable knows what scripts ask for.
func (a *API) globalVariable(_ context.Context, arguments string) string {
	switch strings.ToLower(arguments) {
	case "hostname", "switchname":
		return a.opts.Hostname
	case "domain":
		return domain
	case "":
		return "hostname=" + a.opts.Hostname + "\ndomain=" + domain + "\n"
	}
	return ""
}
