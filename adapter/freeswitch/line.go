package freeswitch

import (
	"context"
	"time"

	"parley/esl"
)

// lineQueue is how many events of one call are kept until it takes them.
const lineQueue = 256

// patience is how long a call without a socket is kept while its switch is out
// of reach.
const patience = time.Minute

// line controls a call that has no socket of its own, over its switch's link;
// it implements control, also while the link is down, by failing.
type line struct {
	link   *Link
	uuid   string
	events chan *esl.Event // closed, under the link's lock, when the line is dropped
}

// connect makes a line to a channel.
func (l *Link) connect(uuid string) (*line, error) {
	c := l.connection()
	if c == nil {
		return nil, errLink
	}
	n := &line{link: l, uuid: uuid, events: make(chan *esl.Event, lineQueue)}
	l.mu.Lock()
	l.lines[uuid] = n
	l.mu.Unlock()
	ctx, cancel := brief()
	defer cancel()
	if err := c.Filter(ctx, "Unique-ID", uuid); err != nil {
		l.dropLines(func(o *line) bool { return o == n })
		return nil, err
	}
	return n, nil
}

func (l *Link) lineIDs() (ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for uuid := range l.lines {
		ids = append(ids, uuid)
	}
	return ids
}

// pass gives an event to the line of its call.
func (l *Link) pass(e *esl.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.lines[e.Value("Unique-ID")]
	if n == nil {
		return
	}
	select {
	case n.events <- e:
	default: // its call does not take them: it cannot be driven any more
		l.log.Error("freeswitch: a call does not take its events", "call", n.uuid)
		delete(l.lines, n.uuid)
		close(n.events)
	}
}

// dropLines ends the lines of calls that are gone, and says how many.
func (l *Link) dropLines(which func(*line) bool) (dropped int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for uuid, n := range l.lines {
		if which(n) {
			delete(l.lines, uuid)
			close(n.events)
			dropped++
		}
	}
	return dropped
}

// giveUpLines ends all lines when the switch has been out of reach for long.
func (l *Link) giveUpLines() {
	l.mu.Lock()
	long := l.client == nil && !l.downAt.IsZero() && time.Since(l.downAt) > patience
	l.mu.Unlock()
	if long {
		l.dropLines(func(*line) bool { return true })
	}
}

func (n *line) Start(ctx context.Context, app, arg string) (string, error) {
	c := n.link.connection()
	if c == nil {
		return "", errLink
	}
	return c.Start(ctx, n.uuid, app, arg)
}

func (n *line) SetVars(ctx context.Context, vars map[string]string) error {
	c := n.link.connection()
	if c == nil {
		return errLink
	}
	return c.SetVars(ctx, n.uuid, vars)
}

func (n *line) API(ctx context.Context, cmd, arguments string) (string, error) {
	c := n.link.connection()
	if c == nil {
		return "", errLink
	}
	return c.API(ctx, cmd, arguments)
}

func (n *line) Events() <-chan *esl.Event { return n.events }

// Exit lets the call go, once. Its dialplan has gone on already.
func (n *line) Exit(ctx context.Context) error {
	mine := n.link.dropLines(func(o *line) bool { return o == n })
	c := n.link.connection()
	if c == nil || mine == 0 {
		return nil
	}
	return c.Unfilter(ctx, "Unique-ID", n.uuid)
}
