package eventsocket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/esl"
)

// The crowd of this test: the rooms are goroutines that fire as rooms do.
const (
	crowdClients = 200
	crowdLate    = 10 // of them, which read only after a third of the time
	crowdDeaf    = 10 // and these only when they have been given up
	crowdRooms   = 50
	crowdRounds  = 16 // events of each room
)

// TestEveryoneHearsAllOrIsTold has 200 clients on real sockets subscribe to all
// events of 50 busy rooms. Each has to get every event in order, or the number
// of those it has not got, where they are missing, or a notice at the end.
func TestEveryoneHearsAllOrIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("200 clients take long with the race detector: runs without -short")
	}
	s := New(Options{Password: "secret", API: echo, Queue: 60, MaxGuests: crowdClients})
	s.patience = time.Minute // a busy machine is not what is tested
	s.buffer = 16 << 10      // or the kernel keeps more, and less is tested
	at := listen(t, s)
	var ready, group sync.WaitGroup
	late, deaf := make(chan struct{}), make(chan struct{})
	crowd := make([]*follower, crowdClients)
	ready.Add(crowdClients)
	for i := range crowd {
		c := &follower{}
		crowd[i] = c
		group.Go(func() {
			err := c.subscribe(t.Context(), at, i < crowdDeaf+crowdLate)
			if ready.Done(); err != nil {
				t.Error(err)
				return
			}
			defer c.nc.Close()
			switch {
			case i < crowdDeaf:
				<-deaf
			case i < crowdDeaf+crowdLate:
				<-late
			}
			if err := c.follow(); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	ready.Wait()
	read := sync.OnceFunc(func() { close(deaf) })
	for round := range crowdRounds {
		if s.givenUp() > 0 {
			read() // for the notice
		}
		if round == crowdRounds/3 {
			close(late)
		}
		fireRound(s, round)
		reading := crowd[crowdDeaf:]
		if round < crowdRounds/3 {
			reading = reading[crowdLate:]
		}
		until(t, func() bool { // those that read keep up, or a test of a busy machine would lose them, too
			return !slices.ContainsFunc(reading, func(c *follower) bool { return c.seen.Load() < uint64((round+1)*crowdRooms) })
		})
	}
	read()
	until(t, func() bool { return s.givenUp() == 0 && s.queued() == 0 })
	s.Fire("SHUTDOWN", "", nil, nil)
	group.Wait()
	lost, cut := uint64(0), 0
	for _, c := range crowd {
		lost += c.lost
		if c.cut {
			cut++
		}
	}
	t.Logf("%d events for each of %d clients; %d were told to be lost, %d clients were cut off", crowdRooms*crowdRounds, crowdClients, lost, cut)
	if lost == 0 || cut == 0 {
		t.Error("nobody was too slow: this tests nothing")
	}
}

// fireRound has every room fire an event, all at one time.
func fireRound(s *Server, round int) {
	var rooms sync.WaitGroup
	for room := range crowdRooms {
		rooms.Go(func() {
			s.Fire("CUSTOM", "conference::maintenance", esl.Headers{
				{Name: "Conference-Name", Value: strconv.Itoa(room)}, {Name: "N", Value: strconv.Itoa(round)},
			}, nil)
		})
	}
	rooms.Wait()
}

// until waits for a state.
func until(t *testing.T, is func() bool) {
	t.Helper()
	for limit := time.After(time.Minute); !is(); {
		select {
		case <-limit:
			t.Fatal("it does not come true")
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// listen serves on a real socket.
func listen(t *testing.T, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// queued is how many messages wait for clients.
func (s *Server) queued() (n int) {
	for _, l := range s.all() {
		l.mu.Lock()
		n += len(l.queue.list)
		l.mu.Unlock()
	}
	return n
}

// givenUp is how many are being cut off.
func (s *Server) givenUp() (n int) {
	for _, l := range s.all() {
		l.mu.Lock()
		if l.cutting {
			n++
		}
		l.mu.Unlock()
	}
	return n
}

// follower is a client of the crowd.
type follower struct {
	nc   net.Conn
	r    *esl.Reader
	seen atomic.Uint64 // events, the lost ones too
	lost uint64
	cut  bool
}

// subscribe connects, logs in and subscribes to all. Of a client that will be
// slow the kernel is to keep little.
func (c *follower) subscribe(ctx context.Context, at string, slow bool) error {
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", at)
	if err != nil {
		return err
	}
	if slow {
		_ = nc.(*net.TCPConn).SetReadBuffer(16 << 10) // it may not obey
	}
	c.nc, c.r = nc, esl.NewReader(nc)
	if _, err := io.WriteString(nc, "auth secret\n\nevent plain all\n\n"); err != nil {
		return err
	}
	for range 3 {
		if _, err := c.r.Message(); err != nil {
			return err
		}
	}
	return nil
}

// follow reads up to SHUTDOWN, or the notice, and returns what is wrong with it.
func (c *follower) follow() error {
	rooms := map[string]int{}
	for {
		next := c.seen.Load() + 1
		m, err := c.r.Message()
		if err != nil {
			return err
		}
		if m.Type() == "text/disconnect-notice" {
			if string(m.Body) != lostEvents {
				return fmt.Errorf("notice %q", m.Body)
			}
			c.cut = true
			return nil
		}
		e := &esl.Event{Headers: heads(m.Body)}
		if e.Value("Event-Subclass") == "parley%3A%3Aresync" {
			n, err := strconv.ParseUint(e.Value("Lost-Events"), 10, 64)
			if err != nil {
				return err
			}
			c.lost += n
			c.seen.Add(n)
			clear(rooms)
			continue
		}
		if e.Value("Event-Sequence") != strconv.FormatUint(next, 10) {
			return fmt.Errorf("event %s where %d is next", e.Value("Event-Sequence"), next)
		}
		c.seen.Add(1)
		if e.Name() == "SHUTDOWN" {
			return nil
		}
		room := e.Value("Conference-Name")
		n, err := strconv.Atoi(e.Value("N"))
		if want, known := rooms[room]; err != nil || known && n != want {
			return errors.Join(fmt.Errorf("room %s: event %d where %d is next", room, n, want), err)
		}
		rooms[room] = n + 1
	}
}

// heads reads the headers of a plain event that has no escapes in those that
// count here; ParseEvent would take most of the test's time.
func heads(body []byte) (h esl.Headers) {
	for line := range bytes.Lines(body) {
		if name, value, ok := bytes.Cut(line, []byte(": ")); ok && bytes.ContainsAny(name[:1], "ELCN") {
			h = append(h, esl.Header{Name: string(name), Value: strings.TrimSuffix(string(value), "\n")})
		}
	}
	return h
}
