package conference

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

type jsonRoom struct {
	Name        string       `json:"conference_name"`
	UUID        string       `json:"conference_uuid"`
	Size        int          `json:"member_count"`
	Ghosts      int          `json:"ghost_count"`
	Rate        int          `json:"rate"`
	RunTime     int          `json:"run_time"`
	MaxMembers  int          `json:"max_members"`
	Locked      bool         `json:"locked"`
	Destruct    bool         `json:"destruct"`
	WaitMod     bool         `json:"wait_mod"`
	AudioAlways bool         `json:"audio_always"`
	Recording   bool         `json:"recording"`
	Members     []jsonMember `json:"members"`
}

type jsonMember struct {
	Type   string   `json:"type"`
	ID     MemberID `json:"id"`
	UUID   string   `json:"uuid"`
	Name   string   `json:"caller_id_name"`
	Number string   `json:"caller_id_number"`
	Flags  struct {
		Hear      bool `json:"can_hear"`
		Speak     bool `json:"can_speak"`
		Hold      bool `json:"hold"`
		Talking   bool `json:"talking"`
		Floor     bool `json:"has_floor"`
		Moderator bool `json:"is_moderator"`
	} `json:"flags"`
	Energy    int `json:"energy"`
	VolumeIn  int `json:"volume_in"`
	VolumeOut int `json:"volume_out"`
}

// ParseJSON reads what "conference json_list" printed, "compact" or not. It
// does not tell ghosts from others: where Room.Ghosts is not 0, xml_list does.
func ParseJSON(b []byte) ([]Room, error) {
	if err := check(b); err != nil {
		return nil, err
	}
	var list []jsonRoom
	if err := decodeJSON(b, '[', &list); err != nil {
		return nil, fmt.Errorf("json_list: %w", err)
	}
	rooms := make([]Room, 0, len(list))
	for i := range list {
		r := list[i].room()
		if r.Name == "" {
			return nil, fmt.Errorf("json_list: %w: room %d has no name", ErrMalformed, i+1)
		}
		rooms = append(rooms, r)
	}
	return judge(rooms)
}

func (j *jsonRoom) room() Room {
	r := Room{
		Name: j.Name, UUID: j.UUID, Rate: j.Rate,
		Locked: j.Locked, Recording: j.Recording, WaitMod: j.WaitMod, AudioAlways: j.AudioAlways, Ending: j.Destruct,
		Size: j.Size, Ghosts: j.Ghosts, MaxMembers: j.MaxMembers, RunTime: time.Duration(j.RunTime) * time.Second,
	}
	for i := range j.Members {
		m := &j.Members[i]
		if m.Type != caller { // a recording, or an empty object in its place
			continue
		}
		r.Members = append(r.Members, Member{
			ID: m.ID, UUID: m.UUID, CallerName: m.Name, CallerNumber: m.Number,
			Hear: m.Flags.Hear, Speak: m.Flags.Speak, Talking: m.Flags.Talking, Hold: m.Flags.Hold,
			Floor: m.Flags.Floor, Moderator: m.Flags.Moderator,
			VolumeIn: m.VolumeIn, VolumeOut: m.VolumeOut, Energy: m.Energy,
		})
	}
	return r
}

// caller is the type of a member that has a channel.
const caller = "caller"

// decodeJSON reads one whole value that begins with open. Its errors say at
// which byte.
func decodeJSON(b []byte, open byte, into any) error {
	b = bytes.TrimLeft(b, " \t\r\n")
	if len(b) == 0 || b[0] != open {
		return fmt.Errorf("%w: it begins with %.20q, not with %q", ErrMalformed, b, open)
	}
	if err := shallow(b); err != nil {
		return err
	}
	err := json.Unmarshal(b, into)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: byte %d: %w", ErrMalformed, syntax.Offset, err)
	case errors.As(err, &kind):
		return fmt.Errorf("%w: byte %d: %s is a %s", ErrMalformed, kind.Offset, kind.Field, kind.Value)
	}
	return fmt.Errorf("%w: %w", ErrMalformed, err)
}

// shallow refuses what is nested deeper than any list of the switch.
func shallow(b []byte) error {
	depth, text := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("%w: byte %d: more than %d levels", ErrTooLarge, i+1, maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}
