package conference

import (
	"fmt"
	"strconv"
	"time"
)

// Channel is one channel of the switch.
type Channel struct {
	UUID         string
	Name         string // e.g. sofia/internal/1001@pbx
	Direction    string // inbound or outbound, as the switch sees it
	State        string // e.g. CS_EXECUTE
	CallState    string // e.g. ACTIVE
	CallerName   string
	CallerNumber string
	Destination  string
	Application  string // that is running, with its Data
	Data         string
	Presence     string // presence_id
	Created      time.Time
}

type jsonChannels struct {
	Count int           `json:"row_count"`
	Rows  []jsonChannel `json:"rows"`
}

type jsonChannel struct {
	UUID        string `json:"uuid"`
	Name        string `json:"name"`
	Direction   string `json:"direction"`
	State       string `json:"state"`
	CallState   string `json:"callstate"`
	CIDName     string `json:"cid_name"`
	CIDNumber   string `json:"cid_num"`
	Dest        string `json:"dest"`
	Application string `json:"application"`
	Data        string `json:"application_data"`
	Presence    string `json:"presence_id"`
	Created     string `json:"created_epoch"`
}

// ParseChannels reads what "show channels as json" printed. The switch writes
// down a running application shortly after it has begun.
func ParseChannels(b []byte) ([]Channel, error) {
	if err := check(b); err != nil {
		return nil, err
	}
	var list jsonChannels
	if err := decodeJSON(b, '{', &list); err != nil {
		return nil, fmt.Errorf("channels: %w", err)
	}
	if len(list.Rows) > MaxMembers {
		return nil, fmt.Errorf("%w: %d channels", ErrTooLarge, len(list.Rows))
	}
	if list.Count != len(list.Rows) {
		return nil, fmt.Errorf("channels: %w: %d rows of %d", ErrMalformed, len(list.Rows), list.Count)
	}
	channels := make([]Channel, 0, len(list.Rows))
	for i := range list.Rows {
		c, err := list.Rows[i].channel()
		if err != nil {
			return nil, fmt.Errorf("channels: %w: row %d: %w", ErrMalformed, i+1, err)
		}
		channels = append(channels, c)
	}
	return channels, nil
}

func (j *jsonChannel) channel() (Channel, error) {
	c := Channel{
		UUID: j.UUID, Name: j.Name, Direction: j.Direction, State: j.State, CallState: j.CallState,
		CallerName: j.CIDName, CallerNumber: j.CIDNumber, Destination: j.Dest,
		Application: j.Application, Data: j.Data, Presence: j.Presence,
	}
	if !plainWord(c.UUID) {
		return c, fmt.Errorf("channel %.40q", c.UUID)
	}
	if j.Created == "" {
		return c, nil
	}
	sec, err := strconv.ParseInt(j.Created, 10, 64)
	if err != nil {
		return c, fmt.Errorf("created_epoch %.40q", j.Created)
	}
	c.Created = time.Unix(sec, 0)
	return c, nil
}
