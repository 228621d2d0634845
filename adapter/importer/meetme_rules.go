package importer

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"parley/engine"
)

// meetMeWays are what MeetMe does without an option and Parley does otherwise.
func meetMeWays() []ownWay {
	return []ownWay{
		{"", "pin_failed_sound", plain("none")},
		{"d", "create", plain("existing_only")},
		{"o", "gate", quoted("off")},
		{"M", "moh_sound", plain("none")},
		{"s", "controls", plain("none")},
	}
}

// sets maps an option to keys, given as KEY VALUE KEY VALUE.
func sets(pairs ...string) func(s *section, at param) error {
	return func(s *section, at param) error {
		for i := 0; i < len(pairs); i += 2 {
			s.set(pairs[i], plain(pairs[i+1]), at)
		}
		return nil
	}
}

// but maps an option as to does, and reports what is not the same.
func but(kind Kind, text string, to func(s *section, at param) error) rule[*section] {
	return rule[*section]{to: func(s *section, at param) error {
		s.report(at, kind, "%s", text)
		return to(s, at)
	}}
}

func meetMeRules() map[string]rule[*section] {
	everybody := "A profile does not make everybody a moderator; set parley_role in the dialplan, or use the admin PIN."
	empty := "Parley looks for no empty room; let the dialplan choose the number."
	limit := "A stay has no limit of time."
	names := sets("announce_name", "true")
	return map[string]rule[*section]{
		"a": {kind: Lost, text: everybody},
		"A": {kind: Lost, text: everybody},
		"b": {kind: Lost, text: "Parley runs no AGI."},
		"c": but(Differs, "The joiner is in the number.", sets("announce_count", "2")),
		"C": {kind: Unneeded, text: "The dialplan always goes on."},
		"d": {to: sets("create", "on_demand")},
		"D": but(Lost, "Whoever opens a room cannot give it a PIN.", sets("create", "on_demand")),
		"e": {kind: Lost, text: empty},
		"E": {kind: Lost, text: empty},
		"F": {kind: Lost, text: "Keys are not passed on to the others."},
		"G": {to: (*section).meetMeIntro},
		"i": but(Differs, "Nobody can listen to his name and say it again.", names),
		"I": {to: names},
		"k": {kind: Lost, text: "A room does not end because one is left in it."},
		"l": but(Differs, "Who has a key for it may unmute himself.", sets("join_muted", "true")),
		"L": {kind: Lost, text: limit},
		"m": {to: sets("join_muted", "true")},
		"M": {to: (*section).meetMeMusic},
		"n": {kind: Unneeded, text: "Parley takes no noise out of a voice."},
		"o": {to: sets("gate", "auto")},
		"p": {to: (*section).meetMeExit},
		"P": {kind: Unneeded, text: "A PIN is asked for wherever there is one, unless the dialplan gives it."},
		"q": {to: sets("play_entry_tone", "false", "play_exit_tone", "false")},
		"r": but(Differs, "The format is WAV, and the dialplan's MEETME_RECORDINGFILE does not count; set PARLEY_RECORD_FILE.",
			sets("record", "from_start", "record_file", "meetme-conf-rec-${room}-${instance}.wav")),
		"s": {to: (*section).meetMeMenu},
		"S": {kind: Lost, text: limit},
		"t": but(Differs, "Who has a key for it may hear again.", sets("join_deaf", "true")),
		"T": {kind: Unneeded, text: ownEvent},
		"v": but(Differs, "The name is asked for; there is no greeting of a voice mailbox.", names),
		"w": {to: (*section).meetMeWait},
		"x": {to: sets("moderator.end_on_exit", "last")},
		"X": {kind: Lost, text: "A key does not go to another context; leave by p, and let the dialplan go on."},
		"1": {to: sets("alone_sound", "none")},
	}
}

func meetMeGeneral() map[string]rule[*section] {
	schedule := rule[*section]{kind: Unneeded, text: "It is only for rooms of a database."}
	return map[string]rule[*section]{
		"audiobuffers":   {kind: Unneeded, text: "Every call has a jitter buffer; see media.jitter_ms."},
		"schedule":       {kind: Lost, text: "Parley has no rooms of a database.", off: untrue},
		"logmembercount": schedule,
		"fuzzystart":     schedule,
		"earlyalert":     schedule,
		"endalert":       schedule,
		"extendby":       schedule,
		"rtcachefriends": schedule,
	}
}

func (s *section) meetMeIntro(at param) error {
	if at.value == "" {
		s.report(at, Unneeded, "It names no file.")
		return nil
	}
	if s.sound([]string{"entry_prompt"}, at) {
		s.set("play_entry_prompt", plain("true"), at)
	}
	return nil
}

func (s *section) meetMeMusic(at param) error {
	if at.value == "" || at.value == "default" {
		s.set("moh_sound", plain("local_stream://moh"), at)
		return nil
	}
	s.values["music_on_hold_when_empty"] = param{value: "yes"}
	return s.musicClass(at)
}

func (s *section) meetMeExit(at param) error {
	keys := at.value
	if keys == "" {
		keys = "#"
	}
	if strings.Trim(keys, decimals+"*#") != "" {
		s.report(at, Lost, "A key that leaves must be one of 0-9 * #.")
		return nil
	}
	if len(keys) > 1 {
		s.report(at, Differs, "One key leaves here, %c.", keys[0])
	}
	s.set("terminator", quoted(keys[:1]), at)
	return nil
}

func (s *section) meetMeWait(at param) error {
	s.set("wait_for_moderator", plain("true"), at)
	s.set("rewait_on_moderator_exit", plain("true"), at)
	if at.value == "" {
		return nil
	}
	if n, ok := atLeastZero(at.value); ok && n <= maxCount {
		s.set("wait_timeout_s", number(n), at)
		return nil
	}
	s.report(at, Lost, "Its time is not a whole number of seconds up to %d; there is no limit here.", maxCount)
	return nil
}

// meetMeMenu makes the two menus behind the star, with a star before each key.
func (s *section) meetMeMenu(at param) error {
	s.report(at, Differs, "The menu behind * is keys that begin with *: no voice reads it out, and of those of admins there is *2 alone.")
	user := []engine.Control{
		{Digits: "*1", Action: engine.ActionMute},
		{Digits: "*4", Action: engine.ActionListenDown},
		{Digits: "*6", Action: engine.ActionListenUp},
		{Digits: "*7", Action: engine.ActionTalkDown},
		{Digits: "*9", Action: engine.ActionTalkUp},
	}
	for name, controls := range map[string][]engine.Control{
		"member.controls":    user,
		"moderator.controls": append(slices.Clip(user), engine.Control{Digits: "*2", Action: engine.ActionLock}),
	} {
		l := &yaml.Node{Kind: yaml.SequenceNode}
		for _, c := range controls {
			l.Content = append(l.Content, keyList([]key{{c, 0}}).Content...)
		}
		s.set(name, l, at)
	}
	return nil
}
