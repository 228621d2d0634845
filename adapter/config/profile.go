package config

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"parley/engine"
)

// profileFields are the keys of a profile; a room has the same ones. Fields
// further down win over those further up: a role's section over the root of
// the profile, which is for both roles.
func profileFields(p *engine.Profile) []field {
	return slices.Concat(
		rules(p), treatment(p), recordings(p), sounds(p), bothRoles(p),
		roleFields("member.", &p.Member), roleFields("moderator.", &p.Moderator),
	)
}

// rules are the settings of a profile that are no sounds.
func rules(p *engine.Profile) []field {
	return []field{
		{"mixer", oneOf(&p.Mixer, engine.MixerNative, engine.MixerSwitch), 0},
		{"media", oneOf(&p.Media, engine.MediaAudioSocket, engine.MediaRTP, engine.MediaWebSocket, engine.MediaSIP), 0},
		{"codecs", perhaps{words{&p.Codecs, codecNames()}}, 0},
		{"max_rate", choice(&p.MaxRate, 4, named[int]{"8000", 8000}, named[int]{"16000", 16000}, named[int]{"24000", 24000},
			named[int]{"48000", 48000}), 0},
		{"conference_profile", matching(&p.ConferenceProfile, token, "1 to 128 of A-Z a-z 0-9 . - _ @ +"), 0},
		{"language", language(&p.Language), 0},
		{"create", oneOf(&p.Create, engine.CreateOnDemand, engine.CreateExisting, engine.CreateRunning), 0},
		{"join_as", choice(&p.JoinAs, 3, named[engine.Role]{"pin", engine.RoleUnset}, named[engine.Role]{"member", engine.RoleMember},
			named[engine.Role]{"moderator", engine.RoleModerator}), 0},
		{"max_participants", count(&p.MaxParticipants, 0, "0 = no limit"), 0},
		{"reserve_moderator_seats", count(&p.ReserveModeratorSeats, 0, ""), 0},
		{"lock_exempts", oneOf(&p.LockExempts, engine.ExemptModerators, engine.ExemptNobody), 0},
		{"on_full", oneOf(&p.OnFull, engine.RefusalContinue, engine.RefusalHangup), 0},
		{"wait_for_moderator", yes(&p.WaitForModerator), 0},
		{"require_moderator", yes(&p.RequireModerator), 0},
		{"rewait_on_moderator_exit", yes(&p.RewaitOnModeratorExit), 0},
		{"moderator_grace_s", seconds(&p.ModeratorGrace, 0, "0 = for ever"), 0},
		{"wait_timeout_s", seconds(&p.WaitTimeout, 0, "0 = no limit"), 0},
		{"on_wait_timeout", oneOf(&p.OnWaitTimeout, engine.WaitContinue, engine.WaitHangup, engine.WaitOpen), 0},
		{"end_grace_s", seconds(&p.EndGrace, 0, ""), 0},
		{"pin_attempts", count(&p.PINAttempts, 1, ""), 0},
		{"pin_timeout_s", seconds(&p.PINTimeout, 1, ""), 0},
		{"pin_terminator", keys(&p.PINTerminator, "*#", `"#", "*", "*#" or none`), 0},
		{"on_pin_failure", oneOf(&p.OnPINFailure, engine.RefusalContinue, engine.RefusalHangup), 0},
		{"announce_count", count(&p.AnnounceCount, 0, "0 = never"), 0},
		{"announce_count_to", oneOf(&p.AnnounceCountTo, engine.ToJoiner, engine.ToAll), 0},
		{"announce_name", yes(&p.AnnounceName), 0},
	}
}

// treatment is what is done to what members say.
func treatment(p *engine.Profile) []field {
	s := &p.Sound
	return []field{
		{"mode", choice(&s.Transparent, 2, named[bool]{"processed", false}, named[bool]{"transparent", true}), 0},
		{"gate", level(&s.Gate, -90, -20, named[engine.Gate]{"auto", engine.GateAuto}, named[engine.Gate]{"off", engine.GateOff}), 0},
		{"agc", yes(&s.AGC), 0},
		{"comfort_noise", level(&s.Noise, -90, -40, named[int]{"off", 0}), 0},
	}
}

// recordings are the settings about what is recorded.
func recordings(p *engine.Profile) []field {
	type when = named[engine.RecordWhen]
	fits := func(text string) bool {
		_, err := engine.RecordFile(text, "", "", time.Time{})
		return err == nil && text != "" && !strings.ContainsFunc(text, control)
	}
	return []field{
		{"record", choice(&p.Record, 3, when{"off", engine.RecordOff}, when{"from_start", engine.RecordFromStart}, when{"on_moderator", engine.RecordOnModerator},
			when{"true", engine.RecordFromStart}, when{"yes", engine.RecordFromStart}, when{"record-from-start", engine.RecordFromStart},
			when{"false", engine.RecordOff}, when{"no", engine.RecordOff}, when{"do-not-record", engine.RecordOff}), 0},
		{"record_file", matching(&p.RecordFile, fits, "a file below record_dir, in whose name ${room}, ${instance}, ${date}, ${time} and ${strftime(%Y-%m-%d)} are filled in"), 0},
		{"record_min_members", count(&p.RecordMin, 1, ""), 0},
		{"record_rate", choice(&p.RecordRate, 5, named[int]{"auto", 0}, named[int]{"8000", 8000}, named[int]{"16000", 16000},
			named[int]{"24000", 24000}, named[int]{"48000", 48000}), 0},
		{"record_sound", sound(&p.RecordSound, "tone:beep", ""), 0},
		{"record_end_sound", sound(&p.RecordEndSound, "tone:beep", ""), 0},
	}
}

// sounds are the tones and prompts of a profile.
func sounds(p *engine.Profile) []field {
	d := engine.DefaultProfile()
	return []field{
		{"play_entry_tone", tone(&p.EntryTone, d.EntryTone), 0},
		{"play_exit_tone", tone(&p.ExitTone, d.ExitTone), 0},
		{"enter_sound", sound(&p.EnterSound, "", noSound, &p.Member.EnterSound, &p.Moderator.EnterSound), 0},
		{"exit_sound", sound(&p.ExitSound, "", noSound, &p.Member.ExitSound, &p.Moderator.ExitSound), 0},
		{"welcome_sound", sound(&p.WelcomeSound, "welcome", ""), 0},
		{"number_sound", sound(&p.NumberSound, d.NumberSound, ""), 0},
		{"bad_number_sound", sound(&p.BadNumberSound, d.BadNumberSound, ""), 0},
		{"pin_sound", sound(&p.PINSound, d.PINSound, ""), 0},
		{"bad_pin_sound", sound(&p.BadPINSound, d.BadPINSound, ""), 0},
		{"pin_failed_sound", sound(&p.PINFailedSound, d.PINFailedSound, ""), 0},
		{"throttled_sound", sound(&p.ThrottledSound, d.ThrottledSound, ""), 0},
		{"name_prompt", sound(&p.NamePrompt, d.NamePrompt, ""), 0},
		{"entry_prompt", sound(&p.EntryPrompt, d.EntryPrompt, ""), 0},
		{"has_joined_sound", sound(&p.HasJoinedSound, d.HasJoinedSound, ""), 0},
		{"has_left_sound", sound(&p.HasLeftSound, d.HasLeftSound, ""), 0},
		{"wait_prompt", sound(&p.WaitPrompt, d.WaitPrompt, ""), 0},
		{"wait_sound", sound(&p.WaitSound, "", noMusic), 0},
		{"no_moderator_sound", sound(&p.NoModSound, d.NoModSound, ""), 0},
		{"alone_sound", sound(&p.AloneSound, d.AloneSound, ""), 0},
		{"moh_sound", sound(&p.MOHSound, d.MOHSound, ""), 0},
		{"muted_sound", sound(&p.MutedSound, d.MutedSound, ""), 0},
		{"unmuted_sound", sound(&p.UnmutedSound, d.UnmutedSound, ""), 0},
		{"deaf_sound", sound(&p.DeafSound, d.DeafSound, ""), 0},
		{"undeaf_sound", sound(&p.UndeafSound, d.UndeafSound, ""), 0},
		{"hand_up_sound", sound(&p.HandUpSound, d.HandUpSound, ""), 0},
		{"hand_down_sound", sound(&p.HandDownSound, d.HandDownSound, ""), 0},
		{"locked_now_sound", sound(&p.LockedNowSound, d.LockedNowSound, ""), 0},
		{"unlocked_sound", sound(&p.UnlockedSound, d.UnlockedSound, ""), 0},
		{"kicked_sound", sound(&p.KickedSound, d.KickedSound, ""), 0},
		{"ended_sound", sound(&p.EndedSound, d.EndedSound, ""), 0},
		{"moderator_left_sound", sound(&p.ModLeftSound, d.ModLeftSound, ""), 0},
		{"max_members_sound", sound(&p.MaxMembersSound, d.MaxMembersSound, ""), 0},
		{"locked_sound", sound(&p.LockedSound, d.LockedSound, ""), 0},
		{"not_running_sound", sound(&p.NotRunningSound, d.NotRunningSound, ""), 0},
		{"bad_room_sound", sound(&p.BadRoomSound, d.BadRoomSound, ""), 0},
		{"busy_sound", sound(&p.BusySound, d.BusySound, ""), 0},
	}
}

// bothRoles are keys of the roles at the root of a profile, where they are for
// both; end_on_exit is for moderators there.
func bothRoles(p *engine.Profile) []field {
	m, o := &p.Member, &p.Moderator
	return []field{
		{"join_muted", both{yes(&m.JoinMuted), yes(&o.JoinMuted)}, spelling},
		{"join_deaf", both{yes(&m.JoinDeaf), yes(&o.JoinDeaf)}, spelling},
		{"play_entry_prompt", both{yes(&m.PlayEntryPrompt), yes(&o.PlayEntryPrompt)}, spelling},
		{"terminator", both{terminator(&m.Terminator), terminator(&o.Terminator)}, spelling},
		{"end_on_exit", endOnExit(&o.EndOnExit), spelling},
		{"controls", both{menu{&m.Controls}, menu{&o.Controls}}, spelling},
		{"caller_controls", menu{&m.Controls}, spelling},
		{"moderator_controls", menu{&o.Controls}, spelling},
	}
}

// roleFields are the keys of the member and the moderator section.
func roleFields(prefix string, s *engine.RoleSettings) []field {
	return []field{
		{prefix + "pins", pins{&s.PINs}, 0},
		{prefix + "join_muted", yes(&s.JoinMuted), 0},
		{prefix + "join_deaf", yes(&s.JoinDeaf), 0},
		{prefix + "play_entry_prompt", yes(&s.PlayEntryPrompt), 0},
		{prefix + "enter_sound", sound(&s.EnterSound, "", noSound), 0},
		{prefix + "exit_sound", sound(&s.ExitSound, "", noSound), 0},
		{prefix + "end_on_exit", endOnExit(&s.EndOnExit), 0},
		{prefix + "terminator", terminator(&s.Terminator), 0},
		{prefix + "controls", menu{&s.Controls}, 0},
	}
}

func endOnExit(at *engine.EndOnExit) value {
	return choice(at, 3, named[engine.EndOnExit]{"any", engine.EndAny}, named[engine.EndOnExit]{"last", engine.EndLast},
		named[engine.EndOnExit]{"never", engine.EndNever},
		named[engine.EndOnExit]{"true", engine.EndAny}, named[engine.EndOnExit]{"false", engine.EndNever})
}

// otherSpellings are names that mod_conference and Kazoo have for our keys.
func otherSpellings() map[string]string {
	return map[string]string{
		"max_members":        "max_participants",
		"max_members_media":  "max_members_sound",
		"endconf_grace_time": "end_grace_s",
		"pin_retries":        "pin_attempts",
		"join_only_sound":    "not_running_sound",
		"is_locked_sound":    "locked_now_sound",
		"is_unlocked_sound":  "unlocked_sound",
		"invalid_room_sound": "bad_room_sound",
		"play_name":          "announce_name",
		"record_conference":  "record",

		"min_required_recording_participants": "record_min_members",
	}
}

// patch is the part of a profile that a profile or a room sets itself.
type patch struct {
	from engine.Profile
	set  map[string]bool   // names of its fields
	at   map[string]string // FILE:LINE of those, and of the record's other keys
}

// over returns a copy of p with the patch laid over it.
func (t patch) over(p *engine.Profile) *engine.Profile {
	q := *p
	from := profileFields(&t.from)
	for i, f := range profileFields(&q) {
		if t.set[f.name] {
			f.take(from[i].value)
		}
	}
	return &q
}

// fields returns those the patch sets.
func (t patch) fields() []field {
	return slices.DeleteFunc(profileFields(&t.from), func(f field) bool { return !t.set[f.name] })
}

// patch reads the profile keys of a profile or room, in the order of the
// fields and not of the file. others are its other keys.
func (d *document) patch(item *yaml.Node, others ...string) patch {
	t := patch{set: map[string]bool{}, at: map[string]string{}}
	fields := profileFields(&t.from)
	known := others
	for _, f := range fields {
		known = append(known, f.name)
	}
	nodes := map[string]*yaml.Node{}
	item = d.respell(item)
	d.section("", item, known, func(key string, n *yaml.Node) {
		nodes[key] = n
		t.at[key] = d.at(keyOf(item, key))
	})
	for _, f := range fields {
		if n, ok := nodes[f.name]; ok {
			t.set[f.name] = true
			f.read(d, f.name, n)
		}
	}
	return t
}

// respell gives other people's names for our keys our spelling.
func (d *document) respell(item *yaml.Node) *yaml.Node {
	ours := otherSpellings()
	out := *item
	out.Content = slices.Clone(item.Content)
	for i := 0; i+1 < len(out.Content); i += 2 {
		k := *out.Content[i]
		name, ok := ours[k.Value]
		if !ok {
			continue
		}
		if child(item, name) != nil {
			d.problem(&k, "duplicate_key", "key %q is another name of %q, which is given too.", k.Value, name)
		}
		k.Value = name
		out.Content[i] = &k
	}
	return &out
}
