//go:build !linux

package sip

import (
	"net"
	"net/netip"
)

// errorQueue is Linux's: elsewhere nobody tells us where datagrams did not get.
type errorQueue struct{}

func openErrors(net.PacketConn, func(sent []byte, to netip.AddrPort)) *errorQueue { return nil }

func (l *packetLink) readErrors() int { return 0 }
