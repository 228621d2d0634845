package esl

import (
	"context"
	"fmt"
	"strings"

	"github.com/percipia/eslgo/command"
)

// critical is the switch's log level of what it says about lost events.
const critical = 2

// Loss is events that the switch has not sent, and its words about it.
type Loss struct {
	Events uint64
	Text   string
}

// WatchLoss has the switch say when it drops events because a client is behind
// by 100,000 of them. It says so in its log alone, and not which client that is:
// it may be another one. Losses are what comes of it. A ReplyError means that
// the switch does not let this client read its log.
func (c *Client) WatchLoss(ctx context.Context) error {
	_, err := c.Do(ctx, command.Log{Enabled: true, Level: critical})
	return err
}

// Losses tells of events that the switch has dropped; those that nobody has
// taken from it yet are one loss.
func (c *Conn) Losses() <-chan Loss { return c.lost }

// logged takes a line of the switch's log. It has one caller, the reader. The
// switch has a line for each event that it drops, if it is not an old one, and
// a line for all of them when a client has room again.
func (c *Conn) logged(m *Message) {
	if m.Value("Log-File") != "mod_event_socket.c" {
		return
	}
	l := Loss{Events: 1, Text: from(m.Body, "Event enqueue ERROR")}
	if l.Text != "" {
		c.unsaid++
	} else if l.Text = from(m.Body, "Lost ["); l.Text != "" {
		if n, err := fmt.Sscanf(l.Text, "Lost [%d] events!", &l.Events); n != 1 || err != nil {
			return // of lines of its log
		}
		l.Events -= min(c.unsaid, l.Events)
		c.unsaid = 0
	}
	if l.Text == "" || l.Events == 0 {
		return
	}
	select {
	case earlier := <-c.lost:
		l.Events += earlier.Events
	default:
	}
	c.lost <- l
}

// from is what a line of the log says from a word on, "" where it has none.
func from(line []byte, word string) string {
	_, rest, found := strings.Cut(string(line), word)
	if !found {
		return ""
	}
	return fmt.Sprintf("%s%.200s", word, strings.TrimRight(rest, "\r\n "))
}
