package adapter_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/codec"
	"parley/internal/audiotest"
	"parley/sip/siptest"
)

// kinds of callers.
func narrow() []codec.Format { return []codec.Format{codec.PCMU()} }
func wide() []codec.Format   { return []codec.Format{codec.L16(16000)} }

// mixed makes every other caller a wide one.
func mixed(i int) []codec.Format {
	if i%2 == 1 {
		return wide()
	}
	return narrow()
}

// tones are far enough apart to be told from each other, and from the sums and
// differences of any two.
func tones(n int, level float64) []siptest.Tone {
	all := make([]siptest.Tone, n)
	for i := range all {
		all[i] = siptest.Tone{Hz: 410 + 263*float64(i), DBFS: level}
	}
	return all
}

// gather lets callers meet in a room, each with his tone.
func (p parley) gather(t *testing.T, room string, tones []siptest.Tone, kind func(int) []codec.Format) []*siptest.Call {
	t.Helper()
	calls := make([]*siptest.Call, len(tones))
	for i, tone := range tones {
		calls[i] = p.dialWith(t, room, siptest.Options{Codecs: kind(i)}, siptest.CallOptions{Tone: tone})
	}
	return calls
}

// TestEverybodyAtFullLevel has the loudest tones there are: everything that is heard has to be turned down, and
// nothing may wrap, clip or be distorted. To judge it keeps a processor busy: one room after the other.
func TestEverybodyAtFullLevel(t *testing.T) {
	p := start(t, quiet)
	for _, tt := range []struct {
		name string
		kind func(int) []codec.Format
		thdn float64 // bound, dB
	}{
		{"narrow", func(int) []codec.Format { return narrow() }, -33},
		{"wide", func(int) []codec.Format { return wide() }, -80},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := tones(8, 0)
			calls := p.gather(t, "loud-"+tt.name, all, tt.kind)
			sometimes(t, func() (faults []string) {
				for i, pcm := range listen(calls, time.Second) {
					faults = append(faults, loudFaults(t, pcm, int(calls[i].Rate()), all, i, tt.thdn)...)
				}
				return faults
			})
		})
	}
}

// tries are how often something is judged at most.
const tries = 12

// sometimes has something judged until there is no fault. A machine that is busy
// loses packets, but not each time.
func sometimes(t *testing.T, judge func() (faults []string)) {
	t.Helper()
	for n := range tries {
		faults := judge()
		if len(faults) == 0 {
			return
		}
		for _, f := range faults {
			t.Log(f)
		}
		if n == tries-1 {
			t.Error("never without a fault")
		}
	}
}

// loudFaults judges what caller i hears of callers who all are at full level.
func loudFaults(t *testing.T, pcm []int16, rate int, all []siptest.Tone, i int, limit float64) (faults []string) {
	t.Helper()
	others := slices.Delete(slices.Clone(all), i, i+1)
	levels := make([]float64, len(others))
	for k, tone := range others {
		levels[k] = audiotest.Steady(pcm, rate, tone.Hz)
	}
	own, distortion := audiotest.Steady(pcm, rate, all[i].Hz), thdn(pcm, rate, others)
	if least, most := slices.Min(levels), slices.Max(levels); most-least > 1 || most < -20 || own > least-35 {
		faults = append(faults, fmt.Sprintf("caller %d hears %.1f dBFS, himself at %.1f", i, levels, own))
	}
	if distortion > limit {
		faults = append(faults, fmt.Sprintf("caller %d: THD+N %.1f dB, at most %v", i, distortion, limit))
	}
	return faults
}

// thdn is the usual THD+N of tones: the median over pieces of 100 ms, which a
// packet that was lost does not change.
func thdn(pcm []int16, rate int, tones []siptest.Tone) float64 {
	freqs := make([]float64, len(tones))
	for i, tone := range tones {
		freqs[i] = tone.Hz
	}
	var all []float64
	for piece := range slices.Chunk(pcm, rate/10) {
		if len(piece) == rate/10 {
			all = append(all, audiotest.THDN(piece, rate, freqs...))
		}
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// TestOneComesAndGoesUnheard: the others' audio goes on without a gap or click.
func TestOneComesAndGoesUnheard(t *testing.T) {
	p := start(t, quiet)
	for _, tt := range []struct {
		name                     string
		speaker, listener, guest []codec.Format
		step                     float64 // bound, dBFS; of G.711, two of its errors of 256 make -36, and what the pace bends comes on top
	}{
		{"narrow", narrow(), narrow(), narrow(), -35},
		{"narrow, and a wide guest", narrow(), narrow(), wide(), -35},
		{"wide", wide(), wide(), wide(), -80},
		{"wide, and a narrow guest", wide(), wide(), narrow(), -80},
		{"from narrow to wide", narrow(), wide(), narrow(), -35},
		{"from wide to narrow", wide(), narrow(), wide(), -35},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			speaks := siptest.Tone{Hz: 440, DBFS: -12}
			room := fmt.Sprintf("visit-%s-%s-%s", tt.speaker[0].Name, tt.listener[0].Name, tt.guest[0].Name)
			p.dialWith(t, room, siptest.Options{Codecs: tt.speaker}, siptest.CallOptions{Tone: speaks})
			ear := p.dialWith(t, room, siptest.Options{Codecs: tt.listener}, siptest.CallOptions{})
			listen([]*siptest.Call{ear}, 100*time.Millisecond)
			sometimes(t, func() (faults []string) {
				from := len(ear.Record())
				guest := p.dialWith(t, room, siptest.Options{Codecs: tt.guest}, siptest.CallOptions{})
				ear.Listen(100 * time.Millisecond)
				guest.Hangup()
				ear.Listen(100 * time.Millisecond)
				pcm, rate := ear.Record()[from:], int(ear.Rate())
				step := audiotest.WorstStep(pcm, rate, speaks.Hz)
				gap := 1000 * float64(audiotest.LongestGap(pcm, speaks.DBFS-20)) / float64(rate)
				if level := audiotest.Steady(pcm, rate, speaks.Hz); step > tt.step || gap > 1 || level < speaks.DBFS-1.5 {
					return []string{fmt.Sprintf("%.1f dBFS; worst step %.1f dBFS, at most %v; longest gap %.2f ms", level, step, tt.step, gap)}
				}
				return nil
			})
		})
	}
}
