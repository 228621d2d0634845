package conference

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"time"

	"parley/esl"
)

type xmlList struct {
	XMLName xml.Name  `xml:"conferences"`
	Rooms   []xmlRoom `xml:"conference"`
}

type xmlRoom struct {
	Name        string      `xml:"name,attr"`
	UUID        string      `xml:"uuid,attr"`
	Size        int         `xml:"member-count,attr"`
	Ghosts      int         `xml:"ghost-count,attr"`
	Rate        int         `xml:"rate,attr"`
	RunTime     int         `xml:"run_time,attr"`
	MaxMembers  int         `xml:"max_members,attr"`
	Locked      bool        `xml:"locked,attr"`
	Destruct    bool        `xml:"destruct,attr"`
	WaitMod     bool        `xml:"wait_mod,attr"`
	AudioAlways bool        `xml:"audio_always,attr"`
	Recording   bool        `xml:"recording,attr"`
	Members     []xmlMember `xml:"members>member"`
}

type xmlMember struct {
	Type   string   `xml:"type,attr"`
	ID     MemberID `xml:"id"`
	UUID   string   `xml:"uuid"`
	Name   string   `xml:"caller_id_name"`
	Number string   `xml:"caller_id_number"`
	Flags  struct {
		Hear      bool `xml:"can_hear"`
		Speak     bool `xml:"can_speak"`
		Hold      bool `xml:"hold"`
		Talking   bool `xml:"talking"`
		Floor     bool `xml:"has_floor"`
		Moderator bool `xml:"is_moderator"`
		Ghost     bool `xml:"is_ghost"`
	} `xml:"flags"`
	Energy    int `xml:"energy"`
	VolumeIn  int `xml:"volume_in"`
	VolumeOut int `xml:"volume_out"`
}

// ParseXML reads what "conference xml_list" printed.
func ParseXML(b []byte) ([]Room, error) {
	if err := check(b); err != nil {
		return nil, err
	}
	var list xmlList
	d := xml.NewDecoder(bytes.NewReader(b))
	err := xml.NewTokenDecoder(&bounded{d: d}).Decode(&list)
	if err == nil {
		err = rest(d)
	}
	if err != nil {
		class := ErrMalformed
		if errors.Is(err, ErrTooLarge) {
			class = ErrTooLarge
		}
		line, column := d.InputPos()
		return nil, fmt.Errorf("xml_list: %w: line %d, column %d: %w", class, line, column, err)
	}
	rooms := make([]Room, 0, len(list.Rooms))
	for i := range list.Rooms {
		r := list.Rooms[i].room()
		if r.Name == "" {
			return nil, fmt.Errorf("xml_list: %w: room %d has no name", ErrMalformed, i+1)
		}
		rooms = append(rooms, r)
	}
	return judge(rooms)
}

// room leaves the names of rooms as they are: the switch encodes the texts of
// members only.
func (x *xmlRoom) room() Room {
	r := Room{
		Name: x.Name, UUID: x.UUID, Rate: x.Rate,
		Locked: x.Locked, Recording: x.Recording, WaitMod: x.WaitMod, AudioAlways: x.AudioAlways, Ending: x.Destruct,
		Size: x.Size, Ghosts: x.Ghosts, MaxMembers: x.MaxMembers, RunTime: time.Duration(x.RunTime) * time.Second,
	}
	for i := range x.Members {
		m := &x.Members[i]
		if m.Type != caller {
			continue
		}
		r.Members = append(r.Members, Member{
			ID: m.ID, UUID: esl.Unescape(m.UUID), CallerName: esl.Unescape(m.Name), CallerNumber: esl.Unescape(m.Number),
			Hear: m.Flags.Hear, Speak: m.Flags.Speak, Talking: m.Flags.Talking, Hold: m.Flags.Hold,
			Floor: m.Flags.Floor, Moderator: m.Flags.Moderator, Ghost: m.Flags.Ghost,
			VolumeIn: m.VolumeIn, VolumeOut: m.VolumeOut, Energy: m.Energy,
		})
	}
	return r
}

// bounded is a stream of tokens that is not nested deeper than maxDepth.
type bounded struct {
	d     *xml.Decoder
	depth int
}

func (b *bounded) Token() (xml.Token, error) {
	t, err := b.d.Token()
	switch t.(type) {
	case xml.StartElement:
		if b.depth++; b.depth > maxDepth {
			return nil, fmt.Errorf("%w: more than %d levels", ErrTooLarge, maxDepth)
		}
	case xml.EndElement:
		b.depth--
	}
	return t, err
}

// rest refuses anything but blanks after the list.
func rest(d *xml.Decoder) error {
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if text, ok := t.(xml.CharData); !ok || len(bytes.TrimSpace(text)) > 0 {
			return errors.New("something after the list")
		}
	}
}
