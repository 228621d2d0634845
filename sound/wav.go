package sound

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"parley/codec"
)

// WAV format tags (RFC 2361).
const (
	tagPCM        = 1
	tagFloat      = 3
	tagALaw       = 6
	tagMuLaw      = 7
	tagExtensible = 0xFFFE
)

// maxChunk bounds what is skipped before the audio: tags, cue lists, pictures.
const maxChunk = 16 << 20

// streamed is the least data size that means "until the end": programs that
// write to a pipe cannot know better.
const streamed = 0x7FFFF000

// waveFormat is what the fmt chunk says.
type waveFormat struct {
	tag      uint16
	channels int
	rate     codec.Rate
	bits     int
}

// DecodeWAV reads a RIFF WAVE file: 8, 16, 24 or 32 bit PCM, 32 bit float, A-law
// or µ-law, mono or stereo, at one of codec.Rates, at most MaxDuration. Stereo becomes
// the mean of both sides. Errors are ErrFormat or ErrTooLarge, or the reader's.
func DecodeWAV(r io.Reader) ([]int16, codec.Rate, error) {
	var head [12]byte
	if err := fill(r, head[:], "the RIFF header"); err != nil {
		return nil, 0, err
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return nil, 0, fmt.Errorf("%w: not a WAV file", ErrFormat)
	}
	var f waveFormat
	for {
		var chunk [8]byte
		if err := fill(r, chunk[:], "a chunk header (no data chunk so far)"); err != nil {
			return nil, 0, err
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		var err error
		switch string(chunk[:4]) {
		case "fmt ":
			f, err = readFormat(r, size)
		case "data":
			if f.channels == 0 {
				return nil, 0, fmt.Errorf("%w: data chunk before fmt chunk", ErrFormat)
			}
			pcm, err := f.read(r, size)
			return pcm, f.rate, err
		default:
			err = skip(r, size+size&1, string(chunk[:4]))
		}
		if err != nil {
			return nil, 0, err
		}
	}
}

// fill reads exactly len(b) bytes of what.
func fill(r io.Reader, b []byte, what string) error {
	_, err := io.ReadFull(r, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: the file ends in %s", ErrFormat, what)
	}
	return err
}

// skip passes over a chunk nobody needs.
func skip(r io.Reader, size int64, id string) error {
	if size > maxChunk {
		return fmt.Errorf("%w: chunk %q of %d bytes", ErrTooLarge, id, size)
	}
	if n, err := io.CopyN(io.Discard, r, size); err != nil {
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: chunk %q ends after %d of %d bytes", ErrFormat, id, n, size)
		}
		return err
	}
	return nil
}

// readFormat reads the fmt chunk and refuses what we cannot play.
func readFormat(r io.Reader, size int64) (waveFormat, error) {
	if size < 16 || size > 4096 {
		return waveFormat{}, fmt.Errorf("%w: fmt chunk of %d bytes", ErrFormat, size)
	}
	b := make([]byte, size+size&1)
	if err := fill(r, b, "the fmt chunk"); err != nil {
		return waveFormat{}, err
	}
	u16 := func(at int) uint16 { return binary.LittleEndian.Uint16(b[at:]) }
	f := waveFormat{tag: u16(0), channels: int(u16(2)), bits: int(u16(14))}
	if f.tag == tagExtensible {
		if size < 40 {
			return f, fmt.Errorf("%w: extensible fmt chunk of %d bytes", ErrFormat, size)
		}
		f.tag = u16(24) // the first two bytes of the subformat GUID
	}
	hz := binary.LittleEndian.Uint32(b[4:])
	switch {
	case f.channels < 1 || f.channels > 2:
		return f, fmt.Errorf("%w: %d channels, want 1 or 2", ErrFormat, f.channels)
	case f.sample() == nil:
		return f, fmt.Errorf("%w: encoding %d with %d bits; PCM 8/16/24/32, float 32, A-law and µ-law are read",
			ErrFormat, f.tag, f.bits)
	case hz > math.MaxInt32 || !slices.Contains(codec.Rates(), codec.Rate(hz)):
		return f, fmt.Errorf("%w: %d samples per second, want one of %v", ErrFormat, hz, codec.Rates())
	case int(u16(12)) != f.frame():
		return f, fmt.Errorf("%w: block of %d bytes for %d channels of %d bits", ErrFormat, u16(12), f.channels, f.bits)
	}
	f.rate = codec.Rate(hz)
	return f, nil
}

// frame is the size in bytes of one sample of every channel.
func (f waveFormat) frame() int { return f.channels * f.bits / 8 }

// read decodes the data chunk. Memory grows with what is there, never with
// what is promised.
func (f waveFormat) read(r io.Reader, size int64) ([]int16, error) {
	most := int64(f.frame()) * int64(f.rate.Samples(MaxDuration))
	open := size >= streamed
	if size > most && !open {
		return nil, fmt.Errorf("%w: %d bytes of audio are longer than %v", ErrTooLarge, size, MaxDuration)
	}
	left := size
	if open {
		left = most + 1
	}
	pcm := make([]int16, 0, min(left/int64(f.frame()), 1<<16))
	block := make([]byte, 4096*f.frame())
	var total int64
	for left > 0 {
		n, err := io.ReadFull(r, block[:min(left, int64(len(block)))])
		pcm = f.appendMono(pcm, block[:n-n%f.frame()])
		left -= int64(n)
		total += int64(n)
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return nil, err
		case !open:
			return nil, fmt.Errorf("%w: audio ends after %d of %d bytes", ErrFormat, total, size)
		default:
			left = 0
		}
	}
	if total > most {
		return nil, fmt.Errorf("%w: audio longer than %v", ErrTooLarge, MaxDuration)
	}
	if len(pcm) == 0 {
		return nil, fmt.Errorf("%w: no audio in the file", ErrFormat)
	}
	return pcm, nil
}

// appendMono decodes whole frames; both sides of stereo are added wide and
// halved, so that no pair of samples can wrap.
func (f waveFormat) appendMono(dst []int16, b []byte) []int16 {
	sample, width := f.sample(), f.bits/8
	for ; len(b) > 0; b = b[f.frame():] {
		v := int32(sample(b))
		if f.channels == 2 {
			v = (v + int32(sample(b[width:]))) / 2
		}
		dst = append(dst, int16(v))
	}
	return dst
}

// sample is how one sample is read, nil for encodings we do not know.
func (f waveFormat) sample() func(b []byte) int16 {
	switch [2]int{int(f.tag), f.bits} {
	case [2]int{tagPCM, 8}:
		return func(b []byte) int16 { return (int16(b[0]) - 128) << 8 }
	case [2]int{tagPCM, 16}:
		return func(b []byte) int16 { return int16(binary.LittleEndian.Uint16(b)) }
	case [2]int{tagPCM, 24}:
		return func(b []byte) int16 { return shrink(int32(b[0])<<8 | int32(b[1])<<16 | int32(b[2])<<24) }
	case [2]int{tagPCM, 32}:
		return func(b []byte) int16 { return shrink(int32(binary.LittleEndian.Uint32(b))) }
	case [2]int{tagFloat, 32}:
		return func(b []byte) int16 { return fromFloat(math.Float32frombits(binary.LittleEndian.Uint32(b))) }
	case [2]int{tagALaw, 8}:
		return companded(codec.PCMA().Decoder())
	case [2]int{tagMuLaw, 8}:
		return companded(codec.PCMU().Decoder())
	}
	return nil
}

// shrink rounds 32 bits to 16.
func shrink(v int32) int16 {
	return int16(min((int64(v)+1<<15)>>16, math.MaxInt16))
}

func fromFloat(v float32) int16 {
	if v != v { // NaN
		return 0
	}
	return round(float64(v) * (math.MaxInt16 + 1))
}

// companded reads single G.711 samples with the codec's own decoder.
func companded(d codec.Decoder) func(b []byte) int16 {
	var pcm [1]int16
	return func(b []byte) int16 {
		if _, err := d.Decode(pcm[:], b[:1]); err != nil {
			return 0
		}
		return pcm[0]
	}
}

// WAVHeader is the size in bytes of what AppendWAVHeader appends.
const WAVHeader = 44

// AppendWAV appends a complete WAV file of 16 bit mono samples to dst.
func AppendWAV(dst []byte, pcm []int16, rate codec.Rate) []byte {
	dst = AppendWAVHeader(dst, uint32(2*len(pcm)), rate)
	for _, s := range pcm {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(s))
	}
	return dst
}

// AppendWAVHeader appends what comes before size bytes of 16 bit mono samples
// in a WAV file.
func AppendWAVHeader(dst []byte, size uint32, rate codec.Rate) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(append(dst, "RIFF"...), WAVHeader-8+size)
	dst = le.AppendUint32(append(dst, "WAVEfmt "...), 16)
	dst = le.AppendUint16(dst, tagPCM)
	dst = le.AppendUint16(dst, 1) // channels
	dst = le.AppendUint32(dst, uint32(rate))
	dst = le.AppendUint32(dst, 2*uint32(rate)) // bytes per second
	dst = le.AppendUint16(dst, 2)              // bytes per frame
	dst = le.AppendUint16(dst, 16)             // bits
	return le.AppendUint32(append(dst, "data"...), size)
}
