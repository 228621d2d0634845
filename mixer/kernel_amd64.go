package mixer

// In kernel_amd64.s, by SSE2, which every amd64 has: nothing is asked of the
// processor, and nothing is chosen when the program runs. Lengths are multiples
// of block (of signsBlocks: one more).

//go:noescape
func energyBlocks(pcm []int16) int64

//go:noescape
func addBlocks(sum []int32, pcm []int16)

//go:noescape
func minusBlocks(dst []int16, wide, sum []int32, own []int16) (peak int32)

//go:noescape
func narrowBlocks(dst []int16, wide []int32) (peak int32)

//go:noescape
func scaleBlocks(dst []int16, wide []int32, f factor)

//go:noescape
func signsBlocks(pcm []int16) int
