package control_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"parley/adapter/control"
)

// withDefaults fills in what a test does not look at.
func withDefaults(o control.Options) control.Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = http.NotFoundHandler()
	}
	return o
}

func TestTokens(t *testing.T) {
	tokens := []string{"0123456789abcdef", "fedcba9876543210"}
	for _, tt := range []struct {
		name, header string
		tokens       []string
		want         int
	}{
		{"none is needed", "", nil, 200},
		{"none is needed, one is given", "Bearer x", nil, 200},
		{"missing", "", tokens, 401},
		{"the first", "Bearer 0123456789abcdef", tokens, 200},
		{"the second", "Bearer fedcba9876543210", tokens, 200},
		{"wrong", "Bearer 0123456789abcdee", tokens, 401},
		{"a beginning", "Bearer 0123456789abcde", tokens, 401},
		{"more than it", "Bearer 0123456789abcdef0", tokens, 401},
		{"empty", "Bearer ", tokens, 401},
		{"bare", "0123456789abcdef", tokens, 401},
		{"another scheme", "Basic 0123456789abcdef", tokens, 401},
		{"both at once", "Bearer 0123456789abcdef fedcba9876543210", tokens, 401},
		{"the same token twice in the list", "Bearer a", []string{"a", "a"}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				h.tokens = tt.tokens
				for _, path := range []string{"/v1/rooms", "/v1/status", "/metrics", "/v1/version"} {
					r := request("GET", path, "")
					r.Header.Set("Authorization", tt.header)
					a := h.send(t, r)
					if a.Code != tt.want {
						t.Errorf("%s: %d, want %d", path, a.Code, tt.want)
					}
					if tt.want == 401 && (a.code() != "no_auth" || a.Header().Get("WWW-Authenticate") != "Bearer") {
						t.Errorf("%s: %v", path, a.Header())
					}
				}
				for _, path := range []string{"/healthz", "/readyz"} {
					if a := h.get(t, path); a.Code != 200 {
						t.Errorf("%s: %d", path, a.Code)
					}
				}
			})
		})
	}
}

func TestTokensAreThoseInForce(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.tokens = []string{"old-old-old-old-old"}
		r := request("GET", "/v1/rooms", "")
		r.Header.Set("Authorization", "Bearer old-old-old-old-old")
		h.send(t, r).want(http.StatusOK, "")
		h.tokens = []string{"new-new-new-new-new"}
		h.send(t, r).want(http.StatusUnauthorized, "no_auth")
	})
}

func TestWithoutTokensOnlyThisMachineIsAnswered(t *testing.T) {
	for _, tt := range []struct {
		host, from string
		tokens     []string
		want       int
	}{
		{"127.0.0.1:8085", "127.0.0.1:1", nil, 200},
		{"127.0.0.1", "127.0.0.1:1", nil, 200},
		{"127.9.9.9:8085", "127.0.0.1:1", nil, 200},
		{"localhost:8085", "[::1]:1", nil, 200},
		{"[::1]:8085", "[::1]:1", nil, 200},
		{"[::1]", "[::1]:1", nil, 200},
		{"evil.example:8085", "127.0.0.1:1", nil, 421}, // a name that was bound to 127.0.0.1 meanwhile
		{"127.0.0.1.evil.example", "127.0.0.1:1", nil, 421},
		{"localhost.evil.example", "127.0.0.1:1", nil, 421},
		{"evil.example#localhost", "127.0.0.1:1", nil, 421},
		{"0.0.0.0:8085", "127.0.0.1:1", nil, 421},
		{"10.0.0.5:8085", "127.0.0.1:1", nil, 421},
		{"", "127.0.0.1:1", nil, 421},
		{"127.0.0.1:8085", "10.0.0.9:1", nil, 421}, // says that he is here, and is not
		{"evil.example", "10.0.0.9:1", []string{"0123456789abcdef"}, 200},
	} {
		bubble(t, func(t *testing.T, h *house) {
			h.tokens = tt.tokens
			r := request("GET", "/v1/rooms", "")
			r.Host, r.RemoteAddr = tt.host, tt.from
			r.Header.Set("Authorization", "Bearer 0123456789abcdef")
			a := h.send(t, r)
			if a.Code != tt.want || a.Code == 421 && a.code() != "bad_host" {
				t.Errorf("host %q from %s: %d, want %d", tt.host, tt.from, a.Code, tt.want)
			}
		})
	}
}

func TestPagesOfOtherSitesChangeNothing(t *testing.T) {
	for _, tt := range []struct {
		method, header, value string
		want                  int
	}{
		{"POST", "Origin", "http://evil.example", 403},
		{"POST", "Origin", "http://127.0.0.1:9999", 403},
		{"POST", "Origin", "null", 403},
		{"POST", "Sec-Fetch-Site", "cross-site", 403},
		{"POST", "Sec-Fetch-Site", "same-site", 403},
		{"POST", "Sec-Fetch-Site", "same-origin", 204},
		{"POST", "Origin", "http://127.0.0.1:8085", 204},
		{"POST", "Accept", "*/*", 204}, // no browser at all
		{"GET", "Origin", "http://evil.example", 200},
	} {
		bubble(t, func(t *testing.T, h *house) {
			h.join(t, "3001", "a")
			path := map[string]string{"POST": "/v1/rooms/3001/lock", "GET": "/v1/rooms/3001"}[tt.method]
			r := request(tt.method, path, "")
			r.Header.Set(tt.header, tt.value)
			a := h.send(t, r)
			if a.Code != tt.want || a.Code == 403 && a.code() != "cross_origin" {
				t.Errorf("%s with %s: %s: %d, want %d", tt.method, tt.header, tt.value, a.Code, tt.want)
			}
			if v, _ := h.Room(t.Context(), "3001"); v.Locked != (a.Code == 204) {
				t.Errorf("%s with %s: %s: locked %v", tt.method, tt.header, tt.value, v.Locked)
			}
		})
	}
	bubble(t, func(t *testing.T, h *house) {
		h.join(t, "3001", "a")
		for _, change := range []string{
			"PATCH /v1/rooms/3001/participants/1", "DELETE /v1/rooms/3001/participants/1", "DELETE /v1/rooms/3001/run", "POST /v1/reload",
		} {
			method, path, _ := strings.Cut(change, " ")
			r := request(method, path, `{"muted":true}`)
			r.Header.Set("Origin", "http://evil.example")
			h.send(t, r).want(http.StatusForbidden, "cross_origin")
		}
	})
}
