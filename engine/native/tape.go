package native

import (
	"errors"
	"sync/atomic"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/internal/tick"
	"parley/sound"
)

// MaxRecording is the longest recording that is kept of a leg.
const MaxRecording = time.Minute

// ErrNoRecording: the leg has not been recorded, or the recording has expired.
var ErrNoRecording = errors.New("native: no such recording")

// tape is one recording. The tick writes it; once it is done the courier reads it.
type tape struct {
	op      engine.OpID
	rate    codec.Rate
	stop    atomic.Bool
	settled atomic.Bool

	pcm   []int16 // the capacity is all that may be said
	done  bool
	said  bool
	begin int // where talking began, a margin included
	end   int // where it ended
}

// margin is kept before what was said; the meter's hangover stands after it.
const margin = 200 * time.Millisecond

func newTape(op engine.OpID, rate codec.Rate, limit time.Duration) *tape {
	limit = min(max(limit, tick.Period), MaxRecording)
	return &tape{op: op, rate: rate, pcm: make([]int16, 0, rate.Samples(limit))}
}

// add records one frame.
func (t *tape) add(pcm []int16, talking bool) {
	n := copy(t.pcm[len(t.pcm):cap(t.pcm)], pcm)
	at := len(t.pcm)
	t.pcm = t.pcm[:at+n]
	if talking {
		if !t.said {
			t.begin = max(0, at-t.rate.Samples(margin))
		}
		t.said, t.end = true, len(t.pcm)
	}
	t.done = len(t.pcm) == cap(t.pcm) || t.stop.Load()
}

// clip is what was said, without the silence around it; nil when nothing was.
func (t *tape) clip() *sound.Clip {
	if !t.said {
		return nil
	}
	return sound.FromPCM(t.pcm[t.begin:t.end], t.rate)
}

// kept is a recording with the time it is thrown away, Unix ns; 0 while its
// leg lives.
type kept struct {
	clip    *sound.Clip
	expires int64
}

func (s *Switch) keep(id engine.LegID, c *sound.Clip) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tapes[id] = kept{clip: c}
}

func (s *Switch) recording(id engine.LegID) *sound.Clip {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tapes[id].clip
}

// expire has a leg's recording thrown away in a while, and those whose while
// is over now.
func (s *Switch) expire(id engine.LegID) {
	now := s.now.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.tapes[id]; ok {
		s.tapes[id] = kept{k.clip, now + int64(s.opts.Keep)}
	}
	for other, k := range s.tapes {
		if k.expires != 0 && k.expires < now {
			delete(s.tapes, other)
		}
	}
}
