package ari_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"parley/ari"
	"parley/ari/aritest"
)

// TestLookingChangesNothing asks as a user who may write and one who may not.
func TestLookingChangesNothing(t *testing.T) {
	s := aritest.New(t)
	for user, want := range map[string]error{aritest.User: nil, aritest.Reader: ari.ErrReadOnly, "nobody": ari.ErrAuth} {
		c := newClient(t, ari.Options{URL: s.URL, HTTP: s.Client(), User: user, Password: aritest.Password})
		if err := c.MayWrite(t.Context()); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", user, err, want)
		}
	}
	c := newClient(t, ari.Options{URL: s.URL, HTTP: s.Client()})
	if is, err := c.Registered(t.Context()); is || err != nil {
		t.Errorf("before: %v, %v", is, err)
	}
	if slices.ContainsFunc(s.Requests(), func(r string) bool { return r == "PUT applications/parley/eventFilter" }) {
		t.Errorf("requests %q", s.Requests())
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Run(ctx) }()
	<-c.Events() // connected
	if is, err := c.Registered(t.Context()); !is || err != nil {
		t.Errorf("while it runs: %v, %v", is, err)
	}
	cancel()
	<-done
}
