package freeswitch

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"parley/esl"
)

// lookupTime is how long it may take to find the addresses of a switch.
const lookupTime = 2 * time.Second

// Callers are who may hand calls over by the socket application: nobody is asked for
// a password there, and whoever calls says by variables who he is.
type Callers struct {
	Networks []netip.Prefix // none = everybody
	Switches []string       // HOST:PORT of switches, which may, too; names are looked up
}

// allow says whether a connection may be made. One from this machine's own address
// may.
func (c Callers) allow(ctx context.Context, nc net.Conn) bool {
	from, to := address(nc.RemoteAddr()), address(nc.LocalAddr())
	return len(c.Networks) == 0 || from == to ||
		slices.ContainsFunc(c.Networks, func(p netip.Prefix) bool { return p.Contains(from) }) ||
		slices.ContainsFunc(c.Switches, func(s string) bool { return isAt(ctx, s, from) })
}

// strangerTime is how often it is told at most that somebody may not connect: it may
// be anybody, as often as he likes.
const strangerTime = time.Minute

func (a *Adapter) tellStranger(from net.Addr, now time.Time) {
	if last := a.toldStranger.Load(); now.UnixNano()-last < int64(strangerTime) || !a.toldStranger.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	a.opt.Log.Error(fmt.Sprintf("esl-outbound: %v is not in freeswitch.acl, and not the address of a switch. "+
		"A call that it hands over continues in its dialplan. [freeswitch_acl]", address(from)), "from", from)
}

// isAt says whether HOST:PORT has that address.
func isAt(ctx context.Context, hostport string, at netip.Addr) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host) // an address is its own
	return err == nil && slices.ContainsFunc(list, func(a netip.Addr) bool { return a.Unmap() == at })
}

// address is that of one end; none for one that has no IP address.
func address(a net.Addr) netip.Addr { return esl.AddressOf(a).WithZone("") }
