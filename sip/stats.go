package sip

import "sync/atomic"

// Stats counts what an Endpoint did since it started. Any goroutine may read
// it at any time.
type Stats struct {
	Received atomic.Uint64 // messages read
	Sent     atomic.Uint64 // messages written

	Malformed atomic.Uint64 // messages that were no SIP, or answered 400
	Flooded   atomic.Uint64 // messages dropped: their source sends too many
	Limited   atomic.Uint64 // requests answered 503: their source asks too much
	Refused   atomic.Uint64 // requests answered 503: draining, busy or full
	Unmatched atomic.Uint64 // messages that belong to no call or transaction
	Overflow  atomic.Uint64 // messages dropped: their call or connection is behind
	Panics    atomic.Uint64 // handlers and parsers that panicked

	Challenged   atomic.Uint64 // requests answered 401 for want of credentials
	Unauthorized atomic.Uint64 // requests with wrong or replayed credentials

	CallsIn  atomic.Uint64 // INVITEs that became a call
	CallsOut atomic.Uint64 // calls we made that were answered
	Resent   atomic.Uint64 // 2xx sent again for want of an ACK
	NoACK    atomic.Uint64 // calls given up for want of an ACK
	Expired  atomic.Uint64 // calls whose peer stopped refreshing (RFC 4028)

	Streams        atomic.Int64  // TCP connections that are open
	StreamsRefused atomic.Uint64 // TCP connections closed at once: too many
}
