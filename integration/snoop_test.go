//go:build integration

package integration

import (
	"context"
	"strings"
	"testing"
	"time"

	v6 "github.com/CyCoreSystems/ari/v6"
	"github.com/CyCoreSystems/ari/v6/client/native"

	"parley/sip/siptest"
)

// nodeSnoops has a channel of room 3001 snooped on from another room.
func nodeSnoops(t *testing.T, s *program, id string) {
	t.Helper()
	if got := s.does("snoop " + id + " ear"); !strings.HasPrefix(got, "Snoop/"+id+"-") {
		t.Errorf("snoop: %s", got)
	}
	s.sees("StasisStart ear")
	s.does("addTo 3009 ear")
	s.sees("ChannelEnteredBridge ear 3009")
	s.does("hangup ear")
	s.sees("ChannelDestroyed ear")
}

// TestASnoopEndsWhereASwitchTakesTheRoom, in no room and in one: the audio is not here any
// more. While it is there nobody can snoop, and once it is back he can.
func TestASnoopEndsWhereASwitchTakesTheRoom(t *testing.T) {
	at := newPlace()
	ast := startAsterisk(t, at)
	p := run(t, at, at.base(true)+ariUsers)
	c, err := native.ConnectWithContext(t.Context(), &native.Options{
		Application: "panel", URL: "http://" + at.http + "/ari", WebsocketURL: "ws://" + at.http + "/ari/events",
		Username: "panel", Password: "a-long-password", SubscribeAll: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ended := c.Bus().Subscribe(nil, v6.Events.ChannelDestroyed)
	defer ended.Cancel()
	call(t, at.astSIP, "3001", tone(500))
	id := string(p.members("3001", 1)[0].CallID)
	call(t, at.astSIP, "3001", tone(900)) // alone the first would hear music beside the bridge
	boss := dialled(t, at.sip, "coach", siptest.Tone{})
	p.members("coach", 1)
	snoop := func(name string) error {
		_, err := c.Channel().Snoop(v6.NewKey(v6.ChannelKey, id), name, &v6.SnoopOptions{App: "panel", Spy: v6.DirectionIn})
		return err
	}
	for _, name := range []string{"first", "again"} {
		for _, where := range []string{"-in", "-aside"} {
			if err := snoop(name + where); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Bridge().AddChannel(v6.NewKey(v6.BridgeKey, "coach"), name+"-in"); err != nil {
			t.Fatal(err)
		}
		p.members("coach", 2)
		if got := level(boss, 500); got < -26 {
			t.Errorf("%s is heard at %.0f dBFS", name, got)
		}
		if _, err := p.api.HandBack(context.Background(), "3001"); err != nil {
			t.Fatal(err)
		}
		ast.settles("3001", 2)
		for range 2 {
			select {
			case e := <-ended.Events():
				if gone, ok := e.(*v6.ChannelDestroyed); !ok || !strings.HasPrefix(gone.Channel.ID, name) || gone.Cause != 0 {
					t.Errorf("%+v", e)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("a snoop is there still")
			}
		}
		p.members("coach", 1)
		if err := snoop("none"); err == nil || !strings.Contains(err.Error(), "409") {
			t.Errorf("while the switch mixes: %v", err)
		}
		if _, err := p.api.TakeOver(context.Background(), "3001"); err != nil {
			t.Fatal(err)
		}
	}
}
