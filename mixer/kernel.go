package mixer

// The loops over samples that a tick spends its time in. Each takes whole
// blocks of samples by its …Blocks function, which a processor may have in its
// own words (kernel_amd64.s), and what is left over by its plain… twin. Both do
// the same to the bit: TestKernels compares them.

// block is how many samples a …Blocks function takes at a time.
const block = 8

// whole is how many of n samples are in whole blocks.
func whole(n int) int { return n &^ (block - 1) }

// energy is the sum of the squares.
func energy(pcm []int16) int64 {
	k := whole(len(pcm))
	return energyBlocks(pcm[:k]) + plainEnergy(pcm[k:])
}

func plainEnergy(pcm []int16) (sum int64) {
	for _, s := range pcm {
		sum += int64(s) * int64(s)
	}
	return sum
}

// add adds a voice as long as the sum.
func add(sum []int32, pcm []int16) {
	k := whole(len(pcm))
	addBlocks(sum[:k], pcm[:k])
	plainAdd(sum[k:], pcm[k:])
}

func plainAdd(sum []int32, pcm []int16) {
	sum = sum[:len(pcm)]
	for i, s := range pcm {
		sum[i] += int32(s)
	}
}

// minus writes sum-own to wide and, clamped, to dst, and returns the largest
// magnitude. All are as long as own.
func minus(dst []int16, wide, sum []int32, own []int16) (peak int32) {
	k := whole(len(own))
	return max(minusBlocks(dst[:k], wide[:k], sum[:k], own[:k]), plainMinus(dst[k:], wide[k:], sum[k:], own[k:]))
}

func plainMinus(dst []int16, wide, sum []int32, own []int16) (peak int32) {
	dst, wide, sum = dst[:len(own)], wide[:len(own)], sum[:len(own)]
	for i, s := range own {
		v := sum[i] - int32(s)
		wide[i], dst[i] = v, clamp(int64(v))
		peak = max(peak, magnitude(v))
	}
	return peak
}

// narrow writes wide, clamped, to dst, which is as long, and returns the
// largest magnitude.
func narrow(dst []int16, wide []int32) (peak int32) {
	k := whole(len(dst))
	return max(narrowBlocks(dst[:k], wide[:k]), plainNarrow(dst[k:], wide[k:]))
}

func plainNarrow(dst []int16, wide []int32) (peak int32) {
	wide = wide[:len(dst)]
	for i, v := range wide {
		dst[i] = clamp(int64(v))
		peak = max(peak, magnitude(v))
	}
	return peak
}

// scale writes wide, with a gain of 1 at most and clamped, to dst, which is as
// long.
func scale(dst []int16, wide []int32, f factor) {
	k := whole(len(dst))
	scaleBlocks(dst[:k], wide[:k], f)
	plainScale(dst[k:], wide[k:], f)
}

func plainScale(dst []int16, wide []int32, f factor) {
	wide = wide[:len(dst)]
	for i, v := range wide {
		dst[i] = clamp(f.times(v))
	}
}

// signs is how often the sign changes from one sample to the next.
func signs(pcm []int16) int {
	k := whole(max(len(pcm)-1, 0))
	return signsBlocks(pcm[:min(k+1, len(pcm))]) + plainSigns(pcm[k:])
}

func plainSigns(pcm []int16) (n int) {
	for i := 1; i < len(pcm); i++ {
		n += int(uint16(pcm[i]^pcm[i-1]) >> 15)
	}
	return n
}

// magnitude is |v|, less one below zero: what fits 16 bits has 32,767 at most.
func magnitude(v int32) int32 { return v ^ v>>31 }
