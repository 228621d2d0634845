package asterisk

import (
	"slices"
	"time"

	"parley/ari"
	"parley/engine"
)

// What Asterisk makes of keys (channel.c): it has each last for so long at least,
// with so long a pause behind it, whatever came.
const (
	keyLeast = 80 * time.Millisecond
	keyGap   = 45 * time.Millisecond

	// keySlack is by how much the switch's times may be beside ours, and keyLate by how
	// much what it plays of a short key may end later: it looks with each packet.
	keySlack = 5 * time.Millisecond
	keyLate  = 60 * time.Millisecond

	// againTime is how long after it may a key that was put back is told again, and
	// perhapsTime one that was perhaps.
	againTime   = time.Second
	perhapsTime = 300 * time.Millisecond
)

// keyFilter takes out the keys that Asterisk tells twice. One that comes while the
// switch still plays the one before, or too soon behind it, is put back and read
// again, and ChannelDtmfReceived comes of both: of RFC 4733 keys in quick succession,
// by a speed dial or on a busy machine. Those of SIP INFO wait, and are told once.
// Times are the switch's.
type keyFilter struct {
	idle time.Time          // from when on a key is taken at once
	back []putBack          // in their order
	last map[byte]time.Time // when a key was let go of
}

// putBack is a key that is told again until then at the latest.
type putBack struct {
	key   byte
	until time.Time
}

// pressed says whether a key that is told of at a time was pressed, or was told of
// before. held is how long, as the switch says.
func (f *keyFilter) pressed(at time.Time, key byte, held time.Duration) bool {
	f.back = slices.DeleteFunc(f.back, func(b putBack) bool { return at.After(b.until) })
	again := at.Sub(f.last[key]) < held // nobody holds a key for longer than since he let go of it
	if i := slices.IndexFunc(f.back, func(b putBack) bool { return b.key == key }); i >= 0 {
		f.back, again = f.back[i+1:], true
	}
	switch begun := at.Add(-held); {
	case again:
		f.idle = at.Add(max(held, keyLeast) + keyGap)
		return false
	case at.Before(f.idle.Add(-keySlack)):
		f.back = append(f.back, putBack{key, at.Add(againTime)})
	case begun.Before(f.idle): // its beginning was too early to count: it is played whole from now on, if it was not put back
		if held < keyLeast && at.Before(f.idle.Add(keyLate)) {
			f.back = append(f.back, putBack{key, at.Add(perhapsTime)})
		}
		f.idle = at.Add(max(held, keyLeast) + keyGap)
	default:
		f.idle = begun.Add(max(held, keyLeast) + keyGap)
	}
	if f.last == nil {
		f.last = map[byte]time.Time{}
	}
	f.last[key] = at
	return true
}

// takeKey hands on a key of the caller. Without a time it is taken as it is.
func (c *call) takeKey(e *ari.ChannelDtmfReceived) {
	if len(e.Digit) != 1 {
		return
	}
	key, held := e.Digit[0], time.Duration(e.DurationMs)*time.Millisecond
	if at := time.Time(e.Timestamp); at.IsZero() || c.filter.pressed(at, key, held) {
		c.press(engine.Digit{Digit: key, Held: held})
	}
}
