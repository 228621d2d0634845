package engine

import "time"

// RoomView is a room at one moment, for lists and APIs.
type RoomView struct {
	Name            RoomName     `json:"name"`
	Title           string       `json:"title,omitempty"`
	Instance        InstanceID   `json:"instance_id"`
	Profile         string       `json:"profile"`
	State           string       `json:"state"` // dialing, prompting, waiting, active or ending
	StartedAt       time.Time    `json:"started_at,omitzero"`
	Locked          bool         `json:"locked"`
	MaxParticipants int          `json:"max_participants"`
	Seq             uint64       `json:"seq"`
	Mixer           string       `json:"mixer"`
	Members         []MemberView `json:"members"`             // by number
	Prompting       int          `json:"prompting"`           // calls at the attendant
	Relations       []Relation   `json:"relations,omitempty"` // set by command, oldest first
	Dialing         []Job        `json:"dialing,omitempty"`   // calls out that are not answered yet
	Recordings      []Recording  `json:"recordings,omitempty"`
	Plays           []PlayView   `json:"plays,omitempty"`    // by command, those to the room first, in their order
	LastID          MemberID     `json:"-"`                  // the newest member's number, who may have left
	Beside          []Beside     `json:"beside,omitempty"`   // filled in by who knows the switches
	Unplayed        []string     `json:"unplayed,omitempty"` // why sounds could not be played, each once, the newest last
}

// MemberView is a member at one moment.
type MemberView struct {
	ID       MemberID  `json:"id"`
	CallID   LegID     `json:"call_id"`
	Role     string    `json:"role"`
	Number   string    `json:"number"`
	Name     string    `json:"name"`
	Switch   string    `json:"switch"` // "" = plain SIP
	Kind     string    `json:"kind"`
	State    string    `json:"state"` // waiting, joined, …
	Muted    bool      `json:"muted"`
	Deaf     bool      `json:"deaf"`
	Hold     bool      `json:"hold"`
	Talking  bool      `json:"talking"`
	Floor    bool      `json:"floor"` // he is the one who talks, or was last, a moment ago
	Hand     bool      `json:"hand_raised"`
	JoinedAt time.Time `json:"joined_at,omitzero"`
	Talk     Decibels  `json:"talk_gain_db"`
	Listen   Decibels  `json:"listen_gain_db"`
	Level    *float64  `json:"level_dbov,omitempty"` // nil: the place that mixes him does not tell, nor what follows but the codec
	Codec    string    `json:"codec"`
	Lost     float64   `json:"loss"`
	Late     uint64    `json:"late"`
	DelayMS  int64     `json:"delay_ms"`

	// What Sound tells besides.
	JitterMS    int64        `json:"jitter_ms,omitempty"`
	Capped      bool         `json:"delay_capped,omitempty"`
	QuietMS     *int64       `json:"last_packet_ms,omitempty"` // ago; nil: none has come, or nobody knows
	Source      string       `json:"source,omitempty"`
	Held        bool         `json:"held,omitempty"`
	Gated       bool         `json:"gated,omitempty"` // the gate has let nothing of him through for a second
	MutedBy     string       `json:"muted_by,omitempty"`
	DeafBy      string       `json:"deaf_by,omitempty"`
	Disturbance *Disturbance `json:"disturbance,omitempty"`
}
