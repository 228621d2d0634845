package ariserver

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// restRequest is a request that comes over a socket, and restResponse its answer.
type (
	restRequest struct {
		method, uri, query string // uri without a query, of which more may be in more
		more               []restParam
		contentType, body  string
	}
	restParam    struct{ name, value string }
	restResponse struct {
		head
		Transaction string `json:"transaction_id"`
		Request     string `json:"request_id"`
		Status      int    `json:"status_code"`
		Reason      string `json:"reason_phrase"`
		URI         string `json:"uri"`
		ContentType string `json:"content_type,omitempty"`
		Body        string `json:"message_body,omitempty"`
	}
)

// readSocket serves the requests that come over the socket, one after another.
func (s *Server) readSocket(ctx context.Context, ws *websocket.Conn, k *socket, r *http.Request) {
	ws.SetReadLimit(maxRequest)
	for {
		kind, data, err := ws.Read(ctx)
		if err != nil {
			return
		}
		if kind == websocket.MessageText {
			k.answer(addressed(frame(s.answer(ctx, data, r, k.user)), k.app))
		}
	}
}

// answer serves one request of a socket.
func (s *Server) answer(ctx context.Context, data []byte, r *http.Request, u User) *restResponse {
	out := &restResponse{Status: http.StatusBadRequest}
	out.begin("RESTResponse", time.Now(), s.entity)
	fields, is := object(data)
	if !is {
		out.Reason = "Failed to parse request message JSON"
		return out
	}
	out.Transaction, out.Request = textIn(fields, "transaction_id"), textIn(fields, "request_id")
	var q restRequest
	words := q.read(fields)
	out.URI = q.uri
	if words != "" {
		out.Reason = "Bad request"
		out.take(problem{words})
		return out
	}
	a := s.rest(ctx, q, r.Host, u)
	out.Status, out.Reason = a.status, http.StatusText(a.status)
	if a.body != nil {
		out.take(a.body)
	}
	return out
}

func (out *restResponse) take(body any) {
	text, _ := json.Marshal(body) // of our own types
	out.ContentType, out.Body = "application/json", string(text)
}

// rest serves what a request asks for, by what its user may do now.
func (s *Server) rest(ctx context.Context, q restRequest, host string, u User) answer {
	if host == "" {
		host = "localhost"
	}
	asked, err := http.NewRequestWithContext(ctx, q.method, "http://"+host+"/"+strings.ReplaceAll(q.uri, "#", "%23"), strings.NewReader(q.body))
	if err != nil {
		return no(http.StatusBadRequest, "uri cannot be read")
	}
	asked.URL.RawQuery = q.query
	query := asked.URL.Query()
	for _, one := range q.more {
		query.Set(one.name, one.value)
	}
	asked.URL.RawQuery = query.Encode()
	asked.Header.Set("Content-Type", q.contentType)
	u, on := s.current(u)
	if !on {
		return no(http.StatusUnauthorized, unknownUser)
	}
	a := s.serve(asked, u)
	if a.file != nil { // sound goes over HTTP only, as with Asterisk
		_ = a.file.Close() // nothing was read
		a = no(http.StatusNotAcceptable, "Not acceptable")
	}
	return a
}

// object is a JSON object. As in Asterisk an array counts as one without properties.
func object(data []byte) (fields map[string]any, is bool) {
	var v any
	if json.Unmarshal(data, &v) != nil {
		return nil, false
	}
	switch v := v.(type) {
	case map[string]any:
		return v, true
	case []any:
		return nil, true
	default:
		return nil, false
	}
}

// textIn is a property that is a text; "" = there is none.
func textIn(fields map[string]any, name string) string {
	text, _ := fields[name].(string)
	return text
}

// read takes a request apart, and says in Asterisk's words what is wrong with it.
func (q *restRequest) read(fields map[string]any) (words string) {
	switch textIn(fields, "type") {
	case "RESTRequest":
	case "":
		return "No 'type' property."
	default:
		return "Unknown request type."
	}
	uri := textIn(fields, "uri")
	q.method = textIn(fields, "method")
	q.uri, q.query, _ = strings.Cut(uri, "?")
	switch {
	case uri == "":
		return "Empty or missing 'uri' property."
	case !slices.Contains([]string{http.MethodOptions, http.MethodHead, http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}, q.method):
		return "Unknown or missing 'method' property."
	case !q.readQuery(fields):
		return "Unable to parse 'query_strings' array."
	case q.uri == "events" && q.method == http.MethodGet:
		return "Can't upgrade to websocket from a websocket"
	}
	return q.readBody(fields)
}

// readQuery reads [{"name":"…","value":"…"}, …].
func (q *restRequest) readQuery(fields map[string]any) (good bool) {
	list, _ := fields["query_strings"].([]any)
	for _, one := range list {
		param, _ := one.(map[string]any)
		name, named := param["name"].(string)
		value, given := param["value"].(string)
		if !named || !given {
			return false
		}
		q.more = append(q.more, restParam{name, value})
	}
	return true
}

func (q *restRequest) readBody(fields map[string]any) (words string) {
	q.contentType, q.body = textIn(fields, "content_type"), textIn(fields, "message_body")
	switch {
	case q.body == "":
		return ""
	case q.contentType == "":
		return "No 'content_type' for 'message_body'."
	case q.contentType == "application/x-www-form-urlencoded":
		return ""
	case q.contentType != "application/json":
		return "Unknown content type."
	}
	if body, is := object([]byte(q.body)); !is || body == nil {
		return "Unable to parse 'message_body' as 'application/json'."
	}
	return ""
}
