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

// WatchLoss has the switch say when it has dropped events because a client was
// behind by 100,000 of them. It says so in its log alone, and not which client
// that was: it may be another one. Losses are what comes of it. A ReplyError
// means that the switch does not let this client read its log.
func (c *Client) WatchLoss(ctx context.Context) error {
	_, err := c.Do(ctx, command.Log{Enabled: true, Level: critical})
	return err
}

// Losses tells of events that the switch has dropped; those that nobody has
// taken from it yet are one loss.
func (c *Conn) Losses() <-chan Loss { return c.lost }

// logged takes a line of the switch's log. It has one caller, the reader.
func (c *Conn) logged(m *Message) {
	_, text, found := strings.Cut(string(m.Body), "Lost [")
	if !found || m.Value("Log-File") != "mod_event_socket.c" {
		return
	}
	l := Loss{Text: fmt.Sprintf("Lost [%.200s", strings.TrimSpace(text))}
	if n, err := fmt.Sscanf(l.Text, "Lost [%d] events!", &l.Events); n != 1 || err != nil {
		return // of lines of its log
	}
	select {
	case earlier := <-c.lost:
		l.Events += earlier.Events
	default:
	}
	c.lost <- l
}
