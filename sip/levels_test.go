package sip

import (
	"slices"
	"strings"
	"testing"

	"parley/codec"
)

// extended is a description with extmaps: those of the session, a bar, and those
// of the stream.
func extended(lines string) string {
	session, stream, _ := strings.Cut(lines, "|")
	attributes := func(list string) (out string) {
		for l := range strings.SplitSeq(list, ";") {
			if l != "" {
				out += "a=extmap:" + l + "\r\n"
			}
		}
		return out
	}
	return "v=0\r\nc=IN IP4 192.0.2.9\r\n" + attributes(session) + "m=audio 4000 RTP/AVP 0\r\n" + attributes(stream)
}

type levelCase struct {
	name, in string
	want     Levels
	answer   []string // extmaps of a mixer's answer
}

func levelCases() []levelCase {
	const mix, own = " " + mixLevelsURI, " " + ownLevelURI
	return []levelCase{
		{name: "none"},
		{
			name: "a client", in: "|1/recvonly" + mix + ";2/sendonly" + own, want: Levels{MixOut: 1, OwnIn: 2},
			answer: []string{"1/sendonly" + mix, "2/recvonly" + own},
		},
		{
			name: "who says no direction", in: "|3" + mix + ";14" + own + " vad=on", want: Levels{MixOut: 3, MixIn: 3, OwnOut: 14, OwnIn: 14},
			answer: []string{"3" + mix, "14" + own},
		},
		{name: "no bit for speech", in: "|2" + own + " vad=off", want: Levels{OwnOut: 2, OwnIn: 2}, answer: []string{"2" + own + " vad=off"}},
		{name: "of the session", in: "7" + mix, want: Levels{MixOut: 7, MixIn: 7}, answer: []string{"7" + mix}},
		{name: "the stream knows better", in: "7" + mix + "|8/recvonly" + mix, want: Levels{MixOut: 8}, answer: []string{"8/sendonly" + mix}},
		{name: "switched off", in: "|1/inactive" + mix, answer: []string{"1/inactive" + mix}},
		{name: "a mixer", in: "|1/sendonly" + mix, want: Levels{MixIn: 1}, answer: []string{"1/recvonly" + mix}},
		{name: "of others", in: "|1 urn:ietf:params:rtp-hdrext:toffset;4" + mix, want: Levels{MixOut: 4, MixIn: 4}, answer: []string{"4" + mix}},
		{name: "one number for two", in: "|1" + mix + ";1" + own, want: Levels{MixOut: 1, MixIn: 1}, answer: []string{"1" + mix}},
		{name: "numbers that do not fit", in: "|0" + mix + ";15" + own},
		{name: "a number to be chosen", in: "|4096" + mix},
		{name: "no number", in: "|x" + mix + ";" + "-1" + own},
		{name: "no direction that we know", in: "|1/both" + mix},
		{name: "no name", in: "|1"},
	}
}

func TestLevelsAreAgreedOnWithWhoOffersThem(t *testing.T) {
	for _, tt := range levelCases() {
		t.Run(tt.name, func(t *testing.T) {
			m, err := parseMedia([]byte(extended(tt.in)))
			if err != nil {
				t.Fatal(err)
			}
			c, err := m.choose(codec.Known(), false)
			if err != nil {
				t.Fatal(err)
			}
			for role, want := range map[LevelRole]Levels{NoLevels: {}, MixerLevels: tt.want} {
				l := Local{Addr: at("192.0.2.1:4000"), Levels: role}
				if got := m.session(c, c, l).Levels; got != want {
					t.Errorf("role %d: %+v, want %+v", role, got, want)
				}
				d := describer{id: 1, version: 1}
				var lines []string
				for line := range strings.Lines(string(d.answer(m, c, l, SendRecv))) {
					if value, ok := strings.CutPrefix(strings.TrimSpace(line), "a=extmap:"); ok {
						lines = append(lines, value)
					}
				}
				if role == MixerLevels && !slices.Equal(lines, tt.answer) || role == NoLevels && lines != nil {
					t.Errorf("role %d: answered %q", role, lines)
				}
			}
		})
	}
}

// A mixer offers what it has agreed on before, a client what it can do; who
// answers something else has agreed to nothing.
func TestLevelsInOffers(t *testing.T) {
	l := Local{Addr: at("192.0.2.1:4000"), Levels: ClientLevels}
	list := numbered([]codec.Format{codec.PCMU()})
	client := describer{id: 1, version: 1}
	offer, err := parseMedia(client.offer(l, list, Levels{}))
	if err != nil {
		t.Fatal(err)
	}
	agreed := MixerLevels.agreed(offer.levels)
	if want := (Levels{MixOut: 1, OwnIn: 2}); agreed != want {
		t.Errorf("a mixer agrees to %+v", agreed)
	}
	if got, want := ClientLevels.agreed(offer.levels.answer(MixerLevels)), (Levels{MixIn: 1, OwnOut: 2}); got != want {
		t.Errorf("a client agrees to %+v", got)
	}
	if got := ClientLevels.agreed(levels{mix: extension{id: 9}}); got != (Levels{}) {
		t.Errorf("with another number: %+v", got)
	}
	mixer := describer{id: 1, version: 1}
	l.Levels = MixerLevels
	again, err := parseMedia(mixer.offer(l, list, agreed))
	if err != nil || ClientLevels.agreed(again.levels) != (Levels{MixIn: 1, OwnOut: 2}) {
		t.Errorf("a mixer offers %+v, %v", again.levels, err)
	}
	if first := string(mixer.offer(l, list, Levels{})); strings.Contains(first, "extmap") {
		t.Errorf("nothing was agreed on: %s", first)
	}
}
