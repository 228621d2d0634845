package fsapi

import (
	"slices"

	"parley/engine"
)

// Syntaxes that many commands share.
const (
	newValue = "<member_id|all|last|non_moderator> [<newval>]"
	quietly  = "<[member_id|all]|last|non_moderator> [<quiet>]"
	anybody  = "<[member_id|all]|last|non_moderator>"
	eitherOf = "<[member_id|all|last|non_moderator]>"
	lastOr   = "<member_id|last>"
	dialling = "<endpoint_module_name>/<destination> <callerid number> <callerid name>"
)

// subs are the sub-commands of "conference NAME", in the switch's order and
// with its syntax texts.
func subs() []sub {
	return slices.Concat(soundingSubs(), placeSubs(), videoSubs())
}

// soundingSubs are those that do something, and that help lists.
func soundingSubs() []sub { return slices.Concat(listSubs(), soundSubs(), memberSubs(), roomSubs()) }

func listSubs() []sub {
	return []sub{
		{name: "count", whole: (*call).count},
		{name: "list", syntax: "[delim <string>]|[count]", whole: (*call).listOne},
		{name: "xml_list", whole: (*call).xmlOne},
		{name: "json_list", syntax: "[compact]", whole: (*call).jsonOne},
		{name: "energy", syntax: newValue, target: (*call).energy},
		{name: "auto-energy", syntax: newValue, target: (*call).autoEnergy},
		{name: "max-energy", syntax: newValue, target: (*call).maxEnergy},
		{name: "agc", syntax: newValue, target: (*call).agc},
		{name: "volume_in", syntax: newValue, target: (*call).volumeIn},
		{name: "volume_out", syntax: newValue, target: (*call).volumeOut},
	}
}

func soundSubs() []sub {
	return []sub{
		{name: "play", syntax: "<file_path> [async|<member_id> [nomux]]", whole: (*call).play},
		{name: "moh", syntax: "<file_path>|toggle|[on|off]", whole: (*call).moh},
		{name: "pause_play", shown: "pause", syntax: "[<member_id>]", whole: whilePlaying(0, (*call).pausePlay)},
		{name: "play_status", syntax: "[<member_id>]", whole: whilePlaying(0, (*call).playStatus)},
		{name: "file_seek", syntax: "[+-]<val> [<member_id>]", whole: whilePlaying(1, (*call).fileSeek)},
		{name: "say", syntax: "<text>", whole: (*call).say},
		{name: "saymember", syntax: "<member_id> <text>", whole: (*call).sayToMember},
		{name: "stop", syntax: "<[current|all|async|last]> [<member_id>]", whole: (*call).stop},
	}
}

func memberSubs() []sub {
	return []sub{
		{name: "dtmf", syntax: eitherOf + " <digits>", target: (*call).press},
		{name: "kick", syntax: eitherOf + " [<optional sound file>]", target: (*call).kick},
		{name: "hup", syntax: eitherOf, target: (*call).hup},
		{name: "hold", syntax: anybody + " [file]", target: (*call).hold},
		{name: "unhold", syntax: anybody, target: (*call).unhold},
		{name: "mute", syntax: quietly, target: (*call).mute},
		{name: "tmute", syntax: quietly, target: (*call).toggleMute},
		{name: "unmute", syntax: quietly, target: (*call).unmute},
		{name: "deaf", syntax: anybody, target: (*call).deaf},
		{name: "undeaf", syntax: anybody, target: (*call).undeaf},
		{name: "relate", syntax: "<member_id>[,<member_id>] <other_member_id>[,<other_member_id>] [nospeak|nohear|clear]", whole: (*call).relate},
	}
}

func roomSubs() []sub {
	return []sub{
		{name: "getvar", syntax: "<varname>", whole: (*call).getVariable},
		{name: "setvar", syntax: "<varname> <value>", whole: (*call).setVariable},
		{name: "lock", whole: (*call).lock},
		{name: "unlock", whole: (*call).unlock},
		{name: "dial", syntax: dialling, whole: (*call).dial},
		{name: "bgdial", syntax: dialling, whole: (*call).dialInBackground},
		{name: "transfer", syntax: "<conference_name> <member id> [...<member id>]", whole: (*call).transfer},
		{name: "record", syntax: "<filename>", whole: (*call).record},
		{name: "chkrecord", syntax: "<confname>", whole: (*call).checkRecord},
		{name: "norecord", syntax: "<[filename|all]>", whole: (*call).stopRecord},
		{name: "pause", syntax: "<filename>", whole: func(c *call) bool { return c.pauseRecord(true) }},
		{name: "resume", syntax: "<filename>", whole: func(c *call) bool { return c.pauseRecord(false) }},
		{name: "recording", syntax: "[start|stop|check|pause|resume] [<filename>|all]", whole: (*call).recording},
		{name: "exit_sound", syntax: "on|off|none|file <filename>", whole: func(c *call) bool { return c.doorSound("exit") }},
		{name: "enter_sound", syntax: "on|off|none|file <filename>", whole: func(c *call) bool { return c.doorSound("enter") }},
		{name: "pin", syntax: "<pin#>", whole: (*call).pin},
		{name: "nopin", whole: (*call).noPIN},
		{name: "get", syntax: "<parameter-name>", whole: (*call).get},
		{name: "set", syntax: "<max_members|sound_prefix|caller_id_name|caller_id_number|endconference_grace_time> <value>", whole: (*call).setRule},
		{name: "file-vol", syntax: "<vol#>", whole: (*call).fileVolume},
		{name: "floor", syntax: lastOr, target: (*call).floor},
		{name: "get-uuid", syntax: lastOr, target: func(c *call, m *engine.MemberView, _ string) { c.printf("%s", c.a.guest(&channel{c.view, *m}).uuid()) }},
	}
}

// answers is a command with one answer for every member.
func answers(text string) func(*call, *engine.MemberView, string) {
	return func(c *call, _ *engine.MemberView, _ string) { c.printf("%s\n", text) }
}

// replies is a command with one answer.
func replies(text string) func(*call) bool {
	return func(c *call) bool {
		c.printf("%s\n", text)
		return true
	}
}

// placeSubs are about where in space voices come from: the answers of a switch
// that was built without it.
func placeSubs() []sub {
	return []sub{
		{name: "position", syntax: "<member_id> <x>:<y>:<z>", target: answers("-ERR not supported")},
		{name: "auto-3d-position", syntax: "[on|off]", whole: replies("-ERR not supported")},
	}
}

// videoSubs are about pictures, of which there are none: the switch's answers
// in a room without any.
func videoSubs() []sub {
	const (
		mixing  = "-ERR Conference is not in mixing mode"
		invalid = "-ERR Invalid input"
	)
	hidden := func(verb string) func(*call, *engine.MemberView, string) {
		return func(c *call, m *engine.MemberView, _ string) { c.printf("+OK %s %d\n", verb, m.ID) }
	}
	nothing := func(*call, *engine.MemberView, string) {}
	return []sub{
		{name: "cam", whole: replies(mixing)},
		{name: "canvas-auto-clear", syntax: "<canvas_id> <true|false>", whole: replies("-ERR Invalid canvas")},
		{name: "vid-canvas", syntax: newValue, target: answers("-ERR Invalid DATA")},
		{name: "vid-watching-canvas", syntax: newValue, target: answers("-ERR Invalid DATA")},
		{name: "vid-layer", syntax: newValue, target: answers("-ERR Invalid Canvas")},
		{name: "vid-flip", syntax: eitherOf, target: hidden("flipped")},
		{name: "vid-border", syntax: eitherOf, target: answers("-ERR No text supplied")},
		{name: "vmute", syntax: quietly, target: hidden("vmute")},
		{name: "tvmute", syntax: quietly, target: hidden("vmute")},
		{name: "unvmute", syntax: quietly, target: hidden("unvmute")},
		{name: "vmute-snap", syntax: anybody, target: answers(mixing)},
		{name: "vblind", syntax: quietly, target: hidden("vblind")},
		{name: "tvblind", syntax: quietly, target: hidden("vblind")},
		{name: "unvblind", syntax: quietly, target: hidden("unvblind")},
		{name: "vid-filter", syntax: anybody + " <string>", target: answers("+OK")},
		{name: "vid-floor", syntax: lastOr + " [force]", target: nothing},
		{name: "vid-banner", syntax: lastOr + " <text>", target: answers("+OK")},
		{name: "vid-mute-img", syntax: lastOr + " [<path>|clear]", target: nothing},
		{name: "vid-logo-img", syntax: lastOr + " [<path>|clear]", target: nothing},
		{name: "vid-codec-group", syntax: lastOr + " [<group>|clear]", target: nothing},
		{name: "vid-res-id", syntax: "<member_id>|all <val>|clear [force]", target: nothing},
		{name: "vid-role-id", syntax: lastOr + " <val>|clear", target: nothing},
		{name: "clear-vid-floor", whole: replies("+OK floor Cleared")},
		{name: "vid-layout", syntax: "<layout name>|group <group name> [<canvas id>]", whole: withWord(invalid, mixing)},
		{name: "vid-write-png", syntax: "<path>", whole: withWord(invalid, mixing)},
		{name: "vid-fps", syntax: "<fps>", whole: replies(mixing)},
		{name: "vid-res", syntax: "<WxH>", whole: replies(mixing)},
		{name: "vid-fgimg", syntax: "<file> | clear [<canvas-id>]", whole: replies(invalid)},
		{name: "vid-bgimg", syntax: "<file> | clear [<canvas-id>]", whole: replies(invalid)},
		{name: "vid-bandwidth", syntax: "<BW>", whole: withWord(invalid, "-ERR Bandwidth not set")},
		{name: "vid-personal", syntax: "[on|off]", whole: replies("-ERR conference is not in mixing mode")},
	}
}

// withWord is a command with one answer without a word, and one with one.
func withWord(without, with string) func(*call) bool {
	return func(c *call) bool {
		if len(c.words) == 0 {
			return replies(without)(c)
		}
		return replies(with)(c)
	}
}
