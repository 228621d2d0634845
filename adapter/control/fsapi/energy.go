package fsapi

import (
	"strconv"
	"strings"
	"time"

	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
)

// levels are a member's, in the switch's measure of energy.
type levels struct {
	energy int // of his talk gate; 0 = it is open
	auto   int // > 0: the gate follows his noise
	agc    int // > 0: he is brought to the loudness of all

	most, muteMS, hits int // more energy than most, so often, mutes him; hits less usualHits
}

// usualHits is how often he may be too loud where no command has said.
const usualHits = 5

// levelled is a change of a member's levels, and what is told of it.
type levelled struct {
	instance engine.InstanceID
	member   engine.MemberID
	to       levels
	action   conference.Action
	more     esl.Headers
}

// levelsOf are those of a member; where no command has set them, those that
// follow from the profile.
func (r *run) levelsOf(id engine.MemberID) levels {
	if l, ok := r.levels[id]; ok {
		return l
	}
	return r.usual
}

// usualLevels are those of a profile. Its automatic gate and an open one have
// no energy.
func usualLevels(p *engine.Profile) (l levels) {
	if p.Sound.Gate < 0 {
		l.energy = (conference.EnergyOf(float64(p.Sound.Gate)) + 5) / 10 * 10 // a dB is a tenth of it, anyway
	}
	return l
}

// treatment is what the engine is to do by these levels.
func (l levels) treatment() engine.Treatment {
	t := engine.Treatment{OwnGate: true, Gate: engine.GateOff, OwnAGC: true, AGC: l.agc > 0}
	if l.most > 0 {
		t.Ceiling = engine.Ceiling{
			Level: min(-1, int(conference.GateLevel(l.most))), Hits: usualHits + l.hits, Mute: time.Duration(l.muteMS) * time.Millisecond,
		}
	}
	switch {
	case l.auto > 0:
		t.Gate = engine.GateAuto
	case l.energy > 0:
		t.Gate = min(-1, engine.Gate(conference.GateLevel(l.energy)))
	}
	return t
}

// energyStep is by how much "up" and "down" change an energy.
const energyStep = 200

// energyFrom reads "up", "down" or a number, which is taken as it is.
func energyFrom(now int, data string) int {
	switch {
	case strings.EqualFold(data, "up"):
		return min(now+energyStep, conference.MaxEnergy)
	case strings.EqualFold(data, "down"):
		return max(now-energyStep, 0)
	default:
		return atoi(data)
	}
}

// level changes a member's levels, if there is a value to change them to. The
// room asks for it: what several clients order comes one after the other.
func (c *call) level(m *engine.MemberView, data string, action conference.Action, change func(*levels) esl.Headers) (levels, bool) {
	l := c.a.levelsOf(c.view.Instance, m.ID)
	if data == "" {
		change(&l)
		return l, true
	}
	ok := c.do(engine.Treat{Member: m.ID, To: func() engine.Treatment {
		l = c.a.levelsOf(c.view.Instance, m.ID)
		more := change(&l)
		c.a.put(levelled{c.view.Instance, m.ID, l, action, more})
		return l.treatment()
	}})
	if !ok { // or not yet: what the room may still do is not to be read
		return levels{}, false
	}
	return l, true
}

func (a *API) levelsOf(room engine.InstanceID, id engine.MemberID) levels {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.catchUp()
	if r := a.rooms[room]; r != nil {
		return r.levelsOf(id)
	}
	return levels{}
}

func numbered(name string, n int) esl.Header {
	return esl.Header{Name: name, Value: strconv.Itoa(n)}
}

func (c *call) energy(m *engine.MemberView, data string) {
	exceeded := false
	l, ok := c.level(m, data, conference.EnergySet, func(l *levels) esl.Headers {
		if data != "" {
			l.energy = energyFrom(l.energy, data)
		}
		if exceeded = l.auto > 0 && l.energy > l.auto; exceeded {
			l.auto = 0
		}
		return esl.Headers{numbered("Energy-Level", l.energy)}
	})
	if !ok {
		return
	}
	c.printf("Energy %d = %d\n", m.ID, l.energy)
	if exceeded {
		c.printf("Auto-Energy level exceeded, Auto-Energy mode disabled\n")
	}
}

// autoEnergy has the gate follow the noise. A gate that was open gets half of
// the level, after the answer.
func (c *call) autoEnergy(m *engine.MemberView, data string) {
	shown := 0
	l, ok := c.level(m, data, "auto-energy-level-member", func(l *levels) esl.Headers {
		shown = l.energy
		if data != "" {
			l.auto = energyFrom(l.auto, data)
			if l.energy == 0 {
				l.energy = l.auto / 2
			}
		}
		return esl.Headers{numbered("Auto-Energy-Level", l.auto), numbered("Energy-Level", l.energy)}
	})
	if ok {
		c.printf("%d = Auto-Energy: %d Energy: %d\n", m.ID, l.auto, shown)
	}
}

// agc brings a member to the loudness of all. LEVEL may be followed by what the
// switch's own needs; ours does not. As at the switch, a level of 0, and a word,
// leave it as it is, and the answer says so; "down" to 0 ends it.
func (c *call) agc(m *engine.MemberView, data string) {
	l, ok := c.level(m, data, "agc-level-member", func(l *levels) esl.Headers {
		if n := energyFrom(l.agc, data); n > 0 || strings.EqualFold(data, "down") {
			l.agc = n
		}
		return esl.Headers{numbered("Agc-Level", l.agc)}
	})
	if ok {
		c.printf("Agc %d = %d\n", m.ID, l.agc)
	}
}

// maxEnergy mutes a member for a while who is too loud too often: LEVEL, or
// LEVEL:MS, or LEVEL:MS:TIMES. The switch mixes up the first two values that it
// shows, and an event's last is the first again.
func (c *call) maxEnergy(m *engine.MemberView, data string) {
	exceeds := false
	l, ok := c.level(m, data, "max-energy-level-member", func(l *levels) esl.Headers {
		if data != "" {
			l.most = energyFrom(l.most, data)
		}
		if exceeds = l.most != 0 && l.most < l.energy; exceeds {
			l.most = 0
		} else if _, rest, ok := strings.Cut(data, ":"); ok {
			l.burst(rest)
		}
		return esl.Headers{
			numbered("Max-Energy-Level", l.most), numbered("Max-Energy-Mute", l.muteMS),
			numbered("Max-Energy-Hit-Trigger", usualHits+l.hits), numbered("Energy-Level", l.most),
		}
	})
	if !ok {
		return
	}
	if exceeds {
		c.printf("-ERR %d Max-Energy cannot exceed energy level.\n", m.ID)
	}
	c.printf("%d = Max-Energy: %d Energy: %d Max-Energy-Mute: %dms Max-Energy-Hit-Trigger %d\n", m.ID, l.energy, l.most, l.muteMS, usualHits+l.hits)
}

// burst reads MS:TIMES; what is missing or below 0 stays, and no time is 0.
func (l *levels) burst(text string) {
	ms, times, more := strings.Cut(text, ":")
	if n := atoi(ms); text != "" && n >= 0 {
		l.muteMS = n / 20 * 20
	}
	if n := atoi(times); more && times != "" && n >= 0 {
		l.hits = n - usualHits
	}
}

// press sends keys to a member's phone.
func (c *call) press(m *engine.MemberView, digits string) {
	if digits == "" {
		c.printf("-ERR Invalid input!\n")
		return
	}
	if c.do(engine.Press{Member: m.ID, Digits: digits}) {
		c.a.put(again{instance: c.view.Instance, member: m.ID, action: conference.DTMFSent, more: esl.Headers{{Name: "Digits", Value: digits}}})
		c.printf("+OK sent %s to %d\n", digits, m.ID)
	}
}
