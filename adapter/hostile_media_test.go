package adapter_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/adapter/config"
)

// rtpPacket is a packet of 20 ms of µ-law silence.
func rtpPacket(seq uint16, ts, ssrc uint32) []byte {
	b := make([]byte, 172)
	b[0] = 0x80
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	for i := 12; i < len(b); i++ {
		b[i] = 0xFF
	}
	return b
}

// enter calls a room as an attacker who writes his audio himself, and returns
// the way to the port that Parley gave him.
func (s *siege) enter(t *testing.T, room string) *net.UDPConn {
	t.Helper()
	own, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(attacker)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = own.Close() })
	at := own.LocalAddr().(*net.UDPAddr)
	c := udpFrom(t, s.config.SIP.Listen)
	sdp := offer(at.AddrPort())
	sdp = strings.Replace(sdp, "RTP/AVP 0", "RTP/AVP 0 101", 1) + "a=rtpmap:101 telephone-event/8000\r\n"
	_, _ = c.Write(invite(c.LocalAddr(), room, at.Port, sdp))
	answer := make([]byte, 4096)
	for {
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := c.Read(answer)
		if err != nil {
			t.Fatal(err)
		}
		text := string(answer[:n])
		if !strings.HasPrefix(text, "SIP/2.0 200") {
			continue
		}
		_, _ = c.Write(within("ACK", text, 1))
		t.Cleanup(func() { _, _ = c.Write(within("BYE", text, 2)) })
		_, port, _ := strings.Cut(text, "m=audio ")
		port, _, _ = strings.Cut(port, " ")
		_ = own.Close() // its port goes to a socket that is connected
		to, err := net.ResolveUDPAddr("udp4", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		media, err := net.DialUDP("udp4", at, to)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = media.Close() })
		return media
	}
}

// key is an RFC 4733 packet that ends a key.
func key(digit byte, seq uint16, ts uint32) []byte {
	b := rtpPacket(seq, ts, 7)[:16]
	b[1] = 101
	copy(b[12:], []byte{digit, 0x8A, 0, 160})
	return b
}

// floodTime is how long each kind of flood lasts.
const floodTime = 300 * time.Millisecond

func TestFloodsOfMedia(t *testing.T) {
	s := besiege(t, nil)
	before := s.state(t)
	garbage := []byte(noiseOf(4096))
	port := s.callers[0].Session().Remote
	control := netip.AddrPortFrom(port.Addr(), port.Port()+1)
	for _, f := range []struct {
		name   string
		to     netip.AddrPort // a port of another's call; none is the attacker's own, in the same room
		packet func(i int) []byte
	}{
		{"garbage from elsewhere", port, func(i int) []byte { return garbage[i%1000 : i%1000+1+i%1500] }},
		{"RTP from elsewhere", port, func(i int) []byte { return rtpPacket(uint16(i), uint32(160*i), 9) }},
		{"RTCP from elsewhere", control, func(i int) []byte { return append([]byte{0x81, 200, 0, 12}, garbage[i%1000:i%1000+48]...) }},
		{"every packet of another stream", netip.AddrPort{}, func(i int) []byte { return rtpPacket(uint16(i), uint32(160*i), uint32(i)) }},
		{"sequence numbers at random", netip.AddrPort{}, func(int) []byte { return rtpPacket(uint16(rand.Uint32()), rand.Uint32(), 7) }}, //nolint:gosec // no secret
		{"keys without end", netip.AddrPort{}, func(i int) []byte {
			return key([]byte{10, 0, 10, 1, 10, 3, 10, 4, 10, 6, 10, 9}[i%12], uint16(i), uint32(800*i))
		}},
		{"payloads of any length", netip.AddrPort{}, func(i int) []byte { return append(rtpPacket(uint16(i), uint32(160*i), 7)[:12], garbage[:i%1900]...) }},
		{"headers of any kind", netip.AddrPort{}, func(i int) []byte {
			return append([]byte{0x80 | garbage[i%4000]&0x3F, 0}, garbage[i%2000:i%2000+200]...)
		}},
	} {
		t.Run(f.name, func(t *testing.T) {
			var c *net.UDPConn
			if f.to.IsValid() {
				c = udpFrom(t, f.to.String())
			} else {
				c = s.enter(t, "3001")
			}
			sent := 0
			sometimes(t, func() []string {
				lines, earlier := len(s.log.lines()), sent
				faults := s.during(t, func(ctx context.Context) {
					ctx, cancel := context.WithTimeout(ctx, floodTime)
					defer cancel()
					for ; ctx.Err() == nil; sent++ {
						_, _ = c.Write(f.packet(sent))
					}
				})
				lines = len(s.log.lines()) - lines
				if t.Logf("%d packets, %d lines logged", sent-earlier, lines); lines > 100 {
					t.Error("too many lines")
				}
				return faults
			})
		})
	}
	s.recovers(t, before, 0)
}

// vacantPorts is a row of n UDP ports that nobody has, of those that vacant leaves.
func vacantPorts(t *testing.T, n int) config.Ports {
	t.Helper()
	for first := 18000 + n*(os.Getpid()%50); first < 20000; first += n {
		free := 0
		for port := first; port < first+n; port++ {
			if c, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
				free++
				_ = c.Close()
			}
		}
		if free == n {
			return config.Ports{First: first, Last: first + n - 1}
		}
	}
	t.Fatal("no row of free ports")
	return config.Ports{}
}

// Who sends to all ports must not get the audio of calls that begin meanwhile.
func TestAThiefAtTheRTPPortsHearsNothing(t *testing.T) {
	s := &siege{log: &logBook{}}
	ports := vacantPorts(t, 20)
	s.parley = s.open(t, func(c *config.Config) { c.RTP.Ports = ports })
	thief, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(attacker)})
	if err != nil {
		t.Fatal(err)
	}
	defer thief.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var at sync.WaitGroup
	at.Go(func() {
		paced(ctx, 1<<30, 400, func(i int) {
			to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(ports.First+i*2%20))
			_, _ = thief.WriteToUDPAddrPort(rtpPacket(uint16(i/10), uint32(16*i), 5), to)
		})
	})
	for i, tone := range siegeTones {
		s.callers[i] = s.dial(t, "3001", tone)
	}
	othersAreHeard(t, s.callers[:], siegeTones[:], 300*time.Millisecond)
	cancel()
	at.Wait()
	stolen, b := 0, make([]byte, 2048)
	for thief.SetReadDeadline(time.Now().Add(50*time.Millisecond)) == nil {
		if _, _, err := thief.ReadFromUDP(b); err != nil {
			break
		}
		stolen++
	}
	if t.Logf("%d packets were stolen", stolen); stolen > 10 {
		t.Error("too many")
	}
}
