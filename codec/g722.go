package codec

// ITU-T G.722 at 64 kbit/s: two bands of 8,000 samples per second, each coded by
// ADPCM, the lower one with six bits a sample and the upper one with two. The
// arithmetic is that of the Recommendation, bit for bit; its blocks are named.

const (
	qmfPast    = 22  // samples that the filter looks back, besides the new pair
	g722Window = 320 // samples filtered at a time
)

// The tables of the Recommendation, tables 14 to 19.
//
//nolint:gochecknoglobals // tables, never written
var (
	// qmfHalf is half of the filter that splits and joins the bands (§3.1, table
	// 11); the other half is its mirror image.
	qmfHalf = [12]int32{3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11}

	// lowDecision are the limits of the 60 steps of the lower band, and lowPlus
	// and lowMinus the codes of the steps between them.
	lowDecision = [30]int32{
		0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650,
		714, 786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
	}
	// lowStep is what a code of six bits stands for; lowCoarse, one of its upper
	// four, from which both sides adapt.
	lowStep = [64]int32{
		-136, -136, -136, -136, -24808, -21904, -19008, -16704,
		-14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
		-7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576,
		-3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
		24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192,
		10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
		4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032,
		1688, 1360, 1040, 728, 432, 136, -432, -136,
	}
	lowCoarse = [16]int32{
		0, -20456, -12896, -8968, -6288, -4240, -2584, -1200,
		20456, 12896, 8968, 6288, 4240, 2584, 1200, 0,
	}
	highStep = [4]int32{-7408, -1616, 7408, 1616}

	// What a code does to the logarithm of the step.
	lowGrowth  = [16]int32{-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60}
	highGrowth = [4]int32{798, -214, 798, -214}

	// antilog is 2^(i/32) in 1/2048.
	antilog = [32]int32{
		2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
		2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
	}
)

const (
	lowLargest  = 18432 // of the logarithm of the step
	highLargest = 22528
	highLimit   = 564 // between the two steps of the upper band
)

// adpcm is the state that coder and decoder of one band share.
type adpcm struct {
	predicted int32 // the next sample
	zeros     int32 // the part of it that the zero section predicts
	log, step int32 // of the quantiser

	b [6]int32 // zero section, for the newest difference first
	d [6]int32 // quantised differences
	a [2]int32 // pole section
	r [2]int32 // reconstructed samples
	p [2]int32 // partly reconstructed
}

// scale adapts the quantiser (blocks LOGSCL and SCALEL, LOGSCH and SCALEH).
func (b *adpcm) scale(growth, largest, shift int32) {
	b.log = min(max(b.log*127>>7+growth, 0), largest)
	v := antilog[b.log>>6&31]
	if n := shift - b.log>>11; n < 0 {
		b.step = v << -n << 2
	} else {
		b.step = v >> n << 2
	}
}

// adapt takes the quantised difference and predicts the next sample (block 4).
func (b *adpcm) adapt(d int32) {
	r := saturate(b.predicted + d) // RECONS
	p := saturate(b.zeros + d)     // PARREC
	b.poles(p)
	b.zero(d)
	b.r[1], b.r[0] = b.r[0], r
	b.p[1], b.p[0] = b.p[0], p
	poles := saturate(b.a[0]*saturate(2*b.r[0])>>15 + b.a[1]*saturate(2*b.r[1])>>15) // FILTEP
	b.predicted = saturate(poles + b.zeros)                                          // PREDIC
}

// poles are the blocks UPPOL2 and UPPOL1.
func (b *adpcm) poles(p int32) {
	first, second := (p^b.p[0])>>15 == 0, (p^b.p[1])>>15 == 0 // of one sign
	w := saturate(4 * b.a[0])
	if first {
		w = min(-w, 32767)
	}
	w = w>>7 + sign(second, 128) + b.a[1]*32512>>15
	b.a[1] = min(max(w, -12288), 12288)
	limit := saturate(15360 - b.a[1])
	b.a[0] = min(max(saturate(sign(first, 192)+b.a[0]*32640>>15), -limit), limit)
}

// zero is the blocks UPZERO, DELAYA and FILTEZ. Its coefficients cannot leave
// 16 bits.
func (b *adpcm) zero(d int32) {
	gain := int32(128)
	if d == 0 {
		gain = 0
	}
	newer, sum := d, int32(0)
	for i := range b.b {
		c := b.b[i]*32640>>15 + sign((d^b.d[i])>>15 == 0, gain)
		b.b[i] = c
		newer, b.d[i] = b.d[i], newer
		sum += c * saturate(2*b.d[i]) >> 15
	}
	b.zeros = saturate(sum)
}

func sign(plus bool, v int32) int32 {
	if plus {
		return v
	}
	return -v
}

func saturate(v int32) int32 { return min(max(v, -32768), 32767) }

// bands are the states of both bands.
type bands struct{ low, high adpcm }

func newBands() bands { return bands{adpcm{step: 32}, adpcm{step: 8}} }

// decode is what a code stands for (blocks INVQBL and INVQAH, RECONS, LIMIT).
func (b *bands) decode(code int32) (low, high int32) {
	const limit = 16384
	low = b.low.predicted + b.low.step*lowStep[code&63]>>15
	high = b.high.predicted + b.high.step*highStep[code>>6]>>15
	b.follow(code)
	return min(max(low, -limit), limit-1), min(max(high, -limit), limit-1)
}

// follow goes on from a code. Of the lower band only its upper four bits matter.
func (b *bands) follow(code int32) {
	coarse, fine := code>>2&15, code>>6
	d := b.low.step * lowCoarse[coarse] >> 15
	b.low.scale(lowGrowth[coarse], lowLargest, 8)
	b.low.adapt(d)
	d = b.high.step * highStep[fine] >> 15
	b.high.scale(highGrowth[fine], highLargest, 10)
	b.high.adapt(d)
}

// wideEncoder is a G.722 encoder.
type wideEncoder struct {
	now    wideState
	before wideState // as it was when the last payload began
	last   [g722Window / 2]byte
	size   int // of last, at most its length
}

type wideState struct {
	bands
	past [qmfPast]int16
}

func newWideEncoder() *wideEncoder { return &wideEncoder{now: wideState{bands: newBands()}} }

// Encode makes a byte of each two samples.
func (e *wideEncoder) Encode(dst []byte, pcm []int16) (int, error) {
	n := len(pcm) / 2
	switch {
	case len(pcm)%2 != 0:
		return 0, ErrOddLength
	case len(dst) < n:
		return 0, ErrShortBuffer
	}
	e.before = e.now
	var window [qmfPast + g722Window]int16
	copy(window[:], e.now.past[:])
	for at := 0; len(pcm) > 0; {
		m := copy(window[qmfPast:], pcm)
		pcm = pcm[m:]
		for i := 0; i < m; i += 2 {
			dst[at] = e.now.pair((*[24]int16)(window[i:]))
			at++
		}
		copy(window[:qmfPast], window[m:])
	}
	copy(e.now.past[:], window[:])
	e.size = copy(e.last[:], dst[:n])
	return n, nil
}

// pair codes the last two of 24 samples.
func (b *bands) pair(x *[24]int16) byte {
	var odd, even int32
	for i, c := range qmfHalf {
		odd += c * int32(x[2*i])
		even += c * int32(x[23-2*i])
	}
	low := quantiseLow(saturate((even+odd)>>14-b.low.predicted), b.low.step)
	high := quantiseHigh(saturate((even-odd)>>14-b.high.predicted), b.high.step)
	code := high<<6 | low
	b.follow(code)
	return byte(code)
}

// Continue takes the other's state: not a bit differs from one encoder that
// goes on.
func (e *wideEncoder) Continue(from Encoder, ahead bool) {
	other, ok := from.(*wideEncoder)
	switch {
	case !ok || other == e:
	case ahead:
		e.now = other.before
	default:
		e.now = other.now
	}
}

// unheard is what two states may differ in what they make of the same codes, in
// samples: -51 dBFS.
const unheard = 92

// near says whether what two states do to a signal is the same to 1/1000.
func (b *adpcm) near(o *adpcm) bool {
	const log, coefficient = 4, 16 // of 2,048 an octave, and of 16,384
	for i := range b.b {
		if magnitude(b.b[i]-o.b[i]) > coefficient {
			return false
		}
	}
	return magnitude(b.log-o.log) <= log &&
		magnitude(b.a[0]-o.a[0]) <= coefficient && magnitude(b.a[1]-o.a[1]) <= coefficient
}

// Admits compares what the last payload means to a decoder that has followed
// this encoder with what it means to one that has followed the other. At first
// that is close only while the mix is quiet, for two encoders do not become
// equal by having the same input. But a decoder that is given the same codes
// forgets where it came from, by 1/256 a sample.
func (e *wideEncoder) Admits(from Encoder) (yes, forGood bool) {
	other, ok := from.(*wideEncoder)
	if !ok {
		return false, false
	}
	a, b, worst := e.before.bands, other.now.bands, int32(0)
	for _, code := range e.last[:e.size] {
		low, high := a.decode(int32(code))
		low2, high2 := b.decode(int32(code))
		worst = max(worst, 2*(magnitude(low-low2)+magnitude(high-high2)))
		if worst > unheard {
			return false, false
		}
	}
	other.now.bands, other.now.past = b, e.now.past
	return true, a.low.near(&b.low) && a.high.near(&b.high)
}

func magnitude(v int32) int32 { return max(v, -v) }

// quantiseLow is the block QUANTL.
func quantiseLow(d, step int32) int32 {
	magnitude := d ^ d>>31
	from, to := 1, len(lowDecision) // the first limit that is above lies there
	for from < to {
		if i := (from + to) / 2; magnitude < lowDecision[i]*step>>12 {
			to = i
		} else {
			from = i + 1
		}
	}
	switch {
	case d >= 0:
		return int32(62 - from)
	case from <= 2:
		return int32(64 - from)
	}
	return int32(34 - from)
}

// quantiseHigh is the block QUANTH.
func quantiseHigh(d, step int32) int32 {
	code := int32(0) // the large step down
	if d >= 0 {
		code = 2
	}
	if d^d>>31 < highLimit*step>>12 {
		code++
	}
	return code
}

// wideDecoder is a G.722 decoder.
type wideDecoder struct {
	bands
	past [qmfPast]int32 // sums and differences of the bands
}

func newWideDecoder() *wideDecoder { return &wideDecoder{bands: newBands()} }

// Decode makes two samples of each byte.
func (c *wideDecoder) Decode(dst []int16, payload []byte) (int, error) {
	n := 2 * len(payload)
	if len(dst) < n {
		return 0, ErrShortBuffer
	}
	var window [qmfPast + g722Window]int32
	copy(window[:], c.past[:])
	for at := 0; len(payload) > 0; {
		m := min(len(payload), g722Window/2)
		for i, code := range payload[:m] {
			low, high := c.decode(int32(code))
			window[qmfPast+2*i], window[qmfPast+2*i+1] = low+high, low-high
		}
		payload = payload[m:]
		for i := 0; i < 2*m; i += 2 {
			dst[at], dst[at+1] = join((*[24]int32)(window[i:]))
			at += 2
		}
		copy(window[:qmfPast], window[2*m:])
	}
	copy(c.past[:], window[:])
	return n, nil
}

// join makes two samples of the last 24 sums and differences.
func join(x *[24]int32) (first, second int16) {
	var a, b int32
	for i, c := range qmfHalf {
		b += c * x[2*i]
		a += c * x[23-2*i]
	}
	return int16(saturate(a >> 11)), int16(saturate(b >> 11))
}
