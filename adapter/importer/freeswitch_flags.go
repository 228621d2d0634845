package importer

import (
	"fmt"
	"strings"

	"parley/engine"
)

// flag is what becomes of one word of member-flags or conference-flags.
type flag struct {
	to   func(p *profile, at param)
	kind Kind
	text string
}

// flags maps a list of flags, parted by bars or commas.
func (p *profile) flags(at param, known map[string]flag) error {
	for word := range strings.FieldsFuncSeq(at.value, func(r rune) bool { return r == '|' || r == ',' || r == ' ' }) {
		f, ok := known[word]
		if !ok {
			f = flag{kind: Unneeded, text: "mod_conference does not know it either."}
		}
		if f.to != nil {
			f.to(p, at)
		}
		if f.kind != "" {
			p.add(at.line, p.where, at.name+" "+word, f.kind, "%s", f.text)
		}
	}
	return nil
}

// setter sets keys, given as KEY VALUE KEY VALUE.
func setter(pairs ...string) func(p *profile, at param) {
	return func(p *profile, at param) {
		for i := 0; i < len(pairs); i += 2 {
			p.set(pairs[i], plain(pairs[i+1]), at.from())
		}
	}
}

func memberFlags() map[string]flag {
	video := flag{kind: Lost, text: noVideo}
	return map[string]flag{
		"mute":                     {to: setter("join_muted", "true")},
		"deaf":                     {to: setter("join_deaf", "true")},
		"nomoh":                    {to: func(p *profile, _ param) { p.lonely = true }},
		"endconf":                  {to: setter("member.end_on_exit", "any", "moderator.end_on_exit", "any")},
		"mandatory_member_endconf": {to: setter("member.end_on_exit", "last", "moderator.end_on_exit", "last")},
		"join-only":                {to: setter("create", "running_only")},
		"dist-dtmf": {
			to: setter("member.controls", "none", "moderator.controls", "none"), kind: Lost,
			text: "Keys are not passed on to the others; the controls are off, as there.",
		},
		"skip-dtmf":        {kind: Unneeded, text: "Keys are passed on to nobody."},
		"moderator":        {kind: Lost, text: "A profile does not make everybody a moderator; set parley_role in the dialplan."},
		"mute-detect":      {kind: Lost, text: "Parley does not tell a muted caller that he talks."},
		"mintwo":           {kind: Lost, text: "A room does not end because one is left in it."},
		"ghost":            {kind: Lost, text: "Everybody is counted."},
		"talk-data-events": {kind: Lost, text: "Parley sends no reports of who talked how long."},
		"positional":       {kind: Lost, text: "Parley mixes in mono."},
		"no-positional":    {kind: Unneeded, text: "Parley mixes in mono."},
		"waste":            {kind: Unneeded, text: "mod_conference does not read it any more."},
		"vmute":            video, "blind": video, "join-vid-floor": video, "video-bridge": video, "flip-video": video,
		"no-video-blanks": video, "no-minimize-encoding": video, "second-screen": video,
	}
}

func conferenceFlags() map[string]flag {
	video, verto := flag{kind: Lost, text: noVideo}, flag{kind: Lost, text: "Parley does not speak to Verto."}
	return map[string]flag{
		"wait-mod":                     {to: setter("wait_for_moderator", "true")},
		"audio-always":                 {to: func(p *profile, _ param) { p.always = true }},
		"restart-auto-record":          {kind: Lost, text: "A recording that was stopped by hand does not begin again."},
		"breakable":                    {kind: Lost, text: "uuid_break does not end a stay."},
		"rfc-4579":                     {kind: Lost, text: "Parley sends no SIP conference events."},
		"json-events":                  verto,
		"livearray-sync":               verto,
		"livearray-json-status":        verto,
		"auto-3d-position":             {kind: Lost, text: "Parley mixes in mono."},
		"video-floor-only":             video,
		"minimize-video-encoding":      video,
		"video-bridge-first-two":       video,
		"video-required-for-canvas":    video,
		"video-mute-exit-canvas":       video,
		"manage-inbound-video-bitrate": video,
		"video-muxing-personal-canvas": video,
		"ded-vid-layer-audio-floor":    video,
	}
}

// callerControls imports the groups of controls.
func (f *freeSWITCH) callerControls(section *element) error {
	if section == nil {
		return nil
	}
	for _, e := range section.in {
		if e.name != "group" {
			continue
		}
		source := e.attr("name").value
		where := "controls " + clip(source)
		name := rename(source)
		if name == "" || name == "inline" { // inline has a meaning in Parley
			name = "controls-" + name
		}
		_, again := f.menus[source]
		switch {
		case source == "none":
			f.add(e.line, where, "name", Unneeded, "The name stands for no controls; nobody can have these.")
			continue
		case again:
			f.add(e.line, where, "name", Unneeded, "mod_conference uses the first group of that name.")
			continue
		case f.named(name):
			f.add(e.line, where, "name", Lost, "There are controls %s already; these are left out.", name)
			continue
		case name != source:
			f.add(e.line, where, "name", Differs, "They are named %s.", name)
		}
		f.menus[source] = name
		if err := f.addMenu(name, where, e.line, f.group(e, where)); err != nil {
			return err
		}
	}
	return nil
}

func (f *freeSWITCH) named(menu string) bool {
	for _, r := range f.controls {
		if r.name == menu {
			return true
		}
	}
	return false
}

func (f *freeSWITCH) group(group *element, where string) []key {
	var keys []key
	first := map[string]int{}
	known := callerActions()
	for _, e := range group.in {
		if e.name != "control" {
			continue
		}
		digits, word := strings.ToUpper(e.attr("digits").value), e.attr("action").value
		name := fmt.Sprintf("%s %s", clip(word), clip(e.attr("digits").value))
		a, ok := known[strings.ToLower(word)]
		switch {
		case !ok:
			f.add(e.line, where, name, Unneeded, "mod_conference does not know this action either.")
			continue
		case a.action == "":
			f.add(e.line, where, name, Lost, "%s", a.text)
			continue
		case !keysOnly(digits):
			f.add(e.line, where, name, Lost, "Digits must be 1 to 8 keys of 0-9 * # A-D, and no pattern.")
			continue
		case first[digits] > 0:
			f.add(e.line, where, name, Lost, "These digits have an action already, at line %d.", first[digits])
			continue
		case a.text != "":
			f.add(e.line, where, name, Differs, "%s", a.text)
		}
		first[digits] = e.line
		keys = append(keys, key{engine.Control{Digits: digits, Action: a.action}, e.line})
	}
	return keys
}

// keysOnly says whether text is what Parley takes as the digits of a control.
func keysOnly(text string) bool {
	return text != "" && len(text) <= 8 && strings.Trim(text, decimals+"*#ABCD") == ""
}

// action is what becomes of an action of a control: without an action it is
// lost, and with a text it is not quite the same.
type action struct {
	action engine.Action
	text   string
}

func callerActions() map[string]action {
	gate := action{"", gateKey}
	video := action{"", noVideo}
	hears := "There it changes what the caller hears, against its name; so it does here."
	heard := "There it changes how loud the caller is heard, against its name; so it does here."
	return map[string]action{
		"mute":                {engine.ActionMute, ""},
		"mute on":             {engine.ActionMuteOn, ""},
		"mute off":            {engine.ActionMuteOff, ""},
		"deaf":                {engine.ActionDeaf, ""},
		"deaf on":             {engine.ActionDeafOn, ""},
		"deaf off":            {engine.ActionDeafOff, ""},
		"deaf mute":           {engine.ActionMute, "It mutes only: he still hears the others."},
		"vol talk up":         {engine.ActionListenUp, hears},
		"vol talk zero":       {engine.ActionListenReset, hears},
		"vol talk dn":         {engine.ActionListenDown, hears},
		"vol listen up":       {engine.ActionTalkUp, heard},
		"vol listen zero":     {engine.ActionTalkReset, heard},
		"vol listen dn":       {engine.ActionTalkDown, heard},
		"hangup":              {engine.ActionLeave, ""},
		"lock":                {engine.ActionLock, "It is for moderators only."},
		"energy up":           gate,
		"energy equ":          gate,
		"energy dn":           gate,
		"moh toggle":          {"", "Music cannot be switched by a key."},
		"floor":               {"", "The floor is his who talks; a key gives it to nobody."},
		"event":               {"", "A key makes no event."},
		"transfer":            {"", "A key transfers nobody; leave, and let the dialplan go on."},
		"execute_application": {"", "A key runs no application; leave, and let the dialplan go on."},
		"vid-floor":           video,
		"vid-floor-force":     video,
		"vmute":               video,
		"vmute on":            video,
		"vmute off":           video,
		"vmute snap":          video,
		"vmute snapoff":       video,
		"border":              video,
	}
}
