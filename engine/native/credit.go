package native

import "math/rand/v2"

// MaxVoices is how many a packet names (RFC 3550 §5.1).
const MaxVoices = 15

// Voice is one who is heard in a packet.
type Voice struct {
	SSRC  uint32 // his name
	Level uint8  // -dBov, 0 to 127 (RFC 6465 §3)
}

// Crediter is what a Port may offer besides, when its packets can name who is
// heard in them (RFC 3550 §7.1, RFC 6465).
type Crediter interface {
	// Credits says whether the peer wants to be told, as of this tick.
	Credits() bool
	// Credit names who is in the payload that is sent next; it copies.
	Credit(voices []Voice)
	// SSRC is the name by which the peer sends; 0 is none.
	SSRC() uint32
}

// creditMost is one more than a packet names: whoever is named does not name
// himself.
const creditMost = MaxVoices + 1

// credits are the loudest who are heard in a tick, loudest first. A room has one
// list for all its mixes, for in each of them the same are heard.
type credits struct {
	done   uint64 // tick that the list is of
	n      int
	voices [creditMost]Voice
	legs   [creditMost]*Leg
	some   [creditMost]Voice // of one listener
}

// credit has a listener's next packet name who is heard in it.
func (st *seat) credit(b *Bridge, p *plan, hears bool, n uint64) {
	port := st.leg.crediter
	if !hears || !port.Credits() {
		port.Credit(nil)
		return
	}
	c := &b.mine.credits
	if c.done != n {
		c.list(b, p)
		c.done = n
	}
	if !st.leg.voice.spoke && len(st.denied) == 0 {
		port.Credit(c.voices[:min(c.n, MaxVoices)])
		return
	}
	k := 0
	for i := range c.n {
		if c.legs[i] != st.leg && !st.denies(c.legs[i]) && k < MaxVoices {
			c.some[k] = c.voices[i]
			k++
		}
	}
	port.Credit(c.some[:k])
}

// denies says whether he is kept from hearing somebody.
func (st *seat) denies(l *Leg) bool {
	for i := range st.denied {
		if st.denied[i].on && st.denied[i].from == l {
			return true
		}
	}
	return false
}

// list finds the loudest members who are in the mix of this tick.
func (c *credits) list(b *Bridge, p *plan) {
	c.n = 0
	for i := range p.seats {
		l := p.seats[i].leg
		if b.said(l) == nil {
			continue
		}
		if level := l.voice.loudness(); level < levelMost {
			c.insert(l, Voice{SSRC: b.name(l, p), Level: level})
		}
	}
}

// insert keeps the list in order. Of equals the one who was there first is first.
func (c *credits) insert(l *Leg, v Voice) {
	at := c.n
	for at > 0 && c.voices[at-1].Level > v.Level {
		at--
	}
	if at == creditMost {
		return
	}
	c.n = min(c.n+1, creditMost)
	copy(c.voices[at+1:c.n], c.voices[at:])
	copy(c.legs[at+1:c.n], c.legs[at:])
	c.voices[at], c.legs[at] = v, l
}

// levelMost is silence, in -dBov.
const levelMost = 127

// loudness is how loud a voice is in the mix, in -dBov.
func (v *voice) loudness() uint8 {
	return uint8(min(max(0.5-v.mixed(), 0), levelMost))
}

// mixed is that in dBov, not rounded.
func (v *voice) mixed() float32 { return v.said + float32(v.talkDB) + float32(v.evenDB) }

// name is by what others know a voice: what its phone calls it, unless another
// in the room is called so, or nothing.
func (b *Bridge) name(l *Leg, p *plan) uint32 {
	v := &l.voice
	if l.crediter == nil {
		return v.alias
	}
	if ssrc := l.crediter.SSRC(); ssrc != v.ssrc {
		v.ssrc, v.named = ssrc, v.alias
		if ssrc != 0 && !b.knows(ssrc, l, p) {
			v.named = ssrc
		}
	}
	return v.named
}

// knows says whether somebody else in the room has a name.
func (b *Bridge) knows(name uint32, but *Leg, p *plan) bool {
	for i := range p.seats {
		if l := p.seats[i].leg; l != but && l.owner.Load() == b && l.voice.named == name {
			return true
		}
	}
	return false
}

// aliasOf makes a name for who has none.
func aliasOf() uint32 { return rand.Uint32() | 1 }
