package codec

import (
	"fmt"
	"runtime"
	"testing"
)

// What an encoder and a decoder take of the heap once they have seen a second of
// speech.
func BenchmarkOpusMemory(b *testing.B) {
	const many = 50
	for _, rate := range []Rate{16000, 48000} {
		f, voice := Opus(rate), speech(rate, 50)
		payloads := inFrames(b, f, f.Encoder(), voice)
		for name, one := range map[string]func() any{
			"encoder": func() any { e := f.Encoder(); inFrames(b, f, e, voice); return e },
			"decoder": func() any {
				d, dst := f.Decoder(), make([]int16, rate.Samples(MaxFrame))
				for _, p := range payloads {
					_, _ = d.Decode(dst, p)
				}
				return d
			},
		} {
			b.Run(fmt.Sprintf("%d/%s", rate, name), func(b *testing.B) {
				var all [many]any
				for b.Loop() {
					clear(all[:])
					before := heap()
					for i := range all {
						all[i] = one()
					}
					b.ReportMetric(float64(heap()-before)/many, "B")
				}
				runtime.KeepAlive(all)
			})
		}
	}
}

// heap is the memory in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
