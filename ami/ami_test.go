package ami

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
)

// messages are inputs of ReadMessage, and its error.
func messages() []struct {
	name, in string
	want     Message
	err      error
} {
	return []struct {
		name, in string
		want     Message
		err      error
	}{
		{"a response", "Response: Success\r\nMessage: Queued\r\n\r\n", Message{{"Response", "Success"}, {"Message", "Queued"}}, nil},
		{"no blank after the colon", "A:b: c\n\n", Message{{"A", "b: c"}}, nil},
		{"blank lines before", "\r\n\r\nA: b\r\n\r\n", Message{{"A", "b"}}, nil},
		{"an empty value", "A:\r\n\r\n", Message{{"A", ""}}, nil},
		{"cut", "A: b\r\n", nil, io.ErrUnexpectedEOF},
		{"cut in a line", "A: b", nil, io.ErrUnexpectedEOF},
		{"nothing", "", nil, io.EOF},
		{"no name", ": b\r\n\r\n", nil, ErrMessage},
		{"no colon", "hello\r\n\r\n", nil, ErrMessage},
		{"a long line", "A: " + strings.Repeat("x", 5000) + "\r\n\r\n", nil, ErrTooLarge},
		{"many fields", strings.Repeat("A: b\r\n", 501) + "\r\n", nil, ErrTooLarge},
	}
}

func TestReadMessage(t *testing.T) {
	for _, c := range messages() {
		got, err := ReadMessage(bufio.NewReaderSize(strings.NewReader(c.in), maxLine))
		if !errors.Is(err, c.err) || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v, %v", c.name, got, err, c.want, c.err)
		}
	}
}

func FuzzReadMessage(f *testing.F) {
	for _, c := range messages() {
		f.Add([]byte(c.in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(in), maxLine)
		m, err := ReadMessage(r)
		if (err == nil) != (len(m) > 0) {
			t.Fatalf("%v, %v", m, err)
		}
		if err != nil {
			return
		}
		wire, err := m.append(nil)
		if err != nil {
			return // a carriage return inside a value
		}
		again, err := ReadMessage(bufio.NewReaderSize(bytes.NewReader(wire), 2*maxLine))
		if err != nil && !errors.Is(err, ErrTooLarge) || err == nil && !slices.Equal(m, again) {
			t.Fatalf("%q, %v, was %q", again, err, m)
		}
	})
}

func TestLineBreaksDoNotReachTheSwitch(t *testing.T) {
	for _, bad := range []Field{{"A", "b\r\nAction: Command"}, {"A", "b\n"}, {"A\r", "b"}, {"A: b", "c"}} {
		if _, err := (Message{bad}).append(nil); !errors.Is(err, ErrValue) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// serve answers a client's actions, one connection; the first is the login.
func serve(t *testing.T, greeting string, answer func(Message) string) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, greeting)
		for r := bufio.NewReaderSize(conn, maxLine); ; {
			m, err := ReadMessage(r)
			if err != nil {
				return
			}
			fmt.Fprint(conn, strings.ReplaceAll(strings.ReplaceAll(answer(m), "@ID", "ActionID: "+m.Value("ActionID")), "\n", "\r\n"))
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

const greeting = "Asterisk Call Manager/11.0.0\r\n"

func TestErrands(t *testing.T) {
	at := serve(t, greeting, func(m Message) string {
		switch m.Value("Action") {
		case "Login":
			if m.Value("Username") != "parley" || m.Value("Secret") != "x" || m.Value("Events") != "off" {
				t.Errorf("login %v", m)
			}
			return "Event: FullyBooted\nStatus: Fully Booted\n\nResponse: Success\n@ID\nMessage: Authentication accepted\n\n"
		case "ConfbridgeList":
			if m.Value("Conference") != "3001" {
				return "Response: Error\n@ID\nMessage: No Conference by that name found.\n\n"
			}
			return "Response: Success\n@ID\nEventList: start\n\n" +
				"Event: ConfbridgeList\n@ID\nConference: 3001\nAdmin: Yes\nMuted: No\nWaiting: No\nChannel: PJSIP/a-1\nUniqueid: 1.1\n" +
				"CallerIDNum: 1001\nCallerIDName: <unknown>\nContext: rooms\nExten: 3001\nPriority: 4\n\n" +
				"Event: ConfbridgeListComplete\n@ID\nListItems: 1\n\n"
		case "Setvar":
			if m.Value("Channel") != "PJSIP/a-1" || m.Value("Variable") != "BACK" || m.Value("Value") != "rooms,3001,4" {
				t.Errorf("set %v", m)
			}
			return "Response: Success\n@ID\nMessage: Variable Set\n\n"
		case "ShowDialPlan":
			if m.Value("Context") != "rooms" {
				return "Response: Error\n@ID\nMessage: Did not find context " + m.Value("Context") + "\n\n"
			}
			return "Response: Success\n@ID\nEventList: start\n\nEvent: ListDialplan\n@ID\nContext: rooms\n\nEvent: ShowDialPlanComplete\n@ID\n\n"
		case "ListCommands":
			return "Response: Success\n@ID\nRedirect: Redirect (transfer) a call.  (Priv: call,all)\nPing: Keepalive command.  (Priv: <none>)\n\n"
		case "Redirect":
			return "Response: Error\n@ID\nMessage: Channel does not exist: " + m.Value("Channel") + "\n\n"
		}
		return ""
	})
	c, err := Dial(context.Background(), Options{Address: at, User: "parley", Password: "x"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	all, err := c.Members("3001")
	want := Member{Channel: "PJSIP/a-1", ID: "1.1", Number: "1001", Admin: true, At: Place{"rooms", "3001", 4}}
	if err != nil || len(all) != 1 || all[0] != want {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := c.Members("none"); !errors.Is(err, ErrNoRoom) {
		t.Errorf("%v", err)
	}
	if err := c.SetVariable("PJSIP/a-1", "BACK", "rooms,3001,4"); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]bool{"rooms": true, "nix": false} {
		if has, err := c.HasContext(name); has != want || err != nil {
			t.Errorf("context %s: %t, %v", name, has, err)
		}
	}
	if may, err := c.Actions(); err != nil || !slices.Equal(may, []string{"Redirect", "Ping"}) {
		t.Errorf("actions %v, %v", may, err)
	}
	err = c.Redirect("PJSIP/b-2", Place{"c", "s", 1})
	if r, ok := errors.AsType[*RefusalError](err); !ok || r.Message != "Channel does not exist: PJSIP/b-2" {
		t.Errorf("%v", err)
	}
}

func TestWhatIsWrongAtLogin(t *testing.T) {
	at := serve(t, greeting, func(Message) string { return "Response: Error\n@ID\nMessage: Authentication failed\n\n" })
	if _, err := Dial(context.Background(), Options{Address: at}); !errors.Is(err, ErrAuth) {
		t.Errorf("%v", err)
	}
	at = serve(t, "220 mail\r\n", func(Message) string { return "" })
	if _, err := Dial(context.Background(), Options{Address: at}); !errors.Is(err, ErrMessage) {
		t.Errorf("%v", err)
	}
	if _, err := Dial(context.Background(), Options{Address: "127.0.0.1:1"}); err == nil {
		t.Error("nobody is there")
	}
}
