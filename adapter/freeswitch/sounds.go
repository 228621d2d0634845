package freeswitch

import (
	"errors"
	"fmt"
	"strings"

	"parley/engine"
)

// Share is a directory of sounds that a switch on the same machine, or with the
// same file system, can play from.
type Share struct {
	Dir string
	// File writes a sound of our grammar there and returns its path.
	File func(spec, language string) (path string, err error)
}

// files are what the switch is to play, in its own grammar. With an error some
// are left out.
func (c *call) files(m engine.Media) (list []string, err error) {
	shared := c.link != nil && c.link.shares()
	for _, item := range m.Items {
		file, why := c.file(item, m.Language, shared)
		if why != nil {
			err = errors.Join(err, why)
			continue
		}
		list = append(list, file)
	}
	return list, err
}

func (c *call) file(item, language string, shared bool) (string, error) {
	switch {
	case strings.HasPrefix(item, "recorded:") && !unfit(item):
		return c.named(strings.TrimPrefix(item, "recorded:"))
	case shared && !unfit(item) && !synthetic(item):
		return c.adapter.opt.Share.File(item, language)
	default:
		return switchFile(item)
	}
}

// unfit says whether the switch would take a sound's name for more than that.
func unfit(item string) bool { return strings.ContainsAny(item, "\r\n\x00!'\"$") }

// synthetic says whether a sound is none of a file.
func synthetic(item string) bool {
	return strings.HasPrefix(item, "tone_stream://") || strings.HasPrefix(item, "silence_stream://") || strings.HasPrefix(item, "silence:")
}

// switchFile is what a switch that has none of our files is to play for a sound
// of our grammar.
func switchFile(item string) (string, error) {
	switch {
	case unfit(item):
		return "", fmt.Errorf("freeswitch: %.60q", item)
	case strings.HasPrefix(item, "silence:"):
		return "silence_stream://" + strings.TrimPrefix(item, "silence:"), nil
	case strings.Contains(item, "://"), strings.HasPrefix(item, "/"), strings.HasPrefix(item, "say:"):
		return item, nil
	}
	if own, ok := switchSounds()[item]; ok {
		return own, nil
	}
	return "", fmt.Errorf("freeswitch: %.60q is no sound that the switch has, and it cannot read ours: share state_dir", item)
}

// named is the recording of a leg's name.
func (c *call) named(id string) (string, error) {
	if o := c.adapter.find(id); o != nil && o.recording() != "" {
		return o.recording(), nil
	}
	return "", fmt.Errorf("freeswitch: no recording of %.40q at the switch", id)
}

// switchSounds are the switch's own prompts in place of ours, of the sounds
// that FreeSWITCH is packaged with.
func switchSounds() map[string]string {
	return map[string]string{
		"enter-pin":               "conference/conf-pin.wav",
		"bad-pin":                 "conference/conf-bad-pin.wav",
		"too-many-attempts":       "conference/conf-bad-pin.wav",
		"conference-locked":       "conference/conf-locked.wav",
		"now-locked":              "conference/conf-is-locked.wav",
		"now-unlocked":            "conference/conf-is-unlocked.wav",
		"conference-full":         "conference/conf-conference_is_full.wav",
		"kicked":                  "conference/conf-kicked.wav",
		"you-are-muted":           "conference/conf-muted.wav",
		"you-are-unmuted":         "conference/conf-unmuted.wav",
		"you-are-alone":           "conference/conf-alone.wav",
		"you-are-joining":         "conference/conf-welcome.wav",
		"welcome":                 "conference/conf-welcome.wav",
		"wait-for-moderator":      "conference/conf-conference_will_start_shortly.wav",
		"conference-ended":        "conference/conf-goodbye.wav",
		"moderator-left":          "conference/conf-goodbye.wav",
		"goodbye":                 "conference/conf-goodbye.wav",
		"enter-conference-number": "conference/conf-enter_conf_number.wav",
		"has-joined":              "conference/conf-has_joined.wav",
		"has-left":                "conference/conf-has_left.wav",
	}
}

// oneFile joins files to one that the switch plays in turn.
func oneFile(files []string) string {
	if len(files) == 1 {
		return files[0]
	}
	return "file_string://" + strings.Join(files, "!")
}

// inConference is the argument of a conference's play command.
func inConference(files []string, loop bool) string {
	file := oneFile(files)
	switch {
	case !loop, strings.HasPrefix(file, "local_stream://"):
		return file
	case strings.HasPrefix(file, "tone_stream://") && !strings.Contains(file, ";loops="):
		return file + ";loops=-1"
	default:
		return "{loops=-1}" + file
	}
}
