package adapter_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"parley/adapter"
	"parley/adapter/config"
	"parley/engine"
	"parley/esl"
	"parley/sip"
	"parley/sip/siptest"
)

// watcher is a client of the event socket that hears of everything.
type watcher struct {
	t         *testing.T
	in        *esl.Reader
	created   map[string]bool // channels, until they are no more
	destroyed int             // channels
	closed    int             // conferences
	early     int             // channels that had been destroyed when SHUTDOWN came; -1 = it has not come
}

func (p parley) watch(t *testing.T) *watcher {
	t.Helper()
	nc, err := net.Dial("tcp", p.config.ESLServer.Listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(30 * time.Second)) // or the test waits for ever
	_, err = fmt.Fprintf(nc, "auth %s\n\nevent plain all\n\n", p.config.ESLServer.Password.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	w := &watcher{t: t, in: esl.NewReader(nc), created: map[string]bool{}, early: -1}
	for range 3 { // the request for a password, and two replies
		w.next()
	}
	return w
}

// next takes one message; false is the last, the disconnect notice.
func (w *watcher) next() bool {
	w.t.Helper()
	m, err := w.in.Message()
	if err != nil {
		w.t.Fatal(err)
	}
	if m.Type() != "text/event-plain" {
		return m.Type() != "text/disconnect-notice"
	}
	e, err := esl.ParseEvent(m)
	if err != nil {
		w.t.Fatal(err)
	}
	switch id := e.Value("Unique-ID"); {
	case e.Name() == "CHANNEL_CREATE":
		w.created[id] = true
	case e.Name() == "CHANNEL_DESTROY" && w.created[id]:
		delete(w.created, id)
		w.destroyed++
	case e.Name() == "SHUTDOWN" && e.Value("Event-Info") == "System Shutting Down":
		w.early = w.destroyed
	case e.Value("Action") == "conference-destroy":
		w.closed++
	}
	return true
}

// TestShutdownTellsHowEveryCallEnds has members, callers who are asked for a PIN,
// callers who are asked for the number, and what only ARI knows.
func TestShutdownTellsHowEveryCallEnds(t *testing.T) {
	for _, sound := range []string{"", "conference-ended"} {
		t.Run("with "+sound, func(t *testing.T) {
			c := config.Defaults()
			vacant(t, c)
			withPanel(c)
			c.Profiles[0].Moderator.PINs = []engine.PIN{engine.NewPIN("1")}
			c.Profiles[0].EndedSound = sound
			app, err := adapter.Start(t.Context(), c, adapter.Options{Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- app.Run(ctx) }()
			tellsAll(t, parley{app, c}, stop)
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

func tellsAll(t *testing.T, p parley, stop func()) {
	const each = 5
	w, panel := p.watch(t), p.listen(t, "app=panel&subscribeAll=true")
	moderator := siptest.CallOptions{Headers: []sip.Header{{Name: "X-Parley-Role", Value: "moderator"}}}
	for range each {
		p.dialWith(t, "3001", siptest.Options{}, moderator)
		p.dialWith(t, "3001", siptest.Options{}, siptest.CallOptions{})
		p.dialWith(t, "parley", siptest.Options{}, siptest.CallOptions{})
	}
	p.until(t, "3001", "with all", func(v engine.RoomView) bool { return members(each)(v) && v.Prompting == each })
	for len(w.created) < 3*each {
		w.next()
	}
	panel.want("POST", "/channels/create?app=panel&endpoint=sip:x@y", "", 200, "")
	panel.want("POST", "/channels/externalMedia?app=panel&external_host=127.0.0.1:9&format=ulaw", "", 200, "")
	panel.want("POST", "/bridges/empty", "", 200, "")
	stop()
	for w.next() {
	}
	if w.destroyed != 3*each || len(w.created) > 0 || w.closed != 1 {
		t.Errorf("event socket: the ends of %d calls and %d rooms were told; %v is open", w.destroyed, w.closed, w.created)
	}
	if w.early != 0 {
		t.Errorf("event socket: SHUTDOWN came when %d calls had ended; -1 is never", w.early)
	}
	over := map[string]bool{}
	for range 3*each + 2 {
		over[panel.next("ChannelDestroyed").Channel.ID] = true
	}
	if len(over) != 3*each+2 {
		t.Errorf("ARI: the ends of %d calls were told", len(over))
	}
	panel.next("BridgeDestroyed", func(e happening) bool { return e.Bridge.ID == "empty" })
}
