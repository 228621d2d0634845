package esl

import (
	"context"
	"strings"

	"github.com/percipia/eslgo/command"
)

// expect makes a place for the event that will carry this id. It is made
// before the command is sent, since the event may come before the reply.
func (c *Conn) expect(id string) chan *Event {
	place := make(chan *Event, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hungUp {
		close(place)
	} else {
		c.awaited[id] = place
	}
	return place
}

func (c *Conn) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.awaited, id)
}

// resolve gives an event to whoever waits for it, and reports whether that is
// the end of its way: a job's result concerns nobody else.
func (c *Conn) resolve(e *Event) bool {
	switch e.Name() {
	case "BACKGROUND_JOB":
		return c.settle(e.Value("Job-UUID"), e)
	case "CHANNEL_EXECUTE_COMPLETE":
		c.settle(e.Value("Application-UUID"), e)
	case "CHANNEL_HANGUP_COMPLETE":
		c.release(e.Value("Unique-ID"))
	}
	return false
}

func (c *Conn) settle(id string, e *Event) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	place, ok := c.awaited[id]
	if ok {
		place <- e // capacity 1, and only once in the map
		delete(c.awaited, id)
	}
	return ok
}

// bind says which call's end is the end of everything awaited here.
func (c *Conn) bind(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.call = call
}

// release tells everybody who waits that the call is over. What still ran has
// reported its end before; what was queued behind it will never run.
func (c *Conn) release(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if call == "" || call != c.call {
		return
	}
	c.hungUp = true
	for id, place := range c.awaited {
		close(place)
		delete(c.awaited, id)
	}
}

// wait returns the event of an id, or ErrHungUp when it will never come.
func (c *Conn) wait(ctx context.Context, place chan *Event) (*Event, error) {
	e, err := taken(ctx, c, place)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, ErrHungUp
	}
	return e, nil
}

// API runs an api command and returns what it printed. FreeSWITCH runs it in
// the socket's own thread: nothing else comes through before it has ended, so
// anything slow belongs into Client.Background. Output that begins "-ERR" or
// "-USAGE" is a ReplyError. Foreign text in arguments must not split them.
func (c *Conn) API(ctx context.Context, cmd, arguments string) (string, error) {
	m, err := c.Do(ctx, command.API{Command: cmd, Arguments: arguments})
	if err != nil {
		return "", err
	}
	return apiResult(cmd, m.Body)
}

func apiResult(cmd string, body []byte) (string, error) {
	text := string(body)
	if strings.HasPrefix(text, "-ERR") || strings.HasPrefix(text, "-USAGE") {
		first, _, _ := strings.Cut(text, "\n")
		return "", &ReplyError{Command: cmd, Text: first}
	}
	return text, nil
}
