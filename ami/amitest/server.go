// Package amitest is a small manager interface for tests: ConfBridge rooms that
// can be listed, and calls in them that can be sent elsewhere. What is no action
// of these fails the test.
package amitest

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/ami"
)

// Names the server knows.
const (
	User     = "parley"
	Password = "secret"
)

// Server is the fake. It has every context of the dialplan.
type Server struct {
	Address string
	// Redirect is what becomes of a call that is sent elsewhere, which is out of
	// its room by then: "", or the words of a refusal, and it stays. Set it
	// before the first connection.
	Redirect func(m ami.Member, to ami.Place) string

	t     testing.TB
	mu    sync.Mutex
	rooms map[string][]ami.Member // guarded by mu
}

// New starts one that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Address: l.Addr().String(), t: t, rooms: map[string][]ami.Member{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); running.Wait() })
	return s
}

// Enter puts a call into a ConfBridge room, as its last member.
func (s *Server) Enter(room string, m ami.Member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rooms[room] = append(s.rooms[room], m)
}

// Members are those of a room.
func (s *Server) Members(room string) []ami.Member {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rooms[room])
}

func (s *Server) serve(conn net.Conn) {
	defer conn.Close()
	fmt.Fprint(conn, "Asterisk Call Manager/11.0.0\r\n")
	for r := bufio.NewReader(conn); ; {
		m, err := ami.ReadMessage(r)
		if err != nil {
			return
		}
		answer := strings.ReplaceAll(s.answer(m), "@ID", "ActionID: "+m.Value("ActionID"))
		fmt.Fprint(conn, strings.ReplaceAll(answer, "\n", "\r\n"))
	}
}

const success = "Response: Success\n@ID\n\n"

func refusal(words string) string { return "Response: Error\n@ID\nMessage: " + words + "\n\n" }

func (s *Server) answer(m ami.Message) string {
	switch action := m.Value("Action"); action {
	case "Login":
		if m.Value("Username") != User || m.Value("Secret") != Password {
			return refusal("Authentication failed")
		}
		return success
	case "ConfbridgeList":
		return s.list(m.Value("Conference"))
	case "ShowDialPlan":
		return success + "Event: ListDialplan\n@ID\n\nEvent: ShowDialPlanComplete\n@ID\n\n"
	case "Setvar":
		return success
	case "Redirect":
		return s.redirect(m)
	default:
		s.t.Errorf("amitest: unexpected action %s", action)
		return refusal("Invalid/unknown command")
	}
}

func (s *Server) list(room string) string {
	members := s.Members(room)
	if len(members) == 0 {
		return refusal("No Conference by that name found.")
	}
	var b strings.Builder
	b.WriteString(success)
	yes := map[bool]string{true: "Yes", false: "No"}
	for _, m := range members {
		fmt.Fprintf(&b, "Event: ConfbridgeList\n@ID\nConference: %s\nAdmin: %s\nMuted: %s\nWaiting: %s\nChannel: %s\nUniqueid: %s\n"+
			"CallerIDNum: %s\nCallerIDName: %s\nContext: %s\nExten: %s\nPriority: %d\n\n", room, yes[m.Admin], yes[m.Muted], yes[m.Waiting],
			m.Channel, m.ID, m.Number, m.Name, m.At.Context, m.At.Extension, m.At.Priority)
	}
	return b.String() + "Event: ConfbridgeListComplete\n@ID\n\n"
}

func (s *Server) redirect(q ami.Message) string {
	room, m, ok := s.find(q.Value("Channel"))
	if !ok {
		return refusal("Channel does not exist: " + q.Value("Channel"))
	}
	priority := 0
	_, _ = fmt.Sscan(q.Value("Priority"), &priority) // 0 is no place
	if words := s.Redirect(m, ami.Place{Context: q.Value("Context"), Extension: q.Value("Exten"), Priority: priority}); words != "" {
		return refusal(words)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rooms[room] = slices.DeleteFunc(s.rooms[room], func(o ami.Member) bool { return o.ID == m.ID })
	return success
}

func (s *Server) find(channel string) (room string, m ami.Member, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, members := range s.rooms {
		for _, m := range members {
			if m.Channel == channel {
				return name, m, true
			}
		}
	}
	return "", m, false
}
