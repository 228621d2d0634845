package native

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"

	"parley/codec"
	"parley/engine"
	"parley/rtp"
)

// perLeg reports the time of one leg in one tick.
func perLeg(b *testing.B, legs int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(legs), "ns/leg")
}

// One room of 100 legs, 3 talk, nothing but arithmetic.
func BenchmarkRoom(b *testing.B) {
	for _, c := range []struct{ legs, talkers int }{{100, 3}, {100, 100}, {1000, 3}} {
		b.Run(fmt.Sprintf("%dx%d", c.legs, c.talkers), func(b *testing.B) {
			r := newRig(b, Options{})
			defer r.sw.Close()
			room := crowd(r, c.legs, c.talkers, codec.PCMU())
			settle(b, r, room)
			n := uint64(1000)
			b.ReportAllocs()
			for b.Loop() {
				n++
				room.run(0, int64(n)*20e6, n)
			}
			perLeg(b, c.legs)
		})
	}
}

// The same in other codecs: what is shared, and what talkers cost.
func BenchmarkRoomOfCodec(b *testing.B) {
	for _, f := range []codec.Format{codec.PCMU(), codec.G722(), codec.L16(48000), codec.Opus(16000), codec.Opus(48000)} {
		b.Run(fmt.Sprintf("%s-%d/50x3", f.Name, f.Rate), func(b *testing.B) {
			r := newRig(b, Options{})
			defer r.sw.Close()
			room := crowd(r, 50, 3, f)
			settle(b, r, room)
			n := uint64(1000)
			for range 2 * settling { // a pause, in which all come to share
				n++
				mutePorts(room, 3, true)
				room.run(0, int64(n)*20e6, n)
			}
			mutePorts(room, 3, false)
			b.ReportAllocs()
			for b.Loop() {
				n++
				room.run(0, int64(n)*20e6, n)
			}
			perLeg(b, 50)
		})
	}
}

// mutePorts has the first legs of a room send nothing.
func mutePorts(b *Bridge, legs int, on bool) {
	for i := range legs {
		b.seats[i].leg.port.(*quietPort).muted = on
	}
}

// What a leg takes of the heap, in a room, its RTP session with and without.
func BenchmarkLegMemory(b *testing.B) {
	const legs = 200
	ports, err := rtp.NewPorts(netip.MustParseAddr("127.0.0.1"), 46000, 46999)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		format codec.Format
		port   func() Port
	}{
		{"PCMU", codec.PCMU(), func() Port { return &quietPort{} }},
		{"L16/16000", codec.L16(16000), func() Port { return &quietPort{} }},
		{"G722", codec.G722(), func() Port { return &quietPort{} }},
		{"opus/48000", codec.Opus(48000), func() Port { return &quietPort{} }},
		{"PCMU with RTP", codec.PCMU(), func() Port {
			s, err := rtp.Open(ports, rtp.Options{})
			if err != nil {
				b.Fatal(err)
			}
			return s
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				r := newRig(b, Options{})
				h := r.hall()
				before := heap()
				for i := range legs {
					l, err := r.sw.NewLeg(engine.LegID(fmt.Sprint(i)), c.port(), c.format)
					if err != nil {
						b.Fatal(err)
					}
					h.Admit(0, engine.MemberID(i+1), &caller{Leg: l}, engine.MemberState{})
				}
				b.ReportMetric(float64(heap()-before)/legs, "B/leg")
				for i := range h.seats {
					_ = h.seats[i].leg.Close()
				}
				r.sw.Close()
			}
		})
	}
}

// heap is the memory in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
