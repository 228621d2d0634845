package eventsocket

import (
	"errors"
	"io"
	"syscall"
	"testing"
	"time"

	"parley/esl"
)

// TestTheKernelKeepsLittleForWhoDoesNotRead, and nothing once he is cut off.
func TestTheKernelKeepsLittleForWhoDoesNotRead(t *testing.T) {
	s := server()
	s.patience = 500 * time.Millisecond
	at := listen(t, s)
	var deaf follower
	if err := deaf.subscribe(t.Context(), at, true); err != nil {
		t.Fatal(err)
	}
	defer deaf.nc.Close()
	const events = 30
	for range events {
		s.Fire("CUSTOM", "x", esl.Headers{{Name: "N", Value: "1"}}, make([]byte, 100_000))
	}
	time.Sleep(s.patience / 2)
	if n := s.queued(); n < events/2 {
		t.Errorf("of %d events of 100 kB the kernel keeps %d", events, events-n)
	}
	until(t, func() bool { return len(s.all()) == 0 })
	_ = deaf.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.Copy(io.Discard, deaf.nc); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("at the end: %v", err)
	}
}
