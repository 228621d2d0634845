package aritest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// reconnect is the time between two tries to connect: of Asterisk it is 500 ms.
const reconnect = 20 * time.Millisecond

// ConnectTo has the switch make the connection for events itself, as it does
// with a persistent outbound_websocket: to url, again and again. What happens
// while nobody is connected is kept, and told first.
func (s *Server) ConnectTo(url, user, password string) {
	s.mu.Lock()
	s.persistent = true
	s.mu.Unlock()
	h := http.Header{}
	(&http.Request{Header: h}).SetBasicAuth(user, password)
	s.wg.Go(func() {
		for s.ctx.Err() == nil {
			ws, _, err := websocket.Dial(s.ctx, url, &websocket.DialOptions{HTTPHeader: h, Subprotocols: []string{"ari"}})
			if err == nil {
				s.outbound(ws)
			}
			select {
			case <-time.After(reconnect):
			case <-s.ctx.Done():
			}
		}
	})
}

// Unregister has the switch forget the application, or know it again: Asterisk
// forgets when a connection ends that had taken it from its own.
func (s *Server) Unregister(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unregistered = on
}

// outbound is one connection of the switch's own making.
func (s *Server) outbound(ws *websocket.Conn) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	k := &socket{queue: make(chan []byte, 65536), drop: cancel}
	s.mu.Lock()
	for _, b := range s.kept {
		k.queue <- b
	}
	s.kept = nil
	s.events = k
	s.emit(map[string]any{"type": "ApplicationRegistered"})
	s.mu.Unlock()
	defer s.gone(k)
	s.wg.Go(func() {
		defer cancel()
		for {
			_, b, err := ws.Read(ctx)
			if err != nil {
				return
			}
			s.restRequest(k, b)
		}
	})
	s.carry(ctx, ws, k)
}

// restRequest answers a request that came over the socket. Only those that
// change nothing are known.
func (s *Server) restRequest(k *socket, b []byte) {
	var q struct {
		Type          string
		TransactionID string `json:"transaction_id"`
		RequestID     string `json:"request_id"`
		Method, URI   string
	}
	if json.Unmarshal(b, &q) != nil || q.Type != "RESTRequest" || q.Method != http.MethodGet {
		s.t.Errorf("aritest: unexpected message %s", b)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unregistered {
		return // as Asterisk 22.10
	}
	status, _ := s.operate(q.Method, strings.Split(q.URI, "/"), args{})
	answer, err := json.Marshal(map[string]any{
		"type": "RESTResponse", "transaction_id": q.TransactionID, "request_id": q.RequestID, "status_code": status, "uri": q.URI,
		"application": App, "asterisk_id": entity, "timestamp": stamp(time.Now()),
	})
	if err != nil {
		s.t.Errorf("aritest: %v", err)
	}
	k.queue <- answer
}
