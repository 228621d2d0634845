package mixer

// The gate's levels, in dBov, and its time.
const (
	gateLeast = -65 // nobody speaks as low
	gateMost  = -50 // of the automatic gate: what is louder is not taken for noise
	gateAbove = 9   // dB over the noise
	faint     = 3   // dB over the noise: the beginning of something
	noiseRise = 0.02
	noiseFall = 0.25
	gateHold  = 15 // frames: 300 ms
)

// GateNone is the level, in dBov, up to which no gate lets anything through:
// nobody hears the difference to silence.
const GateNone = -75

// GateOptions says what a Gate lets through.
type GateOptions struct {
	Off   bool    // everything but digital silence
	Level float32 // what is this loud, dBov; 0 means what stands out of the noise
}

// Gate keeps the background noise of those who do not speak out of a mix. It
// opens with the first frame that is loud enough and closes 300 ms after the
// last one. The zero value is ready; the automatic gate never shuts out what is
// louder than -50 dBov.
type Gate struct {
	noise float32 // dBov, negative; 0 = not known yet
	quiet int
	open  bool
}

// Pass takes the level of the next frame in dBov.
func (g *Gate) Pass(o GateOptions, level float32) bool {
	g.follow(level)
	if o.Off {
		g.open, g.quiet = level > Silence, 0
		return g.open
	}
	switch {
	case level >= g.threshold(o):
		g.open, g.quiet = true, 0
	case g.open:
		g.quiet++
		g.open = g.quiet <= gateHold
	}
	return g.open && level > GateNone
}

func (g *Gate) threshold(o GateOptions) float32 {
	if o.Level != 0 {
		return o.Level
	}
	return min(max(g.noise+gateAbove, gateLeast), gateMost)
}

// follow measures the noise: the level that frames fall to again and again.
func (g *Gate) follow(level float32) {
	switch {
	case level == Silence: // nothing at all is no noise
	case g.noise == 0:
		g.noise = min(level, gateLeast)
	case level < g.noise:
		g.noise += noiseFall * (level - g.noise)
	default:
		g.noise = min(g.noise+noiseRise, gateMost)
	}
}

// Faint says whether a frame that did not pass may be the beginning of what
// does.
func (g *Gate) Faint(level float32) bool { return level > max(g.noise, gateLeast-gateAbove)+faint }
