package esl_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/esl"
	"parley/esl/esltest"
)

func TestServerLimitsConnections(t *testing.T) {
	for _, o := range []esl.ServerOptions{{MaxConns: 2}, {MaxPerSource: 2}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			l, served := newPipes(), make(chan error)
			refused := make(chan error, 1)
			o.Refused = func(_ net.Addr, err error) { refused <- err }
			var running atomic.Int32
			leave := make(chan struct{})
			s := esl.NewServer(o)
			go func() {
				served <- s.Serve(ctx, l, func(context.Context, *esl.Session) {
					running.Add(1)
					<-leave
					running.Add(-1)
				})
			}()
			call := func() *esltest.Call {
				c := esltest.NewCall(t, l.connect(), esltest.CallOptions{})
				synctest.Wait()
				return c
			}
			call()
			call()
			third := call()
			if err := <-refused; !errors.Is(err, esl.ErrLimit) {
				t.Errorf("third call: %v", err)
			}
			<-third.Ended()
			leave <- struct{}{}
			synctest.Wait()
			call()
			if running.Load() != 2 || len(refused) != 0 {
				t.Errorf("%d calls run after one left and one came", running.Load())
			}
			cancel()
			close(leave)
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestServeWaitsForItsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l, served := newPipes(), make(chan error, 1)
		go func() {
			served <- esl.NewServer(esl.ServerOptions{}).Serve(ctx, l, func(ctx context.Context, s *esl.Session) {
				<-ctx.Done()
				time.Sleep(time.Minute) // says goodbye at length
				if s.Err() != nil {
					t.Errorf("its connection has ended: %v", s.Err())
				}
			})
		}()
		c := esltest.NewCall(t, l.connect(), esltest.CallOptions{})
		synctest.Wait()
		start := time.Now()
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if d := time.Since(start); d != time.Minute {
			t.Errorf("Serve returned after %v", d)
		}
		<-c.Ended()
	})
}

// flaky fails a few times before it is closed for good.
type flaky struct {
	*pipes
	failures int
}

func (f *flaky) Accept() (net.Conn, error) {
	if f.failures > 0 {
		f.failures--
		return nil, errors.New("too many open files")
	}
	return f.pipes.Accept()
}

func TestServeOutlivesFailingAccepts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, served := &flaky{newPipes(), 20}, make(chan error, 1)
		start := time.Now()
		handled := make(chan struct{})
		go func() {
			served <- esl.NewServer(esl.ServerOptions{}).Serve(t.Context(), l, func(context.Context, *esl.Session) { close(handled) })
		}()
		c := esltest.NewCall(t, l.connect(), esltest.CallOptions{})
		<-handled
		<-c.Ended()
		if d := time.Since(start); d < 5*time.Second || d > 20*time.Second {
			t.Errorf("20 failures took %v", d)
		}
		_ = l.Close()
		if err := <-served; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve ended with %v", err)
		}
	})
}
