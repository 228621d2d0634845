package engine

// Mixer says where a profile wants its rooms to be mixed.
type Mixer string

// By our own mixer, or in the conference of the switch that the first caller
// comes from.
const (
	MixerNative Mixer = "native"
	MixerSwitch Mixer = "switch"
)

// Place is where audio goes: of a room, where it is mixed; of a leg, who can
// mix it now. The zero Place is our own mixer.
type Place struct {
	Switch string // name of the switch whose own conference it is; "" = native
}

// Native says whether p is our own mixer.
func (p Place) Native() bool { return p.Switch == "" }

func (p Place) String() string {
	if p.Native() {
		return string(MixerNative)
	}
	return string(MixerSwitch) + " " + p.Switch
}

// Mover is a Leg whose audio can go to more places than our own mixer. A Leg
// that is no Mover is always at the native Place.
type Mover interface {
	Leg
	// At is where the audio goes now, Home where it can go besides the native
	// Place: the conference of the switch that has the call.
	At() Place
	Home() Place
	// Move brings the audio to one of the two: Moved. A leg that leaves a
	// bridge's place falls silent there until it is removed from that bridge,
	// or is moved back.
	Move(op OpID, to Place)
}

// MediaPath says by which way the audio of a call that came by ARI is brought
// here. Other calls have no choice: theirs comes by SIP.
type MediaPath string

// The ways that an Asterisk has.
const (
	MediaAudioSocket MediaPath = "audiosocket" // a TCP connection from it
	MediaRTP         MediaPath = "rtp"         // plain RTP, addresses told by ARI
	MediaWebSocket   MediaPath = "websocket"   // a connection to its web server
	MediaSIP         MediaPath = "sip"         // a SIP call from it to our endpoint
)

// Profile is what the configuration has for a room; asked is the profile that a
// call names, "" for none.
func (x *Exchange) Profile(room RoomName, asked string) *Profile {
	p, _, _ := x.dir.Load().Lookup(room, asked)
	return p
}
