package native

import (
	"bytes"
	"testing"

	"parley/codec"
	"parley/engine"
)

// TestRoom_OfTwoPassesG711Exactly: who hears one other voice, and nothing is done
// to it, is sent that phone's own bytes, whatever they are. A zero that PCMU has
// twice is sent as the usual one.
func TestRoom_OfTwoPassesG711Exactly(t *testing.T) {
	for _, f := range []codec.Format{codec.PCMU(), codec.PCMA()} {
		inBubble(t, func(r *rig) {
			h := r.hall()
			h.Tune(engine.Sound{Transparent: true})
			var said, heard []byte
			a := r.call("a", f, func(n int) []int16 { // every code there is, and some in any order
				all := make([]byte, frame(f.Rate))
				for i := range all {
					all[i] = byte(i*n + n)
				}
				pcm := make([]int16, len(all))
				if _, err := f.Decoder().Decode(pcm, all); err != nil {
					t.Fatal(err)
				}
				said = append(said, encode(t, f, pcm)...)
				return pcm
			})
			b := r.call("b", f, mute(f.Rate))
			b.listen = func(payload []byte) { heard = append(heard, payload...) }
			r.seat(h, 1, a, engine.MemberState{})
			r.seat(h, 2, b, engine.MemberState{})
			r.run(5)
			said, heard = nil, nil
			r.run(100)
			if len(said) < 100*frame(f.Rate) || !bytes.Equal(heard, said) {
				t.Errorf("%s: %d bytes said, %d heard, other ones", f.Name, len(said), len(heard))
			}
		})
	}
}
