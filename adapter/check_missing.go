package adapter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"parley/adapter/config"
	"parley/adapter/freeswitch"
	"parley/sound"
)

// Missing is what our own library lacks of the sounds of a configuration, and
// which switches lack the same: that is one problem, and one line.
type Missing struct {
	good      int
	languages []string

	mu   sync.Mutex
	list []*missing
}

type missing struct {
	config.Sound
	err error
	nor []string // guarded by Missing.mu: "on pbx1 in /a, /b"
}

// CheckSounds looks for every sound in our library.
func CheckSounds(c *config.Config) (*Missing, error) {
	library, err := NewSounds(c)
	if err != nil {
		return nil, err
	}
	m := &Missing{}
	for _, s := range c.Sounds() {
		if err := library.Check(s.Spec, s.Language); err != nil {
			m.list = append(m.list, &missing{Sound: s, err: err})
			continue
		}
		m.good++
		if !slices.Contains(m.languages, s.Language) {
			m.languages = append(m.languages, s.Language)
		}
	}
	return m, nil
}

// also notes that a switch lacks a sound, and says whether we lack it too.
func (m *Missing) also(name string, l freeswitch.Lack) bool {
	if m == nil || l.Dirs == nil && l.File != "" { // it is there, and cannot be played
		return false
	}
	where := "on " + name
	if l.Dirs != nil {
		where += " in " + freeswitch.Places(l.Dirs)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	too := false
	for _, one := range m.list {
		if one.Conferences == nil || one.Spec != l.Spec || one.Language != l.Language || !errors.Is(one.err, sound.ErrMissing) {
			continue
		}
		too = true
		if !slices.Contains(one.nor, where) {
			one.nor = append(one.nor, where)
		}
	}
	return too
}

// Findings are the lines about it, after the switches were looked at.
func (m *Missing) Findings() []Finding {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Finding
	for _, s := range m.list {
		why, heard := s.err.Error(), instead(s.Key)
		if s.nor != nil {
			slices.Sort(s.nor)
			why += ", nor " + strings.Join(s.nor, ", nor ")
			heard += ", and nothing where a switch mixes"
		}
		found = append(found, Found("sounds", false, fmt.Sprintf("%s: %s %s. Callers will hear %s. [media_missing]", s.Place(), s.Key, why, heard)))
	}
	return append(found, Found("sounds", len(m.list) == 0, fmt.Sprintf("%d of %d prompts and tones found for %s",
		m.good, m.good+len(m.list), strings.Join(m.languages, ", "))))
}

// instead is what is heard of a sound that is missing.
func instead(key string) string {
	if key == "wait_sound" || key == "moh_sound" {
		return "the built-in music"
	}
	return "the default tone"
}
