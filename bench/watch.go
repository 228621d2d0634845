package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/esl"
)

// Watchers are clients of the server's event socket that have subscribed to all
// events while the rooms are measured.
type Watchers struct {
	Clients int    `json:"clients"`
	Fired   uint64 `json:"events"`   // seen by at least one
	Least   uint64 `json:"least"`    // of them, by any client that was not cut off
	Lost    uint64 `json:"lost"`     // told to clients as lost
	Cut     int    `json:"cut_off"`  // with the notice
	Broken  int    `json:"broken"`   // order or number wrong, or gone without a notice
	Asked   int    `json:"commands"` // that were answered: what makes the rooms busy
}

const (
	watchTime = 30 * time.Second // for all to be there, and for the last event
	watchLine = "event plain all\n\n"
)

// watcher is one of them.
type watcher struct {
	nc     net.Conn
	r      *esl.Reader
	first  uint64 // number of the first event
	last   atomic.Uint64
	lost   uint64
	cut    bool
	broken error
}

// watch is all of them, and a client that gives commands.
type watch struct {
	all   []*watcher
	group sync.WaitGroup
	asked atomic.Int64
	stop  context.CancelFunc
}

// startWatch logs everybody in. Its watchers read until done.
func startWatch(ctx context.Context, o Options) (*watch, error) {
	w := &watch{}
	ctx, w.stop = context.WithCancel(ctx)
	for range o.Watchers {
		c, err := logIn(ctx, o, watchLine)
		if err != nil {
			w.close()
			return nil, err
		}
		w.all = append(w.all, c)
		w.group.Go(c.read)
	}
	if o.Watchers == 0 {
		return w, nil
	}
	c, err := logIn(ctx, o, "")
	if err != nil {
		w.close()
		return nil, err
	}
	w.group.Go(func() { w.command(ctx, c, o) })
	return w, nil
}

func (w *watch) close() {
	w.stop()
	for _, c := range w.all {
		_ = c.nc.Close()
	}
	w.group.Wait()
}

// logIn opens one connection.
func logIn(ctx context.Context, o Options, more string) (*watcher, error) {
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", o.EventSocket)
	if err != nil {
		return nil, fmt.Errorf("bench: event socket: %w", err)
	}
	c := &watcher{nc: nc, r: esl.NewReader(nc)}
	_ = nc.SetDeadline(time.Now().Add(watchTime)) // a dead socket fails at once
	if _, err = io.WriteString(nc, "auth "+o.Password+"\n\n"+more); err != nil {
		_ = nc.Close()
		return nil, fmt.Errorf("bench: event socket: %w", err)
	}
	for range 2 + len(more)/len(watchLine) {
		m, err := c.r.Message()
		if err == nil && strings.HasPrefix(m.Value("Reply-Text"), "-ERR") {
			err = fmt.Errorf("the server says %.80q", m.Value("Reply-Text"))
		}
		if err != nil {
			_ = nc.Close()
			return nil, fmt.Errorf("bench: event socket: %w", err)
		}
	}
	_ = nc.SetDeadline(time.Time{})
	return c, nil
}

// command sets a member's volume to what it is, in one room after the other:
// that changes nothing that is heard, and is told to everybody.
func (w *watch) command(ctx context.Context, c *watcher, o Options) {
	defer c.nc.Close()
	beat := time.NewTicker(time.Duration(float64(time.Second) / o.Events))
	defer beat.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
		_, err := fmt.Fprintf(c.nc, "api conference %d volume_in last 0\n\n", o.Room+i%o.Rooms)
		if err != nil {
			return
		}
		m, err := c.r.Message()
		if err != nil {
			return
		}
		if !bytes.HasPrefix(m.Body, []byte("-ERR")) {
			w.asked.Add(1)
		}
	}
}

// read follows all events.
func (c *watcher) read() {
	for {
		m, err := c.r.Message()
		switch {
		case err != nil:
			c.broken = err
			return
		case m.Type() == "text/disconnect-notice":
			c.cut = true
			return
		}
		if n, ok := header(m.Body, "Lost-Events"); ok {
			c.lost += n
			c.last.Add(n)
			continue
		}
		n, _ := header(m.Body, "Event-Sequence")
		if last := c.last.Load(); last != 0 && n != last+1 {
			c.broken = fmt.Errorf("event %d after %d", n, last)
			return
		} else if last == 0 {
			c.first = n
		}
		c.last.Store(n)
	}
}

// header reads a number out of a plain event.
func header(body []byte, name string) (uint64, bool) {
	_, rest, ok := bytes.Cut(body, []byte(name+": "))
	if !ok {
		return 0, false
	}
	value, _, _ := bytes.Cut(rest, []byte("\n"))
	n, err := strconv.ParseUint(string(value), 10, 64)
	return n, err == nil
}

// done waits until nobody is behind, and sums up.
func (w *watch) done(ctx context.Context) *Watchers {
	if len(w.all) == 0 {
		return nil
	}
	w.stop()
	r := &Watchers{Clients: len(w.all), Asked: int(w.asked.Load())}
	newest := func() (last uint64) {
		for _, c := range w.all {
			last = max(last, c.last.Load())
		}
		return last
	}
	for until := time.Now().Add(watchTime); time.Now().Before(until); {
		last := newest()
		if pause(ctx, 500*time.Millisecond) != nil || last == newest() {
			break
		}
	}
	last := newest()
	for _, c := range w.all {
		_ = c.nc.SetReadDeadline(time.Now()) // a reader that waits has seen all
	}
	w.group.Wait()
	r.Least = last
	for _, c := range w.all {
		_ = c.nc.Close()
		r.Fired = max(r.Fired, last+1-c.first)
		r.Lost += c.lost
		switch {
		case c.cut:
			r.Cut++
		case !late(c.broken):
			r.Broken++
		default:
			r.Least = min(r.Least, c.last.Load()+1-c.first)
		}
	}
	return r
}

// late says whether a reader ended because it was told to.
func late(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
