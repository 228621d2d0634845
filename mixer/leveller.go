package mixer

// What a Leveller does, in dB and dB per frame of 20 ms.
const (
	speechLevel = -26.0 // dBov of active speech, ITU-T P.56 and G.100.1
	mostUp      = 12.0
	mostDown    = -9.0
	up          = 0.05 // 2.5 dB/s
	down        = 0.2  // 10 dB/s
	speechLeast = -55  // what is quieter says nothing about a voice
	pauses      = 12   // nor what is so much quieter than the rest
	average     = 50   // frames of speech
)

// Leveller brings voices to one loudness, slowly and only while they speak. The
// zero value is ready, at 0 dB.
type Leveller struct {
	speech float32 // dBov; 0 = unknown
	gain   float32 // dB
}

// Gain takes the level of the next frame in dBov and returns the gain to play
// it with, in dB.
func (l *Leveller) Gain(level float32) float64 {
	if level < speechLeast || l.speech != 0 && level < l.speech-pauses {
		return float64(l.gain)
	}
	if l.speech == 0 {
		l.speech = level
	}
	l.speech += (level - l.speech) / average
	want := min(max(speechLevel-l.speech, mostDown), mostUp)
	l.gain += min(max(want-l.gain, -down), up)
	return float64(l.gain)
}
