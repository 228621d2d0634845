package eventsocket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"parley/esl"
)

// dialIn is dial with a context of the test's own.
func dialIn(t *testing.T, ctx context.Context, s *Server) *client {
	t.Helper()
	ours, theirs := net.Pipe()
	go s.Talk(ctx, theirs)
	c := &client{t, ours, esl.NewReader(ours)}
	t.Cleanup(func() { _ = ours.Close() })
	c.read()
	return c
}

// stream is a connection whose peer has said all it will say.
type stream struct {
	io.Reader
	out bytes.Buffer
}

func (s *stream) Write(b []byte) (int, error)      { return s.out.Write(b) }
func (s *stream) Close() error                     { return nil }
func (s *stream) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (s *stream) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (s *stream) SetDeadline(time.Time) error      { return nil }
func (s *stream) SetReadDeadline(time.Time) error  { return nil }
func (s *stream) SetWriteDeadline(time.Time) error { return nil }

// feed gives a server a whole stream, and checks that what comes back can be
// read as messages of a switch.
func feed(t *testing.T, s *Server, in []byte) {
	nc := &stream{Reader: bytes.NewReader(in)}
	s.Talk(t.Context(), nc)
	s.jobs.Wait()
	r := esl.NewReader(&nc.out)
	for {
		_, err := r.Message()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("what the server wrote is no message: %v", err)
		}
	}
}
