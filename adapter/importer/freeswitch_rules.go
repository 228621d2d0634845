package importer

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fsRule is what becomes of a parameter of a profile.
type fsRule = rule[*profile]

// rules has every parameter that mod_conference reads, and those of its sample
// file that it does not read.
func rules() map[string]fsRule {
	all := map[string]fsRule{}
	for _, some := range []map[string]fsRule{mediaRules(), soundRules(), accessRules(), treatRules(), videoRules()} {
		maps.Copy(all, some)
	}
	return all
}

func mediaRules() map[string]fsRule {
	return map[string]fsRule{
		"rate":                    {kind: Unneeded, text: "Every caller is mixed at his own rate, up to 48 kHz."},
		"channels":                {kind: Lost, text: "Parley mixes in mono.", off: "1 auto"},
		"interval":                {kind: Unneeded, text: "Parley mixes every 20 ms.", off: "20 auto"},
		"timer-name":              {kind: Unneeded, text: "Parley has a clock of its own."},
		"domain":                  {kind: Unneeded, text: "Names of rooms have no domain; tell rooms apart by parley_room."},
		"description":             {kind: Unneeded, text: "It is only told to SIP conference events, which Parley does not send."},
		"sound-prefix":            {kind: Differs, text: "Parley looks for sounds in sounds_dir; set it to the folder above that of the language."},
		"tts-engine":              {kind: Differs, text: "say: is spoken by tts_command, which must be set; what is spoken without a file is Parley's own prompt."},
		"tts-voice":               {kind: Differs, text: "The voice is a matter of tts_command."},
		"caller-id-name":          {kind: Differs, text: noDial},
		"caller-id-number":        {kind: Differs, text: noDial},
		"outcall-templ":           {kind: Differs, text: "dial.number says how a number is called from a room."},
		"broadcast-chat-messages": {kind: Lost, text: "Parley has no text messages.", off: "false no off 0"},
		"verbose-events":          {kind: Unneeded, text: ownEvent, off: "false no off 0"},
		"suppress-events":         {kind: Unneeded, text: ownEvent},
		"heartbeat-period-sec":    {kind: Lost, text: "Parley sends no heartbeat of a room.", off: "0"},
	}
}

func soundRules() map[string]fsRule {
	unplayed := fsRule{kind: Unneeded, text: "mod_conference reads it, but plays deaf-sound and undeaf-sound instead."}
	unread := fsRule{kind: Unneeded, text: "mod_conference does not read it, though its sample file shows it."}
	return map[string]fsRule{
		"member-enter-sound": {to: func(p *profile, at param) error {
			if p.sound("entry_prompt", at) {
				p.set("play_entry_prompt", plain("true"), at.from())
			}
			return nil
		}},
		"enter-sound":       soundRule("enter_sound"),
		"exit-sound":        soundRule("exit_sound"),
		"alone-sound":       soundRule("alone_sound"),
		"moh-sound":         {to: (*profile).music},
		"perpetual-sound":   {kind: Lost, text: "Nothing plays into a room for ever."},
		"muted-sound":       soundRule("muted_sound"),
		"unmuted-sound":     soundRule("unmuted_sound"),
		"mute-detect-sound": {kind: Lost, text: "Parley does not tell a muted caller that he talks."},
		"deaf-sound":        soundRule("deaf_sound"),
		"undeaf-sound":      soundRule("undeaf_sound"),
		"blind-sound":       unplayed,
		"unblind-sound":     unplayed,
		"kicked-sound":      soundRule("kicked_sound"),
		"locked-sound":      soundRule("locked_sound"),
		"is-locked-sound":   soundRule("locked_now_sound"),
		"is-unlocked-sound": soundRule("unlocked_sound"),
		"max-members-sound": soundRule("max_members_sound"),
		"join-only-sound":   soundRule("not_running_sound"),
		"pin-sound":         soundRule("pin_sound"),
		"bad-pin-sound":     soundRule("bad_pin_sound"),
		"ack-sound":         unread,
		"nack-sound":        unread,
	}
}

func accessRules() map[string]fsRule {
	return map[string]fsRule{
		"pin":                                 {to: func(p *profile, at param) error { return p.pin("member.pins", at) }, secret: true},
		"moderator-pin":                       {to: (*profile).moderatorPIN, secret: true},
		"pin-retries":                         {to: (*profile).pinRetries},
		"max-members":                         {to: (*profile).maxMembers},
		"announce-count":                      countRule("announce_count"),
		"endconf-grace-time":                  {to: (*profile).grace},
		"terminate-on-silence":                {kind: Lost, text: "A room does not end because nobody talks.", off: "0"},
		"caller-controls":                     {to: (*profile).checkGroup},
		"moderator-controls":                  {to: (*profile).checkGroup},
		"ivr-dtmf-timeout":                    {kind: Differs, text: "Parley waits 1.5 s for the next key of a longer control."},
		"ivr-input-timeout":                   {kind: Differs, text: "Parley waits 1.5 s for the next key of a longer control.", off: "0"},
		"conference-flags":                    {to: func(p *profile, at param) error { return p.flags(at, conferenceFlags()) }},
		"member-flags":                        {to: func(p *profile, at param) error { return p.flags(at, memberFlags()) }},
		"auto-record":                         {to: (*profile).autoRecord},
		"min-required-recording-participants": {to: (*profile).recordMembers},
		"recording-metadata":                  {kind: Unneeded, text: "Parley's recordings have no tags."},
		"cdr-log-dir":                         {kind: Lost, text: "Parley writes no records to files; its event socket (esl_server) tells them, by conference::cdr."},
		"cdr-event-mode":                      {kind: Unneeded, text: "Parley's event socket (esl_server) tells conference::cdr of every room, with the record in it.", off: "none"},
	}
}

func videoRules() map[string]fsRule {
	all := map[string]fsRule{
		"video-mode":           {kind: Lost, text: noVideo},
		"video-layout-bgcolor": {kind: Unneeded, text: "mod_conference does not read it, though its sample file shows it."},
	}
	for name := range strings.FieldsSeq(`video-layout-name video-layout-conf video-canvas-size video-canvas-count
		video-canvas-bgcolor video-border-color video-border-size video-super-canvas-bgcolor
		video-super-canvas-label-layers video-super-canvas-show-all-layers video-letterbox-bgcolor video-fps
		video-codec-bandwidth video-no-video-avatar video-mute-banner video-auto-floor-msec video-quality
		video-kps-debounce scale-h264-canvas-size scale-h264-canvas-fps-divisor scale-h264-canvas-bandwidth
		video-codec-config-profile-name`) {
		all[name] = fsRule{kind: Lost, text: noVideo}
	}
	return all
}

// ownWay is what mod_conference does without a parameter, where Parley would
// do another thing.
type ownWay struct {
	param, key string
	value      *yaml.Node
}

// ownWays are there in every profile; those with a parameter only without it.
func ownWays() []ownWay {
	none := plain("none")
	return []ownWay{
		{"", "reserve_moderator_seats", number(0)},
		{"", "lock_exempts", plain("nobody")},
		{"", "pin_timeout_s", number(10)},
		{"", "pin_failed_sound", none},
		{"", "wait_prompt", none},
		{"", "ended_sound", none},
		{"", "moderator_left_sound", none},
		{"energy-level", "gate", quoted("off")},
		{"enter-sound", "play_entry_tone", plain("false")},
		{"exit-sound", "play_exit_tone", plain("false")},
		{"moh-sound", "moh_sound", none},
		{"deaf-sound", "deaf_sound", none},
		{"undeaf-sound", "undeaf_sound", none},
		{"kicked-sound", "kicked_sound", none},
		{"is-locked-sound", "locked_now_sound", none},
		{"is-unlocked-sound", "unlocked_sound", none},
		{"max-members-sound", "max_members_sound", none},
		{"join-only-sound", "not_running_sound", none},
	}
}

// spokenWays are silence where there is no speech.
func spokenWays() []ownWay {
	none := plain("none")
	return []ownWay{
		{"alone-sound", "alone_sound", none},
		{"muted-sound", "muted_sound", none},
		{"unmuted-sound", "unmuted_sound", none},
		{"locked-sound", "locked_sound", none},
	}
}

func (p *profile) whole(at param) (n int, ok bool) {
	n64, err := strconv.ParseInt(at.value, 0, 32)
	if err != nil || n64 < 0 {
		p.report(at, Lost, "It is not a whole number; Parley's default stays.")
		return 0, false
	}
	if n64 > maxCount {
		p.report(at, Differs, "%d is the most.", maxCount)
		n64 = maxCount
	}
	return int(n64), true
}

const maxCount = 100_000 // of any number in Parley's configuration

func countRule(key string) fsRule {
	return fsRule{to: func(p *profile, at param) error {
		if n, ok := p.whole(at); ok {
			p.set(key, number(n), at.from())
		}
		return nil
	}}
}

func (p *profile) maxMembers(at param) error {
	if n, ok := p.whole(at); ok && n > 1 {
		p.set("max_participants", number(n), at.from())
	} else if ok && n == 1 {
		p.report(at, Unneeded, "mod_conference takes 1 as no limit.")
	}
	return nil
}

func (p *profile) grace(at param) error {
	n, ok := p.whole(at)
	if !ok {
		return nil
	}
	p.set("end_grace_s", number(n), at.from())
	if n > 0 {
		p.report(at, Differs, "It holds for endconf too, which there ends the room at once.")
	}
	return nil
}

func (p *profile) pinRetries(at param) error {
	n, ok := p.whole(at)
	if ok && n == 0 {
		p.report(at, Differs, "There 0 never asks; here a caller has one try.")
		n = 1
	}
	if ok {
		p.set("pin_attempts", number(n), at.from())
	}
	return nil
}

// pin fails on a PIN that Parley cannot have: a room must not be open because
// its PIN got lost.
func (p *profile) pin(key string, at param) error {
	if !digits(at.value, 16) {
		return &Error{p.file, at.line, fmt.Sprintf("%s: %s: a PIN must be 1 to 16 digits; change it there first", p.where, at.name)}
	}
	p.set(key, pinList(at.value), at.from())
	return nil
}

func (p *profile) moderatorPIN(at param) error {
	member, asked := p.params["pin"]
	switch {
	case asked && member.value == at.value:
		p.report(at, Unneeded, "It is the same as pin, and there made nobody a moderator; it is left out.")
		return nil
	case !asked:
		p.report(at, Lost, "There nobody got in without it; here one who types nothing is a member. Give members a PIN too.")
	}
	return p.pin("moderator.pins", at)
}

// checkGroup reports a group of controls that is not there.
func (p *profile) checkGroup(at param) error {
	if _, ok := p.menus[at.value]; !ok && at.value != "none" {
		p.report(at, Lost, "There is no group %q in this file; the keys do nothing.", clip(at.value))
	}
	return nil
}
