package sip

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestWhatComesAtOnceIsKept sends to a real socket, while nobody reads it, what
// a meeting of many sends when it ends.
func TestWhatComesAtOnceIsKept(t *testing.T) {
	text, _ := os.ReadFile("/proc/sys/net/core/rmem_max")
	if most, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && most < receiveBuffer {
		t.Skipf("net.core.rmem_max is %d", most)
	}
	e, err := New(Options{UDP: []string{"127.0.0.1:0"}, Rate: Rate{Off: true}})
	if err != nil {
		t.Fatal(err)
	}
	peer, err := net.Dial("udp", e.UDP()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	_ = peer.(*net.UDPConn).SetReadBuffer(receiveBuffer)
	const many = 1000
	for i := range many {
		fmt.Fprintf(peer, "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\n"+
			"From: <sip:b@127.0.0.1>;tag=%d\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: %d@here\r\nCSeq: 1 OPTIONS\r\n"+
			"User-Agent: %s\r\nContent-Length: 0\r\n\r\n", peer.LocalAddr(), i, i, i, strings.Repeat("x", 250))
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	answered := 0
	for buf := make([]byte, 2048); answered < many; answered++ {
		_ = peer.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := peer.Read(buf); err != nil {
			break
		}
	}
	if answered < many {
		t.Errorf("%d of %d were answered", answered, many)
	}
	cancel()
	<-done
}
