package native

import (
	"fmt"
	"math"
	"net/netip"
	"testing"
	"time"

	"parley/ari/audiosocket"
	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
	"parley/internal/tick"
	"parley/rtp"
)

var (
	_ Port                 = (*rtp.Session)(nil)
	_ Port                 = (*audiosocket.Conn)(nil)
	_ engine.BridgeFactory = (*Switch)(nil).Bridge
)

// phone is a telephone on loopback: a tone into one end of an RTP stream, what
// comes out of it kept.
type phone struct {
	*rtp.Session
	format  codec.Format
	speak   func(int) []int16
	heard   []int16
	frames  int
	conceal *codec.Concealer
	full    chan struct{} // closed when enough has been heard
}

// enough is what a phone listens for: 1.6 s.
const enough = 80

func (p *phone) tick(_ int, now int64, _ uint64) {
	p.Drain(now)
	var packet [maxPacket]byte
	pcm := make([]int16, frame(p.format.Rate))
	n, lost := p.Take(packet[:])
	if n > 0 {
		_, _ = p.format.Decoder().Decode(pcm, packet[:n])
		p.conceal.Good(pcm)
	} else if lost {
		p.conceal.Lost(pcm)
	}
	if (n > 0 || lost) && len(p.heard) < enough*len(pcm) {
		if p.heard = append(p.heard, pcm...); len(p.heard) >= enough*len(pcm) {
			close(p.full)
		}
	}
	b := make([]byte, maxPacket)
	n, _ = p.format.Encoder().Encode(b, p.speak(p.frames))
	p.Send(b[:n], uint32(p.frames*p.format.Clock/50), p.frames == 0)
	p.frames++
}

// dial makes a phone and a leg that send to each other.
func dial(t *testing.T, r *rig, ports *rtp.Ports, f codec.Format, freq float64) (*phone, *caller) {
	t.Helper()
	o := rtp.Options{
		Payload: f.Payload, Receive: f.Payload, ClockRate: f.Clock, FrameBytes: len(encode(t, f, mute(f.Rate)(0))),
		EventPayload: 101, EventReceive: 101,
	}
	ours, err := ports.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	o.Remote = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), ours.Port())
	theirs, err := rtp.Open(ports, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Remote = netip.AddrPortFrom(o.Remote.Addr(), theirs.Port())
	c := &caller{sink: &sink{}}
	if c.Leg, err = r.sw.NewLeg(engine.LegID(fmt.Sprint(freq)), ours.Session(o), f); err != nil {
		t.Fatal(err)
	}
	c.Attach(c.sink)
	p := &phone{Session: theirs, format: f, speak: tone(f.Rate, freq, -20), conceal: codec.NewConcealer(f.Rate), full: make(chan struct{})}
	t.Cleanup(func() { _ = p.Close(); _ = c.Leg.Close() })
	return p, c
}

func TestSwitch_OverRealSockets(t *testing.T) {
	pool := tick.New(tick.Options{})
	defer pool.Close()
	r := newRig(t, Options{Clock: pool})
	defer r.sw.Close()
	ports, err := rtp.NewPorts(netip.MustParseAddr("127.0.0.1"), 46000, 46999)
	if err != nil {
		t.Fatal(err)
	}
	h := r.hall()
	freqs := []float64{400, 900, 1500}
	formats := []codec.Format{codec.PCMU(), codec.PCMA(), codec.L16(16000)}
	var phones []*phone
	var callers []*caller
	for i := range freqs {
		p, c := dial(t, r, ports, formats[i], freqs[i])
		phones, callers = append(phones, p), append(callers, c)
		h.Admit(engine.OpID(i+1), engine.MemberID(i+1), c, engine.MemberState{})
	}
	if err := phones[0].SendDigit('5'); err != nil {
		t.Fatal(err)
	}
	var tasks []*tick.Task
	for _, p := range phones {
		tasks = append(tasks, tick.NewTask(p.tick))
		pool.Add(tasks[len(tasks)-1])
	}
	limit := time.After(20 * time.Second)
	for i, p := range phones {
		select {
		case <-p.full:
		case <-limit:
			t.Fatalf("phone %d heard %d samples in 20 s", i, len(p.heard))
		}
	}
	for i, p := range phones {
		tail := p.heard[len(p.heard)/2:]
		for k, f := range freqs {
			got := audiotest.Steady(tail, int(p.format.Rate), f)
			if i == k && got > -55 || i != k && math.Abs(got+20) > 3 {
				t.Errorf("phone %d hears %.0f Hz at %.1f dB", i, f, got)
			}
		}
	}
	for i, p := range phones {
		st := callers[i].port.(*rtp.Session).Stats()
		t.Logf("phone %d: %d lost, %d late; leg: %d lost, %d late, spread %v, held back %v", i,
			p.Stats().Lost, p.Stats().Late, st.Lost, st.Late, st.Jitter, st.Delay)
	}
	callers[0].sink.want(t, engine.Digit{Leg: "400", Digit: '5', Held: 100 * time.Millisecond})
	if c := pool.Stats(); c.Ticks == 0 {
		t.Errorf("%+v", c)
	}
}
