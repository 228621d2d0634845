package codec

import "time"

// Opus is RFC 6716. Its rate is ours to choose, of 8000, 16000, 24000 and 48000:
// each decoder understands all of them, and its RTP clock always has 48,000
// ticks (RFC 7587 §4.1).
func Opus(r Rate) Format { return Format{Name: "opus", Payload: 111, Rate: r, Clock: opusClock} }

const opusClock = 48000

// Tuning is how an Opus stream is encoded. It does not matter to decoders.
type Tuning struct {
	Bitrate  int  // bits per second; 0 means what suits the rate
	FEC      bool // each frame has the one before it once more, coarser
	DTX      bool // silence is a payload of two bytes at most, which need not be sent
	Constant bool // bit rate
}

// Bit rates that nobody is refused, RFC 7587 §6.1.
const (
	leastBitrate = 6000
	mostBitrate  = 510_000
)

const (
	opusComplexity = 5  // of 10: what more brings is not heard in speech
	opusLoss       = 10 // percent that the redundancy is meant for
	opusRecent     = 3  // frames that an encoder remembers for its successor
	opusSilent     = 2  // bytes of a payload that says nothing
)

// opusBitrate is what suits mono speech at a rate (RFC 7587 §3.1.1).
func opusBitrate(r Rate) int {
	switch {
	case r <= 8000:
		return 16_000
	case r <= 16000:
		return 24_000
	}
	return 32_000
}

// Pooled says whether the format's encoders are Pooled: they take so much memory
// that not everybody should have one all the time.
func (f Format) Pooled() bool { return f.Name == "opus" }

// Silent says whether a payload stands for silence and need not be sent.
func (f Format) Silent(payload []byte) bool {
	return f.Opus.DTX && f.Name == "opus" && len(payload) <= opusSilent
}

// opusEncoder is an encoder of 20 ms frames, or of others that Opus has.
type opusEncoder struct {
	core   opusEncoderCore
	frame  int                 // samples
	recent [opusRecent][]int16 // frames, the newest last
	trial  [MaxOpus]byte
	alone  bool // the next payload is to depend on none before it
	stood  bool // the last one did
}

// MaxOpus is the longest payload that we make, in bytes: 20 ms at the highest
// bit rate.
const MaxOpus = 1275

func newOpusEncoder(f Format) *opusEncoder {
	e := &opusEncoder{core: newOpusEncoderCore(f), frame: f.Rate.Samples(20 * time.Millisecond)}
	for i := range e.recent {
		e.recent[i] = make([]int16, e.frame)
	}
	return e
}

func (e *opusEncoder) Encode(dst []byte, pcm []int16) (int, error) {
	if len(pcm) == 0 {
		return 0, nil
	}
	e.core.standAlone(e.alone)
	n, err := e.core.encode(dst[:min(len(dst), MaxOpus)], pcm)
	if err != nil {
		return 0, err
	}
	e.stood, e.alone = e.alone, false
	oldest := e.recent[0]
	copy(e.recent[:], e.recent[1:])
	clear(oldest[copy(oldest, pcm):])
	e.recent[opusRecent-1] = oldest
	return n, nil
}

// Continue has the encoder hear the last two frames that the other has encoded:
// then its filters are where the other's are. The payload that follows does not
// refer to those before it. What is left cannot be told from the noise of the
// codec.
func (e *opusEncoder) Continue(from Encoder, ahead bool) {
	other, ok := from.(*opusEncoder)
	if !ok || other == e {
		return
	}
	e.core.reset()
	recent := other.recent[opusRecent-2:]
	if ahead {
		recent = other.recent[opusRecent-3 : opusRecent-1]
	}
	for _, pcm := range recent {
		_, _ = e.Encode(e.trial[:], pcm) // of the other's own frames: nothing can be wrong
	}
	e.alone = true
}

// Renew makes it as new.
func (e *opusEncoder) Renew() {
	e.core.reset()
	for _, pcm := range e.recent {
		clear(pcm)
	}
	e.alone, e.stood = true, false
}

// Admits lets a listener in with a payload that depends on none before it.
func (e *opusEncoder) Admits(Encoder) (yes, forGood bool) {
	e.alone = !e.stood
	return e.stood, e.stood
}

// opusDecoder is a decoder of any payload.
type opusDecoder struct {
	core opusDecoderCore
}

func newOpusDecoder(f Format) *opusDecoder { return &opusDecoder{core: newOpusDecoderCore(f)} }

func (d *opusDecoder) Decode(dst []int16, payload []byte) (int, error) {
	if len(payload) == 0 {
		return 0, nil
	}
	return d.core.decode(dst, payload)
}

func (d *opusDecoder) Recover(dst []int16, next []byte) int { return d.core.recover(dst, next) }
