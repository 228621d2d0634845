//go:build !linux

package bench

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// A measurement needs /proc and the kernel's time stamps: elsewhere open
// refuses, and nothing else of this file is ever called.

const (
	batch       = 1
	datagramMax = 2048
)

type socket struct{}

type inbox struct{ have int }

func newInbox() *inbox { return &inbox{} }

func open(netip.AddrPort) (*socket, error) {
	return nil, fmt.Errorf("bench: %w: only Linux", errors.ErrUnsupported)
}

func (*socket) connect(netip.AddrPort) error     { return errors.ErrUnsupported }
func (*socket) send([]byte)                      {}
func (*socket) fill(*inbox) bool                 { return false }
func (*socket) close()                           {}
func (*inbox) datagram(int) (b []byte, at int64) { return nil, 0 }

// cpuTime is known by /proc alone.
func cpuTime(_ int, known time.Duration) (time.Duration, error) { return known, nil }
