package adapter

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// How many warnings and errors of one kind are logged: so many at once, and
// then so many per second. The rest is counted.
const (
	calmBurst = 100
	calmRate  = 5
	calmKinds = 64 // told apart
)

// calm is a slog.Handler that keeps a peer from filling the disk: of warnings
// and errors of one kind, by the first word of the message, only some are
// written, and how many were left out stands with the next one. What is less
// than a warning comes at the pace of calls, which is limited elsewhere.
type calm struct {
	slog.Handler
	kinds *kinds
}

// kinds is shared by all handlers that were derived from one.
type kinds struct {
	mu sync.Mutex
	by map[string]*kind // guarded by mu
}

// kind is what one kind of message may still say.
type kind struct {
	left    float64
	at      time.Time
	omitted int
}

func newCalm(h slog.Handler) *calm { return &calm{h, &kinds{by: map[string]*kind{}}} }

// Handle implements slog.Handler.
func (c *calm) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		omitted, ok := c.kinds.take(r.Message, r.Time)
		if !ok {
			return nil
		}
		if omitted > 0 {
			r.AddAttrs(slog.Int("omitted", omitted))
		}
	}
	return c.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (c *calm) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &calm{c.Handler.WithAttrs(attrs), c.kinds}
}

// WithGroup implements slog.Handler.
func (c *calm) WithGroup(name string) slog.Handler { return &calm{c.Handler.WithGroup(name), c.kinds} }

// take says whether a message may be written, and how many of its kind were
// not since the last one.
func (k *kinds) take(message string, now time.Time) (omitted int, ok bool) {
	word, _, _ := strings.Cut(message, " ")
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.by[word]
	if f == nil && len(k.by) >= calmKinds {
		word = "" // the rest is one kind
		f = k.by[word]
	}
	if f == nil {
		f = &kind{left: calmBurst, at: now}
		k.by[word] = f
	}
	f.left = min(calmBurst, f.left+calmRate*now.Sub(f.at).Seconds())
	f.at = now
	if f.left < 1 {
		f.omitted++
		return 0, false
	}
	f.left--
	omitted, f.omitted = f.omitted, 0
	return omitted, true
}
