// Package rtp carries one call's audio over UDP: packets (RFC 3550, on
// pion/rtp), their order, DTMF events (RFC 4733) and reports (RTCP).
//
// A Session is driven by a 20 ms tick: Drain, Take, Send and Report are called
// by one goroutine at a time, never block and never allocate. SetRemote, Hold,
// SendDigit, Stats and Close may be called from any goroutine. There is no
// goroutine, timer or clock in here: on Linux the sockets stay outside Go's
// netpoller, so that an arriving packet wakes nobody.
package rtp
