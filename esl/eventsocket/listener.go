package eventsocket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"parley/esl"
	"parley/internal/door"
	"parley/internal/pace"
)

// Last words of the switch.
const (
	goodbye      = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
	shuttingDown = "The system is being shut down.\n"
	lostEvents   = "killed listener because of lost events\n"
	lostLines    = "killed listener because of lost log lines\n"
	otherUser    = "killed listener because its user has changed\n"
	denied       = "Access Denied, go away.\n"
)

// listener is one client. One goroutine reads its commands and answers them,
// another writes its events; they take turns, so that no message is cut by
// another and what a command raises comes after its reply.
type listener struct {
	s     *Server
	nc    net.Conn
	peer  netip.Addr
	wake  *pace.Turn    // there is something to write
	over  chan struct{} // closed when the connection ends
	began time.Time
	in    *esl.Reader

	visitor *door.Visitor

	turn  chan struct{} // held over a command and its reply, or the writing of events: keeps messages whole
	batch [][]byte      // being written; of who holds the turn, as the next
	rest  net.Buffers   // of batch, not written yet

	mu      sync.Mutex
	user    *User // guarded by mu, as all below; nil = not logged in
	format  format
	wants   interest
	logs    int // levels up to this one; notLogging = it was not asked for
	queue   queue
	running int    // jobs
	call    string // that "myevents" was last about
	hungUp  bool   // it is over: nothing more comes
	barred  bool   // the user is not who he was: nothing more is obeyed or told
	cutting bool
	ended   bool
	last    time.Time // until then the last word may take, once ended
}

func newListener(s *Server, nc net.Conn) *listener {
	l := &listener{
		s: s, nc: nc, wake: pace.NewTurn(), over: make(chan struct{}), turn: make(chan struct{}, 1), logs: notLogging, queue: queue{limit: s.opts.Queue},
		in: esl.NewReader(nc), began: time.Now(), peer: esl.AddressOf(nc.RemoteAddr()),
	}
	l.in.Limit(guestHead, 0)
	return l
}

// reject is all that a peer hears whom the access list refuses.
func (l *listener) reject() {
	_ = l.nc.SetWriteDeadline(time.Now().Add(partTime)) // a dead socket fails at the write
	_, _ = io.WriteString(l.nc, fmt.Sprintf("Content-Type: text/rude-rejection\nContent-Length: %d\n\n%s", len(denied), denied)+notice(goodbye, ""))
}

// notice is a last word. session is the call whose end it is; "" = none.
func notice(text, session string) string {
	if session != "" {
		session = "Controlled-Session-UUID: " + session + "\nContent-Disposition: disconnect\n"
	}
	return fmt.Sprintf("Content-Type: text/disconnect-notice\n%sContent-Length: %d\n\n%s", session, len(text), text)
}

// run serves the client until it goes, is sent away, or ctx ends.
func (l *listener) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { l.end(shuttingDown, partTime) })
	var writer sync.WaitGroup
	writer.Go(l.deliver)
	defer func() {
		stop()
		l.end("", 0)
		writer.Wait()
	}()
	l.write("Content-Type: auth/request\n\n")
	_ = l.nc.SetReadDeadline(time.Now().Add(loginTime)) // a dead socket fails at the next read
	for {
		q, err := l.in.Request()
		if err != nil {
			l.broken(err)
			return
		}
		l.turn <- struct{}{}
		on := !l.isBarred() && l.obey(ctx, q)
		<-l.turn
		if !on {
			l.end(goodbye, partTime)
			return
		}
	}
}

func (l *listener) isBarred() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.barred
}

// broken follows a stream that cannot be read on. Who only will not send any more
// may still hear the last word.
func (l *listener) broken(err error) {
	defer l.end(goodbye, partTime)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
	case errors.Is(err, esl.ErrMalformed), errors.Is(err, esl.ErrTooLarge):
		l.s.opts.Log.Warn("esl_server: "+err.Error()+"; the connection is closed", "from", l.nc.RemoteAddr().String())
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
	default:
		l.s.opts.Log.Debug("esl_server: "+err.Error(), "from", l.nc.RemoteAddr().String())
	}
}

// end closes the connection, after a last word if that can be said in time. When we
// shut down, what is queued comes before it: how the calls have ended.
func (l *listener) end(word string, patience time.Duration) {
	l.mu.Lock()
	first, session := !l.ended, ""
	if l.hungUp {
		session = l.call
	}
	if first {
		l.ended, l.last = true, time.Now().Add(patience)
		_ = l.nc.SetWriteDeadline(l.last) // for a write that is under way, too
		if word != shuttingDown {
			l.queue.flush()
		}
	}
	l.mu.Unlock()
	if !first {
		return
	}
	close(l.over)
	if word != "" {
		l.turn <- struct{}{}
		for l.next() {
		}
		_, _ = io.WriteString(l.nc, notice(word, session))
		<-l.turn
	}
	_ = l.nc.Close()
}

// makeRoom ends a client that has not logged in, for another.
func (l *listener) makeRoom() {
	l.s.opts.Log.Warn("esl_server: too many connections; one that has not logged in makes room", "from", l.nc.RemoteAddr().String())
	l.end("", 0)
}

// write sends a message at once. The caller has the turn, or is alone.
func (l *listener) write(message string) {
	select {
	case <-l.over:
		return
	default:
	}
	l.limit(l.s.patience)
	if _, err := io.WriteString(l.nc, message); err != nil {
		l.cutOff(err)
	}
}

// cutOff closes the connection of a client that cannot be written to. What the
// system keeps for it is thrown away: it would be kept for minutes.
func (l *listener) cutOff(err error) {
	l.s.opts.Log.Warn("esl_server: a client that does not read is cut off", "from", l.nc.RemoteAddr().String(), "error", err)
	if tcp, ok := l.nc.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a dead socket has nothing
	}
	_ = l.nc.Close() // the reader sees it
}

// offer puts an event into the queue of a client that wants it. The caller
// holds Server.firing.
func (l *listener) offer(p *parcel) {
	l.mu.Lock()
	if l.ended || l.hungUp || l.barred || l.user == nil || !l.wants.wants(p.event) {
		l.mu.Unlock()
		return
	}
	kept := l.queue.put(p.bytes(l.format))
	l.hungUp = l.call != "" && p.event.Name() == lastOfCall && p.event.Value("Unique-ID") == l.call
	l.mu.Unlock()
	l.s.pacer.Ask(l.wake)
	if !kept {
		l.cut(lostEvents)
	}
}

// offerLine is offer for a line of the log.
func (l *listener) offerLine(level int, message []byte) {
	l.mu.Lock()
	if l.ended || l.barred || l.user == nil || level > l.logs {
		l.mu.Unlock()
		return
	}
	kept := l.queue.putLine(message)
	l.mu.Unlock()
	l.s.pacer.Ask(l.wake)
	if !kept {
		l.cut(lostLines)
	}
}

// limit is how long what is written next may take: where the connection is
// ending, no longer than its end may.
func (l *listener) limit(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	until := time.Now().Add(d)
	if l.ended && l.last.Before(until) {
		until = l.last
	}
	_ = l.nc.SetWriteDeadline(until) // a dead socket fails at the write
}

// told is what the client is told of a gap, if it has subscribed to that;
// filters do not count. The caller holds mu.
func (l *listener) told(g gap) []byte {
	e := g.resync()
	if !l.wants.named(e) {
		return nil
	}
	return (&parcel{event: e}).bytes(l.format)
}

// cut sends a client away, without waiting for it.
func (l *listener) cut(why string) {
	l.mu.Lock()
	again := l.cutting
	l.cutting = true
	l.mu.Unlock()
	if again {
		return
	}
	l.s.opts.Log.Warn("esl_server: "+why[:len(why)-1], "from", l.nc.RemoteAddr().String())
	go l.end(why, l.s.patience)
}

// deliver writes what is queued, until the connection ends, or the call does
// whose events the client has asked for.
func (l *listener) deliver() {
	for {
		select {
		case <-l.wake.C:
		case <-l.over:
			return
		}
		for l.some() {
		}
		l.mu.Lock()
		over := l.hungUp
		l.mu.Unlock()
		if over {
			l.end(goodbye, partTime)
			return
		}
	}
}

// some writes one batch, unless the connection ends: then that does. It is false
// when there was none.
func (l *listener) some() bool {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	select {
	case <-l.over:
		return false
	default:
		return l.next()
	}
}

// next writes one batch; false when there was none. The caller has the turn.
func (l *listener) next() bool {
	l.mu.Lock()
	l.batch = l.queue.take(l.batch[:0], l.told)
	more := len(l.queue.list) > 0 // a gap that is not told is no message
	l.mu.Unlock()
	if len(l.batch) == 0 {
		return more
	}
	defer clear(l.batch)
	l.limit(l.s.patience)
	l.rest = l.batch
	if _, err := l.rest.WriteTo(l.nc); err != nil {
		l.cutOff(err)
		return false
	}
	return true
}
