package freeswitch

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"parley/esl/conference"
	"parley/esl/esltest"
)

// lines is a log that many write to.
type lines struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestLinkSaysHowTheSwitchIs runs the link against a switch that accepts it,
// one with another password, one that does not like our address, and none. What
// is wrong is one line, the same in the log and in the status.
func TestLinkSaysHowTheSwitchIs(t *testing.T) {
	for _, c := range []struct {
		name  string
		serve bool
		o     esltest.SwitchOptions
		ready bool
		line  string // HERE is the address
	}{
		{"accepted", true, esltest.SwitchOptions{Password: "right", API: func(cmd, _ string) string {
			return map[string]string{
				"version": "1.11.1\n", "switchname": "vm", "global_getvar": "core", "conference": "[]", "show": "{\"row_count\":0}",
			}[cmd]
		}}, true, "FreeSWITCH 1.11.1 at HERE, answers in "},
		{
			"password", true,
			esltest.SwitchOptions{Password: "other"},
			false,
			`esl pbx1 HERE: password refused ("-ERR invalid"). Set password_file of switch pbx1 to the password in event_socket.conf.xml. Next try in 30s. [esl_auth]`,
		},
		{
			"access list", true,
			esltest.SwitchOptions{Reject: true},
			false,
			`esl pbx1: switch rejected our address by ACL ("Access Denied, go away."). Add 127.0.0.1 to apply-inbound-acl. [esl_acl]`,
		},
		{
			"nobody there", false,
			esltest.SwitchOptions{},
			false,
			`esl pbx1 HERE: connection refused. Is mod_event_socket loaded and listening on this address? Next try in 1s. [esl_refused]`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			here := ln.Addr().String()
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
			log := &lines{}
			l := New(Options{Log: slog.New(slog.NewTextHandler(log, nil))}).NewLink(LinkOptions{Name: "pbx1", Address: here, Password: "right"})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- l.Run(ctx) }()
			want := strings.ReplaceAll(c.line, "HERE", here)
			for {
				_, ready, text := l.Check()
				if ready == c.ready && (text == want || c.ready && strings.HasPrefix(text, want)) {
					break
				}
				if ctx.Err() != nil {
					t.Fatalf("still %v %q, want %q", ready, text, want)
				}
				runtime.Gosched()
			}
			if !c.ready {
				inLog := fmt.Sprintf("level=ERROR msg=%q switch=pbx1\n", want)
				for ; !strings.Contains(log.String(), inLog); runtime.Gosched() {
					if ctx.Err() != nil {
						t.Fatalf("log %s, want %s", log, inLog)
					}
				}
			}
			cancel()
			<-done
		})
	}
}

// TestTheNextTryIsToldOf: whole seconds, and every kind of trouble is told once.
func TestTheNextTryIsToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &lines{}
		l := New(Options{Log: slog.New(slog.NewTextHandler(log, nil))}).NewLink(LinkOptions{
			Name: "pbx1", Address: "192.0.2.9:8021",
			Dial: func(context.Context) (net.Conn, error) { return nil, syscall.ECONNREFUSED },
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		const text = "esl pbx1 192.0.2.9:8021: connection refused. Is mod_event_socket loaded and listening on this address? Next try in %s. [esl_refused]"
		for _, next := range []string{"1s", "2s", "4s", "5s", "5s"} {
			synctest.Wait()
			_, _, got := l.Check()
			if want := fmt.Sprintf(text, next); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			for _, _, now := l.Check(); now == got && next != "5s"; _, _, now = l.Check() {
				time.Sleep(10 * time.Millisecond)
			}
			if next == "5s" {
				time.Sleep(5 * time.Second)
			}
		}
		if n := strings.Count(log.String(), "esl_refused"); n != 1 {
			t.Errorf("told %d times", n)
		}
		cancel()
		<-done
	})
}

// TestAnOrderOfEvents is about one member, or about the conference.
func TestAnOrderOfEvents(t *testing.T) {
	o := order{}
	for i, e := range []struct {
		event conference.Event
		late  bool
	}{
		{conference.Event{Room: "a", UUID: "1", Sequence: 5}, false},
		{conference.Event{Room: "a", UUID: "2", Sequence: 4}, false},
		{conference.Event{Room: "a", Sequence: 3}, false},
		{conference.Event{Room: "b", UUID: "1", Sequence: 2}, false},
		{conference.Event{Room: "a", UUID: "1", Sequence: 4}, true},
		{conference.Event{Room: "a", UUID: "1", Sequence: 5}, false}, // the same, by two subscriptions
		{conference.Event{Room: "a", UUID: "1", Sequence: 4}, true},
		{conference.Event{Room: "a", UUID: "1"}, false}, // not numbered
		{conference.Event{Room: "a", Sequence: 9, Action: conference.Destroyed}, false},
		{conference.Event{Room: "a", UUID: "1", Sequence: 1}, false},
	} {
		if late := o.overtaken(e.event); late != e.late {
			t.Errorf("event %d: %v", i, late)
		}
	}
	if len(o) != 2 {
		t.Errorf("%d conferences are kept", len(o))
	}
}
