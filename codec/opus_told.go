package codec

// Told is what a payload says of its sound without being decoded.
type Told uint8

// What a payload may say.
const (
	// ToldNothing: it has to be decoded.
	ToldNothing Told = iota
	// ToldPause: whoever encoded it heard no voice in it, but maybe noise; or he
	// sent nothing (DTX).
	ToldPause
	// ToldSilence: digital silence, once what was before has rung out, which
	// takes a packet.
	ToldSilence
)

// Tells reads it. Only Opus says anything; of several frames in a payload it is
// the one that says the least, and what is malformed says nothing.
func (f Format) Tells(payload []byte) Told {
	if f.Name != "opus" || len(payload) == 0 {
		return ToldNothing
	}
	toc := payload[0]
	told := ToldSilence
	p, ok := opusFrames(payload)
	if !ok {
		return ToldNothing
	}
	for range p.count {
		told = min(told, tellsFrame(toc, p.next()))
	}
	return told
}

// Still writes 20 ms of digital silence, which a decoder makes whatever it has had
// before, and says how long that is; 0 where it takes an encoder. Of Opus it is a
// frame of CELT with the flag of silence (RFC 6716 §4.3), which has no state.
func (f Format) Still(dst []byte) int {
	if f.Name != "opus" {
		return 0
	}
	return copy(dst, []byte{0xF8, 0xFF, 0xFE})
}

// Lasts is how many samples a payload of Opus has; 0 of one that is malformed, and
// of other formats.
func (f Format) Lasts(payload []byte) int {
	if f.Name != "opus" || len(payload) == 0 {
		return 0
	}
	p, ok := opusFrames(payload)
	if !ok {
		return 0
	}
	return p.count * opusUnits(payload[0]) * int(f.Rate) / opusUnitsPerSecond
}

const (
	opusUnitsPerSecond = 400

	opusHybrid    = 12   // configurations from here on, RFC 6716 §3.1
	opusCELT      = 16   // likewise
	opusMostFrame = 1275 // bytes, §3.2.1
	opusMost      = 48   // frames: 120 ms of 2.5, §3.2.5
)

// tellsFrame reads one frame.
//
// One of a byte or none is not there (§2.1.9). CELT's begins with a bit, with
// probability 2^-15, that says that it is silent (§4.3): set if the first 15 bits
// of the range coder's are. SILK's, and hybrid ones, begin with a bit for each 20
// ms that says whether there is a voice, and one that says whether earlier frames
// are here once more, likewise for the side channel (§4.2.3): plain bits, as the
// coder has encoded nothing before them.
func tellsFrame(toc byte, frame []byte) Told {
	if len(frame) <= 1 {
		return ToldPause
	}
	config, stereo := toc>>3, toc&4 != 0
	if config >= opusCELT {
		if frame[0] == 0xFF && frame[1] >= 0xFE {
			return ToldSilence
		}
		return ToldNothing
	}
	flags := 2 // of 10 or 20 ms, SILK's or hybrid
	if config < opusHybrid && config%4 >= 2 {
		flags = int(config%4) + 1 // of 40 or 60
	}
	if stereo {
		flags *= 2
	}
	if frame[0]>>(8-flags) != 0 {
		return ToldNothing
	}
	return ToldPause
}

// opusPacket is the frames of a payload (RFC 6716 §3.2) that have not been read.
type opusPacket struct {
	count int
	size  int    // bytes of each; less than 0: they are in sizes
	sizes []byte // of all but the last, as the packet has them
	rest  []byte
}

// next is the next frame.
func (p *opusPacket) next() (frame []byte) {
	n := p.size
	if n < 0 {
		if n = len(p.rest); len(p.sizes) > 0 {
			var used int
			n, used = opusSize(p.sizes)
			p.sizes = p.sizes[used:]
		}
	}
	frame, p.rest = p.rest[:n], p.rest[n:]
	return frame
}

// opusFrames takes a payload of at least a byte apart.
func opusFrames(payload []byte) (p opusPacket, ok bool) {
	b := payload[1:]
	switch payload[0] & 3 {
	case 0:
		return opusEqual(1, b)
	case 1:
		return opusEqual(2, b)
	case 2:
		return opusUnequal(2, b)
	}
	if len(b) == 0 {
		return p, false
	}
	how := b[0]
	count := int(how & 0x3F)
	if count == 0 || count > opusMost || count*opusUnits(payload[0]) > opusMost {
		return p, false
	}
	if b = b[1:]; how&0x40 != 0 {
		if b, ok = opusUnpadded(b); !ok {
			return p, false
		}
	}
	if how&0x80 == 0 {
		return opusEqual(count, b)
	}
	return opusUnequal(count, b)
}

// opusUnits is how long a frame is, in 2.5 ms.
func opusUnits(toc byte) int {
	switch config := toc >> 3; {
	case config >= opusCELT:
		return 1 << (config % 4)
	case config >= opusHybrid:
		return 4 << (config % 2)
	case config%4 == 3:
		return 24
	default:
		return 4 << (config % 4)
	}
}

func opusEqual(count int, b []byte) (p opusPacket, ok bool) {
	size := len(b) / count
	return opusPacket{count: count, size: size, rest: b}, size*count == len(b) && size <= opusMostFrame
}

// opusUnequal reads the sizes of all frames but the last, which has what is left.
func opusUnequal(count int, b []byte) (p opusPacket, ok bool) {
	total, at := 0, 0
	for range count - 1 {
		size, used := opusSize(b[at:])
		if used == 0 {
			return p, false
		}
		total += size
		at += used
	}
	p = opusPacket{count: count, size: -1, sizes: b[:at], rest: b[at:]}
	last := len(p.rest) - total
	return p, last >= 0 && last <= opusMostFrame
}

// opusSize reads a size of one or two bytes (§3.2.1), at most opusMostFrame.
// used is 0 where it is cut off.
func opusSize(b []byte) (size, used int) {
	switch {
	case len(b) > 0 && b[0] < 252:
		return int(b[0]), 1
	case len(b) > 1:
		return int(b[0]) + 4*int(b[1]), 2
	}
	return 0, 0
}

// opusUnpadded takes padding away, and the bytes that say how much there is
// (§3.2.5).
func opusUnpadded(b []byte) (rest []byte, ok bool) {
	padding := 0
	for i, n := range b {
		if n < 255 {
			padding += int(n)
			b = b[i+1:]
			return b[:max(len(b)-padding, 0)], padding <= len(b)
		}
		padding += 254
	}
	return nil, false
}
