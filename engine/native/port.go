package native

import "time"

// Port is the media of one call, such as an rtp.Session: packets in play order
// one way, payloads the other. One tick worker at a time calls it, once per
// 20 ms; Close may come from anywhere at any time. Nothing in it may block or
// allocate.
type Port interface {
	// Drain reads what has arrived. now is in Unix ns.
	Drain(now int64)
	// Take copies the next packet's payload, in play order, to dst. n is 0 where
	// there is none: lost says that one is missing and should be concealed, else
	// nothing is due.
	Take(dst []byte) (n int, lost bool)
	// Send sends a payload. ts counts the format's RTP clock from 0; marker says
	// that audio begins here.
	Send(payload []byte, ts uint32, marker bool)
	// Digit pops the next key the caller pressed: '0'-'9', '*', '#', 'A'-'D'.
	Digit() (d byte, ok bool)
	// LastArrival is when the last packet was accepted, in Unix ns; 0 is never.
	LastArrival() int64
	// Report does what RTCP asks for at this time.
	Report(now int64)
	// Close ends it. It is idempotent.
	Close() error
}

// Pacer is what a Port may offer besides, when its packets wait for each other.
type Pacer interface {
	// Surplus is by how much more audio waits than has to; less than zero, by
	// how much less. ahead has been taken and is not used in this tick. Whoever
	// uses more or less than 20 ms brings it closer to zero.
	Surplus(ahead time.Duration) time.Duration
}

// Turner is what a Port may offer besides, when it has to know which tick it is.
type Turner interface {
	// Turn says that tick n begins.
	Turn(n uint64)
}

// Noiser is what a Port may offer besides, when its packets can say what the
// caller's silence sounds like.
type Noiser interface {
	// Comfort is the last such packet (RFC 3389), if audio has not come since; it
	// may be read until the next call of Drain or Take.
	Comfort() []byte
}

// Peeker is what a Port may offer besides, when packets wait for their turn.
type Peeker interface {
	// Peek copies the payload after one that Take has called lost to dst, if it
	// has come; n is 0 if not. Take gives it in its turn nevertheless.
	Peek(dst []byte) (n int)
}

// Presser is what a Port may offer besides, when it knows how long keys are held.
type Presser interface {
	// Pressed is that of the key that Digit gave last; 0 = unknown.
	Pressed() time.Duration
}

// Outbox is where packets wait until a worker's tick has all it sends. It belongs
// to the worker.
type Outbox interface {
	// Flush sends them.
	Flush()
}

// Batcher is what a Port may offer besides, when its packets can leave together
// with those of others.
type Batcher interface {
	// Batch names the outbox that Send uses from now on; it comes from
	// Options.Outbox.
	Batch(o Outbox)
}

// Meter is what a Port may offer besides: the state of its stream. It is
// called outside the tick, from any goroutine, after Close too.
type Meter interface{ Health() Health }

// Health is the state of a stream since its beginning.
type Health struct {
	Received uint64            // packets accepted
	Lost     uint64            // packets that never came, or too late
	Late     uint64            // of those, too late
	Delay    time.Duration     // audio held back to put packets in order
	Jitter   time.Duration     // of their arrival, RFC 3550 §6.4.1
	Capped   bool              // the delay is as long as it may get
	Source   string            // where they come from; "" is nowhere yet
	Dropped  map[string]uint64 // packets thrown away, by reason; only ever grows
}
