package esltest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"parley/esl"
)

// conference is one run of a room of mod_conference.
type conference struct {
	name, id, profile string
	locked            bool
	members           []*member       // newest first
	apart             map[[2]int]bool // by number: the second does not hear the first
	tapes             map[string]bool
	files             []*file // that it plays, in their turn
	beside            *file   // that it plays beside them
}

// member is a channel in a conference.
type member struct {
	room      *conference
	call      *Call
	id        int
	mute      bool
	deaf      bool
	moderator bool
	volumeIn  int
	volumeOut int
	files     []*file // being played to it
	leaving   bool    // as soon as it is in the mix
}

// Member is what a conference has for a channel.
type Member struct {
	Conference          string
	ID                  int
	Mute, Deaf          bool
	VolumeIn, VolumeOut int
	Beside              bool // an application runs in place of the mix
}

// Member says where a channel is; ok is false when it is in no conference.
func (k *Core) Member(uuid string) (m Member, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.find(uuid)
	if c == nil || c.member == nil {
		return Member{}, false
	}
	in := c.member
	return Member{in.room.name, in.id, in.mute, in.deaf, in.volumeIn, in.volumeOut, !c.runs("conference")}, true
}

// Silently changes a member without an event, as events that were lost do.
func (k *Core) Silently(uuid string, mute, deaf bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c := k.find(uuid); c != nil && c.member != nil {
		c.member.mute, c.member.deaf = mute, deaf
	}
}

// Lose takes a channel away without an event: hung up, or out of its
// conference alone.
func (k *Core) Lose(uuid string, hungUp bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.find(uuid)
	if c == nil {
		return
	}
	c.hungUp = hungUp
	if m := c.member; m != nil {
		c.member = nil
		m.room.members = slices.DeleteFunc(m.room.members, func(o *member) bool { return o == m })
		k.prune(m.room)
	}
}

func (k *Core) room(name string) *conference {
	for _, r := range k.rooms {
		if r.name == name {
			return r
		}
	}
	return nil
}

// join runs the application: NAME@PROFILE+flags{A|B}. It is false when the
// caller is not let in.
func (k *Core) join(c *Call, arg string) bool {
	rest, list, _ := strings.Cut(arg, "+flags{")
	name, profile, _ := strings.Cut(rest, "@")
	flags := strings.FieldsFunc(strings.TrimSuffix(list, "}"), func(r rune) bool { return r == '|' || r == ',' })
	switch {
	case name == "" || strings.ContainsAny(name, "+${}"):
		k.tb.Errorf("conference(%s): the switch would read something else", arg)
		return false
	case len(flags) > 10:
		k.tb.Errorf("conference(%s): more than ten flags", arg)
	}
	for _, f := range flags {
		if !slices.Contains([]string{"mute", "deaf", "moderator"}, f) {
			k.tb.Errorf("conference(%s): flag %q", arg, f)
		}
	}
	r := k.room(name)
	if r == nil {
		r = &conference{name: name, id: fmt.Sprintf("f0000000-0000-4000-8000-%012d", k.members+1), profile: profile}
		k.rooms = append(k.rooms, r)
		k.tell(r, "conference-create")
	}
	if !c.answered {
		c.answer()
	}
	if r.locked && c.vars["conference_enforce_security"] != "false" {
		return false
	}
	if c.number == 0 {
		k.members++
		c.number = k.members
	}
	c.member = &member{
		room: r, call: c, id: c.number, mute: slices.Contains(flags, "mute"), deaf: slices.Contains(flags, "deaf"),
		moderator: slices.Contains(flags, "moderator"),
	}
	r.members = append([]*member{c.member}, r.members...)
	k.tellOf(c.member, "add-member")
	return true
}

// leave follows the end of the application.
func (k *Core) leave(c *Call, cause string) {
	m := c.member
	if m == nil {
		return
	}
	c.member = nil
	m.room.members = slices.DeleteFunc(m.room.members, func(o *member) bool { return o == m })
	if cause != "" {
		k.tellOf(m, "del-member", "Hangup-Cause", cause)
	} else {
		k.tellOf(m, "del-member")
	}
	k.prune(m.room)
}

// prune ends a conference that nobody is in.
func (k *Core) prune(r *conference) {
	if len(r.members) == 0 {
		k.rooms = slices.DeleteFunc(k.rooms, func(o *conference) bool { return o == r })
		k.endTapes(r)
		r.files, r.beside = nil, nil
		k.tell(r, "conference-destroy")
	}
}

// tell fires an event about a conference.
func (k *Core) tell(r *conference, action string, pairs ...string) {
	k.report(k.event(r, append([]string{"Action", action}, pairs...)...))
}

func (k *Core) event(r *conference, pairs ...string) *esl.Event {
	head := []string{
		"Event-Subclass", "conference::maintenance", "Core-UUID", k.uuid,
		"Conference-Name", r.name, "Conference-Size", strconv.Itoa(len(r.members)), "Conference-Ghosts", "0",
		"Conference-Profile-Name", r.profile, "Conference-Unique-ID", r.id,
	}
	return Event("CUSTOM", append(head, pairs...)...)
}

// tellOf fires an event about a member.
func (k *Core) tellOf(m *member, action string, pairs ...string) {
	kind := "member"
	if m.moderator {
		kind = "moderator"
	}
	head := []string{
		"Floor", "false", "Channel-Name", "sofia/internal/" + m.call.caller("Number") + "@127.0.0.1", "Unique-ID", m.call.opts.UUID,
		"Caller-Caller-ID-Name", m.call.caller("Name"), "Caller-Caller-ID-Number", m.call.caller("Number"),
		"Hear", fmt.Sprint(!m.deaf), "Speak", fmt.Sprint(!m.mute), "Talking", "false", "Hold", "false",
		"Member-ID", strconv.Itoa(m.id), "Member-Type", kind, "Member-Ghost", "false", "Energy-Level", "100", "Action", action,
	}
	k.report(k.event(m.room, append(head, pairs...)...))
}

// confer runs the command "conference".
func (k *Core) confer(args string) string {
	words := slices.DeleteFunc(esl.SplitItems(args, ' '), func(w string) bool { return w == "" })
	if len(words) == 1 && words[0] == "json_list" {
		return k.list()
	}
	if len(words) < 2 || len(words) > 25 {
		k.tb.Errorf("conference %s: %d words", args, len(words))
		return "-ERR Conference command, not specified.\n"
	}
	r := k.room(words[0])
	if r == nil {
		return "-ERR Conference " + words[0] + " not found\n"
	}
	switch cmd := words[1]; cmd {
	case "lock", "unlock":
		r.locked = cmd == "lock"
		k.tell(r, cmd)
		return "+OK " + r.name + " " + cmd + "ed\n"
	case "play":
		return k.play(r, words[2:])
	case "stop":
		return k.stop(r, words[2:])
	case "pause_play", "file_seek", "file-vol", "play_status":
		return k.steer(r, cmd, words[2:])
	case "mute", "unmute", "deaf", "undeaf", "hup", "kick", "volume_in", "volume_out":
		return k.command(r, cmd, words[2:])
	case "record", "norecord", "pause", "resume":
		return k.recorded(r, cmd, words[2:])
	case "get":
		return "8000"
	case "relate":
		return k.relate(r, words[2:])
	case "count":
		return strconv.Itoa(len(r.members))
	}
	k.tb.Errorf("conference %s: the switch does not know this command", args)
	return "-ERR Conference command '" + words[1] + "' not found.\n"
}

func (r *conference) member(id string) *member {
	for _, m := range r.members {
		if strconv.Itoa(m.id) == id && !m.leaving {
			return m
		}
	}
	return nil
}

// command runs one about a member.
func (k *Core) command(r *conference, cmd string, args []string) string {
	if len(args) == 0 {
		k.tb.Errorf("conference %s %s of nobody", r.name, cmd)
		return cmd + " <syntax>"
	}
	m := r.member(args[0])
	if m == nil {
		return "-ERR Non-Existant ID " + args[0] + "\n"
	}
	switch cmd {
	case "mute", "unmute":
		m.mute = cmd == "mute"
	case "deaf", "undeaf":
		m.deaf = cmd == "deaf"
	case "volume_in", "volume_out":
		return k.volume(m, cmd, args[1:])
	case "hup", "kick":
		k.tellOf(m, cmd+"-member")
		k.out(m)
		return fmt.Sprintf("+OK %s %d\n", map[string]string{"hup": "hup", "kick": "kicked"}[cmd], m.id)
	}
	k.tellOf(m, cmd+"-member")
	return fmt.Sprintf("+OK %s %d\n", cmd, m.id)
}

// out takes a member out: with his next frame, or when he is back in the mix.
func (k *Core) out(m *member) {
	m.leaving = true
	if m.call.runs("conference") && !m.call.starved {
		m.call.finish("_none_")
	}
}

func (k *Core) volume(m *member, cmd string, args []string) string {
	step, err := strconv.Atoi(strings.Join(args, " "))
	if err != nil || step < -4 || step > 4 {
		k.tb.Errorf("conference %s %s %d %q", m.room.name, cmd, m.id, args)
		return cmd + " <syntax>"
	}
	word := "IN"
	if cmd == "volume_in" {
		m.volumeIn = step
	} else {
		m.volumeOut, word = step, "OUT"
	}
	k.tellOf(m, strings.ReplaceAll(cmd, "_", "-")+"-member", "Volume-Level", strconv.Itoa(step))
	return fmt.Sprintf("+OK Volume %s %d = %d\n", word, m.id, step)
}

// list is the answer to json_list.
func (k *Core) list() string {
	rooms := []map[string]any{}
	for _, r := range k.rooms {
		members := []map[string]any{}
		for _, m := range r.members {
			members = append(members, map[string]any{
				"type": "caller", "id": m.id, "uuid": m.call.opts.UUID, "energy": 100, "volume_in": m.volumeIn, "volume_out": m.volumeOut,
				"caller_id_name": m.call.caller("Name"), "caller_id_number": m.call.caller("Number"),
				"flags": map[string]bool{"can_hear": !m.deaf, "can_speak": !m.mute, "is_moderator": m.moderator},
			})
		}
		rooms = append(rooms, map[string]any{
			"conference_name": r.name, "conference_uuid": r.id, "member_count": len(members), "ghost_count": 0, "rate": 8000,
			"run_time": 1, "locked": r.locked, "recording": len(r.tapes) > 0, "running": true, "dynamic": true, "variables": map[string]string{}, "members": members,
		})
	}
	text, err := json.Marshal(rooms)
	if err != nil {
		k.tb.Error(err)
	}
	return string(text)
}
