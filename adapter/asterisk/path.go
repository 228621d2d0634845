package asterisk

import (
	"context"
	"fmt"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/engine/native"
)

// path is a way for audio between the switch and us; see engine.MediaPath.
type path interface {
	// fetch makes m's channel at the switch and returns when audio can flow. By
	// then variables are set on the channel. After an error nothing is left
	// here; the channel may be.
	fetch(ctx context.Context, m *media, variables map[string]string) (*sound, error)
}

func (l *Link) way(p engine.MediaPath) path {
	switch p {
	case engine.MediaRTP:
		return rtpPath{l}
	case engine.MediaWebSocket:
		return websocketPath{l}
	case engine.MediaSIP:
		return sipPath{l}
	case engine.MediaAudioSocket:
	}
	return socketPath{l}
}

// sound is the audio of a media channel, as it is here.
type sound struct {
	voice  *native.Leg
	format codec.Format
	line   line
}

// codec is the sound's, for lists.
func (s *sound) codec() string {
	if s.format.Name == "" {
		return ""
	}
	return fmt.Sprintf("%s/%d", s.format.Name, s.format.Rate)
}

// line is what carries a sound.
type line interface {
	// Closed says whether it has ended, as far as that is known at once.
	Closed() bool
	// over finds out also what nobody tells. Called once per lookEvery; dark
	// says that the link to the switch has been down for darkTime.
	over(now time.Time, dark bool) bool
	// leashed says that the switch would not notice our end.
	leashed() bool
	// Close ends it, after its voice.
	Close()
}
