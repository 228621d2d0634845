package engine

import (
	"errors"
	"slices"
)

// Limited is what a Bridge may offer besides: what has no effect where it is,
// of all that a profile, a call or a command may ask for.
type Limited interface {
	Limits() []Limit
}

// Limit is what a place cannot do, and why. Safe to share.
type Limit struct {
	Settings []string `json:"settings"` // names of explain: gate, talk_gain_db …
	Why      string   `json:"why"`
}

// limits are those of the place where the room is mixed.
func (r *room) limits() []Limit {
	if r.at == nil {
		return nil
	}
	if l, ok := r.at.bridge.(Limited); ok {
		return l.Limits()
	}
	return nil
}

// limit marks what is not in force because the place cannot do it.
func (f roomFacts) limit(l settings) settings {
	for i := range l {
		for _, no := range f.limits {
			if l[i].Lost == "" && slices.Contains(no.Settings, l[i].Name) {
				l[i].Lost = no.Why
			}
		}
	}
	return l
}

// cannot tells a member's call what its place did not do that no command was
// refused for: it asked by a variable or a key.
func (s *seat) cannot(err error) {
	if !errors.Is(err, ErrCannot) {
		return
	}
	if text := shown(err.Error(), maxWarning); !slices.Contains(s.out.Warnings, text) {
		s.out.Warnings = tidyWarnings(append(s.out.Warnings, text))
	}
}
