package codec

// ITU-T G.722 at 64 kbit/s: two bands of 8,000 samples per second, each coded by
// ADPCM, the lower one with six bits a sample and the upper one with two. The
// arithmetic is that of the Recommendation, bit for bit; its blocks are named.

// qmf is half of the filter that splits and joins the bands (§3.1, table 11);
// the other half is its mirror image.
func qmf() [12]int32 {
	return [12]int32{3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11}
}

const (
	qmfPast    = 22  // samples that the filter looks back, besides the new pair
	g722Window = 320 // samples filtered at a time
)

// The tables of the Recommendation, tables 14 to 19.
//
//nolint:gochecknoglobals // tables, never written
var (
	qmfHalf = qmf()

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

func newLow() adpcm  { return adpcm{step: 32} }
func newHigh() adpcm { return adpcm{step: 8} }

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

// low goes on from a code of the lower band. Only its upper four bits matter.
func (b *adpcm) low(code int32) {
	coarse := code >> 2
	d := b.step * lowCoarse[coarse] >> 15
	b.scale(lowGrowth[coarse], lowLargest, 8)
	b.adapt(d)
}

// high goes on from a code of the upper band.
func (b *adpcm) high(code int32) {
	d := b.step * highStep[code] >> 15
	b.scale(highGrowth[code], highLargest, 10)
	b.adapt(d)
}

// wideEncoder is a G.722 encoder.
type wideEncoder struct {
	window    [qmfPast + g722Window]int16
	low, high adpcm
}

func newWideEncoder() *wideEncoder { return &wideEncoder{low: newLow(), high: newHigh()} }

// Encode makes a byte of each two samples.
func (e *wideEncoder) Encode(dst []byte, pcm []int16) (int, error) {
	n := len(pcm) / 2
	switch {
	case len(pcm)%2 != 0:
		return 0, ErrOddLength
	case len(dst) < n:
		return 0, ErrShortBuffer
	}
	for at := 0; len(pcm) > 0; {
		m := copy(e.window[qmfPast:], pcm)
		pcm = pcm[m:]
		for i := 0; i < m; i += 2 {
			dst[at] = e.pair((*[24]int16)(e.window[i:]))
			at++
		}
		copy(e.window[:qmfPast], e.window[m:])
	}
	return n, nil
}

// pair codes the last two of 24 samples.
func (e *wideEncoder) pair(x *[24]int16) byte {
	var odd, even int32
	for i, c := range qmfHalf {
		odd += c * int32(x[2*i])
		even += c * int32(x[23-2*i])
	}
	low := quantiseLow(saturate((even+odd)>>14-e.low.predicted), e.low.step)
	high := quantiseHigh(saturate((even-odd)>>14-e.high.predicted), e.high.step)
	e.low.low(low)
	e.high.high(high)
	return byte(high<<6 | low)
}

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
	window    [qmfPast + g722Window]int32 // sums and differences of the bands
	low, high adpcm
}

func newWideDecoder() *wideDecoder { return &wideDecoder{low: newLow(), high: newHigh()} }

// Decode makes two samples of each byte.
func (c *wideDecoder) Decode(dst []int16, payload []byte) (int, error) {
	n := 2 * len(payload)
	if len(dst) < n {
		return 0, ErrShortBuffer
	}
	for at := 0; len(payload) > 0; {
		m := min(len(payload), g722Window/2)
		for i, code := range payload[:m] {
			low, high := c.bands(int32(code))
			c.window[qmfPast+2*i], c.window[qmfPast+2*i+1] = low+high, low-high
		}
		payload = payload[m:]
		for i := 0; i < 2*m; i += 2 {
			dst[at], dst[at+1] = join((*[24]int32)(c.window[i:]))
			at += 2
		}
		copy(c.window[:qmfPast], c.window[2*m:])
	}
	return n, nil
}

// bands decodes a code of each band (blocks INVQBL and INVQAH, RECONS, LIMIT).
func (c *wideDecoder) bands(code int32) (low, high int32) {
	const limit = 16384
	low = c.low.predicted + c.low.step*lowStep[code&63]>>15
	c.low.low(code & 63)
	high = c.high.predicted + c.high.step*highStep[code>>6]>>15
	c.high.high(code >> 6)
	return min(max(low, -limit), limit-1), min(max(high, -limit), limit-1)
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
