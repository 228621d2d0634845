package siptest

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"parley/codec"
	"parley/sip"
)

// level is the peak of a sine wave in PCM, in dBFS (Goertzel).
func level(pcm []int16, hz float64, r codec.Rate) float64 {
	w := 2 * math.Pi * hz / float64(r)
	var a, b float64
	for _, s := range pcm {
		a, b = float64(s)+2*math.Cos(w)*a-b, a
	}
	power := a*a + b*b - 2*math.Cos(w)*a*b
	return 20 * math.Log10(2*math.Sqrt(max(power, 1e-9))/float64(len(pcm))/32767)
}

func phone(t *testing.T, o Options) *Phone {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// pair is a call between two phones.
func pair(t *testing.T, uri string, codecs []codec.Format, a, b CallOptions) (caller, callee *Call) {
	t.Helper()
	ctx := limited(t)
	p, q := phone(t, Options{Codecs: codecs}), phone(t, Options{User: "bob", Codecs: codecs})
	type taken struct {
		c   *Call
		err error
	}
	in := make(chan taken, 1)
	go func() {
		c, err := q.Accept(ctx, b)
		in <- taken{c, err}
	}()
	caller, err := p.Dial(ctx, q.URI()+uri, a)
	if err != nil {
		t.Fatal(err)
	}
	got := <-in
	if got.err != nil {
		t.Fatal(got.err)
	}
	return caller, got.c
}

func TestPhonesHearEachOther(t *testing.T) {
	for _, tt := range []struct {
		name  string
		uri   string
		codec codec.Format
	}{
		{"PCMU over UDP", "", codec.PCMU()},
		{"PCMA over TCP", ";transport=tcp", codec.PCMA()},
		{"L16 at 16000", "", codec.L16(16000)},
		{"G722", "", codec.G722()},
		{"Opus", "", codec.Opus(48000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := pair(t, tt.uri, []codec.Format{tt.codec},
				CallOptions{Tone: Tone{440, -10}, Headers: []sip.Header{{Name: "X-Parley-Room", Value: "7"}}}, CallOptions{Tone: Tone{1000, -20}})
			if b.Rate() != tt.codec.Rate || b.Codec().Name != tt.codec.Name || b.SIP().Info().Header("X-Parley-Room") != "7" {
				t.Errorf("%+v", b.SIP().Info())
			}
			for _, x := range []struct {
				c        *Call
				own, not float64
				want     float64
			}{{a, 1000, 440, -20}, {b, 440, 1000, -10}} {
				x.c.Listen(200 * time.Millisecond) // G.722 takes so long after a first packet that came too soon
				pcm := x.c.Listen(200 * time.Millisecond)
				if len(pcm) != x.c.Rate().Samples(200*time.Millisecond) {
					t.Fatalf("%d samples", len(pcm))
				}
				if got := level(pcm, x.own, x.c.Rate()); math.Abs(got-x.want) > 0.5 { // Opus at first: 0.4
					t.Errorf("%v Hz at %.1f dBFS, want %v", x.own, got, x.want)
				}
				if got := level(pcm, x.not, x.c.Rate()); got > x.want-35 {
					t.Errorf("%v Hz at %.1f dBFS", x.not, got)
				}
			}
			a.Hangup()
			<-a.Done()
			<-b.Done()
			if a.EndReason() != "us" || b.EndReason() != "peer" {
				t.Errorf("%s, %s", a.EndReason(), b.EndReason())
			}
		})
	}
}

func TestDigits(t *testing.T) {
	ctx := limited(t)
	a, b := pair(t, "", nil, CallOptions{}, CallOptions{})
	if err := a.Digits(ctx, "15#"); err != nil {
		t.Fatal(err)
	}
	if err := b.InfoDigits(ctx, "*0"); err != nil {
		t.Fatal(err)
	}
	b.Listen(40 * time.Millisecond) // voice again: all digits are through
	audio, info := b.Heard()
	if audio != "15#" || info != "" {
		t.Errorf("heard %q %q", audio, info)
	}
	if _, info := a.Heard(); info != "*0" {
		t.Errorf("heard %q", info)
	}
	ends := 0
	for _, p := range b.Packets() {
		if p.Payload == b.Session().DigitsIn {
			ends++
		}
	}
	if ends != 3*(4+3) {
		t.Errorf("%d packets for three digits", ends)
	}
	if err := a.Digits(ctx, "x"); err == nil {
		t.Error("no such key")
	}
	a.Hangup()
	<-a.Done()
	if err := a.Digits(ctx, "1"); !errors.Is(err, sip.ErrOver) {
		t.Error(err)
	}
}

func TestHoldResumeAndMute(t *testing.T) {
	ctx := limited(t)
	a, b := pair(t, "", nil, CallOptions{Tone: Tone{440, -10}}, CallOptions{Tone: Tone{1000, -10}})
	a.Listen(60 * time.Millisecond)
	if err := a.Hold(ctx); err != nil {
		t.Fatal(err)
	}
	if d := b.Session().Direction; d != sip.Inactive || !b.Session().Held() {
		t.Errorf("peer is %v", d)
	}
	if err := a.Resume(ctx); err != nil {
		t.Fatal(err)
	}
	if got := level(a.Listen(100*time.Millisecond), 1000, a.Rate()); math.Abs(got+10) > 0.5 {
		t.Errorf("after the hold %.1f dBFS", got)
	}
	b.SetTone(Tone{600, -10})
	a.Listen(100 * time.Millisecond)
	if got := level(a.Listen(100*time.Millisecond), 600, a.Rate()); math.Abs(got+10) > 0.5 {
		t.Errorf("new tone %.1f dBFS", got)
	}
	frame := make([]int16, 160)
	b.Mute(true)
	if b.voice.next(frame, 8000) {
		t.Error("speaks while muted")
	}
	b.Mute(false)
	if !b.voice.next(frame, 8000) {
		t.Error("muted for ever")
	}
}

func TestPCMIsSaidOnce(t *testing.T) {
	clip := make([]int16, 800)
	for i := range clip {
		clip[i] = 8000
	}
	_, b := pair(t, "", []codec.Format{codec.L16(8000)}, CallOptions{PCM: clip}, CallOptions{})
	b.Listen(200 * time.Millisecond)
	n := 0
	for _, s := range b.Record() {
		if s == 8000 {
			n++
		}
	}
	if n != 800 {
		t.Errorf("heard %d of it", n)
	}
}

func TestRejectedCall(t *testing.T) {
	ctx := limited(t)
	p, q := phone(t, Options{}), phone(t, Options{User: "bob"})
	go func() { _, _ = q.Reject(ctx, 486) }()
	_, err := p.Dial(ctx, q.URI(), CallOptions{})
	var refused *sip.StatusError
	if !errors.As(err, &refused) || refused.Code != 486 {
		t.Error(err)
	}
}

func TestRecordFollowsTimestamps(t *testing.T) {
	for _, f := range []codec.Format{codec.PCMU(), codec.L16(16000), codec.G722()} {
		r := record{fresh: make(chan struct{})}
		unit := uint32(160 * f.Clock / int(f.Rate)) // of a packet
		put := func(ssrc, packet uint32, v int16) {
			pcm := make([]int16, 160)
			for i := range pcm {
				pcm[i] = v
			}
			r.voice(Packet{Timestamp: packet * unit, SSRC: ssrc}, pcm, f)
		}
		put(1, 1<<32-1, 1)
		put(1, 1, 3) // one is missing
		put(1, 0, 2) // it was only late
		put(1, 4, 4) // and now two are
		put(2, 77, 5)
		put(2, 10_000, 6) // the clock begins anew: nobody was away for minutes
		for n := range uint32(200) {
			put(2, 10_001+n, 7)
		}
		put(2, 10_002, 8) // and anew, seconds back: that is nothing old
		var got []int16
		for packet := range slices.Chunk(r.since(0), 160) {
			got = append(got, packet[0])
		}
		want := append([]int16{1, 2, 3, 0, 0, 4, 5, 6}, slices.Repeat([]int16{7}, 200)...)
		if want = append(want, 8); !slices.Equal(got, want) {
			t.Errorf("%s/%d: %v, want %v", f.Name, f.Rate, got, want)
		}
	}
}

func TestPhonesOverIPv6(t *testing.T) {
	ctx := limited(t)
	p, err := New(Options{Host: "::1"})
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	t.Cleanup(p.Close)
	q := phone(t, Options{Host: "::1", User: "bob"})
	for _, transport := range []string{"", ";transport=tcp"} {
		go func() { _, _ = q.Accept(ctx, CallOptions{Tone: Tone{440, -10}}) }()
		c, err := p.Dial(ctx, q.URI()+transport, CallOptions{})
		if err != nil {
			t.Fatal(err)
		}
		c.Listen(20 * time.Millisecond)
		if got := level(c.Listen(100*time.Millisecond), 440, c.Rate()); math.Abs(got+10) > 0.5 {
			t.Errorf("%.1f dBFS", got)
		}
		c.Hangup()
		<-c.Done()
	}
}
