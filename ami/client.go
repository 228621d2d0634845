// Package ami is a client of Asterisk's manager interface for what its REST
// interface cannot do: who is in a ConfBridge room, and to take a channel out
// of it. A connection is made for one errand; it gets no events.
package ami

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// DefaultTimeout bounds one errand.
const DefaultTimeout = 5 * time.Second

// Options of a connection.
type Options struct {
	Address  string // HOST:PORT of the manager interface
	User     string // of manager.conf
	Password string
	Timeout  time.Duration // of all that is done with it, 0 means DefaultTimeout
}

// RefusalError is an action that Asterisk answered with an error.
type RefusalError struct{ Action, Message string }

func (r *RefusalError) Error() string { return fmt.Sprintf("ami: %s: %q", r.Action, r.Message) }

// ErrAuth: the user or the password is not known.
var ErrAuth = errors.New("ami: wrong user or password")

// Client is a connection that has logged in. It is for one goroutine.
type Client struct {
	conn   net.Conn
	r      *bufio.Reader
	stop   func() bool
	action int
}

// Dial connects and logs in. The end of ctx ends the connection.
func Dial(ctx context.Context, o Options) (*Client, error) {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	end := time.Now().Add(o.Timeout)
	dialer := net.Dialer{Deadline: end}
	conn, err := dialer.DialContext(ctx, "tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("ami: %w", err)
	}
	c := &Client{conn: conn, r: bufio.NewReaderSize(conn, maxLine)}
	c.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	if err = conn.SetDeadline(end); err == nil {
		err = c.login(o)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() {
	c.stop()
	_ = c.conn.Close()
}

func (c *Client) login(o Options) error {
	hello, err := c.r.ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("ami: no greeting: %w", err)
	}
	if !strings.HasPrefix(string(hello), "Asterisk Call Manager/") {
		return fmt.Errorf("%w: greeting %.80q", ErrMessage, hello)
	}
	err = c.do("Login", Field{"Username", o.User}, Field{"Secret", o.Password}, Field{"Events", "off"})
	if _, refused := errors.AsType[*RefusalError](err); refused {
		return ErrAuth
	}
	return err
}

// do has an action done.
func (c *Client) do(action string, fields ...Field) error {
	_, err := c.ask(action, fields...)
	return err
}

// ask sends an action and waits for its response.
func (c *Client) ask(action string, fields ...Field) (Message, error) {
	c.action++
	id := strconv.Itoa(c.action)
	data, err := append(Message{{"Action", action}, {"ActionID", id}}, fields...).append(nil)
	if err != nil {
		return nil, err
	}
	if _, err := c.conn.Write(data); err != nil {
		return nil, fmt.Errorf("ami: %s: %w", action, err)
	}
	for range maxList { // what comes unasked is passed over
		m, err := ReadMessage(c.r)
		switch {
		case err != nil:
			return nil, fmt.Errorf("ami: %s: %w", action, err)
		case m.Value("ActionID") != id || m.Value("Response") == "":
		case strings.EqualFold(m.Value("Response"), "Success"):
			return m, nil
		default:
			return nil, &RefusalError{action, m.Value("Message")}
		}
	}
	return nil, fmt.Errorf("%w: no response to %s", ErrTooLarge, action)
}

// list has Asterisk list something: item is the event of one, done the last.
func (c *Client) list(action, item, done string, fields ...Field) (all []Message, err error) {
	if err := c.do(action, fields...); err != nil {
		return nil, err
	}
	id := strconv.Itoa(c.action)
	for range maxList {
		m, err := ReadMessage(c.r)
		switch {
		case err != nil:
			return nil, fmt.Errorf("ami: %s: %w", action, err)
		case m.Value("ActionID") != id:
		case m.Value("Event") == item:
			all = append(all, m)
		case m.Value("Event") == done:
			return all, nil
		}
	}
	return nil, fmt.Errorf("%w: the list of %s", ErrTooLarge, action)
}

// Place is a position in the dialplan.
type Place struct {
	Context   string
	Extension string
	Priority  int
}

// Member is a call in a ConfBridge room.
type Member struct {
	Channel string // its name
	ID      string // its unique id, which ARI knows it by
	Number  string
	Name    string
	Admin   bool
	Muted   bool
	Waiting bool  // for a marked user
	At      Place // of ConfBridge() in its dialplan
}

// ErrNoRoom: no ConfBridge room of that name runs.
var ErrNoRoom = errors.New("ami: no such conference")

// Members are those of a ConfBridge room.
func (c *Client) Members(room string) (all []Member, err error) {
	list, err := c.list("ConfbridgeList", "ConfbridgeList", "ConfbridgeListComplete", Field{"Conference", room})
	if r, refused := errors.AsType[*RefusalError](err); refused && strings.HasPrefix(r.Message, "No ") { // "No active conferences.", "No Conference by that name found."
		return nil, fmt.Errorf("%w: %s", ErrNoRoom, room)
	}
	for _, m := range list {
		priority, _ := strconv.Atoi(m.Value("Priority")) // 0 is no place
		all = append(all, Member{
			Channel: m.Value("Channel"), ID: m.Value("Uniqueid"), Number: known(m.Value("CallerIDNum")), Name: known(m.Value("CallerIDName")),
			Admin: yes(m.Value("Admin")), Muted: yes(m.Value("Muted")), Waiting: yes(m.Value("Waiting")),
			At: Place{m.Value("Context"), m.Value("Exten"), priority},
		})
	}
	return all, err
}

func yes(text string) bool { return strings.EqualFold(text, "Yes") }

// known is a text that Asterisk fills in where it has none.
func known(text string) string {
	if text == "<unknown>" {
		return ""
	}
	return text
}

// Redirect sends a channel to another place of the dialplan.
func (c *Client) Redirect(channel string, to Place) error {
	err := c.do("Redirect", Field{"Channel", channel}, Field{"Context", to.Context}, Field{"Exten", to.Extension},
		Field{"Priority", strconv.Itoa(to.Priority)})
	return err
}
