package phone_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"parley/adapter/phone"
	"parley/codec"
	"parley/engine"
	"parley/sip"
	"parley/sip/siptest"
)

// Tones of callers.
func low() siptest.Tone  { return siptest.Tone{Hz: 400, DBFS: -20} }
func high() siptest.Tone { return siptest.Tone{Hz: 1500, DBFS: -20} }

func TestCalls(t *testing.T) {
	pin := plain("pin")
	pin.Member.PINs, pin.Moderator.PINs = []engine.PIN{engine.NewPIN("1234")}, []engine.PIN{engine.NewPIN("9876")}
	pin.PINSound, pin.BadPINSound = "tone_stream://%(20000,0,700)", "tone_stream://%(20000,0,1100)"
	number := plain("number")
	number.AloneSound = "tone_stream://%(20000,0,900)"
	full := plain("full")
	full.MaxParticipants, full.ReserveModeratorSeats, full.MaxMembersSound = 1, 1, "tone_stream://%(400,0,700)"
	asking := plain("default")
	asking.NumberSound, asking.BadNumberSound = "tone_stream://%(20000,0,700)", "tone_stream://%(20000,0,1100)"
	asking.BadRoomSound = "tone_stream://%(400,0,1300)"
	asking.PINTimeout = 500 * time.Millisecond
	o := open(t, settings{profiles: []engine.Profile{pin, number, full, asking}})
	for _, test := range []struct {
		name string
		run  func(*testing.T, *office)
	}{
		{"prompts are private", privatePrompts}, // the longest
		{"hold with silence", held(sip.Inactive)},
		{"hold with music", held(sip.SendOnly)},
		{"keys", keys},
		{"narrow and wide", narrowAndWide},
		{"who may be moderator by a header", moderators},
		{"hang-up", hangups},
		{"three calls of one Call-ID", oneCallID},
		{"music of one who is alone", aloneMusic},
		{"the attendant asks for the number", attendant},
		{"the attendant gives up", attendantGivesUp},
		{"a token is good for one call", tokenOnce},
		{"a token expires", tokenExpires},
		{"a token that is dropped at the last moment", tokenDropped},
		{"tokens that nobody made", tokensUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, o)
		})
	}
}

// held is a member who holds the call.
func held(how sip.Direction) func(*testing.T, *office) {
	return func(t *testing.T, o *office) {
		room := "hold-" + how.String()
		a, b := o.dial(t, room, low()), o.dial(t, room, high())
		hears(t, a, high())
		hears(t, b, low())
		if err := a.Direct(limited(t), how); err != nil {
			t.Fatal(err)
		}
		if d := a.Session().Direction; d != how {
			t.Fatalf("direction %v", d)
		}
		n := len(a.Packets())
		hearsNo(t, b, low().Hz)
		if more := len(a.Packets()) - n; more > 5 { // what was under way
			t.Errorf("one who holds is sent %d packets", more)
		}
		o.until(t, room, "with both", present(2))
		if err := a.Resume(limited(t)); err != nil {
			t.Fatal(err)
		}
		hears(t, b, low())
		hears(t, a, high())
	}
}

func keys(t *testing.T, o *office) {
	c := o.dial(t, "keys", low())
	o.until(t, "keys", "open", present(1))
	state := func(muted, deaf bool) func(engine.RoomView) bool {
		return func(v engine.RoomView) bool {
			return len(v.Members) == 1 && v.Members[0].Muted == muted && v.Members[0].Deaf == deaf
		}
	}
	for _, tt := range []struct {
		digits string
		press  func(digits string) error
		want   func(engine.RoomView) bool
	}{
		{"*1", func(d string) error { return c.Digits(limited(t), d) }, state(true, false)},
		{"*2", func(d string) error { return c.InfoDigits(limited(t), d) }, state(true, true)},
		{"*1", func(d string) error { return c.InfoDigits(limited(t), d) }, state(false, true)},
		{"*2", func(d string) error { return c.Digits(limited(t), d) }, state(false, false)},
	} {
		if err := tt.press(tt.digits); err != nil {
			t.Fatal(err)
		}
		o.until(t, "keys", "changed by "+tt.digits, tt.want)
	}
	if err := c.Digits(limited(t), "*8"); err != nil && !errors.Is(err, sip.ErrOver) {
		t.Fatal(err)
	}
	over(t, c)
	if e := o.event(t, "keys", engine.EventLeft); e.Reason != engine.ReasonTerminator || e.Outcome.ExitDigits != "*8" {
		t.Errorf("%+v", e.Outcome)
	}
}

func narrowAndWide(t *testing.T, o *office) {
	wide := func(f codec.Format, hz float64) *siptest.Call {
		return o.call(t, "wide", siptest.Options{Codecs: []codec.Format{f}},
			siptest.CallOptions{Tone: siptest.Tone{Hz: hz, DBFS: -20}})
	}
	a, b, c, d := o.dial(t, "wide", low()), wide(codec.L16(16000), 1500), wide(codec.L16(16000), 6000), wide(codec.G722(), 2500)
	if a.Codec().Name != "PCMU" || b.Rate() != 16000 || d.Rate() != 16000 {
		t.Fatalf("codecs %v, %v and %v", a.Codec(), b.Codec(), d.Codec())
	}
	v := o.until(t, "wide", "full", present(4))
	var codecs []string
	for _, m := range v.Members {
		codecs = append(codecs, m.Codec)
	}
	if slices.Sort(codecs); !slices.Equal(codecs, []string{"G722/16000", "L16/16000", "L16/16000", "PCMU/8000"}) {
		t.Errorf("%q", codecs)
	}
	hears(t, a, high())
	hears(t, b, low())
	hears(t, b, siptest.Tone{Hz: 6000, DBFS: -20})
	hears(t, c, low())
	for _, listener := range []*siptest.Call{a, b, c} {
		hears(t, listener, siptest.Tone{Hz: 2500, DBFS: -20})
	}
	for _, tone := range []siptest.Tone{low(), high(), {Hz: 6000, DBFS: -20}} {
		hears(t, d, tone)
	}
	hearsNo(t, a, 2000) // 6 kHz folded at 4
}

func moderators(t *testing.T, o *office) {
	headers := []string{"X-Parley-Role", "moderator", "X-Parley-Profile", "full"}
	o.dial(t, "board", low(), headers...)
	v := o.until(t, "board", "open", present(1))
	if m := v.Members[0]; v.Profile != "full" || m.Role != "moderator" {
		t.Errorf("of ours: %s %+v", v.Profile, m)
	}
	// The one seat that is left is a moderator's.
	c := o.call(t, "board", siptest.Options{Host: stranger, User: "mallory"}, siptest.CallOptions{Headers: heads(headers)})
	over(t, c)
	e := o.event(t, "board", engine.EventRejected)
	if e.Reason != engine.ReasonFull || len(e.Outcome.Warnings) != 2 || e.Invite.Source != stranger {
		t.Errorf("%+v %+v", e.Reason, e.Outcome)
	}
	o.dial(t, "board", low(), headers...)
	o.until(t, "board", "with two moderators", present(2))
	// Where there is a seat he gets a member's.
	o.call(t, "parlour", siptest.Options{Host: stranger}, siptest.CallOptions{Headers: heads([]string{"X-Parley-Role", "moderator", "X-Parley-Muted", "true"})})
	v = o.until(t, "parlour", "open", present(1))
	if m := v.Members[0]; m.Role != "member" || !m.Muted || v.Profile != "default" {
		t.Errorf("a stranger: %s %+v", v.Profile, m)
	}
}

func hangups(t *testing.T, o *office) {
	c := o.dial(t, "bye", low())
	o.until(t, "bye", "open", present(1))
	c.Hangup()
	if e := o.event(t, "bye", engine.EventLeft); e.Reason != engine.ReasonHangup || e.Outcome.Exit != engine.ExitHangup ||
		e.Outcome.Result != engine.ResultJoined {
		t.Errorf("%+v", e.Outcome)
	}
	o.event(t, "bye", engine.EventRoomEnded)
	c = o.dial(t, "bye-early", low(), "X-Parley-Profile", "pin")
	o.until(t, "bye-early", "asking", func(v engine.RoomView) bool { return v.Prompting == 1 })
	c.Hangup()
	if e := o.event(t, "bye-early", engine.EventRejected); e.Reason != engine.ReasonHangup || e.Outcome.Result != engine.ResultFailed {
		t.Errorf("%+v", e.Outcome)
	}
}

// privatePrompts: what one caller is asked, nobody else hears.
func privatePrompts(t *testing.T, o *office) {
	const ask, wrong = 700, 1100
	by := []string{"X-Parley-Profile", "pin"}
	a := o.dial(t, "pin", low(), append(by, "X-Parley-Role", "moderator")...)
	o.until(t, "pin", "open", present(1))
	b := o.dial(t, "pin", high(), by...)
	heard(t, b, ask, isLoud)
	hearsNo(t, a, ask)
	hearsNo(t, a, high().Hz) // he is not in
	hearsNo(t, b, low().Hz)
	if err := b.Digits(limited(t), "5555"); err != nil { // the first digit ends the prompt
		t.Fatal(err)
	}
	heard(t, b, wrong, isLoud)
	c := o.dial(t, "pin", siptest.Tone{Hz: 2200, DBFS: -20}, by...)
	heard(t, c, ask, isLoud)
	hearsNo(t, c, wrong)
	hearsNo(t, b, ask)
	hearsNo(t, a, wrong)
	if err := b.InfoDigits(limited(t), "1"); err != nil {
		t.Fatal(err)
	}
	hearsNo(t, b, wrong)
	if err := b.InfoDigits(limited(t), "234"); err != nil {
		t.Fatal(err)
	}
	v := o.until(t, "pin", "with two", present(2))
	if v.Members[1].Role != "member" || v.Prompting != 1 {
		t.Errorf("%+v", v)
	}
	hears(t, a, high())
	hears(t, b, low())
	if err := c.Digits(limited(t), "9876"); err != nil {
		t.Fatal(err)
	}
	if v = o.until(t, "pin", "with three", present(3)); v.Members[2].Role != "moderator" {
		t.Errorf("%+v", v.Members)
	}
	hearsNo(t, c, ask)
}

// attendant: who dials parley is asked, and any key ends the question.
func attendant(t *testing.T, o *office) {
	c := o.dial(t, phone.Attendant, low())
	heard(t, c, 700, isLoud)
	if err := c.Digits(limited(t), "4"); err != nil {
		t.Fatal(err)
	}
	hearsNo(t, c, 700) // 500 ms and more: no room is named 4, it is taken for one
	o.until(t, "4", "open", present(1))
	d := o.dial(t, phone.Attendant, high())
	heard(t, d, 700, isLoud)
	if err := d.InfoDigits(limited(t), "#"); err != nil { // no number at all
		t.Fatal(err)
	}
	heard(t, d, 1100, isLoud)
	if err := d.InfoDigits(limited(t), "4#"); err != nil {
		t.Fatal(err)
	}
	o.until(t, "4", "with two", present(2))
	hears(t, c, high())
	hears(t, d, low())
	hearsNo(t, d, 1100)
}

func attendantGivesUp(t *testing.T, o *office) {
	c := o.dial(t, phone.Attendant, low())
	heard(t, c, 700, isLoud)
	for range 3 {
		if err := c.InfoDigits(limited(t), "#"); err != nil {
			t.Fatal(err)
		}
	}
	if end := over(t, c); end.Cause != sip.ByPeer {
		t.Errorf("%+v", end)
	}
	if got := loudest(c, 1300); !isLoud(got) {
		t.Errorf("the refusal is heard at %.1f dBFS", got)
	}
	if e := o.event(t, "", engine.EventRejected); e.Reason != engine.ReasonBadRoomName {
		t.Errorf("%+v", e.Outcome)
	}
}

// aloneMusic stops when a second caller comes, who never hears it.
func aloneMusic(t *testing.T, o *office) {
	const music = 900
	a := o.dial(t, "alone", low(), "X-Parley-Profile", "number")
	heard(t, a, music, isLoud)
	b := o.dial(t, "alone", high(), "X-Parley-Profile", "number")
	o.until(t, "alone", "with two", present(2))
	hears(t, b, low())
	hearsNo(t, a, music)
	if got := level(b, b.Record(), music); got > faint {
		t.Errorf("the second caller heard the first one's music at %.1f dBFS", got)
	}
}
