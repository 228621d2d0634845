package importer

import (
	"maps"
	"path"
	"strconv"
	"strings"

	"parley/engine"
)

const (
	noText   = "Parley has no text messages."
	ownRates = "Every caller is mixed at his own rate, up to 48 kHz."
	forRoom  = "It holds for everybody in a room with this profile, not for this user alone."
	noChange = "It is only for record_conference."
	onlyHD   = "It is only for video."
	onlyCode = "It is only for the function CONFBRIDGE."
)

// confWays are what ConfBridge does by itself and Parley does otherwise.
func confWays() []ownWay {
	return []ownWay{
		{"", "on_full", plain("hangup")},
		{"", "on_pin_failure", plain("hangup")},
		{"", "pin_failed_sound", plain("none")},
		{"", "moh_sound", plain("none")},
		{"", "controls", plain("none")},
		{"", "gate", quoted("off")},
	}
}

// confEnds are options of a user that are a matter of those who leave here.
func confEnds() []ownWay {
	return []ownWay{
		{"wait_marked", "wait_for_moderator", plain("true")},
		{"wait_marked", "rewait_on_moderator_exit", plain("true")},
		{"end_marked", "moderator.end_on_exit", plain("last")},
		{"end_marked_any", "moderator.end_on_exit", plain("any")},
	}
}

func bridgeRules() map[string]rule[*section] {
	all := confPrompts()
	maps.Copy(all, map[string]rule[*section]{
		"jitterbuffer":           {kind: Unneeded, text: "It has no effect in Asterisk either."},
		"internal_sample_rate":   {kind: Unneeded, text: ownRates, off: "auto"},
		"maximum_sample_rate":    {kind: Unneeded, text: ownRates, off: "none"},
		"mixing_interval":        {kind: Unneeded, text: "Parley mixes every 20 ms.", off: "20"},
		"binaural_active":        {kind: Lost, text: "Parley mixes in mono.", off: untrue},
		"record_conference":      {to: (*section).recordConference},
		"record_file":            ofRecording("", ""),
		"record_file_append":     ofRecording(Differs, "Every recording is a file of its own."),
		"record_file_timestamp":  ofRecording("", ""),
		"record_options":         ofRecording(Lost, "Recordings are mono, and of the whole room."),
		"record_command":         ofRecording(Lost, "Parley runs no command; watch for the event recording.completed."),
		"max_members":            {to: (*section).maxMembers},
		"video_mode":             {kind: Lost, text: noVideo, off: "none"},
		"video_update_discard":   {kind: Unneeded, text: onlyHD},
		"remb_send_interval":     {kind: Unneeded, text: onlyHD},
		"remb_behavior":          {kind: Unneeded, text: onlyHD},
		"remb_estimated_bitrate": {kind: Unneeded, text: onlyHD},
		"enable_events":          {kind: Lost, text: noText, off: untrue},
		"language":               {to: (*section).language},
		"regcontext":             {kind: Lost, text: "Parley adds no extension to a dialplan."},
		"template":               {kind: Unneeded, text: onlyCode},
		"announcements":          {to: (*section).announcements},
	})
	return all
}

// confPrompts are the prompts of a bridge: those that are a key of ours, and others.
func confPrompts() map[string]rule[*section] {
	all := map[string]rule[*section]{}
	for option, keys := range map[string]string{
		"join": "enter_sound", "leave": "exit_sound", "has_joined": "has_joined_sound", "has_left": "has_left_sound",
		"kicked": "kicked_sound", "muted": "muted_sound", "unmuted": "unmuted_sound", "only_person": "alone_sound",
		"wait_for_leader": "wait_prompt", "leader_has_left": "moderator_left_sound", "get_pin": "pin_sound",
		"invalid_pin": "bad_pin_sound", "locked": "locked_sound max_members_sound", "locked_now": "locked_now_sound",
		"unlocked_now": "unlocked_sound",
	} {
		all["sound_"+option] = rule[*section]{to: func(s *section, at param) error {
			s.sound(strings.Fields(keys), at)
			return nil
		}}
	}
	count := rule[*section]{kind: Lost, text: "The count is spoken by Parley's own prompts."}
	for option, r := range map[string]rule[*section]{
		"only_one": count, "there_are": count, "other_in_party": count,
		"place_into_conference": {kind: Unneeded, text: "Asterisk does not play it any more."},
		"error_menu":            {kind: Lost, text: "A key that does nothing says nothing."},
		"participants_muted":    {kind: Lost, text: "No key mutes everybody."},
		"participants_unmuted":  {kind: Lost, text: "No key mutes everybody."},
		"begin":                 {kind: Lost, text: "Nothing is played when the wait is over."},
		"binaural_on":           {kind: Unneeded, text: "Parley mixes in mono."},
		"binaural_off":          {kind: Unneeded, text: "Parley mixes in mono."},
	} {
		all["sound_"+option] = r
	}
	return all
}

func userRules() map[string]rule[*section] {
	return map[string]rule[*section]{
		"admin":                      {to: (*section).leads},
		"marked":                     {to: (*section).leads},
		"wait_marked":                {to: (*section).ofMembers},
		"end_marked":                 {to: (*section).ofMembers},
		"end_marked_any":             {to: (*section).ofMembers},
		"startmuted":                 {to: (*section).startMuted},
		"music_on_hold_when_empty":   {to: (*section).musicAlone},
		"music_on_hold_class":        {to: (*section).musicClass},
		"quiet":                      {to: (*section).quiet},
		"hear_own_join_sound":        {to: (*section).ownSound},
		"announce_user_count":        {to: (*section).count},
		"announce_user_count_all":    {to: (*section).countAll},
		"announce_only_user":         {to: (*section).onlyUser},
		"announce_join_leave":        {to: (*section).names},
		"announce_join_leave_review": {to: (*section).names},
		"announcement":               {to: (*section).announcement},
		"pin":                        {to: (*section).askPIN, secret: true},
		"timeout":                    {kind: Lost, text: "A stay has no limit of time.", off: "0"},
		"dtmf_passthrough":           {kind: Lost, text: "Keys are not passed on to the others.", off: untrue},
		"talk_detection_events":      {kind: Unneeded, text: ownEvent, off: untrue},
		"dsp_drop_silence":           {to: (*section).dropSilence},
		"dsp_silence_threshold":      {to: (*section).threshold},
		"dsp_talking_threshold":      {to: (*section).threshold},
		"denoise":                    {kind: Lost, text: "Parley takes no noise out of a voice.", off: untrue},
		"jitterbuffer":               {kind: Unneeded, text: "Every call has a jitter buffer; see media.jitter_ms.", off: untrue},
		"send_events":                {kind: Lost, text: noText, off: untrue},
		"echo_events":                {kind: Lost, text: noText, off: untrue},
		"text_messaging":             {kind: Lost, text: noText, off: untrue},
		"answer_channel":             {to: (*section).answer},
		"template":                   {kind: Unneeded, text: onlyCode},
	}
}

// way is what becomes of an action of a menu: mapped, or of a kind.
type way struct {
	action engine.Action
	kind   Kind
	text   string
}

func menuActions() map[string]way {
	lost := func(text string) way { return way{"", Lost, text} }
	return map[string]way{
		"toggle_mute":                    {action: engine.ActionMute},
		"increase_listening_volume":      {action: engine.ActionListenUp},
		"decrease_listening_volume":      {action: engine.ActionListenDown},
		"reset_listening_volume":         {action: engine.ActionListenReset},
		"increase_talking_volume":        {action: engine.ActionTalkUp},
		"decrease_talking_volume":        {action: engine.ActionTalkDown},
		"reset_talking_volume":           {action: engine.ActionTalkReset},
		"leave_conference":               {action: engine.ActionLeave},
		"participant_count":              {action: engine.ActionCount},
		"admin_toggle_conference_lock":   {action: engine.ActionLock, text: "The whole room hears that it is locked."},
		"no_op":                          {"", Unneeded, "It does nothing there either."},
		"playback":                       lost("A key plays no sound."),
		"playback_and_continue":          lost("A key plays no sound."),
		"dialplan_exec":                  lost("A key runs no dialplan; leave, and let the dialplan go on."),
		"admin_kick_last":                lost("No key sends out the last one; see parley room NAME kick."),
		"admin_toggle_mute_participants": lost("No key mutes everybody; see parley room NAME mute all."),
		"toggle_binaural":                lost("Parley mixes in mono."),
		"set_as_single_video_src":        lost(noVideo),
		"release_as_single_video_src":    lost(noVideo),
	}
}

func (s *section) maxMembers(at param) error {
	n, ok := atLeastZero(at.value)
	switch {
	case !ok:
		s.report(at, Lost, "It is not a whole number; Parley's default stays.")
		return nil
	case n > maxCount:
		s.report(at, Differs, "%d is the most.", maxCount)
		n = maxCount
	case n > 0:
		s.set("reserve_moderator_seats", number(maxCount), at) // an admin always gets in
	}
	s.set("max_participants", number(n), at)
	return nil
}

func atLeastZero(text string) (n int, ok bool) {
	n64, err := strconv.ParseUint(text, 10, 31)
	return int(n64), err == nil
}

func (s *section) language(at param) error {
	text := strings.ReplaceAll(at.value, "_", "-")
	if len(text) < 2 || len(text) > 35 || strings.Trim(text, letters+"-") != "" || strings.Contains(decimals+"-", text[:1]) {
		s.report(at, Lost, "It is not a language such as en or pt-BR; Parley's default stays.")
		return nil
	}
	s.set("language", plain(text), at)
	return nil
}

func (s *section) announcements(at param) error {
	if isTrue(at.value) {
		return nil
	}
	for _, key := range []string{"play_entry_tone", "play_exit_tone", "locked_now_sound", "unlocked_sound"} {
		s.set(key, plain("false"), at)
	}
	return nil
}

// sound sets a sound; files have no ending in Asterisk.
func (s *section) sound(keys []string, at param) bool {
	stock := at
	stock.value = strings.ReplaceAll(at.value, "&", "!")
	if stock.value != at.value {
		stock.value = "file_string://" + stock.value
	}
	spec, ok := s.spec(s.where, stock, confSounds()[path.Base(at.value)])
	for _, key := range keys {
		if ok {
			s.set(key, plain(spec), at)
		}
	}
	return ok
}

// confSounds are Asterisk's own recordings for what Parley has, too.
func confSounds() map[string]string {
	return map[string]string{
		"confbridge-join": "tone:join", "confbridge-leave": "tone:leave", "beep": "tone:beep",
		"conf-hasjoin": "has-joined", "conf-hasleft": "has-left", "conf-kicked": "kicked",
		"conf-muted": "you-are-muted", "conf-unmuted": "you-are-unmuted", "conf-onlyperson": "you-are-alone",
		"conf-waitforleader": "wait-for-moderator", "conf-leaderhasleft": "moderator-left",
		"conf-getpin": "enter-pin", "conf-invalidpin": "bad-pin", "conf-locked": "conference-locked",
		"conf-lockednow": "now-locked", "conf-unlockednow": "now-unlocked",
	}
}

func (s *section) leads(at param) error {
	other, is := "marked", "admin"
	if at.name == "marked" {
		other, is = is, other
	}
	if isTrue(at.value) && !s.isTrue(other) {
		s.report(at, Differs, "A moderator is %s and %s in one here.", is, other)
	}
	return nil
}

// ofMembers reports where an option of members that wait or are sent out does
// not do the same.
func (s *section) ofMembers(at param) error {
	switch {
	case !isTrue(at.value):
	case s.admin:
		s.report(at, Lost, "A moderator waits for nobody and is sent out by nobody.")
	case at.name != "wait_marked":
		s.report(at, Differs, "The room ends for everybody when the moderators leave, not for those with this option alone.")
	}
	return nil
}

func (s *section) dropSilence(at param) error {
	if isTrue(at.value) {
		s.set("gate", plain("auto"), at)
		s.report(at, Differs, "%s", forRoom)
	}
	return nil
}

func (s *section) threshold(at param) error {
	if s.isTrue("dsp_drop_silence") {
		s.report(at, Differs, "%s", gateAuto)
	} else {
		s.report(at, Unneeded, "It is only for dsp_drop_silence, and for events that are Parley's own.")
	}
	return nil
}

func (s *section) startMuted(at param) error {
	if isTrue(at.value) {
		s.setRole("join_muted", plain("true"), at)
	}
	return nil
}

func (s *section) musicAlone(at param) error {
	if !isTrue(at.value) {
		return nil
	}
	s.report(at, Differs, forRoom)
	if _, class := s.values["music_on_hold_class"]; !class {
		s.set("moh_sound", plain("local_stream://moh"), at)
	}
	return nil
}

func (s *section) musicClass(at param) error {
	if !s.isTrue("music_on_hold_when_empty") {
		s.report(at, Unneeded, "It is only for music_on_hold_when_empty.")
		return nil
	}
	class := at
	class.value = "local_stream://" + at.value
	if spec, ok := s.spec(s.where, class, ""); ok {
		s.set("moh_sound", plain(spec), at)
	} else {
		s.set("moh_sound", plain("local_stream://moh"), at)
	}
	return nil
}

func (s *section) quiet(at param) error {
	if !isTrue(at.value) {
		return nil
	}
	s.report(at, Differs, "Nobody in a room with this profile hears prompts when alone, waiting or sent out, not he alone.")
	s.setRole("enter_sound", plain("none"), at)
	s.setRole("exit_sound", plain("none"), at)
	for _, key := range []string{"alone_sound", "wait_prompt", "kicked_sound"} {
		s.set(key, plain("none"), at)
	}
	return nil
}

func (s *section) ownSound(at param) error {
	if !isTrue(at.value) {
		s.report(at, Lost, "One who joins hears his own tone.")
	}
	return nil
}

func (s *section) count(at param) error {
	if isTrue(at.value) {
		s.report(at, Differs, "He himself is in the number. %s", forRoom)
		s.set("announce_count", number(2), at)
	}
	return nil
}

func (s *section) countAll(at param) error {
	least := 2
	if n, err := strconv.Atoi(at.value); err == nil && n > 0 && n < maxCount {
		least = n + 1
	} else if !isTrue(at.value) {
		return nil
	}
	s.report(at, Differs, "The joiner hears it too, and is in the number. %s", forRoom)
	s.set("announce_count", number(least), at)
	s.set("announce_count_to", plain("all"), at)
	return nil
}

func (s *section) onlyUser(at param) error {
	if !isTrue(at.value) {
		s.report(at, Differs, forRoom)
		s.set("alone_sound", plain("none"), at)
	}
	return nil
}

func (s *section) names(at param) error {
	if !isTrue(at.value) || s.isTrue("quiet") {
		return nil
	}
	if at.name == "announce_join_leave_review" {
		s.report(at, Differs, "He cannot listen to his name and say it again.")
	}
	s.report(at, Differs, forRoom)
	s.set("announce_name", plain("true"), at)
	return nil
}

func (s *section) announcement(at param) error {
	if at.value != "" && s.sound([]string{"entry_prompt"}, at) {
		s.setRole("play_entry_prompt", plain("true"), at)
	}
	return nil
}

func (s *section) askPIN(at param) error {
	switch {
	case at.value == "":
		return nil
	case !digits(at.value, 16):
		return &Error{s.file, at.line, s.where + ": pin: a PIN must be 1 to 16 digits; change it there first"}
	}
	if s.pin = at.value; s.admin {
		s.report(at, Differs, "It makes a moderator of whoever types it where a call names no user. Where members have none, one who types nothing is a member.")
	}
	s.setRole("pins", pinList(at.value), at)
	return nil
}

func (s *section) answer(at param) error {
	if !isTrue(at.value) {
		s.report(at, Differs, "Parley answers every call.")
	}
	return nil
}
