package esl

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/percipia/eslgo/command"
)

// variablePrefix is how channel variables are marked among an event's headers.
const variablePrefix = "variable_"

// Session is one call a dialplan handed us with "socket HOST:PORT async full".
// The call stays in that dialplan line until Exit, or until the connection
// ends; then the dialplan goes on. With Resume, or the variable
// socket_resume=true, it goes on at once, whatever application is running.
type Session struct {
	*Conn
	data Headers
	uuid string
}

// handshake takes a fresh connection of the switch into use.
func handshake(ctx context.Context, nc net.Conn, o ConnOptions) (*Session, error) {
	c := newConn(nc, o)
	s, err := connect(ctx, c)
	if err != nil {
		_ = c.Close() // always nil
		return nil, err
	}
	return s, nil
}

func connect(ctx context.Context, c *Conn) (*Session, error) {
	m, err := c.Do(ctx, command.Connect{})
	if err != nil {
		return nil, err
	}
	s := &Session{Conn: c, data: m.decoded()}
	s.uuid = s.Header("Unique-ID")
	mode, control := s.Header("Socket-Mode"), s.Header("Control")
	switch {
	case s.uuid == "" || strings.ContainsAny(s.uuid, " \r\n\x00"):
		return nil, fmt.Errorf("%w: reply to connect without a Unique-ID", ErrMalformed)
	case mode != "async" || control != "full":
		return nil, &SocketModeError{Mode: mode, Control: control}
	}
	c.bind(s.uuid)
	return s, nil
}

// UUID is the call's Unique-ID at the switch.
func (s *Session) UUID() string { return s.uuid }

// Header is a value of the reply to connect, e.g. "Caller-Destination-Number".
func (s *Session) Header(name string) string { return s.data.Value(name) }

// Var is a channel variable as it was when the call came, or "".
func (s *Session) Var(name string) string { return s.data.Value(variablePrefix + name) }

// Vars are all channel variables as they were when the call came.
func (s *Session) Vars() map[string]string {
	vars := make(map[string]string)
	for _, h := range s.data {
		if name, ok := strings.CutPrefix(h.Name, variablePrefix); ok {
			vars[name] = h.Value
		}
	}
	return vars
}

// MyEvents subscribes to the events of this call.
func (s *Session) MyEvents(ctx context.Context) error {
	_, err := s.Do(ctx, command.MyEvents{Format: "plain"})
	return err
}

// Linger keeps the socket for up to d after the hang-up, for the last events.
func (s *Session) Linger(ctx context.Context, d time.Duration) error {
	_, err := s.Do(ctx, linger(d))
	return err
}

// Resume lets the dialplan go on at the end of this socket, even while an
// application runs. It cannot be taken back, also not after the call has been
// transferred away, which Exit would then break; the variable socket_resume
// does the same and can be removed.
func (s *Session) Resume(ctx context.Context) error {
	_, err := s.Do(ctx, line("resume"))
	return err
}

// SetVars sets channel variables at once, also while an application runs. An
// empty value removes the variable. Values are taken literally; one that
// contains "${" or a line break is refused with ErrArgument.
func (s *Session) SetVars(ctx context.Context, vars map[string]string) error {
	return s.Conn.SetVars(ctx, s.uuid, vars)
}

// Start queues an application on the call and returns the Application-UUID
// its CHANNEL_EXECUTE_COMPLETE will carry. Applications started so run one
// after the other. The switch expands ${...} in arg, commands included, so arg
// must never hold foreign text unchecked; see Literal.
func (s *Session) Start(ctx context.Context, app, arg string) (id string, err error) {
	return s.Conn.Start(ctx, s.uuid, app, arg)
}

// Execute is Start, and waits for the application's end, however long it
// runs. It needs MyEvents. ErrHungUp means that the application never ran, or
// ended without a word, because the call is over. Ending ctx ends the wait
// only.
func (s *Session) Execute(ctx context.Context, app, arg string) (*Event, error) {
	id := NewUUID()
	place := s.expect(id)
	defer s.forget(id)
	if err := s.start(ctx, s.uuid, id, app, arg); err != nil {
		return nil, err
	}
	return s.wait(ctx, place)
}

// Hangup ends the call with a cause such as "NORMAL_CLEARING".
func (s *Session) Hangup(ctx context.Context, cause string) error {
	if !validName(cause) {
		return fmt.Errorf("%w: hang-up cause %.40q", ErrArgument, cause)
	}
	_, err := s.API(ctx, "uuid_kill", s.uuid+" "+cause)
	return err
}

// Exit gives the call back to the dialplan and closes the connection.
func (s *Session) Exit(ctx context.Context) error {
	_, err := s.Do(ctx, command.Exit{})
	_ = s.Close() // always nil
	return err
}

// Literal reports whether the switch takes foreign text in an application's
// argument as it stands: no line break, and nothing it would expand.
func Literal(text string) bool {
	return !hasExpansion(text) && !strings.ContainsAny(text, "\r\n\x00")
}
