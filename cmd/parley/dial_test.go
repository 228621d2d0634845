package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"parley/engine"
	"parley/sip/siptest"
)

func TestDialOfARunningParley(t *testing.T) {
	bob, err := siptest.New(siptest.Options{User: "1002"})
	if err != nil {
		t.Fatal(err)
	}
	defer bob.Close()
	s := serveFor(t, "profiles: [{name: default, "+quiet+"}]\nrooms: [{name: '3001', title: Weekly}]\n")
	from, answered := make(chan string, 1), make(chan *siptest.Call, 1)
	go func() {
		c, err := bob.Accept(t.Context(), siptest.CallOptions{})
		if err != nil {
			t.Error(err)
			return
		}
		from <- c.SIP().Info().From.User + " " + c.SIP().Info().From.Name
		answered <- c
	}()
	got := s.do(t, "room", "3001", "dial", bob.URI(), "--caller-number", "500", "--name", "Bob", "--role", "moderator")
	if !strings.HasPrefix(got, "answered: "+bob.URI()+" is in room 3001, call ") {
		t.Errorf("%q", got)
	}
	if who := <-from; who != "500 Weekly" {
		t.Errorf("called by %q", who)
	}
	s.err.has(t, "member=1")
	if got := s.do(t, "room", "3001"); !strings.Contains(got, "moderator   1002           Bob ") {
		t.Errorf("%s", got)
	}
	(<-answered).Hangup()
	s.err.has(t, "room.ended")
	go func() {
		if _, err := bob.Reject(t.Context(), 486); err != nil {
			t.Error(err)
		}
	}()
	code, stdout, _ := parley(t, "room", "3001", "dial", bob.URI(), "--config", s.file)
	if code != 1 || stdout != "not answered: USER_BUSY (486 Busy Here)\n" {
		t.Errorf("%d %q", code, stdout)
	}
	if got := s.do(t, "room", "3002", "dial", bob.URI(), "--bg"); !strings.HasPrefix(got, "calling, job ") {
		t.Errorf("%q", got)
	}
	if got := s.do(t, "room", "3002"); !strings.HasPrefix(got, "room 3002  dialing ") || !strings.Contains(got, "g "+bob.URI()+", job ") {
		t.Errorf("%q", got)
	}
	ctx, cancel := context.WithCancel(t.Context()) // an interrupt gives a call up
	var out, errs page
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"room", "3003", "dial", bob.URI(), "--config", s.file}, &out, &errs)
	}()
	s.err.has(t, "room=3003")
	cancel()
	if <-ended == 0 {
		t.Error("an interrupted command is fine")
	}
	s.err.has(t, "ORIGINATOR_CANCEL")
	var rooms []engine.RoomView
	if err := json.Unmarshal([]byte(s.do(t, "rooms", "--json")), &rooms); err != nil || len(rooms) != 1 || rooms[0].Name != "3002" {
		t.Errorf("%+v %v", rooms, err)
	}
}
