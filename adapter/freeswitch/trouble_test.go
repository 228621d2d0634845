package freeswitch

import (
	"net"
	"strings"
	"testing"

	"parley/adapter/trouble"
	"parley/esl"
	"parley/esl/esltest"
)

// TestTroubleInTheSwitchsOwnWords provokes each trouble and compares the line.
func TestTroubleInTheSwitchsOwnWords(t *testing.T) {
	for _, tt := range []struct {
		name  string
		serve bool
		o     esltest.SwitchOptions
		code  string
		want  string // HERE is the address
	}{
		{
			"wrong password", true,
			esltest.SwitchOptions{Password: "other"},
			"esl_auth",
			`esl pbx1 HERE: password refused ("-ERR invalid"). Set password_file of switch pbx1 to the password in event_socket.conf.xml.`,
		},
		{
			"access list", true,
			esltest.SwitchOptions{Reject: true},
			"esl_acl",
			`esl pbx1: switch rejected our address by ACL ("Access Denied, go away."). Add 127.0.0.1 to apply-inbound-acl.`,
		},
		{
			"nobody listens", false,
			esltest.SwitchOptions{},
			"esl_refused",
			`esl pbx1 HERE: connection refused. Is mod_event_socket loaded and listening on this address?`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			here := ln.Addr().String()
			if !tt.serve {
				_ = ln.Close()
			} else {
				defer ln.Close()
				go func() {
					if nc, err := ln.Accept(); err == nil {
						esltest.NewSwitch(t, nc, tt.o)
					}
				}()
			}
			c, err := esl.Dial(t.Context(), esl.ClientOptions{Address: here, Password: "right"})
			if err == nil {
				_ = c.Close()
				t.Fatal("connected")
			}
			text, code := Trouble("pbx1", here, trouble.Tried, err)
			if want := strings.ReplaceAll(tt.want, "HERE", here); text != want || code != tt.code {
				t.Errorf("%s\n%s [%s]\nwant\n%s [%s]", err, text, code, want, tt.code)
			}
		})
	}
	if got := ownAddress("nowhere.invalid:x"); got != "it" {
		t.Errorf("own address for nobody: %s", got)
	}
}
