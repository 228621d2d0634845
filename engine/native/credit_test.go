package native

import (
	"slices"
	"testing"

	"parley/codec"
	"parley/engine"
)

// namedLine is a line whose packets tell who is heard in them.
type namedLine struct {
	*line
	ssrc   uint32
	asks   bool
	next   []Voice
	voices []Voice // of the last packet
}

func (p *namedLine) Credits() bool         { return p.asks }
func (p *namedLine) SSRC() uint32          { return p.ssrc }
func (p *namedLine) Credit(v []Voice)      { p.next = slices.Clone(v) }
func (p *namedLine) names() (ids []uint32) { return namesOf(p.voices) }

func namesOf(voices []Voice) (ids []uint32) {
	for _, v := range voices {
		ids = append(ids, v.SSRC)
	}
	return ids
}

func (p *namedLine) Send(payload []byte, ts uint32, marker bool) {
	p.voices, p.next = p.next, nil
	p.line.Send(payload, ts, marker)
}

// named is a caller on a namedLine, in the room.
func (r *rig) named(h hall, m engine.MemberID, ssrc uint32, f codec.Format, level float64) (*namedLine, *caller) {
	r.Helper()
	speak := mute(f.Rate)
	if level < 0 {
		speak = tone(f.Rate, 300+10*float64(m), level)
	}
	p := &namedLine{line: &line{t: r, format: f, ptime: 20, speak: speak}, ssrc: ssrc, asks: true}
	c := &caller{line: p.line, sink: &sink{}}
	var err error
	if c.Leg, err = r.sw.NewLeg(engine.LegID(string(rune('a'+m))), p, f); err != nil {
		r.Fatal(err)
	}
	c.Attach(c.sink)
	r.seat(h, m, c, engine.MemberState{})
	return p, c
}

func TestBridge_NamesWhoIsHeard(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		loud, _ := r.named(h, 1, 0x11, codec.PCMU(), -20)
		low, _ := r.named(h, 2, 0x22, codec.L16(16000), -30)
		hears, _ := r.named(h, 3, 0x33, codec.PCMU(), 0)
		also, _ := r.named(h, 4, 0x44, codec.PCMU(), 0)
		other, _ := r.named(h, 5, 0x55, codec.PCMU(), 0)
		other.asks = false
		r.run(20)
		want := []Voice{{SSRC: 0x11, Level: 23}, {SSRC: 0x22, Level: 33}} // a sine has 3 dB less than its peak
		if !slices.Equal(hears.voices, want) || !slices.Equal(also.voices, want) {
			r.Errorf("heard %v and %v, want %v", hears.voices, also.voices, want)
		}
		if !slices.Equal(loud.names(), []uint32{0x22}) || !slices.Equal(low.names(), []uint32{0x11}) {
			r.Errorf("talkers hear %x and %x", loud.names(), low.names())
		}
		if other.voices != nil {
			r.Errorf("who does not ask is told %v", other.voices)
		}

		h.Relate(1, []engine.Edge{{From: 1, To: 3}})
		h.Set(2, 4, engine.MemberState{Deaf: true})
		r.run(5)
		if !slices.Equal(hears.names(), []uint32{0x22}) || also.voices != nil {
			r.Errorf("who is kept from one hears %x, who is deaf %x", hears.names(), also.names())
		}
		h.Set(3, 2, engine.MemberState{Muted: true})
		h.Relate(4, nil)
		r.run(5)
		if !slices.Equal(hears.names(), []uint32{0x11}) {
			r.Errorf("with one muted: %x", hears.names())
		}
		h.Set(5, 2, engine.MemberState{Talk: 15})
		r.run(20)
		if want := []Voice{{SSRC: 0x22, Level: 18}, {SSRC: 0x11, Level: 23}}; !slices.Equal(hears.voices, want) {
			r.Errorf("with one turned up: %v", hears.voices)
		}
	})
}

// Nobody goes by the name of another, whoever takes it first.
func TestBridge_NamesAreOnePersonsOnly(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		r.named(h, 1, 0x11, codec.PCMU(), -30)
		thief, leg := r.named(h, 2, 0x11, codec.PCMU(), -20)
		nameless, _ := r.named(h, 3, 0, codec.PCMU(), -25)
		hears, _ := r.named(h, 4, 0x44, codec.PCMU(), 0)
		r.run(20)
		names := hears.names()
		if len(names) != 3 || names[2] != 0x11 || names[0] == 0x11 || names[0] == 0 || names[1] == 0 || names[0] != leg.voice.alias {
			r.Fatalf("names %x", names)
		}
		thief.ssrc, nameless.ssrc = 0x66, 0x77
		r.run(2)
		if got := hears.names(); !slices.Equal(got, []uint32{0x66, 0x77, 0x11}) {
			r.Errorf("with names of their own: %x", got)
		}
	})
}

func TestBridge_NamesTheLoudest(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		var first *namedLine
		for m := range engine.MemberID(20) {
			p, _ := r.named(h, m+1, uint32(m+1), codec.PCMU(), -20-float64(m))
			if m == 0 {
				first = p
			}
		}
		hears, _ := r.named(h, 99, 0x99, codec.PCMU(), 0)
		r.run(20)
		for name, tt := range map[string]struct {
			got   []uint32
			first uint32
		}{"a listener": {hears.names(), 1}, "the loudest of all": {first.names(), 2}} {
			if len(tt.got) != MaxVoices || tt.got[0] != tt.first || tt.got[MaxVoices-1] != tt.first+MaxVoices-1 {
				r.Errorf("%s is told %d", name, tt.got)
			}
		}
	})
}

// quietNamed costs what a port with levels costs.
type quietNamed struct {
	quietPort
	ssrc uint32
	n    int
}

func (p *quietNamed) Credits() bool    { return true }
func (p *quietNamed) SSRC() uint32     { return p.ssrc }
func (p *quietNamed) Credit(v []Voice) { p.n += len(v) }

func TestBridge_NamingAllocatesNothing(t *testing.T) {
	r := newRig(t, Options{})
	defer r.sw.Close()
	b := crowd(r, 50, 20, codec.PCMU())
	named := &quietNamed{ssrc: 9, quietPort: quietPort{payload: encode(t, codec.PCMU(), tone(8000, 400, -20)(0))}}
	l, err := r.sw.NewLeg("named", named, codec.PCMU())
	if err != nil {
		t.Fatal(err)
	}
	b.Admit(0, 1000, &caller{Leg: l}, engine.MemberState{})
	settle(t, r, b)
	n := uint64(1000)
	if got := testing.AllocsPerRun(200, func() { n++; b.run(0, int64(n)*20e6, n) }); got != 0 {
		t.Errorf("%v allocations per tick of a room", got)
	}
	if named.n < 200*MaxVoices {
		t.Errorf("named %d", named.n)
	}
}
