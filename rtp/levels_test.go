package rtp

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
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

type saidCase struct {
	name string
	in   string // after the first byte's flags
	want int    // -1 = nothing
}

// header is one of RTP with the X bit, and what follows it.
func header(csrc byte, rest string) []byte {
	b := append(make([]byte, minHeader+4*int(csrc)), rest...)
	b[0] = 2<<6 | extensionBit | csrc
	return b
}

func saidCases() []saidCase {
	return []saidCase{
		{"alone", "\xBE\xDE\x00\x01\x10\xFF\x00\x00", 127},
		{"without speech", "\xBE\xDE\x00\x01\x10\x2A\x00\x00", 42},
		{"after others and padding", "\xBE\xDE\x00\x02\x21\x01\x02\x00\x00\x10\x05\x00", 5},
		{"another's", "\xBE\xDE\x00\x01\x20\xFF\x00\x00", -1},
		{"too long to be one", "\xBE\xDE\x00\x01\x11\x01\x02\x00", -1},
		{"behind the end", "\xBE\xDE\x00\x01\xF0\x00\x10\x05", -1},
		{"cut in an element", "\xBE\xDE\x00\x01\x2F\x00\x00\x00", -1},
		{"cut in the words", "\xBE\xDE\x00\x02\x10\x05\x00\x00", -1},
		{"no words", "\xBE\xDE\x00\x00", -1},
		{"nothing but padding", "\xBE\xDE\x00\x01\x00\x00\x00\x00", -1},
		{"the other form", "\x10\x00\x00\x01\x01\x01\x05\x00", -1},
		{"cut in the head", "\xBE\xDE\x00", -1},
	}
}

func TestWhatAPacketSaysOfItsLevel(t *testing.T) {
	for _, tt := range saidCases() {
		for _, csrc := range []byte{0, 1, 15} {
			level, ok := levelIn(header(csrc, tt.in), 1)
			if ok != (tt.want >= 0) || ok && int(level) != tt.want {
				t.Errorf("%s behind %d names: %d, %v", tt.name, csrc, level, ok)
			}
		}
	}
	if _, ok := levelIn(header(15, "")[:minHeader], 1); ok {
		t.Error("cut in the names")
	}
}

// Where pion, too, can read a packet it reads the same.
func FuzzLevelIn(f *testing.F) {
	for _, tt := range saidCases() {
		f.Add(header(1, tt.in), uint8(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, id uint8) {
		id = 1 + id%14
		level, ok := levelIn(b, id)
		var p rtp.Packet
		if p.Unmarshal(b) != nil || !ok {
			return
		}
		said := p.GetExtension(id)
		if len(said) == 0 || level > levelMask {
			t.Fatalf("%x: %d, pion reads %x", b, level, said)
		}
	})
}

func TestSession_TakesLevelsWithWhomItIsAgreed(t *testing.T) {
	for _, number := range []uint8{0, 3} {
		p := newPeer(t)
		s := openSession(t, Options{Remote: p.addr()})
		s.SetLevels(0, number)
		packet := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: 1, SSRC: 7}, Payload: make([]byte, 160)}
		if err := packet.SetExtension(3, []byte{80}); err != nil {
			t.Fatal(err)
		}
		b, err := packet.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		p.raw(s, b)
		var buf [200]byte
		for {
			s.Drain(time.Now().UnixNano())
			if k, _ := s.Take(buf[:]); k > 0 {
				break
			}
		}
		if level, ok := s.Said(); ok != (number != 0) || ok && level != 80 {
			t.Errorf("number %d: %d, %v", number, level, ok)
		}
	}
}
