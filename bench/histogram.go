package bench

const (
	bucket  = 100_000 // ns
	buckets = 10_000  // one second
)

// histogram counts durations in steps of 0.1 ms. Adding one costs nothing and
// never allocates.
type histogram struct {
	count [buckets + 1]uint64 // the last: one second and more
	total uint64
	most  int64 // ns
}

// add counts a duration in ns; one below zero, of a clock that was set, is zero.
func (h *histogram) add(ns int64) {
	ns = max(ns, 0)
	h.count[min(ns/bucket, buckets)]++
	h.total++
	h.most = max(h.most, ns)
}

// percentile is the duration in ms that a share of all, 0 to 1, did not exceed:
// the upper end of its step, but never more than max.
func (h *histogram) percentile(share float64) float64 {
	want := uint64(share * float64(h.total))
	var seen uint64
	for i, n := range h.count {
		if seen += n; n > 0 && seen >= want && i < buckets {
			return min(float64(i+1)*bucket/1e6, h.max())
		}
	}
	return h.max()
}

// max is the longest, in ms.
func (h *histogram) max() float64 { return float64(h.most) / 1e6 }
