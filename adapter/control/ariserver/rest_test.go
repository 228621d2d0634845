package ariserver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
)

// TestRequestsOverTheSocket are answered as an Asterisk 22.10 answers them.
func TestRequestsOverTheSocket(t *testing.T) {
	s := newServer()
	r := httptest.NewRequest(http.MethodGet, "/ari/events", nil)
	const noMethod, noURI, noQuery = "Unknown or missing 'method' property.", "Empty or missing 'uri' property.", "Unable to parse 'query_strings' array."
	for _, tt := range []struct {
		in     string
		status int
		reason string
		uri    string
		words  string
	}{
		{`{`, 400, "Failed to parse request message JSON", "", ""},
		{``, 400, "Failed to parse request message JSON", "", ""},
		{`5`, 400, "Failed to parse request message JSON", "", ""},
		{`null`, 400, "Failed to parse request message JSON", "", ""},
		{`{"type":"RESTRequest"} x`, 400, "Failed to parse request message JSON", "", ""},
		{`[]`, 400, "Bad request", "", "No 'type' property."},
		{`{"foo":1}`, 400, "Bad request", "", "No 'type' property."},
		{`{"type":5,"uri":"x"}`, 400, "Bad request", "", "No 'type' property."},
		{`{"type":"restrequest","uri":"x"}`, 400, "Bad request", "", "Unknown request type."},
		{`{"type":"RESTRequest"}`, 400, "Bad request", "", noURI},
		{`{"type":"RESTRequest","method":"GET","Uri":"bridges"}`, 400, "Bad request", "", noURI},
		{`{"type":"RESTRequest","uri":"bridges?a=b"}`, 400, "Bad request", "bridges", noMethod},
		{`{"type":"RESTRequest","method":"get","uri":"bridges"}`, 400, "Bad request", "bridges", noMethod},
		{`{"type":"RESTRequest","method":"FOO","uri":"bridges"}`, 400, "Bad request", "bridges", noMethod},
		{`{"type":"RESTRequest","method":"GET","uri":"bridges","query_strings":[{"name":"a"}]}`, 400, "Bad request", "bridges", noQuery},
		{`{"type":"RESTRequest","method":"GET","uri":"bridges","query_strings":[5]}`, 400, "Bad request", "bridges", noQuery},
		{`{"type":"RESTRequest","method":"GET","uri":"events?app=a"}`, 400, "Bad request", "events", "Can't upgrade to websocket from a websocket"},
		{`{"type":"RESTRequest","method":"GET","uri":"bridges","message_body":"{}"}`, 400, "Bad request", "bridges", "No 'content_type' for 'message_body'."},
		{`{"type":"RESTRequest","method":"GET","uri":"bridges","message_body":"x","content_type":"text/plain"}`, 400, "Bad request", "bridges", "Unknown content type."},
		{`{"type":"RESTRequest","method":"GET","uri":"bridges","message_body":"{","content_type":"application/json"}`, 400, "Bad request", "bridges", "Unable to parse 'message_body' as 'application/json'."},
		{`{"type":"RESTRequest","method":"GET","uri":"bridges/zz?a=b"}`, 404, "Not Found", "bridges/zz", "Bridge not found"},
		{`{"type":"RESTRequest","method":"GET","uri":"/bridges"}`, 405, "Method Not Allowed", "/bridges", "Invalid method"},
		{`{"type":"RESTRequest","method":"GET","uri":"?a"}`, 405, "Method Not Allowed", "", "Invalid method"},
		{`{"type":"RESTRequest","method":"HEAD","uri":"bridges"}`, 405, "Method Not Allowed", "bridges", "Invalid method"},
		{`{"type":"RESTRequest","method":"OPTIONS","uri":"bridges"}`, 204, "No Content", "bridges", ""},
		{`{"type":"RESTRequest","method":"GET","uri":"bridges//"}`, 404, "Not Found", "bridges//", "ARI URLs do not end with a slash. Try /ari/bridges/"},
		{`{"type":"RESTRequest","method":"GET","uri":"#bridges"}`, 404, "Not Found", "#bridges", "Resource not found"},
		{`{"type":"RESTRequest","method":"POST","uri":"bridges?type=mixing","query_strings":[{"name":"type","value":"holding"}]}`, 501, "Not Implemented", "bridges", "Method not implemented"},
		{`{"type":"RESTRequest","method":"POST","uri":"bridges","message_body":"type=holding","content_type":"application/x-www-form-urlencoded"}`, 501, "Not Implemented", "bridges", "Method not implemented"},
		{`{"type":"RESTRequest","method":"POST","uri":"bridges","message_body":"{\"type\":\"holding\"}","content_type":"application/json"}`, 501, "Not Implemented", "bridges", "Method not implemented"},
		{`{"type":"RESTRequest","method":"POST","uri":"bridges","query_strings":{},"message_body":{}}`, 200, "OK", "bridges", ""},
	} {
		a := s.answer(t.Context(), []byte(tt.in), r, User{Name: "u", Password: "p:w"})
		if a.Status != tt.status || a.Reason != tt.reason || a.URI != tt.uri || tt.words != "" && !strings.HasPrefix(a.Body, `{"message":"`+tt.words) {
			t.Errorf("%s: got %d %s %q %s, want %d %s %q %s", tt.in, a.Status, a.Reason, a.URI, a.Body, tt.status, tt.reason, tt.uri, tt.words)
		}
	}
	a := s.answer(t.Context(), []byte(`{"transaction_id":"t","request_id":"r"}`), r, User{})
	if got := fmt.Sprint(a.Transaction, a.Request); got != "tr" {
		t.Errorf("the answer is to %q", got)
	}
}

// TestAnswersAreForTheFirstApplication of the socket, as in Asterisk.
func TestAnswersAreForTheFirstApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws, hangUp := dial(t, newServer(), "a,%20b")
		defer hangUp()
		if err := ws.Write(t.Context(), 1, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, data, err := ws.Read(t.Context()); err != nil || !strings.HasSuffix(string(data), `"application":"a"}`) {
			t.Errorf("%s %v", data, err)
		}
	})
}

// TestNamesOfApplications that an Asterisk refuses are refused.
func TestNamesOfApplications(t *testing.T) {
	s := newServer()
	for name, want := range map[string]int{"": 400, ",": 500, "a,,b": 500, "a,": 500, " ": 500, strings.Repeat("x", 74): 500, strings.Repeat("x,", 32) + "x": 500, strings.Repeat("x", 73): 101} {
		r := httptest.NewRequest(http.MethodGet, "/ari/events?app="+url.QueryEscape(name), nil)
		r.SetBasicAuth("u", "p:w")
		for name, value := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%.10q: %d %s, want %d", name, w.Code, w.Body, want)
		}
	}
}

// TestFiltersStayUnlessTheyAreNamed, as in Asterisk; nothing at all resets both.
func TestFiltersStayUnlessTheyAreNamed(t *testing.T) {
	s := newServer()
	s.apps["a"] = &app{name: "a", sources: map[string]int{}}
	for _, tt := range []struct {
		body, want string
		status     int
	}{
		{`{"allowed":[{"type":"StasisStart"}]}`, "[StasisStart] []", 200},
		{`{"disallowed":[{"type":"Dial"}]}`, "[StasisStart] [Dial]", 200},
		{`{"foo":1}`, "[StasisStart] [Dial]", 200},
		{`{"Allowed":[{"type":"X"}]}`, "[StasisStart] [Dial]", 200},
		{`{"allowed":null}`, "[StasisStart] [Dial]", 400},
		{`{"allowed":[{"type":"X"}],"disallowed":null}`, "[StasisStart] [Dial]", 400},
		{`{"allowed":[{"Type":"X"}]}`, "[StasisStart] [Dial]", 400},
		{`{"allowed":[{"type":""}]}`, "[StasisStart] [Dial]", 400},
		{`{"allowed":[{"type":5}]}`, "[StasisStart] [Dial]", 400},
		{`{"allowed":[]}`, "[] [Dial]", 200},
		{`{"allowed":[{"type":"StasisEnd","x":1}]}`, "[StasisEnd] [Dial]", 200},
		{`{}`, "[] []", 200},
		{`{"allowed":[{"type":"A"}],"disallowed":[{"type":"B"}]}`, "[A] [B]", 200},
		{``, "[] []", 200},
	} {
		r := httptest.NewRequest(http.MethodPut, "/ari/applications/a/eventFilter", strings.NewReader(tt.body))
		r.SetBasicAuth("u", "p:w")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if got := fmt.Sprint(s.apps["a"].allowed, s.apps["a"].disallowed); w.Code != tt.status || got != tt.want {
			t.Errorf("%s: %d %s, want %d %s", tt.body, w.Code, got, tt.status, tt.want)
		}
	}
}
