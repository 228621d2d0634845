package adapter_test

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/esl"
)

// TestReloadEndsTheConnectionsOfUsersItTakesAway, which are older than the new file.
func TestReloadEndsTheConnectionsOfUsersItTakesAway(t *testing.T) {
	const panel = "ari_server: {users: [{name: panel, password: " + panelPassword + "}]}"
	p, write := onFile(t, panel)
	reload := func(change func(text []byte) []byte) {
		t.Helper()
		text, err := os.ReadFile(p.config.Files[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p.config.Files[0], change(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := p.client().Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	reload(func(text []byte) []byte {
		was := []byte("esl_server: {listen: " + p.config.ESLServer.Listen)
		return bytes.Replace(text, was, append(was, ", users: [{name: bob@pbx, password: "+panelPassword+"}]"...), 1)
	})
	ws, _, err := websocket.Dial(t.Context(), "ws://"+p.config.HTTP.Listen+"/ari/events?app=a&api_key=panel:"+panelPassword, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	c, err := esl.Dial(t.Context(), esl.ClientOptions{Address: p.config.ESLServer.Listen, User: "bob@pbx", Password: panelPassword})
	if err != nil {
		t.Fatal(err)
	}
	write("") // without both users
	reload(func(text []byte) []byte { return text })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, _, err := ws.Read(ctx); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("the websocket: %v", err)
	}
	select {
	case <-c.Done():
	case <-ctx.Done():
		t.Error("the event socket is open")
	}
}
