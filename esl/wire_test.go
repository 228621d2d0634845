package esl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

type messageCase struct {
	name, in string
	want     []Message // what comes before err
	err      error     // nil: io.EOF
}

func messageCases() []messageCase {
	reply := func(text string) Message {
		return Message{Headers: Headers{{"Content-Type", "command/reply"}, {"Reply-Text", text}}}
	}
	return []messageCase{
		{name: "nothing"},
		{name: "a reply", in: "Content-Type: command/reply\nReply-Text: +OK\n\n", want: []Message{reply("+OK")}},
		{name: "lines that end in CR LF", in: "Content-Type: command/reply\r\nReply-Text: +OK\r\n\r\n", want: []Message{reply("+OK")}},
		{name: "blank lines between messages", in: "\n\n\r\nContent-Type: command/reply\nReply-Text: +OK\n\n\n", want: []Message{reply("+OK")}},
		{name: "a value with colons and blanks", in: "Content-Type: command/reply\nReply-Text:   a: b :c \n\n", want: []Message{reply("a: b :c ")}},
		{name: "no blank after the colon", in: "Content-Type:command/reply\nReply-Text:\n\n", want: []Message{reply("")}},
		{name: "odd header names", in: "variable_a (b)/[é]: 1\n\n", want: []Message{{Headers: Headers{{"variable_a (b)/[é]", "1"}}}}},
		{
			name: "a body", in: "content-length: 4\n\n+OK\nContent-Length: 2\n\nhi",
			want: []Message{{Headers{{"content-length", "4"}}, []byte("+OK\n")}, {Headers{{"Content-Length", "2"}}, []byte("hi")}},
		},
		{name: "an empty body", in: "Content-Length: 0\n\n", want: []Message{{Headers: Headers{{"Content-Length", "0"}}}}},
		{name: "one length given twice", in: "Content-Length: 2\nContent-Length: 2\n\nhi", want: []Message{{Headers{{"Content-Length", "2"}, {"Content-Length", "2"}}, []byte("hi")}}},
		{name: "two lengths", in: "Content-Length: 2\nContent-Length: 3\n\nhi!", err: ErrMalformed},
		{name: "cut in a line", in: "Content-Type: comm", err: io.ErrUnexpectedEOF},
		{name: "cut in the head", in: "Content-Type: command/reply\n", err: io.ErrUnexpectedEOF},
		{name: "cut in the body", in: "Content-Length: 9\n\n+OK", err: io.ErrUnexpectedEOF},
		{name: "largest length", in: fmt.Sprintf("Content-Length: %d\n\n", MaxBody), err: io.ErrUnexpectedEOF},
		{name: "length over the limit", in: fmt.Sprintf("Content-Length: %d\n\n", MaxBody+1), err: ErrTooLarge},
		{name: "huge length", in: "Content-Length: 2000000000\n\n", err: ErrTooLarge},
		{name: "length of 30 digits", in: "Content-Length: 999999999999999999999999999999\n\n", err: ErrTooLarge},
		{name: "negative length", in: "Content-Length: -1\n\n", err: ErrMalformed},
		{name: "length that is no number", in: "Content-Length: 0x10\n\n", err: ErrMalformed},
		{name: "empty length", in: "Content-Length:\n\n", err: ErrMalformed},
		{name: "another protocol", in: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", err: ErrMalformed},
		{name: "header without a name", in: ": x\n\n", err: ErrMalformed},
		{name: "head without an end", in: "A: " + strings.Repeat("x", MaxHead), err: ErrTooLarge},
		{name: "endless blank lines", in: strings.Repeat("\n", MaxHead+1), err: ErrTooLarge},
		{name: "too many lines", in: strings.Repeat("a:\n", MaxLines+1), err: ErrTooLarge},
	}
}

func TestReaderCutsMessages(t *testing.T) {
	for _, c := range messageCases() {
		t.Run(c.name, func(t *testing.T) {
			for how, in := range map[string]io.Reader{
				"whole":        strings.NewReader(c.in),
				"byte by byte": iotest.OneByteReader(strings.NewReader(c.in)),
			} {
				got, err := readAll(in)
				want := c.err
				if want == nil {
					want = io.EOF
				}
				if !errors.Is(err, want) {
					t.Errorf("%s: error %v, want %v", how, err, want)
				}
				if !reflect.DeepEqual(got, c.want) {
					t.Errorf("%s: got %q\nwant %q", how, got, c.want)
				}
			}
		})
	}
}

func readAll(in io.Reader) (got []Message, err error) {
	r := NewReader(in)
	for {
		m, err := r.Message()
		if err != nil {
			return got, err
		}
		got = append(got, *m)
	}
}

func FuzzMessage(f *testing.F) {
	for _, c := range messageCases() {
		if len(c.in) < 4096 {
			f.Add([]byte(c.in))
		}
	}
	f.Add(transcript(f, "outbound.txt")[:8192])
	f.Add(transcript(f, "inbound.txt")[:4096])
	f.Fuzz(func(t *testing.T, in []byte) {
		whole, err := readAll(bytes.NewReader(in))
		if err == nil {
			t.Fatal("reading ended without an error")
		}
		again, _ := readAll(iotest.HalfReader(bytes.NewReader(in)))
		if !reflect.DeepEqual(whole, again) {
			t.Errorf("in pieces %q\nin one %q", again, whole)
		}
		for _, m := range whole {
			_, _ = ParseEvent(&m) // must not panic
		}
	})
}

func TestReaderCutsRequests(t *testing.T) {
	const in = "\nsendmsg 42\r\nEvent-Lock: true\r\ncontent-length: 3\r\n\r\na=b" + "api echo a\nb\n: c\nx: y\n\n" + "exit\n\n"
	r := NewReader(strings.NewReader(in))
	q, err := r.Request()
	want := &Request{Line: "sendmsg 42", Headers: Headers{{"Event-Lock", "true"}, {"content-length", "3"}}, Body: []byte("a=b")}
	if err != nil || !reflect.DeepEqual(q, want) {
		t.Errorf("got %q, %v\nwant %q", q, err, want)
	}
	want = &Request{Line: "api echo a", Headers: Headers{{"x", "y"}}}
	if q, err = r.Request(); err != nil || !reflect.DeepEqual(q, want) {
		t.Errorf("with a line break in it %q, %v, want %q", q, err, want)
	}
	if q, err = r.Request(); err != nil || q.Line != "exit" {
		t.Errorf("then %v, %v", q, err)
	}
	if _, err = r.Request(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end %v", err)
	}
}

// TestLengthsThatTheSwitchTakes are read by atoi: so 1.11.1 does.
func TestLengthsThatTheSwitchTakes(t *testing.T) {
	for length, body := range map[string]string{"-5": "", "abc": "", "0x10": "", "": "", "3x": "a=b", "+3": "a=b"} {
		r := NewReader(strings.NewReader("sendmsg 42\nContent-Length: " + length + "\n\n" + body + "exit\n\n"))
		q, err := r.Request()
		if err != nil || string(q.Body) != body {
			t.Errorf("%q: %v, %v", length, q, err)
			continue
		}
		if q, err = r.Request(); err != nil || q.Line != "exit" {
			t.Errorf("%q, then %v, %v", length, q, err)
		}
	}
	if _, err := NewReader(strings.NewReader("exit\nContent-Length: 99999999999999999999x\n\n")).Request(); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte("sendmsg 42\r\nEvent-Lock: true\r\ncontent-length: 3\r\n\r\na=b"))
	f.Add([]byte("api status\n\nexit\n\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := NewReader(bytes.NewReader(in))
		for {
			q, err := r.Request()
			if err != nil {
				return
			}
			if strings.ContainsAny(q.Line, "\n") {
				t.Fatalf("line break in %q", q.Line)
			}
		}
	})
}

func transcript(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// TestTranscripts reads what a real switch wrote.
func TestTranscripts(t *testing.T) {
	for name, want := range map[string][]string{
		"outbound.txt": {
			"command/reply", "command/reply", "command/reply", "api/response", "command/reply", "command/reply",
			"CHANNEL_EXECUTE", "CHANNEL_ANSWER", "CHANNEL_HANGUP", "CHANNEL_UNBRIDGE", "text/disconnect-notice",
			"CHANNEL_EXECUTE_COMPLETE", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP_COMPLETE",
			"command/reply", "text/disconnect-notice",
		},
		"inbound.txt": {
			"auth/request", "command/reply", "command/reply", "api/response", "api/response", "command/reply",
			"BACKGROUND_JOB", "command/reply", "command/reply", "log/data", "log/data",
			"CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE", "command/reply", "command/reply", "text/disconnect-notice",
		},
	} {
		t.Run(name, func(t *testing.T) {
			messages, err := readAll(bytes.NewReader(transcript(t, name)))
			if !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			var got []string
			for _, m := range messages {
				e, err := ParseEvent(&m)
				switch {
				case !strings.HasPrefix(m.Type(), "text/event-"):
					got = append(got, m.Type())
				case err != nil:
					t.Fatal(err)
				default:
					got = append(got, e.Name())
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}
