package fsapi

import (
	"path"
	"strings"
	"time"

	"parley/engine"
)

// soundPrefix is the setting that "set" makes: the folder of files that are
// named without one.
const soundPrefix = "sound_prefix"

// prefixed is the sound that a name means, by the room's folder of sounds.
func (c *call) prefixed(file string) string {
	r := c.a.runOf(c.view.Instance)
	if prefix := r.set[soundPrefix]; prefix != "" && !path.IsAbs(file) && !strings.Contains(file, ":") {
		return prefix + "/" + file
	}
	return file
}

// typed is what a command has called a sound that it plays.
type typed struct {
	instance engine.InstanceID
	play     string
	file     string // "" = it is not played
}

// plays are those into the room, or to a member.
func (c *call) plays(to engine.MemberID) (all []*engine.PlayView) {
	for i := range c.view.Plays {
		if p := &c.view.Plays[i]; p.Member == to {
			all = append(all, p)
		}
	}
	return all
}

// current is the play whose turn it is, or that is beside the others, or nil.
func (c *call) current(to engine.MemberID, beside bool) *engine.PlayView {
	for _, p := range c.plays(to) {
		if p.Beside == beside {
			return p
		}
	}
	return nil
}

// whilePlaying is a command about what plays, to the room or to the member whose
// word is at a place. p is nil where nothing does.
func whilePlaying(at int, do func(c *call, p *engine.PlayView)) func(*call) bool {
	return func(c *call) bool {
		if len(c.words) < at || len(c.words) > at+1 {
			return false
		}
		var who engine.MemberID
		if len(c.words) > at {
			m := c.one(c.words[at])
			if m == nil {
				return false
			}
			who = m.ID
		}
		do(c, c.current(who, false))
		return true
	}
}

// steer changes what plays.
func (c *call) steer(p *engine.PlayView, change engine.PlayControl) bool {
	return c.do(engine.ControlPlay{Member: p.Member, ID: p.ID, PlayControl: change})
}

// pausePlay stops what plays, or has it go on. Where nothing plays it is silent.
func (c *call) pausePlay(p *engine.PlayView) {
	if p == nil {
		return
	}
	var on bool
	switch {
	case !c.do(engine.ControlPlay{Member: p.Member, ID: p.ID, Next: other(&on)}):
	case on:
		c.printf("+OK Pause\n")
	default:
		c.printf("+OK Resume\n")
	}
}

// samples are how many a time has, at the room's rate.
func (c *call) samples(d time.Duration) int64 {
	return int64(d) * int64(rateOf(c.members())) / int64(time.Second)
}

// playStatus says how far it is, and what, without its scheme.
func (c *call) playStatus(p *engine.PlayView) {
	if p == nil {
		c.printf("-ERR Nothing is playing\n")
		return
	}
	file := strings.Join(p.Items, "!")
	if _, rest, ok := strings.Cut(file, "://"); ok {
		file = rest
	}
	c.printf("+OK %d/%d %s\n", c.samples(p.Position), c.samples(p.Duration), file)
}

// seekStep is how far "+" and "-" go without a number.
const seekStep = 1000 // ms

// fileSeek has it go on elsewhere: at a number of milliseconds, or so many on or
// back. The switch says the place before it goes there, and so beyond the end.
func (c *call) fileSeek(p *engine.PlayView) {
	if p == nil {
		return
	}
	word := c.words[0]
	digits := strings.TrimLeft(word, "+-")
	ms := max(0, atoi(digits))
	seek := engine.Seek{By: digits != word}
	if seek.By && ms == 0 {
		ms = seekStep
	}
	if strings.HasPrefix(word, "-") {
		ms = -ms
	}
	seek.To = time.Duration(ms) * time.Millisecond
	to := seek.To
	if seek.By {
		to = max(0, p.Position+seek.To)
	}
	if c.steer(p, engine.PlayControl{Seek: &seek}) {
		c.printf("+OK seek to position %d\n", c.samples(to))
	}
}

// silentVolume is the lowest of the switch's volumes of files, which are dB.
const silentVolume = 50

// fileVolume sets how loud what plays is. A second word that is not async means
// what is beside the others: so it is at the switch.
func (c *call) fileVolume() bool {
	if len(c.words) == 0 {
		c.printf("-ERR missing args\n")
		return false
	}
	p := c.current(0, len(c.words) > 1 && !strings.EqualFold(c.words[1], "async"))
	if p == nil {
		c.printf("-ERR File not playing\n")
		return false
	}
	gain := engine.Decibels(min(silentVolume, max(0, atoi(strings.TrimLeft(c.words[0], "+-")))))
	switch {
	case !strings.HasPrefix(c.words[0], "-"):
	case gain == silentVolume:
		gain = -100
	default:
		gain = -gain
	}
	if c.steer(p, engine.PlayControl{Gain: &gain}) {
		c.printf("+OK volume changed\n")
	}
	return true
}

// stop ends what "play" plays: all, the one whose turn it is, or the one beside
// the others.
func (c *call) stop() bool {
	what := "all"
	if len(c.words) > 0 {
		what = strings.ToLower(c.words[0])
	}
	if what != "all" && what != "current" && what != "async" {
		return false
	}
	var who engine.MemberID
	if len(c.words) == 2 {
		m := c.one(c.words[1])
		if m == nil {
			return true
		}
		who = m.ID
	}
	n, ok := 0, true
	if what == "all" || who != 0 {
		n = len(c.plays(who))
		ok = n == 0 || c.do(engine.StopPlay{Member: who})
	} else if p := c.current(0, what == "async"); p != nil {
		n, ok = 1, c.do(engine.StopPlay{ID: p.ID})
	}
	if ok {
		c.printf("+OK Stopped %d files.\n", n)
	}
	return true
}
