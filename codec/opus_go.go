//go:build !libopus || !cgo

package codec

import (
	"errors"

	"github.com/thesyncim/gopus"
)

// opusEncoderCore is the pure Go implementation.
type opusEncoderCore struct{ e *gopus.Encoder }

func newOpusEncoderCore(f Format) opusEncoderCore {
	e, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: int(f.Rate), Channels: 1, Application: gopus.ApplicationVoIP})
	if err != nil {
		return opusEncoderCore{} // no rate of Opus: it refuses to encode
	}
	bitrate := f.Opus.Bitrate
	if bitrate == 0 {
		bitrate = opusBitrate(f.Rate)
	}
	errs := errors.Join(
		e.SetComplexity(opusComplexity),
		e.SetBitrate(min(max(bitrate, leastBitrate), mostBitrate)),
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
	return opusEncoderCore{e}
}

func (c opusEncoderCore) encode(dst []byte, pcm []int16) (int, error) {
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
	return n, nil
}

func (c opusEncoderCore) reset() { c.e.Reset() }

func (c opusEncoderCore) standAlone(on bool) {
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
