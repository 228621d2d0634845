package adapter_test

import (
	"errors"
	"net/netip"
	"testing"

	"parley/adapter/config"
	"parley/sip"
	"parley/sip/siptest"
)

// TestWhoMayCallAndSayWhat: addresses of sip.trusted need no password and may
// say everything by headers, and so may users.
func TestWhoMayCallAndSayWhat(t *testing.T) {
	const here, elsewhere = "127.0.0.1", "127.0.0.2"
	user := &sip.Auth{User: "1001", Password: "secret"}
	ours := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	users := []config.User{{Name: "1001", Password: config.NewSecret("secret")}}
	for _, tt := range []struct {
		name    string
		users   []config.User
		trusted []netip.Prefix
		host    string
		auth    *sip.Auth
		role    string // "" = refused
	}{
		{"no users: one of ours", nil, ours, here, nil, "moderator"},
		{"no users: a stranger", nil, ours, elsewhere, nil, "member"},
		{"no users, nobody is ours", nil, nil, here, nil, "member"},
		{"users: one of ours", users, ours, here, nil, "moderator"},
		{"users: a stranger", users, ours, elsewhere, nil, ""},
		{"users: a wrong password", users, ours, elsewhere, &sip.Auth{User: "1001", Password: "x"}, ""},
		{"users: one of them", users, ours, elsewhere, user, "moderator"},
		{"users, nobody is ours", users, nil, here, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := start(t, func(c *config.Config) {
				quiet(c)
				c.SIP.Users, c.SIP.Trusted = tt.users, tt.trusted
			})
			_, err := p.try(t, "3001", siptest.Options{Host: tt.host, Auth: tt.auth}, siptest.CallOptions{
				Headers: []sip.Header{{Name: "X-Parley-Role", Value: "moderator"}},
			})
			var refused *sip.StatusError
			switch {
			case tt.role == "" && (!errors.As(err, &refused) || refused.Code != 401 && refused.Code != 403):
				t.Errorf("%v", err)
			case tt.role != "" && err != nil:
				t.Error(err)
			case tt.role != "":
				if v := p.until(t, "3001", "open", members(1)); v.Members[0].Role != tt.role {
					t.Errorf("%+v", v.Members[0])
				}
			}
		})
	}
}
