package aritest_test

import (
	"testing"

	"parley/ari"
	"parley/ari/aritest"
	"parley/ari/audiosocket"
)

// bridged is a call in a bridge with its media, the way a client sets it up.
func bridged(t *testing.T, s *aritest.Server) (*aritest.Call, *ari.Client, *audiosocket.Conn) {
	t.Helper()
	c, err := ari.New(ari.Options{URL: s.URL, User: aritest.User, Password: aritest.Password, App: aritest.App})
	if err != nil {
		t.Fatal(err)
	}
	go c.Run(t.Context())
	if _, ok := (<-c.Events()).(*ari.Connected); !ok {
		t.Fatal("not connected")
	}
	l, err := audiosocket.Listen(t.Context(), "127.0.0.1:0", audiosocket.Options{})
	if err != nil {
		t.Fatal(err)
	}
	id := audiosocket.NewUUID()
	ticket, err := l.Expect(id, audiosocket.KindSLIN8)
	if err != nil {
		t.Fatal(err)
	}
	call := s.Call("room=1")
	_, err = c.ExternalMedia(t.Context(), ari.ExternalMedia{
		ID: "media", Host: l.Addr().String(), Encapsulation: "audiosocket", Transport: "tcp", Data: id.String(), Format: "slin",
		Variables: map[string]string{"CHANNEL(hangup_handler_push)": "parley-lost,s,1(" + call.Name() + ",parley,3001,3)"},
	})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := ticket.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for e := range c.Events() {
		if start, ok := e.(*ari.StasisStart); ok && start.Channel.ID == "media" {
			break
		}
	}
	if err := c.CreateBridge(t.Context(), "b", "b"); err != nil {
		t.Fatal(err)
	}
	if err := c.AddChannel(t.Context(), "b", call.ID(), "media"); err != nil {
		t.Fatal(err)
	}
	return call, c, conn
}

func TestLostMediaSendsTheCallerOn(t *testing.T) {
	call, _, conn := bridged(t, aritest.New(t))
	conn.Close()
	if e := <-call.Left(); e != (aritest.Exit{How: aritest.Redirected, Place: "parley,3001,3"}) {
		t.Errorf("left by %+v", e)
	}
}

func TestADisarmedHandlerDoesNothing(t *testing.T) {
	s := aritest.New(t)
	call, c, conn := bridged(t, s)
	if err := c.SetVariable(t.Context(), "media", "CHANNEL(hangup_handler_wipe)", ""); err != nil {
		t.Fatal(err)
	}
	if err := c.Hangup(t.Context(), "media", ""); err != nil {
		t.Fatal(err)
	}
	for e := range c.Events() {
		if _, ok := e.(*ari.ChannelDestroyed); ok {
			break
		}
	}
	if conn.Drain(1); !conn.Closed() {
		t.Error("the connection is still open")
	}
	select {
	case e := <-call.Left():
		t.Errorf("left by %+v", e)
	default:
	}
	call.Hangup()
	if e := <-call.Left(); e.How != aritest.HungUp {
		t.Errorf("left by %+v", e)
	}
	if channels, bridges := s.Count(); channels != 0 || bridges != 1 {
		t.Errorf("%d channels, %d bridges", channels, bridges)
	}
}

func TestAudioAndKeysTravelBothWays(t *testing.T) {
	call, _, conn := bridged(t, aritest.New(t))
	call.Press("7")
	if !call.Speak(audiosocket.KindSLIN8, make([]byte, 320)) {
		t.Fatal("no media")
	}
	conn.Send(make([]byte, 320), 0, true)
	if !call.Hear() || call.Heard() != 1 {
		t.Errorf("the call heard %d frames", call.Heard())
	}
	if conn.Drain(1); conn.Stats().Received.Load() != 1 {
		t.Errorf("received %d frames", conn.Stats().Received.Load())
	}
	if d, ok := conn.Digit(); !ok || d != '7' {
		t.Errorf("digit %c, %v", d, ok)
	}
}
