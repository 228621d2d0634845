package engine

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// request is what the variables of one call ask for.
type request struct {
	role       Role
	profile    string // named; "" = the room's
	pin        string // supplied, "" = ask
	joinOnly   bool
	noMOH      bool
	room       []roomSetting         // settings of the room: only the opening call's count
	member     []func(*RoleSettings) // settings of this member
	language   string
	muted      *bool
	deaf       *bool
	warnings   []string
	wantNoTone map[string]bool // "join", "leave": beep=
	signals    signalList      // that may interrupt it
	sounds     []Variable      // sounds that it names
	entry      entry
}

// roomSetting is a room-level variable of a call.
type roomSetting struct {
	name, value string
	apply       func(*Profile)
}

// changes says whether the setting is another than that of p.
func (set roomSetting) changes(p *Profile) bool {
	with := *p
	set.apply(&with)
	return !reflect.DeepEqual(&with, p)
}

var errValue = errors.New("bad value")

// variable reads one parley_* variable into a request.
type variable func(q *request, value string) error

// KnownVariables lists the names a call may set, without the prefix.
func KnownVariables() []string { return slices.Sorted(maps.Keys(variableTable())) }

// Variables that adapters use themselves, and that are no setting.
func plumbing() []string {
	return []string{
		"room", "profile", "tenant", "token", "result", "reason", "exit", "exit_digits", "signal", "duration", "member_id",
		"warnings", "reattach", "fallback", "retry", "left", "lost", "borrowed",
	}
}

func variableTable() map[string]variable {
	t := map[string]variable{}
	maps.Copy(t, callerVariables())
	maps.Copy(t, roomVariables())
	maps.Copy(t, entryVariables())
	for _, name := range plumbing() {
		t[name] = func(*request, string) error { return nil }
	}
	return t
}

// callerVariables are about who calls.
func callerVariables() map[string]variable {
	return map[string]variable{
		"role":       readRole,
		"flags":      readFlags,
		"pin":        func(q *request, v string) error { q.pin = v; return nil },
		"language":   readLanguage,
		"muted":      ownBool(func(q *request, on bool) { q.muted = &on }),
		"deaf":       ownBool(func(q *request, on bool) { q.deaf = &on }),
		"terminator": readTerminator,
		"beep":       readBeep,
		"enter_sound": func(q *request, v string) error {
			q.sounds = append(q.sounds, Variable{"enter_sound", v})
			q.member = append(q.member, func(s *RoleSettings) { s.EnterSound = v })
			return nil
		},
		"exit_sound": func(q *request, v string) error {
			q.sounds = append(q.sounds, Variable{"exit_sound", v})
			q.member = append(q.member, func(s *RoleSettings) { s.ExitSound = v })
			return nil
		},
		"end_on_exit":   readEndOnExit,
		"allow_signals": readSignals,
	}
}

// roomVariables are rules of the room, by the call that opens it.
func roomVariables() map[string]variable {
	return map[string]variable{
		"max_participants":   roomInt("max_participants", func(p *Profile, n int) { p.MaxParticipants = n }),
		"announce_count":     roomInt("announce_count", func(p *Profile, n int) { p.AnnounceCount = n }),
		"end_grace":          roomInt("end_grace", func(p *Profile, n int) { p.EndGrace = time.Duration(n) * time.Second }),
		"wait_timeout":       roomInt("wait_timeout", func(p *Profile, n int) { p.WaitTimeout = time.Duration(n) * time.Second }),
		"wait_for_moderator": roomBool("wait_for_moderator", func(p *Profile, on bool) { p.WaitForModerator = on }),
		"require_moderator":  roomBool("require_moderator", func(p *Profile, on bool) { p.RequireModerator = on }),
		"announce_name":      roomBool("announce_name", func(p *Profile, on bool) { p.AnnounceName = on }),
		"wait_sound":         roomSound("wait_sound", func(p *Profile, s string) { p.WaitSound = s }),
		"moh_sound":          roomSound("moh_sound", func(p *Profile, s string) { p.MOHSound = s }),
		"max_members_sound":  roomSound("max_members_sound", func(p *Profile, s string) { p.MaxMembersSound = s }),
		"record":             readRecord,
		"record_file":        readRecordFile,
		"play_entry_tone":    roomTone("play_entry_tone", DefaultEntryTone, func(p *Profile, s string) { p.EntryTone = s }),
		"play_exit_tone":     roomTone("play_exit_tone", DefaultExitTone, func(p *Profile, s string) { p.ExitTone = s }),
		"rewait_on_moderator_exit": roomBool("rewait_on_moderator_exit",
			func(p *Profile, on bool) { p.RewaitOnModeratorExit = on }),
	}
}

// readVariables judges every variable of a call. What cannot be used is
// reported as a warning with its name, never silently dropped.
func readVariables(vars map[string]string) request {
	q := request{profile: vars["profile"]}
	table := variableTable()
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		read, known := table[name]
		switch {
		case !known:
			q.warnings = append(q.warnings, unknownVariable(name, table))
		case vars[name] == "" && name != "pin" && name != "allow_signals":
			// An empty variable is an unset one.
		default:
			if err := read(&q, vars[name]); err != nil {
				q.warnings = append(q.warnings, fmt.Sprintf("parley_%s: %v", name, err))
			}
		}
	}
	return q
}

// JudgeVariable says what is wrong with a variable of a call, its name without
// the prefix; "" when nothing is.
func JudgeVariable(name, value string) string {
	return joinWarnings(readVariables(map[string]string{name: value}).warnings)
}

func unknownVariable(name string, table map[string]variable) string {
	name = clip(name)
	text := "unknown variable parley_" + strings.ReplaceAll(name, `"`, "")
	if near := Nearest(name, slices.Sorted(maps.Keys(table))); near != "" {
		text += ", did you mean parley_" + near + "?"
	}
	return text
}

func readRole(q *request, v string) error {
	role, ok := ParseRole(v)
	if !ok {
		return fmt.Errorf("%w %q, want member or moderator", errValue, clip(v))
	}
	q.role = role
	return nil
}

// readFlags takes a list of member flags as mod_conference writes it,
// separated by bars or commas.
func readFlags(q *request, v string) error {
	var unknown []string
	for _, flag := range strings.FieldsFunc(v, func(r rune) bool { return r == '|' || r == ',' || r == ' ' }) {
		switch yes := true; flag {
		case "moderator":
			q.role = RoleModerator
		case "member":
			q.role = RoleMember
		case "mute":
			q.muted = &yes
		case "deaf":
			q.deaf = &yes
		case "nomoh":
			q.noMOH = true
		case "join-only":
			q.joinOnly = true
		case "endconf":
			q.member = append(q.member, func(s *RoleSettings) { s.EndOnExit = EndAny })
		case "mandatory_member_endconf":
			q.member = append(q.member, func(s *RoleSettings) { s.EndOnExit = EndLast })
		default:
			unknown = append(unknown, clip(flag))
		}
	}
	if unknown != nil {
		return fmt.Errorf("flags without effect: %s", strings.Join(unknown, ", "))
	}
	return nil
}

func readTerminator(q *request, v string) error {
	if !keypad(v) || len(v) > 8 {
		return fmt.Errorf("%w %q, want 1 to 8 of 0-9 * #", errValue, clip(v))
	}
	q.member = append(q.member, func(s *RoleSettings) { s.Terminator = v })
	return nil
}

func readBeep(q *request, v string) error {
	off := map[string][]string{"true": nil, "false": {"join", "leave"}, "onenter": {"leave"}, "onexit": {"join"}}
	list, ok := off[strings.ToLower(v)]
	if !ok {
		return fmt.Errorf("%w %q, want true, false, onEnter or onExit", errValue, clip(v))
	}
	q.wantNoTone = map[string]bool{}
	for _, when := range list {
		q.wantNoTone[when] = true
	}
	return nil
}

func readEndOnExit(q *request, v string) error {
	var end EndOnExit
	switch v {
	case "any", "true":
		end = EndAny
	case "last":
		end = EndLast
	case "false":
	default:
		return fmt.Errorf("%w %q, want any, last or false", errValue, clip(v))
	}
	q.member = append(q.member, func(s *RoleSettings) { s.EndOnExit = end })
	return nil
}

func ownBool(set func(*request, bool)) variable {
	return func(q *request, v string) error {
		on, err := strconv.ParseBool(v)
		if err != nil {
			return fmt.Errorf("%w %q, want true or false", errValue, clip(v))
		}
		set(q, on)
		return nil
	}
}

func roomBool(name string, set func(*Profile, bool)) variable {
	return func(q *request, v string) error {
		on, err := strconv.ParseBool(v)
		if err != nil {
			return fmt.Errorf("%w %q, want true or false", errValue, clip(v))
		}
		q.room = append(q.room, roomSetting{name, v, func(p *Profile) { set(p, on) }})
		return nil
	}
}

func roomInt(name string, set func(*Profile, int)) variable {
	return func(q *request, v string) error {
		n, err := strconv.ParseUint(v, 10, 32)
		if err != nil || n > MaxCount {
			return fmt.Errorf("%w %q, want a whole number 0..%d", errValue, clip(v), MaxCount)
		}
		q.room = append(q.room, roomSetting{name, v, func(p *Profile) { set(p, int(n)) }})
		return nil
	}
}

// MaxCount is the greatest number a count setting may have.
const MaxCount = 100_000

func roomSound(name string, set func(*Profile, string)) variable {
	return func(q *request, v string) error {
		q.sounds = append(q.sounds, Variable{name, v})
		q.room = append(q.room, roomSetting{name, v, func(p *Profile) { set(p, v) }})
		return nil
	}
}

// roomTone reads true, false, or a sound.
func roomTone(name, tone string, set func(*Profile, string)) variable {
	return func(q *request, v string) error {
		sound := v
		switch v {
		case "true":
			sound = tone
		case "false":
			sound = ""
		default:
			q.sounds = append(q.sounds, Variable{name, v})
		}
		q.room = append(q.room, roomSetting{name, v, func(p *Profile) { set(p, sound) }})
		return nil
	}
}

// readLanguage takes a tag. Another text names no folder of sounds.
func readLanguage(q *request, v string) error {
	tag := len(v) >= 2 && len(v) <= 35
	for i := range len(v) {
		letter := v[i]|0x20 >= 'a' && v[i]|0x20 <= 'z'
		inner := v[i] >= '0' && v[i] <= '9' || v[i] == '-' || v[i] == '_'
		tag = tag && (letter || i > 0 && inner)
	}
	if !tag {
		return fmt.Errorf("%w %q, want a language such as en or pt-BR", errValue, clip(v))
	}
	q.language = v
	return nil
}

// keypad says whether s is made of keys only.
func keypad(s string) bool { return s != "" && strings.Trim(s, "0123456789*#ABCD") == "" }

// seconds renders a duration as whole seconds, the unit of parley_duration.
func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// joinWarnings makes one line of them.
func joinWarnings(w []string) string { return shown(strings.Join(w, "; "), maxJoined) }
