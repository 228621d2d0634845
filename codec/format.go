package codec

import (
	"errors"
	"slices"
	"time"
)

// MaxFrame is the longest piece of audio that one packet may carry.
const MaxFrame = 120 * time.Millisecond

// The errors of encoders and decoders. They are returned as they are, without
// detail, because making one must not allocate.
var (
	ErrShortBuffer = errors.New("codec: destination too short")
	ErrOddLength   = errors.New("codec: no whole number of samples, or of bytes")
	ErrLength      = errors.New("codec: no length that a frame can have")
	ErrMalformed   = errors.New("codec: malformed payload")
	ErrUnknown     = errors.New("codec: unknown encoding")
)

// Rate is a number of samples per second.
type Rate int

// Samples is how many samples a duration has, rounded down.
func (r Rate) Samples(d time.Duration) int { return int(d * time.Duration(r) / time.Second) }

// Format is one encoding of audio on the wire. Formats are comparable.
type Format struct {
	Name         string // encoding name in SDP (RFC 4855): "PCMU", "G722", "L16", "opus"
	Payload      uint8  // static RTP payload type (RFC 3551 §6), or our default dynamic one
	Rate         Rate   // of the audio
	Clock        int    // ticks of the RTP timestamp per second
	LittleEndian bool   // L16 only: AudioSocket's byte order
	Opus         Tuning // opus only
}

// PCMU is G.711 µ-law.
func PCMU() Format { return Format{Name: "PCMU", Payload: 0, Rate: 8000, Clock: 8000} }

// PCMA is G.711 A-law.
func PCMA() Format { return Format{Name: "PCMA", Payload: 8, Rate: 8000, Clock: 8000} }

// G722 is ITU-T G.722 at 64 kbit/s. Its RTP clock has half its sampling rate, by
// a mistake that became a standard (RFC 3551 §4.5.2).
func G722() Format { return Format{Name: "G722", Payload: 9, Rate: 16000, Clock: 8000} }

// L16 is linear PCM in network byte order (RFC 3551 §4.5.11).
func L16(r Rate) Format { return Format{Name: "L16", Payload: l16Payload(r), Rate: r, Clock: int(r)} }

// SLIN is linear PCM in little-endian byte order, as AudioSocket carries it. It
// has no place in RTP: Payload means nothing there.
func SLIN(r Rate) Format {
	f := L16(r)
	f.LittleEndian = true
	return f
}

// l16Payload is static for CD audio only; the rest is our own numbering.
func l16Payload(r Rate) uint8 {
	switch r {
	case 8000:
		return 117
	case 16000:
		return 118
	case 44100:
		return 11
	case 48000:
		return 120
	}
	return 119
}

// Known lists the formats that can be offered in SDP, in our default order of
// preference.
func Known() []Format {
	return []Format{PCMU(), PCMA(), G722(), Opus(48000), L16(16000), L16(48000), L16(8000)}
}

// Decoder turns payloads of one stream into PCM.
type Decoder interface {
	// Decode writes the whole payload's samples to dst and says how many. On an
	// error nothing counts as written.
	Decode(dst []int16, payload []byte) (n int, err error)
}

// Encoder turns the PCM of one stream into payloads.
type Encoder interface {
	// Encode writes the payload for all of pcm to dst and says how many bytes
	// it has. On an error nothing counts as written.
	Encode(dst []byte, pcm []int16) (n int, err error)
}

// Encoder makes an encoder for one stream. That of a format from elsewhere
// than this package's functions may do nothing but return ErrUnknown.
func (f Format) Encoder() Encoder {
	switch f.Name {
	case "G722":
		return newWideEncoder()
	case "opus":
		return newOpusEncoder(f)
	}
	return f.stateless()
}

// Decoder makes a decoder for one stream; see Encoder.
func (f Format) Decoder() Decoder {
	switch f.Name {
	case "G722":
		return newWideDecoder()
	case "opus":
		return newOpusDecoder(f)
	}
	return f.stateless()
}

// Valid says whether this package has its encoder and decoder; the error is
// ErrUnknown.
func (f Format) Valid() error {
	ok := false
	switch f.Name {
	case "PCMU", "PCMA":
		ok = f.Rate == 8000 && f.Clock == 8000
	case "G722":
		ok = f.Rate == 16000 && f.Clock == 8000
	case "opus":
		ok = f.Clock == opusClock && slices.Contains([]Rate{8000, 16000, 24000, 48000}, f.Rate)
	case "L16":
		ok = f.Rate > 0 && f.Clock == int(f.Rate)
	}
	if !ok {
		return ErrUnknown
	}
	return nil
}

// coder is both directions of an encoding without state.
type coder interface {
	Encoder
	Decoder
}

func (f Format) stateless() coder {
	switch f.Name {
	case "PCMU":
		return muLaw
	case "PCMA":
		return aLaw
	case "L16":
		if f.LittleEndian {
			return littleEndian{}
		}
		return bigEndian{}
	}
	return unknown{}
}

// unknown refuses everything.
type unknown struct{}

func (unknown) Decode([]int16, []byte) (int, error) { return 0, ErrUnknown }
func (unknown) Encode([]byte, []int16) (int, error) { return 0, ErrUnknown }
