package adapter

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// listen opens a TCP listener. key is the setting that names the address.
func listen(ctx context.Context, key, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, explainBind(key, address, err)
	}
	return l, nil
}

// explainBind says what to do about an address that cannot be listened on.
func explainBind(key, address string, err error) error {
	part, _, _ := strings.Cut(key, ".")
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s %s: address already in use%s. Set %s. [port_in_use]", part, address, usedBy(address), key)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s %s: this machine does not have that address. Set %s. [bad_address]", part, address, key)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s %s: permission denied. Set %s to a port above 1023. [bad_address]", part, address, key)
	default:
		return fmt.Errorf("%s %s: %w. Set %s. [bad_address]", part, address, err, key)
	}
}

// usedBy names the process that has a port, where Linux lets us see it.
func usedBy(address string) string {
	host, text, _ := net.SplitHostPort(address)
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return ""
	}
	at, _ := netip.ParseAddr(host) // a name may be any address
	inode := socketInode(at.Unmap(), uint16(port))
	if inode == "" {
		return ""
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && to == "socket:["+inode+"]" {
			pid := strings.Split(link, "/")[2]
			name, _ := os.ReadFile(filepath.Join("/proc", pid, "comm"))
			return fmt.Sprintf(" (by pid %s, %s)", pid, strings.TrimSpace(string(name)))
		}
	}
	return ""
}

// socketInode finds the socket that is in the way of one at a port: a listening
// TCP one or any UDP one of the same address, or either of all addresses.
func socketInode(at netip.Addr, port uint16) string {
	want := fmt.Sprintf(":%04X", port)
	for _, table := range []string{"tcp", "udp", "tcp6", "udp6"} {
		data, err := os.ReadFile("/proc/net/" + table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			f := strings.Fields(line)
			listening := len(f) > 9 && (strings.HasPrefix(table, "udp") || f[3] == "0A")
			host, mine := "", false
			if listening {
				host, mine = strings.CutSuffix(f[1], want)
			}
			if bound := boundTo(host); mine && (!at.IsValid() || at.IsUnspecified() || bound.IsUnspecified() || bound == at) {
				return f[9]
			}
		}
	}
	return ""
}

// boundTo reads an address as /proc writes it: words of 32 bits, each in the
// machine's own order, which on all that we know has the low byte first.
func boundTo(text string) netip.Addr {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw)%4 != 0 {
		return netip.Addr{}
	}
	for i := 0; i < len(raw); i += 4 {
		slices.Reverse(raw[i : i+4])
	}
	a, _ := netip.AddrFromSlice(raw)
	return a.Unmap()
}

// localIP is the address of ours that peers of a listener on host can reach.
// For an unspecified host it is the one that the machine's default route uses;
// no packet is sent to find out.
func localIP(host string) (netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil && !a.IsUnspecified() {
		return a.Unmap(), nil
	}
	if a, err := net.ResolveIPAddr("ip", host); host != "" && err == nil {
		if ip, ok := netip.AddrFromSlice(a.IP); ok && !ip.Unmap().IsUnspecified() {
			return ip.Unmap(), nil
		}
	}
	c, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 9})
	if err != nil {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	defer func() { _ = c.Close() }()
	ap, err := netip.ParseAddrPort(c.LocalAddr().String())
	if err != nil {
		return netip.Addr{}, fmt.Errorf("adapter: own address: %w", err)
	}
	return ap.Addr().Unmap(), nil
}

// hostOf is the host of HOST:PORT.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}

// withHost replaces the host of HOST:PORT.
func withHost(address, host string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return net.JoinHostPort(host, port)
}
