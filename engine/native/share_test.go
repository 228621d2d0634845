package native

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
)

// ear replaces a line's decoding, which has no memory: it decodes all payloads
// with one decoder, as a phone does.
type ear struct {
	decoder codec.Decoder
	heard   []int16
}

func (r *rig) listener(id engine.LegID, f codec.Format, speak func(int) []int16) (*caller, *ear) {
	r.Helper()
	e := &ear{decoder: f.Decoder()}
	c := r.call(id, f, speak)
	c.line.listen = func(payload []byte) {
		pcm := make([]int16, maxFrame)
		n, err := e.decoder.Decode(pcm, payload)
		if err != nil {
			r.Fatal(err)
		}
		e.heard = append(e.heard, pcm[:n]...)
	}
	c.line.encoder = f.Encoder()
	return c, e
}

// stateful are the formats whose decoders remember.
func stateful() []codec.Format {
	tuned := codec.Opus(48000)
	tuned.Opus.DTX = true
	return []codec.Format{codec.G722(), codec.Opus(16000), codec.Opus(48000), tuned}
}

// One who begins to talk gets his own encoder and gives it back, while somebody
// else's tone goes on: he hears no click.
func TestShare_ATalkersToneIsContinuous(t *testing.T) {
	audiotest.Long(t)
	for _, f := range stateful()[:3] {
		t.Run(fmt.Sprint(f.Name, f.Rate), func(t *testing.T) {
			inBubble(t, func(r *rig) {
				h := r.hall()
				a, heard := r.listener("a", f, mute(f.Rate))
				other, control := r.listener("c", f, mute(f.Rate))
				b, _ := r.listener("b", f, mute(f.Rate))
				for i, c := range []*caller{a, b, other} {
					r.seat(h, engine.MemberID(i+1), c, engine.MemberState{})
				}
				r.run(40)
				b.speak = tone(f.Rate, 440, -20)
				r.run(10)
				if a.voice.code == nil || other.voice.code == nil {
					t.Fatal("listeners do not share")
				}
				mark, n := len(heard.heard), frame(f.Rate)
				changes := 0
				for range 2 {
					a.speak = tone(f.Rate, 900, -20)
					r.run(15)
					if a.voice.code != nil {
						t.Fatal("a talker shares")
					}
					a.speak = mute(f.Rate)
					r.run(45)
					changes++
				}
				got, want := heard.heard[mark:], control.heard[mark:]
				for i := range len(got) / n {
					click := audiotest.WorstClick(got[i*n:][:n], int(f.Rate), 440)
					usual := audiotest.WorstClick(want[i*n:][:n], int(f.Rate), 440)
					if click > max(usual+6, -50) {
						t.Errorf("frame %d differs from a tone by %.1f dBFS, for one who stays by %.1f", i, click, usual)
					}
				}
				if p := audiotest.Power(got, int(f.Rate), 440); math.Abs(p+20) > 0.5 {
					t.Errorf("the tone at %.2f dBFS", p)
				}
				if f.Name == "opus" && a.voice.code == nil {
					t.Error("he did not come back")
				}
			})
		})
	}
}

// In a pause of the others a G.722 listener comes back to what all share.
func TestShare_G722ComesBackInAPause(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		f := codec.G722()
		a, heard := r.listener("a", f, tone(16000, 900, -20))
		c, control := r.listener("c", f, mute(16000))
		b, _ := r.listener("b", f, tone(16000, 440, -20))
		for i, c := range []*caller{a, b, c} {
			r.seat(h, engine.MemberID(i+1), c, engine.MemberState{})
		}
		r.run(60)
		a.speak = mute(16000)
		r.run(40)
		if a.voice.code != nil {
			t.Fatal("back in the middle of a loud tone")
		}
		b.speak = mute(16000)
		r.run(80)
		if a.voice.code == nil {
			t.Fatal("not back after a pause")
		}
		b.speak = tone(16000, 440, -20)
		mark := len(heard.heard)
		r.run(20)
		if got, want := heard.heard[mark:], control.heard[mark:]; audiotest.Peak(minus(got, want)) > -50 {
			t.Errorf("hears the tone otherwise than one who stayed, by %.1f dBFS", audiotest.Peak(minus(got, want)))
		}
		_ = c
	})
}

func minus(a, b []int16) []int16 {
	out := make([]int16, min(len(a), len(b)))
	for i := range out {
		out[i] = int16(min(max(int32(a[i])-int32(b[i]), math.MinInt16), math.MaxInt16))
	}
	return out
}

// All listeners of one format have one encode, and a format is also how it is
// tuned.
func TestShare_OneEncodeForAll(t *testing.T) {
	audiotest.Long(t)
	inBubble(t, func(r *rig) {
		h := r.hall()
		tuned := codec.Opus(48000)
		tuned.Opus.Bitrate = 16000
		formats := []codec.Format{codec.Opus(48000), codec.Opus(48000), tuned, tuned, codec.G722(), codec.G722(), codec.Opus(48000)}
		formats[1].Payload = 96 // is the port's affair
		var all []*caller
		for i, f := range formats {
			speak := mute(f.Rate)
			if i == len(formats)-1 {
				speak = tone(f.Rate, 440, -20)
			}
			c, _ := r.listener(engine.LegID(fmt.Sprint(i)), f, speak)
			all = append(all, c)
			r.seat(h, engine.MemberID(i+1), c, engine.MemberState{})
		}
		r.run(settling + 5)
		for _, pair := range [][2]int{{0, 1}, {2, 3}} {
			if a, b := all[pair[0]], all[pair[1]]; a.voice.code == nil || &a.last[0] != &b.last[0] {
				t.Errorf("%d and %d do not share", pair[0], pair[1])
			}
		}
		if &all[0].last[0] == &all[2].last[0] {
			t.Error("those of another tuning share")
		}
		if all[6].voice.code != nil {
			t.Error("the talker shares")
		}
		// Late listeners join the others at once or in a pause, never with a click.
		late, _ := r.listener("late", codec.Opus(48000), mute(48000))
		r.seat(h, 99, late, engine.MemberState{})
		r.run(settling + 3)
		if late.voice.code != all[0].voice.code || &late.last[0] != &all[0].last[0] {
			t.Error("a late listener does not share")
		}
	})
}

// Narrow, wide and full band in one room: everybody hears everybody, no louder
// and no softer, up to where the narrower of two ends.
func TestShare_AllRatesInOneRoom(t *testing.T) {
	audiotest.Long(t)
	inBubble(t, func(r *rig) {
		h := r.hall()
		formats := []codec.Format{codec.PCMU(), codec.G722(), codec.Opus(48000), codec.L16(48000), codec.Opus(16000), codec.Opus(8000)}
		var ears []*ear
		for i, f := range formats {
			c, e := r.listener(engine.LegID(fmt.Sprint(i)), f, tone(f.Rate, freqOf(i), -24))
			ears = append(ears, e)
			r.seat(h, engine.MemberID(i+1), c, engine.MemberState{})
		}
		r.run(20)
		mark := make([]int, len(ears))
		for i, e := range ears {
			mark[i] = len(e.heard)
		}
		r.run(50)
		for i, e := range ears {
			within := 0.7 // dB
			if formats[i].Name == "opus" || formats[i].Name == "G722" {
				within = 4 // six tones are not what a codec for voices is made for
			}
			for k := range ears {
				got := audiotest.Power(e.heard[mark[i]:], int(formats[i].Rate), freqOf(k))
				switch {
				case k == i && got > -55:
					t.Errorf("%s/%d hears himself at %.1f dB", formats[i].Name, formats[i].Rate, got)
				case k != i && math.Abs(got+24) > within:
					t.Errorf("%s/%d hears %s/%d at %.1f dB, want -24", formats[i].Name, formats[i].Rate, formats[k].Name, formats[k].Rate, got)
				}
			}
		}
	})
}

// A payload of silence is not sent to one who asked for that, and the first one
// after it has the marker.
func TestShare_SilenceIsNotSent(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		f := stateful()[3]
		a, _ := r.listener("a", f, mute(f.Rate))
		b, _ := r.listener("b", f, mute(f.Rate))
		r.seat(h, 1, a, engine.MemberState{})
		r.seat(h, 2, b, engine.MemberState{})
		r.run(50)
		mark := len(a.stamps)
		r.run(50)
		if n := len(a.stamps) - mark; n > 10 {
			t.Errorf("%d packets in a second of silence", n)
		}
		before := a.stamps[len(a.stamps)-1]
		mark, marks := len(a.stamps), len(a.markers)
		b.speak = tone(f.Rate, 440, -20)
		r.run(10)
		if n := len(a.stamps) - mark; n < 9 {
			t.Errorf("%d packets of 10 frames of a tone", n)
		}
		if step := a.stamps[mark] - before; step%960 != 0 || !slices.Contains(a.markers[marks:], mark) {
			t.Errorf("goes on %d ticks of the clock later, markers %v, packet %d", step, a.markers, mark)
		}
	})
}
