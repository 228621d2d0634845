package freeswitch

import (
	"context"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"parley/esl/esltest"
)

// TestLinkSaysHowTheSwitchIs runs the link against a switch that accepts it,
// one with another password, one that does not like our address, and none.
func TestLinkSaysHowTheSwitchIs(t *testing.T) {
	for _, c := range []struct {
		name   string
		serve  bool
		o      esltest.SwitchOptions
		ready  bool
		inText string
	}{
		{"accepted", true, esltest.SwitchOptions{Password: "right", API: func(cmd, _ string) string {
			return map[string]string{
				"version": "1.11.1\n", "switchname": "vm", "global_getvar": "core", "conference": "[]", "show": "{\"row_count\":0}",
			}[cmd]
		}}, true, "FreeSWITCH 1.11.1 at "},
		{"password", true, esltest.SwitchOptions{Password: "other"}, false, `password refused ("-ERR invalid"). Set password_file of switch pbx1`},
		{"access list", true, esltest.SwitchOptions{Reject: true}, false, "[esl_acl]"},
		{"nobody there", false, esltest.SwitchOptions{}, false, "connection refused. Is mod_event_socket loaded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			if c.serve {
				go func() {
					for nc, err := ln.Accept(); err == nil; nc, err = ln.Accept() {
						esltest.NewSwitch(t, nc, c.o)
					}
				}()
				defer ln.Close()
			} else {
				_ = ln.Close()
			}
			l := New(Options{}).NewLink(LinkOptions{Name: "pbx1", Address: ln.Addr().String(), Password: "right"})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- l.Run(ctx) }()
			for {
				_, ready, text := l.Check()
				if ready == c.ready && strings.Contains(text, c.inText) {
					break
				}
				if ctx.Err() != nil {
					t.Fatalf("still %v %q", ready, text)
				}
				runtime.Gosched()
			}
			cancel()
			<-done
		})
	}
}
