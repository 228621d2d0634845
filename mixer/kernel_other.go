//go:build !amd64

package mixer

func energyBlocks(pcm []int16) int64     { return plainEnergy(pcm) }
func addBlocks(sum []int32, pcm []int16) { plainAdd(sum, pcm) }
func minusBlocks(dst []int16, wide, sum []int32, own []int16) int32 {
	return plainMinus(dst, wide, sum, own)
}
func narrowBlocks(dst []int16, wide []int32) int32    { return plainNarrow(dst, wide) }
func scaleBlocks(dst []int16, wide []int32, f factor) { plainScale(dst, wide, f) }
func signsBlocks(pcm []int16) int                     { return plainSigns(pcm) }
