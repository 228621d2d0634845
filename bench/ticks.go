package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	pageTime = 5 * time.Second // for a page of metrics
	pageMost = 4 << 20         // bytes of it
	restTime = 5 * time.Second // in which all legs have to be gone after the last BYE
)

// ticks is what a Parley's /metrics says of its mixer.
type ticks struct{ run, late, overdue, legs float64 }

// readTicks fetches a page of metrics.
func readTicks(ctx context.Context, url string) (t ticks, err error) {
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return t, fmt.Errorf("%w: metrics: %w", ErrOptions, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return t, fmt.Errorf("bench: metrics: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return t, fmt.Errorf("bench: metrics: %s says %s", url, resp.Status)
	}
	return parseTicks(io.LimitReader(resp.Body, pageMost))
}

// parseTicks reads the Prometheus text format as far as it is needed.
func parseTicks(r io.Reader) (t ticks, err error) {
	want := map[string]*float64{
		"parley_ticks_total": &t.run, "parley_ticks_late_total": &t.late,
		"parley_ticks_overdue_total": &t.overdue, "parley_legs": &t.legs,
	}
	found := 0
	for sc := bufio.NewScanner(r); sc.Scan(); {
		name, value, _ := strings.Cut(sc.Text(), " ")
		if v := want[name]; v != nil {
			if *v, err = strconv.ParseFloat(value, 64); err != nil {
				return t, fmt.Errorf("bench: metrics: %s: %w", name, err)
			}
			found++
		}
	}
	if found < len(want) {
		return t, fmt.Errorf("bench: metrics: no page of a Parley: %d of %d figures are there", found, len(want))
	}
	return t, nil
}

// before notes where the counters stand.
func (l *load) before(ctx context.Context) (err error) {
	if l.opt.Metrics != "" {
		l.seen, err = readTicks(ctx, l.opt.Metrics)
	}
	return err
}

// punctual is what the mixer was late since before, while all callers are
// there: their leaving at once is another matter. It is nil where nobody says so.
func (l *load) punctual(ctx context.Context) (*Ticks, error) {
	if l.opt.Metrics == "" {
		return nil, nil
	}
	t, err := readTicks(ctx, l.opt.Metrics)
	if err != nil {
		return nil, err
	}
	return &Ticks{Run: uint64(t.run - l.seen.run), Late: uint64(t.late - l.seen.late), Overdue: uint64(t.overdue - l.seen.overdue)}, nil
}

// aftermath waits until a Parley has no legs any more, and returns how many are
// stuck.
func (l *load) aftermath(ctx context.Context) (stuck int, err error) {
	until := time.Now().Add(restTime)
	for {
		t, err := readTicks(ctx, l.opt.Metrics)
		if err != nil || t.legs == 0 || time.Now().After(until) {
			return int(t.legs), err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return 0, err
		}
	}
}
