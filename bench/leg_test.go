package bench

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"parley/codec"
	"parley/internal/audiotest"
)

const frame = 160 // bytes of 20 ms of PCMU

// packet is one of a mixer's.
func packet(seq uint16, payloadType byte, size int) []byte {
	b := make([]byte, headerSize+size)
	b[0], b[1] = 0x80, payloadType
	binary.BigEndian.PutUint16(b[2:], seq)
	return b
}

// of makes a packet another source's.
func of(source uint32, b []byte) []byte {
	binary.BigEndian.PutUint32(b[8:], source)
	return b
}

func TestWhatIsHeardIsCounted(t *testing.T) {
	type in struct {
		at      int // ms
		packet  []byte
		measure bool
	}
	good := func(at int, seq uint16) in { return in{at, packet(seq, 0, frame), true} }
	for _, tt := range []struct {
		name string
		in   []in
		want stream
		gaps uint64
		max  float64
	}{
		{"three in order", []in{good(0, 1), good(20, 2), good(41, 3)}, stream{packets: 3}, 2, 21},
		{"one is missing", []in{good(0, 1), good(40, 3)}, stream{packets: 2, lost: 1}, 1, 40},
		{"numbers wrap", []in{good(0, 65535), good(20, 0), good(40, 2)}, stream{packets: 3, lost: 1}, 2, 20},
		{"a late one fills no hole", []in{good(0, 1), good(40, 3), good(41, 2)}, stream{packets: 3, lost: 1}, 2, 40},
		{"with a marker", []in{{0, packet(1, 0x80, frame), true}}, stream{packets: 1}, 0, 0},
		{"another codec, 30 ms, no RTP", []in{
			{0, packet(1, 8, frame), true}, {0, packet(1, 0, 240), true}, {0, []byte("hello"), true},
		}, stream{other: 3}, 0, 0},
		{"a new call, and the last of the old one", []in{
			good(0, 1), {1000, of(7, packet(60_000, 0, frame)), true}, {1020, of(7, packet(60_001, 0, frame)), true}, good(1021, 2), {1040, of(7, packet(60_003, 0, frame)), true},
		}, stream{packets: 5}, 1, 20},
		{"before the time measured", []in{{0, packet(1, 0, frame), false}, good(25, 2)}, stream{packets: 1}, 1, 25},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := leg{size: frame}
			var gaps histogram
			for _, i := range tt.in {
				g.hear(i.packet, int64(i.at)*int64(time.Millisecond), &gaps, i.measure)
			}
			h := g.heard
			if h.packets != tt.want.packets || h.lost != tt.want.lost || h.other != tt.want.other {
				t.Errorf("got %+v, want %+v", h, tt.want)
			}
			if gaps.total != tt.gaps || gaps.max() != tt.max {
				t.Errorf("%d gaps, at most %v ms", gaps.total, gaps.max())
			}
		})
	}
}

func voicesOf(t *testing.T, o Options) *voices {
	t.Helper()
	if err := o.complete(); err != nil {
		t.Fatal(err)
	}
	v, err := newVoices(o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// hears has an ear hear packets, one each 20 ms.
func hears(f codec.Format, s *source, packets int) *ear {
	e := newEar(f)
	for i := range packets {
		e.put(s.next(), int64(i)*int64(ptime))
	}
	return e
}

func TestListenerKeepsTheLast(t *testing.T) {
	s := source{}
	for i := range clipPackets + 3 {
		s.loop = append(s.loop, []byte{byte(i), byte(i >> 8)})
	}
	e := hears(codec.L16(8000), &s, len(s.loop))
	got := e.sound(0)
	if len(got.pcm) != clipPackets || got.at[0].arrival != 3*int64(ptime) || got.pcm[0] != 3<<8 {
		t.Errorf("%d samples, from %+v: %v", len(got.pcm), got.at[0], got.pcm[:3])
	}
	if late := e.sound(10 * int64(ptime)); len(late.pcm) != clipPackets-7 || late.pcm[0] != 10<<8 {
		t.Errorf("%d samples, from %v", len(late.pcm), late.pcm[0])
	}
}

func TestToneHasNoSeam(t *testing.T) {
	for _, f := range []codec.Format{codec.PCMU(), codec.PCMA(), codec.G722(), codec.L16(16000)} {
		t.Run(f.Name, func(t *testing.T) {
			s, err := voicesOf(t, Options{Target: "x", Codec: f}).talker(1, 2, 3)
			if err != nil || s.hz != lowest+5*spacing {
				t.Fatalf("%v Hz, %v", s.hz, err)
			}
			rate := int(f.Rate)
			pcm := hears(f, &s, 150).sound(0).pcm[rate/10:]
			if got := audiotest.Power(pcm, rate, s.hz); math.Abs(got+20) > 0.2 {
				t.Errorf("%.2f dBFS", got)
			}
			if got := audiotest.WorstStep(pcm, rate, s.hz); got > -45 {
				t.Errorf("a click of %.1f dBFS", got)
			}
		})
	}
}

func TestNoiseHasItsLevelAndNobodyElses(t *testing.T) {
	v := voicesOf(t, Options{Target: "x", Noise: -50})
	var pcm [2][]int16
	for i := range pcm {
		s := v.listener(7 + i)
		pcm[i] = hears(codec.PCMU(), &s, 50).sound(0).pcm
		if got := audiotest.RMS(pcm[i]); math.Abs(got+50) > 1 {
			t.Errorf("%.2f dBFS", got)
		}
	}
	if got := audiotest.RMS(audiotest.Sum(pcm[0], pcm[1])); math.Abs(got+47) > 1 {
		t.Errorf("two together %.2f dBFS: the same at the same time?", got)
	}
}

func TestLevels(t *testing.T) {
	one, two, three := tone(0, 0, 3), tone(0, 1, 3), tone(0, 2, 3)
	say := func(level float64, hz ...float64) (clips [][]int16) {
		for _, f := range hz {
			clips = append(clips, audiotest.Tone(8000, f, level, 2*8000, 0))
		}
		return clips
	}
	for _, tt := range []struct {
		name  string
		clips [][]int16
		bad   string // in Problems; "" is none
	}{
		{"a good mixer", say(-20, two, three), ""},
		{"a silent one", [][]int16{make([]int16, 2*8000)}, "dB off"},
		{"one that forgets a talker", say(-20, two), "dB off"},
		{"one that is too loud", say(-16, two, three), "dB off"},
		{"own voice", append(say(-20, two, three), say(-40, one)...), "hears himself"},
		{"another room", append(say(-20, two, three), say(-40, tone(1, 0, 3))...), "nobody in it says"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := Levels{Sent: level(3), Own: audiotest.Floor, Stray: audiotest.Floor}
			v.listen(audiotest.Sum(tt.clips...), 8000, one, []float64{two, three})
			r := Report{Levels: v, Packets: Packets{Delivery: 1}}
			bad := strings.Join(r.Problems(), "; ")
			if tt.bad == "" && bad != "" || !strings.Contains(bad, tt.bad) {
				t.Errorf("%+v: %q", v, bad)
			}
			if v.Tones != 2 {
				t.Errorf("%d tones", v.Tones)
			}
		})
	}
}

func TestPortsSkipWhatIsTaken(t *testing.T) {
	host := netip.MustParseAddr("127.0.0.1")
	within := [2]uint16{31001, 31006} // two pairs: 31002 and 31004
	p := newPorts(host, within)
	other, err := open(netip.AddrPortFrom(host, 31003))
	if err != nil {
		t.Fatal(err)
	}
	media, control, port, err := p.pair()
	if err != nil || port != 31004 {
		t.Fatalf("%d, %v", port, err)
	}
	if _, _, _, err := p.pair(); err == nil {
		t.Error("a third pair")
	}
	other.close()
	media.close()
	control.close()
	if media, control, port, err = p.pair(); err != nil || port%2 != 0 {
		t.Fatalf("%d, %v", port, err)
	}
	media.close()
	control.close()
}

func TestOptions(t *testing.T) {
	fine := Options{Target: "127.0.0.1:5070"}
	if err := fine.complete(); err != nil || fine.Callers != DefaultCallers || fine.Talkers != DefaultTalkers {
		t.Errorf("%+v, %v", fine, err)
	}
	for _, o := range []Options{
		{},
		{Target: "x", Callers: -1},
		{Target: "x", Callers: 30, Talkers: 25},
		{Target: "x", Callers: 2, Talkers: 3},
		{Target: "x", Rooms: 1000, Callers: 1000},
		{Target: "x", Noise: 3},
		{Target: "x", Level: 1},
		{Target: "x", Loss: 101},
		{Target: "x", Jitter: time.Second},
		{Target: "x", Churn: -1},
		{Target: "x", Codec: codec.Format{Name: "none", Rate: 8000, Clock: 8000}},
		{Target: "x", Phases: 40},
		{Target: "x", Duration: time.Millisecond},
	} {
		err := o.complete()
		if err == nil {
			_, err = newVoices(o)
		}
		if !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
