package mixer

// CeilingOptions says who is too loud. The zero value is nobody.
type CeilingOptions struct {
	Level float32 // dBov from which on a frame is too loud; 0 = none is
	Hits  int     // so many such frames are let through
	Mute  int     // frames that come out as silence after one more
}

// Ceiling keeps who is too loud too often out of a mix for a while. Frames that
// are too loud are counted until it has done so. The zero value is ready.
type Ceiling struct{ hits, mute int }

// Pass takes the level of the next frame in dBov; false means that it is not
// to be heard.
func (c *Ceiling) Pass(o CeilingOptions, level float32) bool {
	if o.Level == 0 {
		*c = Ceiling{}
		return true
	}
	if level > o.Level {
		if c.hits++; c.hits > o.Hits {
			c.mute = o.Mute
		}
	}
	if c.mute == 0 {
		return true
	}
	if c.mute--; c.mute == 0 {
		c.hits = 0
	}
	return false
}
