//go:build libopus

package codec

/*
#cgo pkg-config: opus
#cgo noescape parley_encoder
#cgo nocallback parley_encoder
#cgo noescape parley_prediction
#cgo nocallback parley_prediction
#cgo noescape parley_reset
#cgo nocallback parley_reset
#cgo noescape opus_encode
#cgo nocallback opus_encode
#cgo noescape opus_decode
#cgo nocallback opus_decode
#cgo noescape opus_decoder_init
#cgo nocallback opus_decoder_init
#include <opus.h>

// The controls take a variable number of arguments, which Go cannot give.

static int parley_encoder(OpusEncoder *e, int rate, int complexity, int bitrate, int loss, int vbr, int dtx) {
	int err = opus_encoder_init(e, rate, 1, OPUS_APPLICATION_VOIP);
	if (!err) err = opus_encoder_ctl(e, OPUS_SET_COMPLEXITY(complexity));
	if (!err) err = opus_encoder_ctl(e, OPUS_SET_BITRATE(bitrate));
	if (!err) err = opus_encoder_ctl(e, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	if (!err) err = opus_encoder_ctl(e, OPUS_SET_INBAND_FEC(loss > 0));
	if (!err) err = opus_encoder_ctl(e, OPUS_SET_PACKET_LOSS_PERC(loss));
	if (!err) err = opus_encoder_ctl(e, OPUS_SET_VBR(vbr));
	if (!err) err = opus_encoder_ctl(e, OPUS_SET_DTX(dtx));
	return err;
}

static void parley_prediction(OpusEncoder *e, int off) { opus_encoder_ctl(e, OPUS_SET_PREDICTION_DISABLED(off)); }

static void parley_reset(OpusEncoder *e) { opus_encoder_ctl(e, OPUS_RESET_STATE); }
*/
import "C"

import (
	"unsafe"

	"github.com/thesyncim/gopus"
)

// OpusBy says who encodes and decodes Opus in this program.
func OpusBy() string { return C.GoString(C.opus_get_version_string()) }

// opusEncoderCore is libopus. Its state is one block without pointers into
// itself (opus.h), so it lies in Go's memory and nobody has to free it.
type opusEncoderCore struct {
	state  []uint64
	before []uint64 // the state when the last frame came
}

func (c *opusEncoderCore) c() *C.OpusEncoder {
	return (*C.OpusEncoder)(unsafe.Pointer(unsafe.SliceData(c.state)))
}

func newOpusEncoderCore(f Format) opusEncoderCore {
	size := C.opus_encoder_get_size(1)
	c := opusEncoderCore{block(size), block(size)}
	loss := 0
	if f.Opus.FEC {
		loss = opusLoss
	}
	if C.parley_encoder(c.c(), C.int(f.Rate), C.int(f.complexity()), C.int(f.bitrate()), C.int(loss),
		truth(!f.Opus.Constant), truth(f.Opus.DTX)) != C.OPUS_OK {
		return opusEncoderCore{} // no rate of Opus: it refuses to encode
	}
	copy(c.before, c.state)
	return c
}

// encode makes a payload of at least one sample.
func (c *opusEncoderCore) encode(dst []byte, pcm []int16) (int, error) {
	switch {
	case c.state == nil:
		return 0, ErrUnknown
	case len(dst) == 0:
		return 0, ErrShortBuffer
	}
	copy(c.before, c.state)
	n := C.opus_encode(c.c(), (*C.opus_int16)(&pcm[0]), C.int(len(pcm)), (*C.uchar)(&dst[0]), C.opus_int32(len(dst)))
	switch {
	case n == C.OPUS_BAD_ARG:
		return 0, ErrLength
	case n < 0:
		return 0, ErrShortBuffer
	}
	return int(n), nil
}

// reset forgets what was encoded.
func (c *opusEncoderCore) reset() {
	if c.state != nil {
		C.parley_reset(c.c())
		copy(c.before, c.state)
	}
}

// follow makes it the same as another encoder of its format, or as that was
// before its last frame; opus.h allows it. So what follows goes on to the bit.
func (c *opusEncoderCore) follow(other *opusEncoderCore, ahead bool) (same bool) {
	if ahead {
		return copy(c.state, other.before) > 0
	}
	return copy(c.state, other.state) > 0
}

func (c *opusEncoderCore) standAlone(on bool) {
	if c.state != nil {
		C.parley_prediction(c.c(), truth(on))
	}
}

// opusDecoderCore is libopus; see opusEncoderCore.
type opusDecoderCore struct {
	state []uint64
	rate  Rate
}

func (c opusDecoderCore) c() *C.OpusDecoder {
	return (*C.OpusDecoder)(unsafe.Pointer(unsafe.SliceData(c.state)))
}

func newOpusDecoderCore(f Format) opusDecoderCore {
	c := opusDecoderCore{block(C.opus_decoder_get_size(1)), f.Rate}
	if !c.reset() {
		return opusDecoderCore{} // no rate of Opus: it refuses to decode
	}
	return c
}

// reset forgets what was decoded.
func (c opusDecoderCore) reset() bool {
	return c.state != nil && C.opus_decoder_init(c.c(), C.opus_int32(c.rate), 1) == C.OPUS_OK
}

// decode takes a payload of at least one byte.
func (c opusDecoderCore) decode(dst []int16, payload []byte) (int, error) {
	switch {
	case c.state == nil:
		return 0, ErrUnknown
	case len(dst) == 0:
		return 0, ErrShortBuffer
	}
	n := c.run(dst, payload, false)
	switch {
	case n == C.OPUS_BUFFER_TOO_SMALL:
		return 0, ErrShortBuffer
	case n < 0:
		return 0, ErrMalformed
	}
	return n, nil
}

// recover leaves alone what libopus would only guess.
func (c opusDecoderCore) recover(dst []int16, next []byte) int {
	if c.state == nil || len(dst) == 0 || !gopus.PacketHasLBRR(next) {
		return 0
	}
	if int(C.opus_packet_get_samples_per_frame((*C.uchar)(&next[0]), C.opus_int32(c.rate))) > len(dst) {
		return 0
	}
	return max(0, c.run(dst, next, true))
}

func (c opusDecoderCore) run(dst []int16, payload []byte, before bool) int {
	return int(C.opus_decode(c.c(), (*C.uchar)(&payload[0]), C.opus_int32(len(payload)),
		(*C.opus_int16)(&dst[0]), C.int(len(dst)), truth(before)))
}

func block(bytes C.int) []uint64 { return make([]uint64, (bytes+7)/8) }

func truth(on bool) C.int {
	if on {
		return 1
	}
	return 0
}
