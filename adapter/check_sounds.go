package adapter

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"parley/adapter/config"
	"parley/adapter/freeswitch"
)

// sharedSounds is the folder into which sounds are written for switches.
func sharedSounds(c *config.Config) string { return filepath.Join(c.StateDir, "sounds") }

// wishes are the sounds that a FreeSWITCH is to play, and who wants each.
type wishes struct {
	sounds []config.Sound
	specs  []freeswitch.Wish
}

func switchSounds(c *config.Config) (w wishes) {
	for _, s := range c.Sounds() {
		if s.Conferences != nil {
			w.sounds = append(w.sounds, s)
			w.specs = append(w.specs, freeswitch.Wish{Spec: s.Spec, Language: s.Language, Conferences: s.Conferences})
		}
	}
	return w
}

// switchedRooms are the rooms that need a switch to have sounds.
const switchedRooms = "rooms with mixer: switch"

// fault is what a switch lacks for one cause.
type fault struct {
	why     string
	names   []string
	unasked bool // nobody has set these
}

// judge says what a switch lacks, in one line for all that it has looked for in
// the same folders. That it has nothing like a prompt of ours that nobody has
// asked for is no problem.
func (w wishes) judge(name, share string, is freeswitch.Found, ours *Missing) (found []Finding) {
	absolute, err := filepath.Abs(share)
	if err != nil {
		absolute = share
	}
	if is.Shared {
		return []Finding{Found(name, true, fmt.Sprintf("reads Parley's sounds for %s from %s", switchedRooms, absolute))}
	}
	bad, n := false, len(w.specs)-len(is.Lacks)
	theirs := slices.DeleteFunc(is.Lacks, func(l freeswitch.Lack) bool { return ours.also(name, l) })
	for _, f := range w.faults(name, theirs) {
		part, what := name, "Install them there, or let"
		if f.unasked {
			part, what = "warning", "Let"
		}
		bad = bad || !f.unasked
		found = append(found, Found(part, f.unasked, fmt.Sprintf("%s: %s. Callers of %s will hear nothing. %s %s read %s. [media_missing]",
			strings.Join(f.names, ", "), f.why, switchedRooms, what, name, absolute)))
	}
	return append(found, Found(name, !bad, fmt.Sprintf("%d of %d sounds of %s found", n, len(w.specs), switchedRooms)))
}

// faults puts together what is lacking for the same cause.
func (w wishes) faults(name string, lacks []freeswitch.Lack) (faults []*fault) {
	for _, l := range lacks {
		owner := w.owner(l)
		now := fault{why: l.Why, unasked: l.File == "" && owner == ""}
		switch {
		case l.Dirs != nil:
			now.why = fmt.Sprintf("not found on %s in %s", name, freeswitch.Places(l.Dirs))
		case l.File == "":
			now.why = name + " has nothing like it"
		}
		i := slices.IndexFunc(faults, func(f *fault) bool { return f.why == now.why && f.unasked == now.unasked })
		if i < 0 {
			i, faults = len(faults), append(faults, &now)
		}
		if sound := owner + l.Sound(); !slices.Contains(faults[i].names, sound) {
			faults[i].names = append(faults[i].names, sound)
		}
	}
	return faults
}

// owner says who wants a sound; of those that nobody has set it is enough to
// name the sound.
func (w wishes) owner(l freeswitch.Lack) string {
	for _, s := range w.sounds {
		if s.Spec == l.Spec && s.At != "" {
			return s.Place() + ": " + s.Key + " "
		}
	}
	return ""
}
