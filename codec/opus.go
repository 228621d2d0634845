package codec

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
	opusLoss   = 10 // percent that the redundancy is meant for
	opusSilent = 2  // bytes of a payload that says nothing
)

// opusBitrate is what suits mono speech at a rate (RFC 7587 §3.1.1), and a little
// more, for which an encoder need not search as long.
func opusBitrate(r Rate) int {
	switch {
	case r <= 8000:
		return 20_000
	case r <= 16000:
		return 28_000
	}
	return 40_000
}

// bitrate is what an Opus encoder is to have, in bits per second.
func (f Format) bitrate() int {
	if f.Opus.Bitrate == 0 {
		return opusBitrate(f.Rate)
	}
	return min(max(f.Opus.Bitrate, leastBitrate), mostBitrate)
}

// complexity is how long an Opus encoder searches, of 10: for who wants fewer bits
// than usual so long that more is not heard in speech, else not at all (ADR 36).
func (f Format) complexity() int {
	if f.bitrate() < opusBitrate(f.Rate) {
		return 5
	}
	return 1
}

// Pooled says whether the format's encoders are Pooled and its decoders Renewable:
// they take so much memory that not everybody should have one all the time.
func (f Format) Pooled() bool { return f.Name == "opus" }

// Silent says whether a payload stands for silence and need not be sent.
func (f Format) Silent(payload []byte) bool {
	return f.Opus.DTX && f.Name == "opus" && len(payload) <= opusSilent
}

// opusEncoder is an encoder of 20 ms frames, or of others that Opus has.
type opusEncoder struct {
	core  opusEncoderCore
	alone bool // the next payload is to depend on none before it
	stood bool // the last one did
}

// MaxOpus is the longest payload that we make, in bytes: 20 ms at the highest
// bit rate.
const MaxOpus = 1275

func newOpusEncoder(f Format) *opusEncoder { return &opusEncoder{core: newOpusEncoderCore(f)} }

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
	return n, nil
}

// Continue makes the encoder what the other is, as far as can be.
func (e *opusEncoder) Continue(from Encoder, ahead bool) {
	other, ok := from.(*opusEncoder)
	if !ok || other == e {
		return
	}
	e.alone, e.stood = !e.core.follow(&other.core, ahead), false
}

// Renew makes it as new.
func (e *opusEncoder) Renew() {
	e.core.reset()
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

// Renew makes it as new.
func (d *opusDecoder) Renew() { d.core.reset() }

func (d *opusDecoder) Recover(dst []int16, next []byte) int { return d.core.recover(dst, next) }
