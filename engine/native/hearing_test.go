package native

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
)

// mum is what a phone says of its level that does not say.
func mum(int, []int16) (uint8, bool) { return 0, false }

// replies are four seconds of a quiet room's noise, then a word that swells for
// 100 ms, as words do, and so on.
func replies(rate codec.Rate) func(int) []int16 {
	r := rand.New(rand.NewPCG(3, 4))
	loud := speech(rate, 8, 5)
	return func(n int) []int16 {
		pcm := make([]int16, frame(rate))
		at := n % 250
		for i := range pcm {
			v := 12 * r.NormFloat64() // -69 dBov
			if at >= 200 {
				swell := min(1, float64((at-200)*len(pcm)+i)/float64(5*len(pcm)))
				v += swell * float64(loud[(at*len(pcm)+i)%len(loud)])
			}
			pcm[i] = int16(v)
		}
		return pcm
	}
}

// Who says nothing is not decoded and has no decoder; what others hear of his
// words, from the first on, is the same.
func TestHearing_PausesNeedNoDecoder(t *testing.T) {
	for rate, bits := range map[codec.Rate]int{16000: 24_000, 48000: 32_000} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			inBubble(t, func(r *rig) {
				f := codec.Opus(rate)
				f.Opus.Bitrate = bits // less than ours: like a phone's, the encoder searches for long
				want, all, _ := visit(r, f, replies(rate), nil, engine.Sound{}, 1000)
				got, some, l := visit(r, f, replies(rate), mum, engine.Sound{}, 950)
				if all < 990 || some > 500 {
					r.Errorf("decoded %d of %d packets", some, all)
				}
				if v := &l.voice; v.decoder != nil || v.conceal != nil || v.before.pcm[0] != nil {
					r.Error("he has a decoder after 3 s in which he said nothing, or what goes with it")
				}
				n := min(len(got), len(want)) / frame(rate) * frame(rate)
				// Decoders that were started at different times differ by some 20 dB
				// less than they say; to be heard as another, a word has to lose a part.
				const less, least = 12, -48
				for i := 0; i < n; i += frame(rate) {
					diff := make([]int16, frame(rate))
					for k := range diff {
						diff[k] = got[i+k] - want[i+k]
					}
					if off := dBov(diff); off > max(least, dBov(want[i:][:len(diff)])-less) {
						r.Errorf("frame %d differs by %.1f dBov", i/frame(rate), off)
					}
				}
				if audiotest.Silent(want, -30) {
					r.Error("nobody speaks")
				}
			})
		})
	}
}

// Where no gate is in force noise is heard, so it is decoded.
func TestHearing_NoiseIsDecodedWithoutAGate(t *testing.T) {
	inBubble(t, func(r *rig) {
		_, decoded, l := visit(r, codec.Opus(16000), replies(16000), mum, engine.Sound{Gate: engine.GateOff}, 190)
		if decoded < 188 || l.voice.decoder == nil {
			r.Errorf("decoded %d of 190 packets", decoded)
		}
	})
}

// silencer is a line of Opus whose packets are digital silence.
type silencer struct{ *frank }

func (silencer) Take(dst []byte) (int, bool) { return copy(dst, []byte{0xF8, 0xFF, 0xFE}), false }
func (silencer) Back([]byte, int) int        { return 0 }

// Digital silence needs no gate; who never sends anything else has a decoder for
// the first packets only.
func TestHearing_DigitalSilence(t *testing.T) {
	inBubble(t, func(r *rig) {
		h, f := r.hall(), codec.Opus(16000)
		h.Tune(engine.Sound{Transparent: true})
		p := silencer{&frank{line: &line{t: r, format: f, ptime: 20}, says: mum, pcm: mute(f.Rate)}}
		l, err := r.sw.NewLeg("silencer", p, f)
		if err != nil {
			r.Fatal(err)
		}
		defer l.Close()
		counter := &counted{Decoder: f.Decoder()}
		l.stock.decoders.all[0].Store(&loan{counter, newWake(f.Rate)})
		r.seat(h, 1, &caller{Leg: l, line: p.line, sink: &sink{}}, engine.MemberState{})
		r.run(300)
		if counter.n != ringing || l.voice.decoder != nil {
			r.Errorf("decoded %d packets, has a decoder: %v", counter.n, l.voice.decoder != nil)
		}
		if l.voice.said != silence {
			r.Errorf("%f dBov", l.voice.said)
		}
	})
}

// Who finds no decoder waits for the courier, and is heard then, from where his
// words began.
func TestHearing_AllBeginToSpeakAtOnce(t *testing.T) {
	inBubble(t, func(r *rig) {
		const callers = 12
		h, f := r.hall(), codec.Opus(16000)
		ear := r.call("ear", codec.L16(f.Rate), mute(f.Rate))
		r.seat(h, 99, ear, engine.MemberState{})
		var legs []*Leg
		for i := range callers {
			voice := tone(f.Rate, 400+100*float64(i), -30)
			speak := func(n int) []int16 {
				if n < 200 {
					return mute(f.Rate)(n)
				}
				return voice(n)
			}
			p := &frank{line: &line{t: r, format: f, ptime: 20, speak: speak, encoder: f.Encoder()}, says: mum, pcm: speak}
			l, err := r.sw.NewLeg(engine.LegID(fmt.Sprint(i)), p, f)
			if err != nil {
				r.Fatal(err)
			}
			legs = append(legs, l)
			r.seat(h, engine.MemberID(i+1), &caller{Leg: l, line: p.line, sink: &sink{}}, engine.MemberState{})
		}
		r.run(160)
		k := legs[0].stock
		for i, l := range legs {
			if l.voice.decoder != nil {
				r.Errorf("%d has a decoder though he says nothing", i)
			}
		}
		if n := k.decoders.ready(); n < 1 || n > k.most() {
			r.Errorf("%d lie ready for %d legs", n, callers)
		}
		r.run(60)
		for i, l := range legs {
			if l.voice.decoder == nil {
				r.Errorf("%d has no decoder though he speaks", i)
			}
			if p := audiotest.Power(ear.heard[len(ear.heard)-3200:], int(f.Rate), 400+100*float64(i)); p < -31 || p > -29 {
				r.Errorf("%d is heard at %.1f dBFS", i, p)
			}
			_ = l.Close()
		}
		if n := k.decoders.ready(); n != 0 {
			r.Errorf("%d are kept though there are no legs", n)
		}
	})
}

// All who pause are looked at once a second, after a while less often, with what
// decoders there are: none is made for that.
func TestHearing_ChecksShareADecoder(t *testing.T) {
	inBubble(t, func(r *rig) {
		const callers = 20
		h, f := r.hall(), codec.Opus(16000)
		var k *stock
		for i := range callers {
			p := &frank{line: &line{t: r, format: f, ptime: 20, speak: mute(f.Rate), encoder: f.Encoder()}, says: mum, pcm: mute(f.Rate)}
			l, err := r.sw.NewLeg(engine.LegID(fmt.Sprint(i)), p, f)
			if err != nil {
				r.Fatal(err)
			}
			defer l.Close()
			k = l.stock
			r.seat(h, engine.MemberID(i+1), &caller{Leg: l, line: p.line, sink: &sink{}}, engine.MemberState{})
		}
		r.run(2 * doubted)
		for k.decoders.take() != nil {
		}
		counter := &counted{Decoder: f.Decoder()}
		k.decoders.put(&loan{counter, newWake(f.Rate)}, 1)
		r.run(3*doubted + 1)
		if want := 3 * callers * (primers + 1); counter.n < want {
			r.Errorf("%d decoded, want %d", counter.n, want)
		}
		r.run(familiar)
		counter.n = 0
		r.run(4 * rarely)
		if want := 4 * callers * (primers + 1); counter.n != want {
			r.Errorf("%d decoded of those who have paused for long, want %d", counter.n, want)
		}
		if n := k.decoders.ready(); n != 1 {
			r.Errorf("%d decoders lie there", n)
		}
	})
}

// Who has been silent for long and still says so when he talks is heard within 3 s.
func TestHearing_WhoTalksAfterLong(t *testing.T) {
	inBubble(t, func(r *rig) {
		const begins, ticks = 860, 1100
		f := codec.Opus(16000)
		silent := func(int, []int16) (uint8, bool) { return 127, true }
		heard, _, l := visit(r, f, latecomer(begins, mute(f.Rate), tone(f.Rate, 400, -20)), silent, engine.Sound{}, ticks)
		first := 0
		for first < ticks-10 && audiotest.Silent(heard[first*320:][:320], audiotest.Floor) {
			first++
		}
		if first < begins || first > begins+rarely || !l.voice.trust.liar {
			r.Errorf("begins at %d, is heard from %d", begins, first)
		}
	})
}

// A pause that opens the gate is no pause: whoever says so is believed again when
// a voice that says it is one has opened it.
func TestTrust_PausesThatAreLoud(t *testing.T) {
	var tr trust
	for i, step := range []struct {
		gated, pause bool
		row          int
		open, deaf   bool
	}{
		{true, true, 5, false, false},
		{true, false, 0, true, false},  // he speaks
		{true, true, 8, true, false},   // the gate is open a while
		{true, true, 60, false, false}, // and closes
		{true, true, 100, true, true},  // a check
		{true, true, 120, false, true},
		{true, true, 0, true, false}, // he is decoded, and packets say what they are
	} {
		tr.gated, tr.pause, tr.row = step.gated, step.pause, step.row
		tr.judge(step.open)
		if tr.deaf != step.deaf || tr.shut == step.open {
			t.Errorf("step %d: deaf %v, shut %v", i, tr.deaf, tr.shut)
		}
	}
}

// frankPort gives packets in turn, and those before.
type frankPort struct{ quietPort }

func (p *frankPort) Said() (uint8, bool) { return 0, false }
func (p *frankPort) Back(dst []byte, k int) int {
	return copy(dst, p.turn[(p.next+len(p.turn)-k)%len(p.turn)])
}

// A decoder that comes and goes costs no tick anything.
func TestHearing_TickAllocatesNothing(t *testing.T) {
	audiotest.Long(t)
	r := newRig(t, Options{})
	defer r.sw.Close()
	h, f := r.hall(), codec.Opus(16000)
	quiet := packets(t, f, mute(f.Rate))
	voice := packets(t, f, tone(f.Rate, 700, -20))
	p := &frankPort{quietPort{turn: quiet}}
	l, err := r.sw.NewLeg("frank", p, f)
	if err != nil {
		t.Fatal(err)
	}
	h.Admit(0, 1, &caller{Leg: l}, engine.MemberState{})
	settle(t, r, h.Bridge)
	n, had, gone := uint64(1000), 0, 0
	tick := func() {
		n++
		p.turn = quiet
		if n%250 < 30 {
			p.turn = voice
		}
		h.run(0, int64(n)*20e6, n)
		if l.voice.decoder != nil {
			had++
		} else {
			gone++
		}
	}
	for range 500 {
		tick()
	}
	if got := testing.AllocsPerRun(500, tick); got != 0 {
		t.Errorf("%v allocations per tick", got)
	}
	if had == 0 || gone == 0 {
		t.Errorf("a decoder in %d ticks, none in %d", had, gone)
	}
}

// Whose decoder comes after a packet that was lost begins as softly as if he had had
// it all the time.
func TestHearing_WordsBeginAfterALoss(t *testing.T) {
	r := newRig(t, Options{})
	defer r.sw.Close()
	f := codec.Opus(16000)
	l, err := r.sw.NewLeg("a", &frankPort{}, f)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := frame(f.Rate)
	word := func() []int16 { return slices.Repeat([]int16{1000}, n) }
	want, got := word(), word()
	always := codec.NewConcealer(f.Rate)
	always.Lost(make([]int16, n))
	always.Good(want)
	v := &l.voice
	v.lose(make([]int16, n))
	if !l.hears() {
		t.Fatal("there is no decoder")
	}
	if v.conceal.Good(got); !slices.Equal(got, want) || got[0] > 100 {
		t.Errorf("begins with %v, want %v", got[:8], want[:8])
	}
	got = word()
	l.stock.decoders.put(v.hearing.loan, 2)
	v.decodes(nil, wake{})
	v.lose(make([]int16, n))
	v.silent(make([]int16, n))
	l.hears()
	if v.conceal.Good(got); !slices.Equal(got, word()) {
		t.Errorf("begins with %v after silence", got[:8])
	}
}

// What was skipped is put back, decoded, where silence was: the newest not yet
// used, what was before it kept for the gate.
func TestRelive(t *testing.T) {
	const n = 4
	v := voice{fifo: make([]int16, 2, 8)}
	for i := range v.before.pcm {
		v.before.pcm[i] = make([]int16, n)
	}
	v.relive([]int16{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
	if got, want := fmt.Sprint(v.fifo, v.before.pcm), "[10 11] [[6 7 8 9] [2 3 4 5] [0 0 0 0]]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if v.before.levels[1] <= silence || v.before.levels[2] != 0 {
		t.Errorf("levels %v", v.before.levels)
	}
	kept := latest(make([]int16, 0, 5), []int16{1, 2, 3})
	kept = latest(kept, []int16{4, 5, 6})
	if got := fmt.Sprint(kept, latest(kept, []int16{1, 2, 3, 4, 5, 6})); got != "[2 3 4 5 6] [2 3 4 5 6]" {
		t.Error(got)
	}
}
