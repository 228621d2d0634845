package config

import (
	"strings"
)

// problemCase is a set of files and what a load says of them. The fuzz test
// starts from these too.
type problemCase struct {
	name  string
	files []string // name, content, …
	want  []string
}

// only makes a case of one main file.
func only(name, text string, want ...string) problemCase {
	return problemCase{name, []string{"parley.yaml", text}, want}
}

func problemCases() []problemCase {
	return []problemCase{
		{
			"unknown profile",
			[]string{"profiles.d/w.yaml", "profiles: [{name: webinar}]", "parley.yaml", "", "rooms.d/sales.yaml", "# sales\n\nrooms:\n\n  - name: sales\n    title: x\n    profile: gold\n"},
			[]string{`rooms.d/sales.yaml:7: profile "gold" is not defined (known: default, webinar). [unknown_profile]`},
		},
		only("two listeners on one port", "sip: {transports: [udp]}\nfreeswitch:\n  listen: 0.0.0.0:8085\nhttp: {listen: \"localhost:5070\"}\naudiosocket: {listen: \"127.0.0.1:5070\"}",
			`parley.yaml:4: http.listen localhost:5070 is the address of audiosocket.listen, too. [port_twice]`),
		only("the port of a default", "audiosocket: {listen: \":8084\"}",
			`parley.yaml:1: audiosocket.listen :8084 is the address of freeswitch.listen, too. [port_twice]`),
		only("the port of a default that comes later", "sip: {listen: \"127.0.0.1:8085\"}",
			`parley.yaml:1: sip.listen 127.0.0.1:8085 is the address of http.listen, too. [port_twice]`),
		{
			"same PIN twice",
			[]string{"parley.yaml", "", "rooms.d/sales.yaml", "rooms:\n  - name: x\n    member: {pins: ['77']}\n    moderator: {pins: [\"1\",\n     77]}\n"},
			[]string{`rooms.d/sales.yaml:5: one PIN is in member.pins and moderator.pins; the role would be ambiguous. [pin_ambiguous]`},
		},
		{
			"same PIN in room and profile",
			[]string{"parley.yaml", "profiles: [{name: a, moderator: {pins: ['77']}}]", "rooms.d/s.yaml", "rooms:\n  - name: x\n    profile: a\n    member:\n      pins: ['77']\n"},
			[]string{`rooms.d/s.yaml:5: one PIN is in member.pins and moderator.pins; the role would be ambiguous. [pin_ambiguous]`},
		},
		only("no whole number", `# 1
# 2
# 3
# 4
# 5
# 6
profiles:
  - name: default
    max_participants: 0x
  - {name: a, max_participants: -1}
  - {name: b, max_participants: 1e9}
  - {name: c, max_participants: 100001}
  - {name: d, max_participants: 010}
  - {name: e, max_participants: +5}
  - {name: f, max_participants: 3.0}
  - {name: g, max_participants: ""}
  - {name: h, max_participants: [1]}
  - {name: i, pin_attempts: 0}
  - {name: j, max_participants: }
`,
			"parley.yaml:9:23: max_participants must be a whole number 0..100000 (0 = no limit). [bad_value]",
			"parley.yaml:10:33: max_participants must be a whole number 0..100000 (0 = no limit). [bad_value]",
			"parley.yaml:11:33: max_participants must be a whole number 0..100000 (0 = no limit). [bad_value]",
			"parley.yaml:12:33: max_participants must be a whole number 0..100000 (0 = no limit). [bad_value]",
			"parley.yaml:13:33: max_participants must be a whole number 0..100000 (0 = no limit). [bad_value]",
			"parley.yaml:14:33: max_participants must be a whole number 0..100000 (0 = no limit). [bad_value]",
			"parley.yaml:15:33: max_participants must be a whole number 0..100000 (0 = no limit). [bad_value]",
			"parley.yaml:16:33: max_participants must be a whole number 0..100000 (0 = no limit). [bad_value]",
			"parley.yaml:17:33: max_participants must be one value. [bad_value]",
			"parley.yaml:18:29: pin_attempts must be a whole number 1..100000. [bad_value]",
			"parley.yaml:19:33: max_participants has no value; one that begins with # must be quoted. [bad_value]",
		),
		only("misspelled keys", `profiles:
  - name: default
    max_particpants: 5
    member: {pin: []}
    pins: ["1"]
    moderator: {pin_sound: x}
sipp: {}
sip: {lisen: x}
listen: 1
zzzzzzz: 1
`,
			`parley.yaml:3: unknown key "max_particpants", did you mean "max_participants"? [unknown_key]`,
			`parley.yaml:4: unknown key "pin", did you mean "pins"? [unknown_key]`,
			`parley.yaml:5: unknown key "pins" here; it belongs in member or moderator. [unknown_key]`,
			`parley.yaml:6: unknown key "pin_sound" here; it belongs in the level above. [unknown_key]`,
			`parley.yaml:7: unknown key "sipp", did you mean "sip"? [unknown_key]`,
			`parley.yaml:8: unknown key "lisen", did you mean "listen"? [unknown_key]`,
			`parley.yaml:9: unknown key "listen" here; it belongs in sip, freeswitch, audiosocket, http or esl_server. [unknown_key]`,
			`parley.yaml:10: unknown key "zzzzzzz". [unknown_key]`,
		),
		only("bad words", `language: en/../..
sounds_dir: "a\nb"
state_dir: ""
sip: {listen: localhost, transports: [udp, sctp], advertise: "a b", realm: 'a"b', codecs: [], rate_per_source: 0, trusted: [10.0.0.0/33]}
rtp: {bind: example.org, ports: 40000}
media: {advertise: host, jitter_ms: x, timeout_s: -1}
freeswitch: {dial_string: "sofia/x", token_s: 0}
audiosocket: {listen: "127.0.0.1:99999", advertise: x}
log: {level: loud, format: xml}
`,
			`parley.yaml:1:11: language must be a language such as en or pt-BR. [bad_value]`,
			`parley.yaml:2:13: sounds_dir must be one line of at most 1000 bytes. [bad_value]`,
			`parley.yaml:3:12: state_dir must be a path. [bad_value]`,
			`parley.yaml:4:15: sip.listen must be HOST:PORT, for example 127.0.0.1:5070. [bad_value]`,
			`parley.yaml:4:38: sip.transports must be a list of udp or tcp, each once. [bad_value]`,
			`parley.yaml:4:62: sip.advertise must be HOST or HOST:PORT, or "" for the local address. [bad_value]`,
			`parley.yaml:4:76: sip.realm must be a word without blanks and quotes. [bad_value]`,
			`parley.yaml:4:91: sip.codecs must be a list of opus, G722, PCMU, PCMA or L16, each once. [bad_value]`,
			`parley.yaml:4:112: sip.rate_per_source must be a whole number 1..100000. [bad_value]`,
			`parley.yaml:4:124: sip.trusted must be a list of addresses and networks, for example [192.0.2.7, 10.0.0.0/8]. [bad_value]`,
			`parley.yaml:5:13: rtp.bind must be an IP address, or "" for the host of sip.listen. [bad_value]`,
			`parley.yaml:5:33: rtp.ports must be FIRST-LAST within 1024-65535, for example 40000-44999. [bad_value]`,
			`parley.yaml:6:20: media.advertise must be an IP address, or "" for the local address. [bad_value]`,
			`parley.yaml:6:37: media.jitter_ms must be a whole number of milliseconds 0..1000. [bad_value]`,
			`parley.yaml:6:51: media.timeout_s must be a number of seconds 0..100000 (0 = never). [bad_value]`,
			`parley.yaml:7:27: freeswitch.dial_string must be one line with {token} and {address} in it. [bad_value]`,
			`parley.yaml:7:47: freeswitch.token_s must be a number of seconds 1..100000. [bad_value]`,
			`parley.yaml:8:23: audiosocket.listen must be HOST:PORT, for example 127.0.0.1:5070. [bad_value]`,
			`parley.yaml:8:53: audiosocket.advertise must be HOST:PORT, or "" for audiosocket.listen. [bad_value]`,
			`parley.yaml:9:14: log.level must be debug, info, warn or error. [bad_value]`,
			`parley.yaml:9:28: log.format must be text or json. [bad_value]`,
		),
		only("jitter the wrong way round", "media: {jitter_ms: 300}",
			`parley.yaml:1:20: media.jitter_max_ms must be at least media.jitter_ms, 300. [bad_value]`),
		only("bad values of a profile", `profiles:
  - name: ".x"
  - title: y
  - name: a
    mixer: both
    create: never
    wait_timeout_s: 1e3
    end_grace_s: 1.2345
    on_full: hang-up
    announce_name: maybe
    end_on_exit: all
    pin_terminator: "5"
    terminator: #
    play_entry_tone: ""
    locked_sound: ""
    member: {enter_sound: "", join_muted: 1, controls: blue, terminator: long}
    moderator: yes
  - name: a
  - [1]
`,
			`parley.yaml:2:11: name must be 1 to 128 of A-Z a-z 0-9 . _ - and not begin with a dot. [bad_value]`,
			`parley.yaml:3: unknown key "title". [unknown_key]`,
			`parley.yaml:3: key "name" is missing. [missing_key]`,
			`parley.yaml:5:12: mixer must be native or switch. [bad_value]`,
			`parley.yaml:6:13: create must be on_demand, existing_only or running_only. [bad_value]`,
			`parley.yaml:7:21: wait_timeout_s must be a number of seconds 0..100000 (0 = no limit). [bad_value]`,
			`parley.yaml:8:18: end_grace_s must be a number of seconds 0..100000. [bad_value]`,
			`parley.yaml:9:14: on_full must be continue or hangup. [bad_value]`,
			`parley.yaml:10:20: announce_name must be true or false. [bad_value]`,
			`parley.yaml:11:18: end_on_exit must be any, last or never. [bad_value]`,
			`parley.yaml:12:21: pin_terminator must be "#", "*", "*#" or none. [bad_value]`,
			`parley.yaml:13:16: terminator has no value; one that begins with # must be quoted. [bad_value]`,
			`parley.yaml:14:22: play_entry_tone is empty; write a sound, or none for no sound. [empty_sound]`,
			`parley.yaml:15:19: locked_sound is empty; write a sound, or none for no sound. [empty_sound]`,
			`parley.yaml:16: controls "blue" is not defined (known: default, moderator). [unknown_controls]`,
			`parley.yaml:16:27: member.enter_sound is empty; write a sound, or none for no sound. [empty_sound]`,
			`parley.yaml:16:43: member.join_muted must be true or false. [bad_value]`,
			`parley.yaml:16:74: member.terminator must be 1 to 8 keys of 0-9 * # A-D, or none. [bad_value]`,
			`parley.yaml:17:16: moderator must be keys and values (key: value). [bad_value]`,
			`parley.yaml:18: profile "a" is already defined at parley.yaml:4. [duplicate_name]`,
			`parley.yaml:19:5: each entry must be keys and values (key: value). [bad_value]`,
		),
		only("PINs that are none are not shown", `rooms:
  - {name: a, member: {pins: 4321}}
  - {name: b, member: {pins: [43x21, "12345678901234567", "", {pin: "4 3"}, {pin: "4321", expires: x}, [4321]]}}
  - {name: c, member: {pins: {4321: Ann}}}
  - {name: d, member: {pins: [!!str 4321]}}
`,
			`parley.yaml:2:30: member.pins must be a list. [bad_value]`,
			`parley.yaml:3:31: member.pins must be PINs of 1 to 16 digits, each "1234" or {pin: "1234", label: Ann}. [bad_value]`,
			`parley.yaml:3:38: member.pins must be PINs of 1 to 16 digits, each "1234" or {pin: "1234", label: Ann}. [bad_value]`,
			`parley.yaml:3:59: member.pins must be PINs of 1 to 16 digits, each "1234" or {pin: "1234", label: Ann}. [bad_value]`,
			`parley.yaml:3:63: member.pins must be PINs of 1 to 16 digits, each "1234" or {pin: "1234", label: Ann}. [bad_value]`,
			`parley.yaml:3:77: member.pins must be PINs of 1 to 16 digits, each "1234" or {pin: "1234", label: Ann}. [bad_value]`,
			`parley.yaml:3:104: member.pins must be PINs of 1 to 16 digits, each "1234" or {pin: "1234", label: Ann}. [bad_value]`,
			`parley.yaml:4:30: member.pins must be a list. [bad_value]`,
			`parley.yaml:5: Tags such as !!str are not supported; quote the value instead. [bad_value]`,
		),
		only("controls", `controls:
  - name: none
    keys: []
  - name: mine
    keys: [{digits: "12345678901", action: mute}, {digits: "1", action: mutte}, {digits: "2"}, {digits: "3", action: x}]
  - name: two
    keys:
      - {digits: "1", action: mute}
      - {digits: "1", action: deaf}
profiles: [{name: a, controls: [{digits: "1", actoin: mute}]}]
`,
			`parley.yaml:2:11: name must be a word of letters, digits and . _ - @ +, not none and not inline. [bad_value]`,
			`parley.yaml:5: key "action" is missing. [missing_key]`,
			`parley.yaml:5:21: digits must be 1 to 8 keys of 0-9 * # A-D. [bad_value]`,
			`parley.yaml:5:73: action must be an action, did you mean "mute"? [bad_value]`,
			`parley.yaml:5:118: action must be an action: mute, mute on, mute off, deaf, deaf on, deaf off, volume talk up, `+
				`volume talk down, volume talk reset, volume listen up, volume listen down, volume listen reset, lock, leave, end, announce count, raise hand. [bad_value]`,
			`parley.yaml:9: digits "1" already have an action at line 8. [duplicate_digits]`,
			`parley.yaml:10: unknown key "actoin", did you mean "action"? [unknown_key]`,
			`parley.yaml:10: key "action" is missing. [missing_key]`,
		),
		{"switches, users and tokens", []string{"y", "secret", "parley.yaml", `switches:
  - {name: a, kind: asterisk}
  - {name: b, kind: freeswitch, esl: "127.0.0.1:8021", password: x, ari: http://x/ari}
  - {name: c, kind: pbx}
  - {name: d, kind: asterisk, ari: "http://u:p@h/ari", user: u, password: x}
  - {name: e, kind: asterisk, ari: http://h/ari, user: u, password: x, password_file: y}
  - {name: e, kind: asterisk, ari: http://h/ari, user: u, password: x}
  - {name: f, kind: freeswitch, esl: "h:1", password_file: none.secret}
sip: {users: [{name: u}, {name: "a b", password: x}, {password: ""}]}
auth: {tokens: [{name: t, token: short}, {name: t, token: 0123456789abcdef}]}
`}, []string{
			`parley.yaml:2: key "ari" is missing. [missing_key]`,
			`parley.yaml:2: key "user" is missing. [missing_key]`,
			`parley.yaml:3: key "ari" has no meaning for a switch of kind freeswitch. [unknown_key]`,
			`parley.yaml:4:21: kind must be asterisk or freeswitch. [bad_value]`,
			`parley.yaml:5:36: ari must be http://HOST:PORT/ari, without user and password in it. [bad_value]`,
			`parley.yaml:6: one of "password" and "password_file" is needed, and not both. [missing_key]`,
			`parley.yaml:7: switch "e" is already defined at parley.yaml:6. [duplicate_name]`,
			`parley.yaml:8: password_file "none.secret": no such file or directory. [secret_file]`,
			`parley.yaml:9: one of "password" and "password_file" is needed, and not both. [missing_key]`,
			`parley.yaml:9: key "name" is missing. [missing_key]`,
			`parley.yaml:9:33: name must be a word of letters, digits and . _ - @ +. [bad_value]`,
			`parley.yaml:9:65: password is empty. [bad_value]`,
			`parley.yaml:10: token t must have at least 16 characters, letters, digits and -._~+/= only. [weak_token]`,
			`parley.yaml:10: token "t" is already defined at parley.yaml:10. [duplicate_name]`,
		}},
		only("the API open to strangers", "\nhttp:\n  listen: 0.0.0.0:8085\n",
			`parley.yaml:3: http.listen 0.0.0.0:8085 without auth.tokens; set a token or listen on 127.0.0.1. [no_auth]`),
		only("the event socket open to strangers", "\nesl_server:\n  listen: 0.0.0.0:8022\n",
			"parley.yaml:3: esl_server.listen 0.0.0.0:8022 with FreeSWITCH's own password; set esl_server.password or listen on 127.0.0.1. [no_auth]"),
		only("the event socket open to guessers", "\nesl_server:\n  listen: 0.0.0.0:8022\n  password: 1234567\n  users: [{name: a@b, password: 1234567}]\n",
			"parley.yaml:3: esl_server.listen 0.0.0.0:8022 with a password of fewer than 8 characters; set a longer one or listen on 127.0.0.1. [weak_password]",
			"parley.yaml:5: ESL user a@b must have a password of at least 8 characters: esl_server.listen can be reached from other machines. [weak_password]"),
		only("users of the event socket", "esl_server:\n  users:\n    - {name: bob, password: x}\n    - {name: a@b}\n    - {name: c@d, password: x, log: perhaps}\n    - {name: e@f, password: x, apis: []}\n",
			"parley.yaml:3:14: name must be USER@DOMAIN, as fs_cli -u gives it. [bad_value]",
			`parley.yaml:4: one of "password" and "password_file" is needed, and not both. [missing_key]`,
			"parley.yaml:5:37: log must be true or false. [bad_value]",
			`parley.yaml:6: unknown key "apis", did you mean "api"? [unknown_key]`),
		only("keys twice, in any spelling", `language: en
language: de
profiles:
  - name: a
    max-participants: 1
    max_participants: 2
  - name: b
    max-members: 1
    max_participants: 2
`,
			`parley.yaml:2: key "language" is given twice, first at line 1. [duplicate_key]`,
			`parley.yaml:6: key "max_participants" is given twice, first at line 5. [duplicate_key]`,
			`parley.yaml:8: key "max_members" is another name of "max_participants", which is given too. [duplicate_key]`,
		),
		{
			"settings in the wrong file",
			[]string{"parley.yaml", "", "rooms.d/a.yaml", "rooms: []\nsip: {}\nswitches: []\nroms: []\n"},
			[]string{
				`rooms.d/a.yaml:2: key "sip" belongs in the main file; here are controls, profiles or rooms. [misplaced_key]`,
				`rooms.d/a.yaml:3: key "switches" belongs in the main file; here are controls, profiles or rooms. [misplaced_key]`,
				`rooms.d/a.yaml:4: unknown key "roms", did you mean "rooms"? [unknown_key]`,
			},
		},
		{
			"a room in two files",
			[]string{"parley.yaml", "", "rooms.d/a.yaml", "rooms: [{name: x}]", "rooms.d/b.yaml", "\nrooms: [{name: x}]"},
			[]string{`rooms.d/b.yaml:2: room "x" is already defined at rooms.d/a.yaml:1. [duplicate_name]`},
		},
		only("nothing behind a dash", "rooms:\n  -\nswitches:\n  -\n",
			`parley.yaml:2: key "name" is missing. [missing_key]`,
			`parley.yaml:4: key "name" is missing. [missing_key]`,
			`parley.yaml:4: key "kind" is missing. [missing_key]`),
		only("no YAML", "a: b: c", `parley.yaml:1: YAML: mapping values are not allowed in this context. [yaml_syntax]`),
		only("a control without quotes", "controls:\n  - name: a\n    keys: [{digits: *1, action: mute}]\nlanguage: en\n",
			`parley.yaml:3: YAML: a value that begins with * must be quoted ("*1"). [yaml_syntax]`),
		only("two documents", "language: en\n---\nlanguage: de\n", `parley.yaml:2: There is a second document; one file holds one. [yaml_syntax]`),
		only("a list instead of keys", "- 1", `parley.yaml:1: The file must be a list of keys and values (key: value). [yaml_syntax]`),
		only("a key that is a list", "[a]: b", `parley.yaml:1: A key must be a word. [yaml_syntax]`),
		only("a value instead of a section", "sip: 5\nprofiles: {a: b}",
			`parley.yaml:1:6: sip must be keys and values (key: value). [bad_value]`,
			`parley.yaml:2:11: profiles must be a list. [bad_value]`),
		only("too deep", strings.Repeat("[", 40)+strings.Repeat("]", 40), `parley.yaml:1: maps and lists are more than 16 deep. [too_large]`),
		only("a bomb of aliases", bomb(), `parley.yaml:6: the file has more than 200000 keys and values. [too_large]`),
		only("an alias in itself", "a: &a [*a]", `parley.yaml:1: maps and lists are more than 16 deep. [too_large]`),
		only("too large", "#"+strings.Repeat("x", maxBytes), `parley.yaml: The file has more than 1048576 bytes. [too_large]`),
		only("too many entries", "rooms: ["+strings.Repeat("{},", maxEntries+1)+"]", `parley.yaml:1: rooms has more than 10000 entries. [too_large]`),
	}
}

// bomb is a small file of very many values.
func bomb() string {
	var b strings.Builder
	b.WriteString("a: &a [x, x, x, x, x, x, x, x, x, x]\n")
	for c := 'b'; c < 'i'; c++ {
		b.WriteString(string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 10) + "]\n")
	}
	return b.String()
}

func warningCases() []problemCase {
	return []problemCase{
		{
			"a PIN begins another",
			[]string{"parley.yaml", "", "rooms.d/x.yaml", "rooms:\n  - name: x\n    pin_terminator: none\n    member: {pins: [{pin: 0123, label: Ann}, '55']}\n    moderator: {pins: [{pin: \"01234\", label: Bob}, '556']}\n"},
			[]string{
				`rooms.d/x.yaml:4: PIN of "Ann" is the beginning of PIN of "Bob"; needs pin_terminator "#" or 2 s wait. [pin_prefix]`,
				`rooms.d/x.yaml:4: a PIN of member.pins is the beginning of a PIN of moderator.pins; needs pin_terminator "#" or 2 s wait. [pin_prefix]`,
			},
		},
		only("a room takes the terminator away", "profiles: [{name: p, member: {pins: [1, 12]}}]\nrooms:\n  - {name: r, profile: p, pin-terminator: none}",
			`parley.yaml:3: a PIN of member.pins is the beginning of a PIN of member.pins; needs pin_terminator "#" or 2 s wait. [pin_prefix]`),
		only("a PIN begins another but a key ends it", "profiles: [{name: p, member: {pins: [1, 12]}}]"),
		{
			"a file with another ending",
			[]string{"parley.yaml", "", "rooms.d/x.yml", ""},
			[]string{"rooms.d/x.yml: Only files that end in .yaml are read. [ignored_file]"},
		},
		only("the dialplan's socket open to strangers", "freeswitch:\n  listen: 0.0.0.0:8084\n  acl: []\n",
			"parley.yaml:3: freeswitch.listen 0.0.0.0:8084, and freeswitch.acl lets everybody in: who reaches it may be any caller, a moderator, too. [open_socket]"),
		only("the same in other words", "freeswitch:\n  listen: 0.0.0.0:8084\n  acl: [10.0.0.0/8, 0.0.0.0/0]\n",
			"parley.yaml:3: freeswitch.listen 0.0.0.0:8084, and freeswitch.acl lets everybody in: who reaches it may be any caller, a moderator, too. [open_socket]"),
		only("somebody to wait for who cannot come", "profiles:\n  - name: default\n    require_moderator: true\nrooms:\n  - {name: a, moderator: {pins: [1]}}\n",
			`parley.yaml:3: profile default waits for a moderator and has no moderator.pins; only calls with parley_role=moderator can be one. [no_moderator_pin]`),
		only("every room has its moderators", "profiles: [{name: p, wait_for_moderator: true}]\nrooms: [{name: a, profile: p, moderator: {pins: [1]}}]"),
		only("some room has none", "profiles: [{name: p, wait_for_moderator: true}]\nrooms: [{name: a, profile: p, moderator: {pins: [1]}}, {name: b, profile: p}]",
			`parley.yaml:1: profile p waits for a moderator and has no moderator.pins; only calls with parley_role=moderator can be one. [no_moderator_pin]`),
		only("no room has it", "profiles: [{name: p, wait_for_moderator: true}]",
			`parley.yaml:1: profile p waits for a moderator and has no moderator.pins; only calls with parley_role=moderator can be one. [no_moderator_pin]`),
		only("the room's own doing", "profiles: [{name: p, moderator: {pins: [1]}}]\nrooms:\n  - {name: a, wait_for_moderator: true}\n  - {name: b, profile: p, wait_for_moderator: true}\n  - {name: c, profile: p, wait_for_moderator: true, moderator: {pins: []}}\n",
			`parley.yaml:3: room a waits for a moderator and has no moderator.pins; only calls with parley_role=moderator can be one. [no_moderator_pin]`,
			`parley.yaml:5: room c waits for a moderator and has no moderator.pins; only calls with parley_role=moderator can be one. [no_moderator_pin]`),
		only("another profile brings them", "profiles: [{name: p, wait_for_moderator: true}, {name: boss, join_as: moderator}]"),
		only("the wait ends without one", "profiles: [{name: p, wait_for_moderator: true, wait_timeout_s: 60, on_wait_timeout: open}]"),
		only("any port, twice", "http: {listen: \"127.0.0.1:0\"}\nfreeswitch: {listen: \"127.0.0.1:0\"}"),
		only("nobody waits", "profiles: [{name: p}]"),
		only("the password everybody knows", "switches:\n - {name: a, kind: freeswitch, esl: \"10.0.0.1:8021\", password: ClueCon}\n - {name: b, kind: freeswitch, esl: \"127.0.0.1:8021\", password: ClueCon}",
			"parley.yaml:2: switch a has FreeSWITCH's well-known default password; change it in event_socket.conf.xml. [esl_default_password]"),
	}
}
