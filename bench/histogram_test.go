package bench

import (
	"testing"
	"time"
)

func TestPercentiles(t *testing.T) {
	ms := int64(time.Millisecond)
	for _, tt := range []struct {
		name string
		add  func(h *histogram)
		want Times
	}{
		{"nothing", func(*histogram) {}, Times{}},
		{"one", func(h *histogram) { h.add(20*ms + 30_000) }, Times{20.03, 20.03, 20.03}},
		{"a hundred, one of them late", func(h *histogram) {
			for range 99 {
				h.add(20 * ms)
			}
			h.add(70 * ms)
		}, Times{20.1, 20.1, 70}},
		{"two in a hundred late", func(h *histogram) {
			for range 98 {
				h.add(20 * ms)
			}
			h.add(40 * ms)
			h.add(70 * ms)
		}, Times{20.1, 40.1, 70}},
		{"0 to 99.9 ms", func(h *histogram) {
			for i := range 1000 {
				h.add(int64(i) * ms / 10)
			}
		}, Times{50, 99, 99.9}},
		{"longer than the scale", func(h *histogram) {
			h.add(3000 * ms)
			h.add(1500 * ms)
			h.add(10 * ms)
		}, Times{10.1, 3000, 3000}},
		{"a clock that was set back", func(h *histogram) { h.add(-ms) }, Times{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h histogram
			tt.add(&h)
			if got := h.times(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
