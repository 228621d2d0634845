package mixer

import "testing"

func TestCeiling(t *testing.T) {
	loud, low := float32(-10), float32(-30)
	for _, c := range []struct {
		name   string
		o      CeilingOptions
		frames []float32
		want   string // + is heard, - is not
	}{
		{"none", CeilingOptions{}, []float32{0, loud, loud}, "+++"},
		{"at the ceiling", CeilingOptions{Level: -20, Mute: 2}, []float32{-20, -20}, "++"},
		{"no mute", CeilingOptions{Level: -20}, []float32{loud, loud, loud}, "+++"},
		{"at once", CeilingOptions{Level: -20, Mute: 3}, []float32{low, loud, low, low, low}, "+---+"},
		{"after two", CeilingOptions{Level: -20, Mute: 2, Hits: 2}, []float32{loud, low, loud, loud, low, low, loud}, "+++--++"},
		{"as long as it is loud", CeilingOptions{Level: -20, Mute: 2}, []float32{loud, loud, loud, low, low}, "----+"},
	} {
		var g Ceiling
		got := ""
		for _, level := range c.frames {
			if g.Pass(c.o, level) {
				got += "+"
			} else {
				got += "-"
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	var g Ceiling
	g.Pass(CeilingOptions{Level: -20, Mute: 50}, loud)
	if !g.Pass(CeilingOptions{}, loud) {
		t.Error("he stays mute when there is no ceiling any more")
	}
}
