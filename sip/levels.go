package sip

import (
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// The header extensions that say how loud somebody is.
const (
	mixLevelsURI = "urn:ietf:params:rtp-hdrext:csrc-audio-level" // those in a mix: RFC 6465
	ownLevelURI  = "urn:ietf:params:rtp-hdrext:ssrc-audio-level" // the sender: RFC 6464

	maxExtension = 14 // of the one-byte form, RFC 8285 §4.2
)

// LevelRole is what our side does about audio levels in RTP headers.
type LevelRole uint8

// The roles. A mixer agrees to what a peer offers, a client offers.
const (
	NoLevels LevelRole = iota
	MixerLevels
	ClientLevels
)

// Levels are the numbers of the header extensions that both sides agreed on,
// seen from ours (RFC 8285); 0 is none.
type Levels struct {
	MixOut uint8 // we say who is in our mix, and how loud (RFC 6465)
	MixIn  uint8 // the peer says so
	OwnOut uint8 // we say how loud we are (RFC 6464)
	OwnIn  uint8 // the peer says so
}

// extension is a header extension as one side describes it; the zero value is
// none.
type extension struct {
	id        uint8
	direction Direction
	noVAD     bool // the bit that means speech is not used (RFC 6464 §4)
}

// levels are the extensions of one description.
type levels struct{ mix, own extension }

// clientLevels are offered by a client: it says its own level, and wants to know
// those of others.
func clientLevels() levels {
	return levels{mix: extension{id: 1, direction: RecvOnly}, own: extension{id: 2, direction: SendOnly}}
}

// levelsOf reads the extmaps of a stream; those of the whole session come first.
// What is malformed, or has a number that the one-byte form lacks, is not there.
func levelsOf(lists ...[]sdp.Attribute) (l levels) {
	for _, list := range lists {
		for _, a := range list {
			if a.Key != "extmap" {
				continue
			}
			switch x, uri, ok := extmap(a.Value); {
			case !ok:
			case uri == mixLevelsURI:
				l.mix = x
			case uri == ownLevelURI:
				l.own = x
			}
		}
	}
	if l.mix.id == l.own.id { // two meanings for one number
		l.own = extension{}
	}
	return l
}

// extmap reads "1/recvonly urn:… attributes" (RFC 8285 §5).
func extmap(value string) (x extension, uri string, ok bool) {
	f := strings.Fields(value)
	if len(f) < 2 {
		return x, "", false
	}
	number, direction, directed := strings.Cut(f[0], "/")
	id, err := strconv.ParseUint(number, 10, 8)
	if err != nil || id == 0 || id > maxExtension {
		return x, "", false
	}
	x.id = uint8(id)
	if directed {
		named := []sdp.Attribute{{Key: direction}}
		if x.direction = directionOf(named, Inactive); x.direction.String() != direction {
			return x, "", false
		}
	}
	for _, a := range f[2:] {
		x.noVAD = x.noVAD || a == "vad=off"
	}
	return x, f[1], true
}

// agreed is what both sides do, seen from ours.
func (r LevelRole) agreed(theirs levels) (l Levels) {
	ours := theirs.answer(r)
	if r == ClientLevels {
		ours = clientLevels()
	}
	l.MixOut, l.MixIn = ours.mix.meet(theirs.mix)
	l.OwnOut, l.OwnIn = ours.own.meet(theirs.own)
	return l
}

// meet is the number by which we say it, and by which the peer does.
func (x extension) meet(theirs extension) (out, in uint8) {
	if x.id != theirs.id {
		return 0, 0
	}
	d := x.direction.meet(theirs.direction.reverse())
	if d.Sends() {
		out = x.id
	}
	if d.Receives() {
		in = x.id
	}
	return out, in
}

// offer is what we say in an offer: a client what it can do, a mixer what has
// been agreed on before.
func (r LevelRole) offer(before Levels) levels {
	switch r {
	case ClientLevels:
		return clientLevels()
	case MixerLevels:
		return levels{
			mix: extension{id: before.MixOut, direction: SendOnly}, own: extension{id: before.OwnIn, direction: RecvOnly},
		}
	case NoLevels:
	}
	return levels{}
}

// answer is what a mixer says to an offer: the same numbers, seen from the other
// side.
func (l levels) answer(r LevelRole) levels {
	if r != MixerLevels {
		return levels{}
	}
	l.mix.direction, l.own.direction = l.mix.direction.reverse(), l.own.direction.reverse()
	return l
}

// describe adds the extensions to a stream.
func (l levels) describe(d *sdp.MediaDescription) {
	for _, x := range []struct {
		extension
		uri string
	}{{l.mix, mixLevelsURI}, {l.own, ownLevelURI}} {
		if x.id == 0 {
			continue
		}
		value := strconv.Itoa(int(x.id))
		if x.direction != SendRecv {
			value += "/" + x.direction.String()
		}
		value += " " + x.uri
		if x.noVAD {
			value += " vad=off"
		}
		d.WithValueAttribute("extmap", value)
	}
}
