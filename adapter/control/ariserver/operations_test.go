package ariserver

import (
	_ "embed"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

//go:embed testdata/operations.txt
var operations string

// TestEveryOperationOfAsteriskIsThere by its method, path and name, and with all
// its parameters, so that no client finds a method less.
func TestEveryOperationOfAsteriskIsThere(t *testing.T) {
	s := New(Options{})
	rows := 0
	for line := range strings.Lines(operations) {
		words := strings.Fields(line)
		if words[0] == "#" {
			continue
		}
		rows++
		r := s.operationOf(words[0], words[1])
		switch {
		case r == nil:
			t.Errorf("%s %s is missing", words[0], words[1])
			continue
		case r.name != words[2]:
			t.Errorf("%s %s is called %s, and %s there", words[0], words[1], r.name, words[2])
		}
		for _, name := range words[3:] {
			if !r.takes(name) {
				t.Errorf("%s %s does not take %s", words[0], words[1], name)
			}
		}
	}
	if rows < 100 {
		t.Errorf("%d operations", rows)
	}
}

func (s *Server) operationOf(method, path string) *route {
	for i := range s.routes {
		if r := &s.routes[i]; r.method == method && r.path == path {
			return r
		}
	}
	return nil
}

func (r *route) takes(name string) bool {
	for _, p := range r.params {
		if p.name == name {
			return true
		}
	}
	return false
}

func TestListsOfAParameter(t *testing.T) {
	for _, tt := range []struct {
		query, body string
		want        []string
	}{
		{"media=a,b", "", []string{"a", "b"}},
		{"media=a&media=b", "", []string{"b"}},
		{"", `{"media":"a,b"}`, []string{"a", "b"}},
		{"", `{"media":["a(1,2)","","b"]}`, []string{"a(1,2)", "b"}},
		{"media=c", `{"media":["a",1,true]}`, []string{"a", "1", "true"}},
		{"media=c", `{"media":["a",{}]}`, []string{"c"}},
		{"", `{"media":[]}`, nil},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://parley.test/?"+tt.query, strings.NewReader(tt.body))
		q, bad := read(r, nil)
		if bad != nil || !slices.Equal(q.list("media"), tt.want) {
			t.Errorf("%s %s: %q", tt.query, tt.body, q.list("media"))
		}
	}
}
