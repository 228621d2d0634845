package codec

import (
	"strconv"
	"strings"
)

// Parameters is what an fmtp line in SDP says of a format, as we would like to
// have it sent to us; "" is nothing.
func (f Format) Parameters() string {
	if f.Name != "opus" {
		return ""
	}
	wishes := "minptime=10;useinbandfec=1"
	if f.Rate < opusClock {
		wishes = "maxplaybackrate=" + strconv.Itoa(int(f.Rate)) + ";" + wishes
	}
	return wishes
}

// Tuned is the format as the peer wishes to have it sent, by the fmtp line of
// its SDP (RFC 7587 §6.1): no more bandwidth than it plays, no more bits than it
// names, with silence left out as it likes, and with redundancy if f has it too.
// What is malformed or unknown counts as unsaid.
func (f Format) Tuned(parameters string) Format {
	if f.Name != "opus" {
		return f
	}
	redundant := f.Opus.FEC
	f.Opus = Tuning{}
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(p, "=")
		n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 24)
		if err != nil {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "maxplaybackrate":
			f.Rate = min(f.Rate, playable(int(n)))
		case "maxaveragebitrate":
			f.Opus.Bitrate = coarse(min(max(int(n), leastBitrate), mostBitrate), f.Rate)
		case "useinbandfec":
			f.Opus.FEC = n == 1 && redundant
		case "usedtx":
			f.Opus.DTX = n == 1
		case "cbr":
			f.Opus.Constant = n == 1
		}
	}
	return f
}

// playable is the rate of ours that has all of what a peer can play.
func playable(most int) Rate {
	for _, r := range []Rate{8000, 16000, 24000} {
		if most <= int(r) {
			return r
		}
	}
	return opusClock
}

// coarse is a bit rate not above what the peer takes. There are few of them, so
// that many listeners have the same; what suits the rate is 0, as it is when
// nothing is said.
func coarse(most int, r Rate) int {
	if most >= opusBitrate(r) {
		return 0
	}
	const step = 4000
	return max(most/step*step, leastBitrate)
}
