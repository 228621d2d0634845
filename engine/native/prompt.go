package native

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/mixer"
	"parley/sound"
)

// reel is sounds played one after the other, at one rate.
type reel struct {
	sounds  []sound.Player // each at its beginning
	frame   int            // samples of a tick
	loop    bool
	endless bool // it has no end of its own
	fresh   bool // is where it begins, and the others of its play are not
	next    int  // index of the sound after cur
	cur     sound.Player
	gain    mixer.Gain
}

func (r *reel) empty() bool { return len(r.sounds) == 0 }

// read fills dst and says how much of it; less than all is the end.
func (r *reel) read(dst []int16) int {
	n := 0
	for {
		n += r.cur.Read(dst[n:])
		if n == len(dst) {
			return n
		}
		if r.next == len(r.sounds) && r.loop {
			r.next = 0
		}
		if r.next == len(r.sounds) {
			return n
		}
		r.cur = r.sounds[r.next]
		r.next++
	}
}

// length is the samples of a lap.
func (r *reel) length() (n int) {
	for i := range r.sounds {
		n += r.sounds[i].Len()
	}
	return n
}

// at is the sample of the lap that read begins with.
func (r *reel) at() (n int) {
	for i := range r.next - 1 {
		n += r.sounds[i].Len()
	}
	return n + r.cur.Pos()
}

// seek makes read go on from a sample of the lap. From its end on it is over, or
// begins again where it has no end.
func (r *reel) seek(to int) {
	for i := range r.sounds {
		n := r.sounds[i].Len()
		if to < n || i == len(r.sounds)-1 {
			r.cur, r.next = r.sounds[i], i+1
			r.cur.Seek(to)
			return
		}
		to -= n
	}
}

// rate is the samples of a second.
func (r *reel) rate() int { return r.frame * second }

// time is how long so many samples last.
func (r *reel) time(samples int) time.Duration {
	return time.Duration(samples) * time.Second / time.Duration(r.rate())
}

// follow goes to where another reel of the same sounds is.
func (r *reel) follow(lead *reel) { r.seek(lead.at() * r.rate() / lead.rate()) }

// reel loads a piece of media. What cannot be loaded is named in the error, and
// something else is there instead. It may block.
func (s *Switch) reel(m engine.Media, rate codec.Rate) (reel, error) {
	r := reel{frame: frame(rate), loop: m.Loop}
	var errs []error
	for _, item := range m.Items {
		c, err := s.clip(item, m.Language)
		if err != nil {
			errs = append(errs, fmt.Errorf("native: cannot play %q: %w", item, err))
			if c = s.instead(m, err); c == nil {
				continue
			}
		}
		if len(c.PCM(rate)) > 0 { // else a loop of nothing would never end
			r.sounds = append(r.sounds, c.Player(rate))
			r.endless = m.Loop || c.Endless()
		}
	}
	return r, errors.Join(errs...)
}

// instead is what is heard of a sound that cannot be loaded: a tone, or music
// where there should be some. nil: nothing, as of a recording that is not there.
func (s *Switch) instead(m engine.Media, why error) *sound.Clip {
	if errors.Is(why, ErrNoRecording) {
		return nil
	}
	spec := sound.Fallback
	if m.Loop {
		spec = sound.HoldMusic
	}
	c, err := s.clip(spec, m.Language)
	if err != nil {
		return nil // a library without those is a test's
	}
	return c
}

// clip finds a recording, or has the library load a sound. What panics there is
// a sound that cannot be played: its name may come from a caller.
func (s *Switch) clip(spec, language string) (c *sound.Clip, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("native: panic: %v", p)
			s.opts.Log.Error("sound panicked", slog.String("sound", spec), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		}
	}()
	if id, ok := strings.CutPrefix(spec, engine.RecordedName("")); ok {
		if c := s.recording(engine.LegID(id)); c != nil {
			return c, nil
		}
		return nil, ErrNoRecording
	}
	return s.opts.Sounds.Load(spec, language)
}

// prompt is what one leg is played.
type prompt struct {
	op    engine.OpID
	ready atomic.Bool // reel and err are there
	reel  reel        // the loader's, from ready on the tick's
	err   error       // of items left out; written before ready
	deck  deck

	begun, ended, told bool // the tick's
}

// read fills dst with the next 20 ms, as the prompt is told to be played, and
// says whether that is anything.
func (p *prompt) read(l *Leg, dst []int16) bool {
	reels := [...]*reel{&p.reel}
	t := p.deck.turn(p.begun, reels[:])
	p.begun = true
	n := 0
	if !p.ended && t.sounds() {
		n = t.play(&p.reel, dst)
		p.ended = t.to && n < len(dst)
	}
	clear(dst[n:])
	p.deck.end(l.sw, t, reels[:])
	return n > 0
}

// prompting fills dst with the next 20 ms of what is played to the leg alone
// and says whether that is anything. What is stopped fades for one frame.
func (l *Leg) prompting(dst []int16) bool {
	v := &l.voice
	old, want := v.playing, l.prompt.Load()
	v.playing = want
	switch {
	case old != want && old != nil && old.begun && !old.ended && !old.deck.off:
		clear(dst[old.reel.read(dst):])
		old.reel.gain.Apply(dst)
		ramp(dst, true, false)
		return true
	case want == nil || !want.ready.Load():
		clear(dst)
		return false
	}
	heard := want.read(l, dst)
	if want.ended && !want.told {
		want.told = l.sw.tell(note{kind: notePrompt, leg: l, prompt: want})
	}
	return heard
}
