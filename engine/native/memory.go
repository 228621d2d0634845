package native

import (
	"math"
	"sync/atomic"

	"parley/engine"
)

// remembered is how many ticks a leg's memory goes back: 8 s.
const remembered = 400

// memory is how loud a leg was, and what it heard, in each of the last ticks.
// The tick writes, anybody reads.
type memory struct {
	cells [remembered]atomic.Uint32 // said | heard<<8, both dB below full scale; crossings<<16
	n     atomic.Uint64             // ticks written
}

// put notes one tick: levels in dBov, and how often what was said crosses zero.
func (m *memory) put(said, heard float32, crossings int) {
	n := m.n.Load()
	m.cells[n%remembered].Store(uint32(-said) | uint32(-heard)<<8 | uint32(min(crossings, 255))<<16)
	m.n.Store(n + 1)
}

// moment is one tick of a memory.
type moment struct {
	said, heard float64 // dBov
	crossings   float64
}

// recall is what is remembered, oldest first.
func (m *memory) recall() []moment {
	n := m.n.Load()
	all := make([]moment, min(n, remembered))
	for i := range all {
		c := m.cells[(n-uint64(len(all)-i))%remembered].Load()
		all[i] = moment{-float64(c & 0xFF), -float64(c >> 8 & 0xFF), float64(c >> 16)}
	}
	return all
}

const (
	second = 50 // ticks

	// An echo says what was heard 40 to 600 ms ago, weaker. Below quiet nothing
	// is compared: pauses are alike everywhere.
	firstLag, lastLag = 2, 30
	quiet             = -60.0 // dBov
	spoken            = -45.0 // dBov: of what is heard, what is surely speech
	enoughSpeech      = second / 2
	echoLikeness      = 0.8
	weakestEcho       = 0.05 // of what was heard: -26 dB

	// A howl is a loud tone that does not change.
	howlLevel  = -35.0 // dBov
	howlSpread = 1.5   // dB and crossings, standard deviation
	howlTime   = second
	hzStep     = 50.0 // to which counting is exact

	// Noise leaves no pause.
	noiseLevel = -45.0 // dBov
	pauses     = 0.05  // of the time
	noiseTime  = 4 * second
)

// disturbance is what is wrong with what a leg says.
func disturbance(all []moment) engine.Disturbance {
	if d := howl(all); d.Kind != "" {
		return d
	}
	if d := echo(all); d.Kind != "" {
		return d
	}
	return noise(all)
}

// echo looks for the lag at which what is said is most like what was heard.
func echo(all []moment) engine.Disturbance {
	var likes [lastLag + 2]float64
	best := 0
	for lag := firstLag - 1; lag <= lastLag+1; lag++ {
		likes[lag] = likeness(all, lag)
		if lag >= firstLag && lag <= lastLag && (best == 0 || likes[lag] > likes[best]) {
			best = lag
		}
	}
	if likes[best] < echoLikeness {
		return engine.Disturbance{}
	}
	part := share(all, best)
	if part < weakestEcho || part > 1.5 {
		return engine.Disturbance{}
	}
	a, b, c := likes[best-1], likes[best], likes[best+1]
	fine := 0.0 // of a tick: the top of the parabola through three lags
	if bend := a - 2*b + c; bend < 0 {
		fine = (a - c) / (2 * bend)
	}
	return engine.Disturbance{Kind: engine.Echo, Share: part, DelayMS: int64(math.Round((float64(best)+fine)*2) * 10)}
}

// likeness is the correlation of the levels of what was heard with those of
// what was said lag ticks later. Where too little was heard it is 0.
func likeness(all []moment, lag int) float64 {
	var n, x, y, xx, yy, xy float64
	speech := 0
	for t := lag; t < len(all); t++ {
		h, s := max(all[t-lag].heard, quiet), max(all[t].said, quiet)
		n, x, y, xx, yy, xy = n+1, x+h, y+s, xx+h*h, yy+s*s, xy+h*s
		if h > spoken {
			speech++
		}
	}
	both := math.Sqrt((n*xx - x*x) * (n*yy - y*y))
	if speech < enoughSpeech || both == 0 {
		return 0
	}
	return (n*xy - x*y) / both
}

// share is how much of what was heard comes back: 1 is all of it.
func share(all []moment, lag int) float64 {
	sum, n := 0.0, 0
	for t := lag; t < len(all); t++ {
		if all[t-lag].heard > spoken {
			sum += all[t].said - all[t-lag].heard
			n++
		}
	}
	return math.Pow(10, sum/float64(max(n, 1))/20)
}

// howl looks at the end: a tone that is going on.
func howl(all []moment) engine.Disturbance {
	n, level, crossed := 0.0, spread{}, spread{}
	for i := len(all) - 1; i >= 0 && all[i].said > howlLevel; i-- {
		next, turns := level.with(all[i].said), crossed.with(all[i].crossings)
		if n >= howlTime/2 && (next.deviation() > howlSpread || turns.deviation() > howlSpread) {
			break
		}
		level, crossed, n = next, turns, n+1
	}
	if n < howlTime || level.deviation() > howlSpread || crossed.deviation() > howlSpread || crossed.mean() < 4 {
		return engine.Disturbance{}
	}
	return engine.Disturbance{
		Kind: engine.Howl, Level: math.Round(level.mean()), Hz: hzStep * math.Round(crossed.mean()*second/2/hzStep), Seconds: n / second,
	}
}

// noise is a voice that never pauses.
func noise(all []moment) engine.Disturbance {
	low, sum := 0, 0.0
	for _, m := range all {
		if m.said < noiseLevel {
			low++
		}
		sum += m.said
	}
	if len(all) < noiseTime || float64(low) > pauses*float64(len(all)) {
		return engine.Disturbance{}
	}
	n := float64(len(all))
	return engine.Disturbance{Kind: engine.Noise, Level: math.Round(sum / n), Seconds: n / second}
}

// spread is the mean and deviation of some values.
type spread struct{ n, sum, squares float64 }

func (s spread) with(v float64) spread { return spread{s.n + 1, s.sum + v, s.squares + v*v} }

func (s spread) mean() float64 { return s.sum / max(s.n, 1) }

func (s spread) deviation() float64 {
	m := s.mean()
	return math.Sqrt(max(s.squares/max(s.n, 1)-m*m, 0))
}
