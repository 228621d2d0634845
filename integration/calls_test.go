//go:build integration

package integration

import (
	"context"
	"testing"

	"parley/sip/siptest"
)

// The suite of calls: what a client orders by "originate" and drives by the
// channel's id. See conformance_test.go.

func TestCallsAreRecorded(t *testing.T) { isRecorded(t, calls) }

func TestCallsConform(t *testing.T) { conforms(t, calls) }

// phone is one that may be called, as often as the script does: its number
// is its user. Its address stands for $NUMBER from then on.
func (s *stage) phone(number, how string) {
	s.t.Helper()
	p, err := siptest.New(siptest.Options{User: number})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			switch how {
			case "answers":
				_, _ = p.Accept(ctx, siptest.CallOptions{})
			case "busy":
				_, _ = p.Reject(ctx, 486)
			default: // rings
				<-ctx.Done()
			}
		}
	}()
	s.t.Cleanup(func() {
		stop()
		<-done
		p.Close()
	})
	s.names = append(s.names, "$"+number, number+"@"+p.Address().String())
}
