package recording

import (
	"time"

	"parley/codec"
)

// As Asterisk has them: what is silence, by the mean of a frame's samples without
// their signs (dsp.conf), and how much of the last silence a recording keeps.
const (
	hushed   = 256
	hushKept = 200 * time.Millisecond
)

// hush waits for the silence that ends a recording. It belongs to the writer.
type hush struct {
	rate  codec.Rate
	frame int // samples
	limit int // samples of silence; 0 = there is none
	quiet int // samples of the silence that lasts
	loud  int // samples that were none
}

func newHush(o Options) *hush {
	return &hush{rate: o.Rate, frame: o.Rate.Samples(period), limit: o.Rate.Samples(o.MaxSilence)}
}

// hear judges whole frames, and says how many samples count: all of them, or
// those up to the silence that is too long. Where frames are missing nobody
// knows what was said.
func (h *hush) hear(pcm []int16, missing bool) (n int, over bool) {
	if h.limit == 0 {
		return len(pcm), false
	}
	for n = 0; n < len(pcm); {
		one := pcm[n:min(n+h.frame, len(pcm))]
		n += len(one)
		if missing || loudness(one) >= hushed {
			h.loud, h.quiet = h.loud+len(one), 0
			continue
		}
		if h.quiet += len(one); h.quiet >= h.limit {
			return n, true
		}
	}
	return n, false
}

// surplus is how much of the last silence is not kept, in samples.
func (h *hush) surplus() int { return max(0, h.quiet-h.rate.Samples(hushKept)) }

func (h *hush) talked() time.Duration {
	return time.Duration(h.loud) * time.Second / time.Duration(h.rate)
}

func loudness(pcm []int16) int {
	sum := 0
	for _, s := range pcm {
		sum += max(int(s), -int(s))
	}
	return sum / max(1, len(pcm))
}
