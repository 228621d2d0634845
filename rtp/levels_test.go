package rtp

import (
	"slices"
	"testing"
)

func someVoices(n int) (all []Voice) {
	for i := range n {
		all = append(all, Voice{SSRC: 0xAABB0000 + uint32(i), Level: uint8(i)})
	}
	return all
}

func TestWhoIsInAPacketIsNamedInIt(t *testing.T) {
	for _, tt := range []struct {
		name     string
		number   uint8
		voices   int
		named    int
		overhead int
	}{
		{"nobody asked", 0, 3, 0, 0},
		{"nobody is heard", 1, 0, 0, 0},
		{"one", 1, 1, 1, 4 + 4 + 4},
		{"three", 5, 3, 3, 12 + 4 + 4},
		{"four, and the element needs padding", 14, 4, 4, 16 + 4 + 8},
		{"as many as there may be", 1, 15, 15, 60 + 4 + 16},
		{"more than a packet names", 1, 16, 15, 60 + 4 + 16},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeer(t)
			s := openSession(t, Options{Remote: p.addr()})
			s.SetLevels(tt.number, 0)
			s.Drain(1)
			voices := someVoices(tt.voices)
			s.Credit(voices)
			s.Send([]byte("payload"), 0, false)
			got, err := p.read()
			if err != nil {
				t.Fatal(err)
			}
			var names []uint32
			var levels []byte
			for _, v := range voices[:tt.named] {
				names, levels = append(names, v.SSRC), append(levels, v.Level)
			}
			if !slices.Equal(got.CSRC, names) || !slices.Equal(got.GetExtension(tt.number), levels) || got.Extension != (tt.named > 0) {
				t.Errorf("named %x, levels %v", got.CSRC, got.GetExtension(tt.number))
			}
			if size := got.Header.MarshalSize() - minHeader; size != tt.overhead || string(got.Payload) != "payload" {
				t.Errorf("%d bytes more, payload %q", size, got.Payload)
			}
			s.Send([]byte("next"), 160, false) // who was named is not named again
			if next, err := p.read(); err != nil || len(next.CSRC) > 0 || next.Extension || string(next.Payload) != "next" {
				t.Errorf("then %v, %v", next.Header, err)
			}
		})
	}
}

func TestNobodyIsHeardInAKey(t *testing.T) {
	p := newPeer(t)
	s := openSession(t, Options{Remote: p.addr(), EventPayload: 101})
	s.SetLevels(1, 0)
	s.Drain(1)
	if err := s.SendDigit('5'); err != nil {
		t.Fatal(err)
	}
	s.Credit(someVoices(3))
	s.Send([]byte("payload"), 0, false)
	if got, err := p.read(); err != nil || got.PayloadType != 101 || len(got.CSRC) > 0 || len(got.Payload) != eventBytes {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestTheLongestPayloadHasRoomForNames(t *testing.T) {
	p := newPeer(t)
	s := openSession(t, Options{Remote: p.addr(), SendBytes: 160})
	s.SetLevels(1, 0)
	s.Drain(1)
	for _, size := range []int{160, 161} {
		s.Credit(someVoices(MaxVoices))
		s.Send(make([]byte, size), 0, false)
	}
	if got, err := p.read(); err != nil || len(got.Payload) != 160 || len(got.CSRC) != MaxVoices {
		t.Errorf("got %v, %v", got.Header, err)
	}
	if _, err := p.read(); err == nil {
		t.Error("more than the longest payload was sent")
	}
}

func TestSession_NamingAllocatesNothing(t *testing.T) {
	s := openSession(t, Options{Remote: newPeer(t).addr()})
	s.SetLevels(1, 2)
	s.Drain(1)
	voices, payload := someVoices(MaxVoices), make([]byte, 160)
	if n := testing.AllocsPerRun(200, func() { s.Credit(voices); s.Send(payload, 0, false) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
