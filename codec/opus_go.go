//go:build !libopus

package codec

import (
	"errors"
	"time"

	"github.com/thesyncim/gopus"
)

// OpusBy says who encodes and decodes Opus in this program.
func OpusBy() string { return "gopus" }

// opusRecent is how many frames an encoder remembers for its successor.
const opusRecent = 3

// opusEncoderCore is the pure Go implementation.
type opusEncoderCore struct {
	e      *gopus.Encoder
	recent [opusRecent][]int16 // frames, the newest last
	trial  [MaxOpus]byte
}

func newOpusEncoderCore(f Format) opusEncoderCore {
	e, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: int(f.Rate), Channels: 1, Application: gopus.ApplicationVoIP})
	if err != nil {
		return opusEncoderCore{} // no rate of Opus: it refuses to encode
	}
	errs := errors.Join(
		e.SetComplexity(f.complexity()),
		e.SetBitrate(f.bitrate()),
		e.SetSignal(gopus.SignalVoice),
	)
	if f.Opus.FEC {
		e.SetFEC(true)
		errs = errors.Join(errs, e.SetPacketLoss(opusLoss))
	}
	if f.Opus.Constant {
		e.SetVBR(false)
	}
	e.SetDTX(f.Opus.DTX)
	if errs != nil {
		return opusEncoderCore{} // cannot be: all values are within their limits
	}
	c := opusEncoderCore{e: e}
	for i := range c.recent {
		c.recent[i] = make([]int16, f.Rate.Samples(20*time.Millisecond))
	}
	return c
}

func (c *opusEncoderCore) encode(dst []byte, pcm []int16) (int, error) {
	if c.e == nil {
		return 0, ErrUnknown
	}
	if len(pcm) != c.e.FrameSize() {
		if err := c.e.SetFrameSize(len(pcm)); err != nil {
			return 0, ErrLength
		}
	}
	n, err := c.e.EncodeInt16(pcm, dst)
	if err != nil {
		return 0, ErrShortBuffer
	}
	oldest := c.recent[0]
	copy(c.recent[:], c.recent[1:])
	clear(oldest[copy(oldest, pcm):])
	c.recent[opusRecent-1] = oldest
	return n, nil
}

// reset forgets what was encoded. gopus keeps the end of it in its filters, where it
// would be heard in the next frame at -16 dB of what it was, by whoever is next: a
// frame of silence washes that out.
func (c *opusEncoderCore) reset() {
	if c.e == nil {
		return
	}
	for _, pcm := range c.recent {
		clear(pcm)
	}
	c.e.Reset()
	for range 2 {
		_, _ = c.encode(c.trial[:], c.recent[0]) // of silence: nothing can be wrong
	}
	c.e.Reset()
}

// follow has the encoder hear the last two frames that the other has encoded:
// then its filters are where the other's are. It is false: the payload that
// follows must not refer to those before it. What is left cannot be told from
// the noise of the codec.
func (c *opusEncoderCore) follow(other *opusEncoderCore, ahead bool) (same bool) {
	if c.e == nil || other.e == nil {
		return false
	}
	c.e.Reset()
	c.standAlone(false)
	recent := other.recent[opusRecent-2:]
	if ahead {
		recent = other.recent[opusRecent-3 : opusRecent-1]
	}
	for _, pcm := range recent {
		_, _ = c.encode(c.trial[:], pcm) // of the other's own frames: nothing can be wrong
	}
	return false
}

func (c *opusEncoderCore) standAlone(on bool) {
	if c.e != nil {
		c.e.SetPredictionDisabled(on)
	}
}

// opusDecoderCore is the pure Go implementation.
type opusDecoderCore struct {
	d     *gopus.Decoder
	float []float32 // of what is recovered
}

func newOpusDecoderCore(f Format) opusDecoderCore {
	d, err := gopus.NewDecoder(gopus.DefaultDecoderConfig(int(f.Rate), 1))
	if err != nil {
		return opusDecoderCore{} // no rate of Opus: it refuses to decode
	}
	return opusDecoderCore{d: d, float: make([]float32, f.Rate.Samples(MaxFrame)/2)}
}

// reset forgets what was decoded.
func (c opusDecoderCore) reset() {
	if c.d != nil {
		c.d.Reset()
	}
}

func (c opusDecoderCore) decode(dst []int16, payload []byte) (int, error) {
	if c.d == nil {
		return 0, ErrUnknown
	}
	n, err := c.d.DecodeInt16(payload, dst)
	switch {
	case errors.Is(err, gopus.ErrBufferTooSmall):
		return 0, ErrShortBuffer
	case err != nil:
		return 0, ErrMalformed
	}
	return n, nil
}

func (c opusDecoderCore) recover(dst []int16, next []byte) int {
	if c.d == nil || len(dst) > len(c.float) || !gopus.PacketHasLBRR(next) {
		return 0
	}
	n, err := c.d.DecodeWithFEC(next, c.float[:len(dst)], true)
	if err != nil || n > len(dst) {
		return 0
	}
	for i, v := range c.float[:n] {
		dst[i] = round(float64(v) * 32768)
	}
	return n
}
