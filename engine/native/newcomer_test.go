package native

import (
	"fmt"
	"testing"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
)

// newcomers are callers in no room.
func (r *rig) newcomers(n int, f codec.Format, speak func(int) []int16) (all []*caller, ears []*ear) {
	r.Helper()
	for i := range n {
		c, e := r.listener(engine.LegID(fmt.Sprint("new", i)), f, speak)
		all, ears = append(all, c), append(ears, e)
	}
	return all, ears
}

// Who comes in hears no click, though he has had no encoder. The tone is at
// -20 dBFS.
func TestNewcomer_ComesInSoftly(t *testing.T) {
	for _, f := range stateful()[1:3] {
		t.Run(fmt.Sprint(f.Rate), func(t *testing.T) {
			inBubble(t, func(r *rig) {
				h := r.hall()
				talker, _ := r.listener("talker", f, tone(f.Rate, 300, -20))
				old, _ := r.listener("old", f, mute(f.Rate))
				r.seat(h, 1, talker, engine.MemberState{})
				r.seat(h, 2, old, engine.MemberState{})
				r.run(60)
				all, ears := r.newcomers(1, f, mute(f.Rate))
				r.run(20)
				mark := len(ears[0].heard) - frame(f.Rate)
				r.seat(h, 3, all[0], engine.MemberState{})
				r.run(6)
				got := ears[0].heard[mark:]
				if step := audiotest.WorstStep(got, int(f.Rate), 300); step > -40 {
					t.Errorf("a click of %.1f dBFS", step)
				}
				if p := audiotest.Power(got[len(got)-2*frame(f.Rate):], int(f.Rate), 300); p < -21 || p > -19 {
					t.Errorf("the tone at %.1f dBFS", p)
				}
			})
		})
	}
}

// However many come at once, who listens needs no encoder for that, and is sent
// something in each tick.
func TestNewcomer_ManyNeedNoEncoder(t *testing.T) {
	inBubble(t, func(r *rig) {
		h, f := r.hall(), codec.Opus(16000)
		all, _ := r.newcomers(12, f, mute(f.Rate))
		had := 0
		run := func(ticks int) {
			for range ticks {
				r.run(1)
				for _, c := range all {
					if c.voice.encoder != nil {
						had++
					}
				}
			}
		}
		run(10)
		for i, c := range all {
			r.seat(h, engine.MemberID(i+1), c, engine.MemberState{})
		}
		run(5)
		for i, c := range all {
			if c.voice.code == nil {
				t.Errorf("%d does not share", i)
			}
			if n := len(c.stamps); n != c.drains {
				t.Errorf("%d was sent %d packets in %d ticks", i, n, c.drains)
			}
		}
		if k := all[0].stock; had != 0 || k.encoders.short.Load() != 0 || k.encoders.ready() > k.least() {
			t.Errorf("%d encoders in use, %d missed, %d ready", had, k.encoders.short.Load(), k.encoders.ready())
		}
	})
}

// In no room a prompt takes an encoder, which goes back some time after its end;
// likewise in a room for one who must not hear it.
func TestNewcomer_APromptTakesAnEncoder(t *testing.T) {
	for _, seated := range []bool{false, true} {
		inBubble(t, func(r *rig) {
			f := codec.Opus(16000)
			r.sounds["beep"] = clip(f.Rate, audiotest.Tone(int(f.Rate), 500, -20, 10*frame(f.Rate), 0))
			all, ears := r.newcomers(1, f, mute(f.Rate))
			c := all[0]
			if seated {
				r.seat(r.hall(), 1, c, engine.MemberState{Deaf: true})
			}
			r.run(settling + 5)
			if c.voice.encoder != nil {
				t.Error("an encoder for silence")
			}
			mark := len(ears[0].heard)
			c.Play(1, media("beep"))
			r.run(20)
			if c.voice.encoder == nil {
				t.Error("no encoder")
			}
			if p := audiotest.Power(ears[0].heard[mark+3*frame(f.Rate):][:4*frame(f.Rate)], int(f.Rate), 500); p < -21 || p > -19 {
				t.Errorf("the prompt at %.1f dBFS", p)
			}
			mark = len(ears[0].heard)
			r.run(settling)
			if c.voice.encoder != nil {
				t.Error("an encoder still")
			}
			if tail := ears[0].heard[mark:]; !audiotest.Silent(tail, -70) {
				t.Errorf("silence at %.1f dBFS", audiotest.Peak(tail))
			}
		})
	}
}

// Where silence is not sent, a beat of it is.
func TestNewcomer_Beat(t *testing.T) {
	inBubble(t, func(r *rig) {
		all, _ := r.newcomers(1, stateful()[3], nil)
		r.run(5 * beat)
		if n, m := len(all[0].stamps), len(all[0].markers); n != 5 || m != n {
			t.Errorf("%d packets, %d with the marker", n, m)
		}
	})
}

// In no room nobody is decoded but who is recorded, and he from then on; packets
// count as what they last.
func TestNewcomer_IsDecodedWhereSomebodyListens(t *testing.T) {
	for _, ptime := range []int{20, 60} {
		t.Run(fmt.Sprint(ptime), func(t *testing.T) {
			inBubble(t, func(r *rig) {
				f := codec.Opus(16000)
				voice := tone(f.Rate, 400, -20)
				p := &frank{line: &line{t: r, format: f, ptime: ptime, speak: voice, encoder: f.Encoder()}, says: mum, pcm: voice}
				l, err := r.sw.NewLeg("frank", p, f)
				if err != nil {
					r.Fatal(err)
				}
				defer l.Close()
				counter := &counted{Decoder: f.Decoder()}
				l.stock.decoders.all[0].Store(&loan{counter, newWake(f.Rate)})
				facts := &sink{}
				l.Attach(facts)
				r.run(60)
				if counter.n != 0 || l.talking.Load() {
					r.Errorf("%d packets were decoded, talks: %v", counter.n, l.talking.Load())
				}
				if got, want := l.voice.ptime, ptime*int(f.Rate)/1000; got != want {
					r.Errorf("packets of %d samples, want %d", got, want)
				}
				l.Record(1, MaxRecording)
				r.run(60)
				l.StopRecord()
				r.run(3)
				said := r.sw.recording(l.id).PCM(f.Rate)
				if p := audiotest.Power(said[len(said)/4:][:len(said)/2], int(f.Rate), 400); p < -21 || p > -19 {
					r.Errorf("recorded at %.1f dBFS", p)
				}
				n := counter.n
				r.run(20)
				if counter.n != n || l.voice.decoder != nil {
					r.Errorf("%d packets were decoded after that", counter.n-n)
				}
			})
		})
	}
}
