package ariserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// request is what a client asks for: the parameters of its path, query, form
// and JSON body together, whichever way it sends them.
type request struct {
	values    map[string]string
	lists     map[string][]string        // those of values that were JSON arrays
	variables map[string]string          // of a body's "variables"
	body      map[string]json.RawMessage // whole
}

func (q *request) get(name string) string { return q.values[name] }

// empty says whether a parameter was given, as nothing.
func (q *request) empty(name string) bool {
	value, given := q.values[name]
	return given && value == ""
}

// list is a parameter that may have several values: a JSON array, in whose elements
// commas mean nothing, or a text with commas between them.
func (q *request) list(name string) []string {
	if list, ok := q.lists[name]; ok {
		return list
	}
	return strings.FieldsFunc(q.values[name], func(r rune) bool { return r == ',' })
}

// read merges form, query and body: the later wins, as Asterisk has it.
func read(r *http.Request, path map[string]string) (*request, *answer) {
	q := &request{values: map[string]string{}, lists: map[string][]string{}, variables: map[string]string{}}
	data, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if len(data) > maxBody {
		a := no(http.StatusRequestEntityTooLarge, "Request body too large")
		return nil, &a
	}
	if err != nil {
		a := no(http.StatusBadRequest, "Error reading request body")
		return nil, &a
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	form := kind == "application/x-www-form-urlencoded"
	if form {
		if values, err := url.ParseQuery(string(data)); err == nil {
			q.take(values)
		}
	}
	q.take(r.URL.Query())
	if len(strings.TrimSpace(string(data))) > 0 && !form {
		if err := q.readJSON(data); err != nil {
			a := no(http.StatusBadRequest, "Error parsing request body")
			return nil, &a
		}
	}
	maps.Copy(q.values, path)
	return q, nil
}

func (q *request) take(values url.Values) {
	for name, list := range values {
		if len(list) > 0 {
			q.values[name] = list[len(list)-1]
		}
	}
}

// readJSON takes a body: numbers, truth values and lists of them count as text.
func (q *request) readJSON(data []byte) error {
	if err := json.Unmarshal(data, &q.body); err != nil {
		return fmt.Errorf("ariserver: %w", err)
	}
	if q.body == nil {
		return errors.New("ariserver: null is no body")
	}
	for name, raw := range q.body {
		if name == "variables" {
			q.readVariables(raw)
			continue
		}
		if text, ok := textOf(raw); ok {
			q.values[name] = text
		} else if list, ok := textsOf(raw); ok {
			q.values[name], q.lists[name] = strings.Join(list, ","), list
		}
	}
	return nil
}

// readVariables takes {"NAME":"value"}, {"NAME":{"value":"…"}}, and a list of names.
func (q *request) readVariables(raw json.RawMessage) {
	if list, ok := textsOf(raw); ok {
		q.values["variables"], q.lists["variables"] = strings.Join(list, ","), list
		return
	}
	if text, ok := textOf(raw); ok {
		q.values["variables"] = text
		return
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return
	}
	for name, one := range all {
		var long struct{ Value json.RawMessage }
		if text, ok := textOf(one); ok {
			q.variables[name] = text
		} else if json.Unmarshal(one, &long) == nil {
			q.variables[name], _ = textOf(long.Value)
		}
	}
}

// textOf is a JSON value as a parameter; objects, arrays and null are none.
func textOf(raw json.RawMessage) (string, bool) {
	var v any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return "", false
	}
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	default:
		return "", false
	}
}

// textsOf is a JSON array as a parameter that may have several values.
func textsOf(raw json.RawMessage) ([]string, bool) {
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil || all == nil {
		return nil, false
	}
	list := make([]string, 0, len(all))
	for _, one := range all {
		text, ok := textOf(one)
		if !ok {
			return nil, false
		}
		if text != "" {
			list = append(list, text)
		}
	}
	return list, true
}

// truth reads a truth value in Asterisk's words.
func truth(s string) bool {
	switch strings.ToLower(s) {
	case "yes", "true", "y", "t", "1", "on":
		return true
	default:
		return false
	}
}
