//go:build integration

package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/adapter/control"
	"parley/engine"
	"parley/internal/audiotest"
	"parley/sip"
	"parley/sip/siptest"
)

// How often a conference goes over to Parley and back, the p95 of its members'
// gaps that is the goal on a quiet machine, and the one by which something is
// wrong on a machine however busy, in ms.
const (
	takeOvers = 20
	goalGap   = 200.0
	worstGap  = 1500.0
)

// quiet is the level of one of eleven callers: their sum must not be clipped.
const quiet = -30.0

// conferees are the tones in Hz of the callers, and of one more who comes later.
func conferees() []float64 {
	return []float64{410, 530, 670, 790, 970, 1130, 1370, 1610, 1890, 2210, 2530}
}

// conferenceFlags are the member flags of those who have any: by caller.
func conferenceFlags() map[int]string {
	return map[int]string{0: "moderator", 1: "mute", 2: "mute", 3: "deaf"}
}

// meeting is a conference that goes from place to place.
type meeting struct {
	cell
	plain  bool // made by a dialplan that knows nothing of Parley
	guests []*guest
	gaps   map[string][]float64 // by verb, in ms
	heard  map[string][]float64 // the same by ear: of one caller's tone, at another
}

// TestTakeOver moves live conferences of ten between a switch and Parley.
func TestTakeOver(t *testing.T) {
	fs := newPlace()
	startFreeSWITCH(t, fs)
	w := watch(t, fs)
	var both sync.WaitGroup
	for i, kind := range []string{"a room of ours", "a conference that is not ours"} {
		both.Go(func() {
			t.Run(kind, func(t *testing.T) {
				at := newPlace()
				p := run(t, at, contractConfig("switch", at, fs.fsESL))
				m := &meeting{
					cell:  cell{T: t, p: p, w: w, room: fmt.Sprintf("take-%d", i), hash: 200 + i},
					plain: i == 1, gaps: map[string][]float64{}, heard: map[string][]float64{},
				}
				m.goesAndComes()
			})
		})
	}
	both.Wait()
}

// goesAndComes is the whole of it.
func (m *meeting) goesAndComes() {
	m.gather()
	was, atSwitch := m.rights(), m.fs().flags(m.room)
	m.audible("before")
	for n := range takeOvers {
		m.move("takeover", "native", was)
		if n == 0 || n == takeOvers-1 {
			m.audible("in our mixer")
		}
		m.move("handback", "switch pbx1", was)
		if now := m.fs().flags(m.room); now != atSwitch {
			m.Errorf("the switch has\n%s\nit had\n%s", now, atSwitch)
		}
		if n == 0 || n == takeOvers-1 {
			m.audible("at the switch again")
		}
	}
	m.report()
	m.mutedThere(was)
	m.turmoil("takeover", "native")
	m.turmoil("handback", "switch pbx1")
}

// enters calls in, into the room or into a conference of the switch's own.
func (m *meeting) enters(flags string) *guest {
	m.Helper()
	n := m.came
	m.came++
	g := &guest{name: string(rune('A' + n)), number: fmt.Sprintf("7%03d%02d", m.hash, n), hz: conferees()[min(n, len(conferees())-1)]}
	g.tag = m.room + "-" + g.name
	p, err := siptest.New(siptest.Options{User: g.number})
	if err != nil {
		m.Fatal(err)
	}
	m.Cleanup(p.Close)
	o := siptest.CallOptions{Tone: siptest.Tone{Hz: g.hz, DBFS: quiet}}
	o.Headers = m.w.headers(m.p, g.tag, []string{"parley_room=" + m.room, "parley_flags=" + flags})
	extension := "contract"
	if m.plain {
		extension = "plain"
		o.Headers = append(o.Headers, sip.Header{Name: "X-Room", Value: m.room}, sip.Header{Name: "X-Flags", Value: strings.ReplaceAll(flags, ",", "|")})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if g.Call, err = p.Dial(ctx, "sip:"+extension+"@"+m.w.sip(), o); err != nil {
		m.Fatalf("%s calls: %v", g.name, err)
	}
	return g
}

// gather brings ten callers together, and locks the door.
func (m *meeting) gather() {
	m.Helper()
	for i := range 10 {
		m.guests = append(m.guests, m.enters(conferenceFlags()[i]))
		eventually(m.T, 15*time.Second, "caller's being in the conference", func() (string, bool) {
			return "", len(m.fs().conference(m.room)) == i+1
		})
	}
	if m.plain {
		m.fs().api("conference", m.room+" lock")
		eventually(m.T, 15*time.Second, "Parley's knowing of it", func() (string, bool) {
			rooms, err := m.p.api.Rooms(m.brief())
			at := slices.IndexFunc(rooms, func(v engine.RoomView) bool { return v.Name == engine.RoomName(m.room) })
			return fmt.Sprint(rooms, err), at >= 0 && rooms[at].State == "foreign" && len(rooms[at].Members) == 10 && rooms[at].Locked
		})
		return
	}
	m.members(10)
	m.command(m.p.api.Lock(m.brief(), m.room, true))
	eventually(m.T, 10*time.Second, "the lock at the switch", func() (string, bool) {
		out := m.fs().flags(m.room)
		return out, strings.HasPrefix(out, "locked true")
	})
}

// rights are what the conferees may do: as they were made to, in both worlds'
// words.
func (m *meeting) rights() string {
	want := []string{"locked"}
	for i, g := range m.guests {
		role, muted, deaf := "member", false, false
		for f := range strings.SplitSeq(conferenceFlags()[i], ",") {
			muted, deaf = muted || f == "mute", deaf || f == "deaf"
			if f == "moderator" {
				role = f
			}
		}
		want = append(want, fmt.Sprintf("%s %s muted %v deaf %v", g.number, role, muted, deaf))
	}
	return strings.Join(want, "\n")
}

// seen are the rights as Parley has them.
func (m *meeting) seen() string {
	v, _ := m.view()
	var seen []string
	for _, one := range v.Members {
		seen = append(seen, fmt.Sprintf("%s %s muted %v deaf %v", one.Number, one.Role, one.Muted, one.Deaf))
	}
	slices.Sort(seen)
	if v.Locked {
		seen = slices.Insert(seen, 0, "locked")
	}
	return strings.Join(seen, "\n")
}

// move brings the conference over, and checks that nobody and nothing got lost.
func (m *meeting) move(verb, to, rights string) {
	m.Helper()
	listener, talker := m.guests[4], m.guests[5]
	from := len(listener.Record())
	answer := m.order(verb)
	time.Sleep(300 * time.Millisecond) // of what comes after
	m.heard[verb] = append(m.heard[verb], gapIn(listener.Record()[from:], int(listener.Rate()), talker.hz))
	if len(answer.Moves) != len(m.guests) {
		m.Errorf("%s: %d members came along", verb, len(answer.Moves))
	}
	for _, one := range answer.Moves {
		m.gaps[verb] = append(m.gaps[verb], one.Gap)
	}
	if v, _ := m.view(); v.Mixer != to {
		m.Errorf("%s: mixed by %s", verb, v.Mixer)
	}
	if seen := m.seen(); seen != rights {
		m.Errorf("%s: the rights are\n%s\nthey were\n%s", verb, seen, rights)
	}
	m.present(m.guests)
}

func (m *meeting) order(verb string) control.Move {
	m.Helper()
	do := m.p.api.TakeOver
	if verb == "handback" {
		do = m.p.api.HandBack
	}
	answer, err := do(m.brief(), m.room)
	if err != nil {
		m.Fatalf("%s: %v", verb, err)
	}
	return answer
}

// present checks that nobody's call is over.
func (m *meeting) present(guests []*guest) {
	m.Helper()
	for _, g := range guests {
		select {
		case <-g.Done():
			m.Fatalf("%s was dropped: %s", g.name, g.EndReason())
		default:
		}
	}
}

// gapIn is the longest time in ms that a tone is missing from a recording. A
// break shorter than the window is not seen.
func gapIn(pcm []int16, rate int, hz float64) float64 {
	window, step := rate/25, rate/200
	longest, now := 0, 0
	for ; len(pcm) >= window; pcm = pcm[step:] {
		if audiotest.Power(pcm[:window], rate, hz) > quiet-12 {
			now = 0
			continue
		}
		now++
		longest = max(longest, now)
	}
	return float64(longest*step) * 1000 / float64(rate)
}

// audible checks who hears whom: all hear all, but for the muted and the deaf.
func (m *meeting) audible(when string) {
	m.Helper()
	for i, pcm := range listen(m.guests) {
		l := m.guests[i]
		for k, s := range m.guests {
			level := audiotest.Steady(pcm, int(l.Rate()), s.hz)
			silent := i == k || conferenceFlags()[k] == "mute" || conferenceFlags()[i] == "deaf"
			if heard := level > quiet-6; heard == silent || !heard && level > quiet-15 {
				m.Errorf("%s: %s hears %s at %.0f dBFS", when, l.name, s.name, level)
			}
		}
	}
}

// mutedThere mutes and deafens members by the switch's own commands while we mix
// them: they are so with us, can be unmuted by us, and are the same afterwards.
func (m *meeting) mutedThere(was string) {
	m.Helper()
	m.order("takeover")
	mutes, listener := m.guests[5], m.guests[4]
	id := m.fs().number(m.room, string(m.roster(mutes).CallID))
	become := func(what string, muted, deaf bool) {
		m.Helper()
		eventually(m.T, 5*time.Second, what, func() (string, bool) {
			one := m.roster(mutes)
			return fmt.Sprintf("%+v", one), one.Muted == muted && one.Deaf == deaf
		})
		level := audiotest.Steady(listen([]*guest{listener})[0], int(listener.Rate()), mutes.hz)
		if heard := level > quiet-6; heard == muted {
			m.Errorf("%s: he is heard at %.0f dBFS", what, level)
		}
	}
	m.fs().api("conference", m.room+" mute "+id)
	become("a mute at the switch", true, false)
	m.fs().api("conference", m.room+" deaf "+id)
	become("deaf at the switch, too", true, true)
	m.command(m.p.api.Set(m.brief(), m.room, m.roster(mutes).ID.String(), "muted", false))
	become("unmuted by us", false, true)
	m.fs().api("conference", m.room+" mute "+id)
	become("muted at the switch again", true, true)
	m.fs().api("conference", m.room+" unmute "+id)
	m.fs().api("conference", m.room+" undeaf "+id)
	become("unmuted and undeaf at the switch", false, false)
	m.order("handback")
	if seen := m.seen(); seen != was {
		m.Errorf("the rights are\n%s\nthey were\n%s", seen, was)
	}
}

// report prints the gaps.
func (m *meeting) report() {
	m.Helper()
	for _, verb := range []string{"takeover", "handback"} {
		told, heard := m.gaps[verb], m.heard[verb]
		p95 := quantile(told, 0.95)
		goal := "met"
		if p95 > goalGap {
			goal = "missed by this machine now"
		}
		m.Logf("%s: %d times %d members: gap p50 %.0f ms, p95 %.0f ms, worst %.0f ms; by ear p50 %.0f ms, worst %.0f ms; the goal of p95 %.0f ms is %s",
			verb, takeOvers, len(m.guests), quantile(told, 0.5), p95, quantile(told, 1), quantile(heard, 0.5), quantile(heard, 1), goalGap, goal)
		if p95 > worstGap || quantile(heard, 0.95) > worstGap {
			m.Errorf("%s: the gaps are too long", verb)
		}
	}
}

func quantile(list []float64, q float64) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Sorted(slices.Values(list))
	return list[min(len(list)-1, int(q*float64(len(list))))]
}

// turmoil moves the conference while one comes, one goes and one is muted.
func (m *meeting) turmoil(verb, to string) {
	m.Helper()
	if m.plain {
		m.fs().api("conference", m.room+" unlock")
	}
	m.command(m.p.api.Lock(m.brief(), m.room, false))
	leaves, mutes := m.guests[len(m.guests)-1], m.guests[6]
	was := m.roster(mutes).Muted
	var doing sync.WaitGroup
	doing.Go(func() { leaves.Hangup() })
	doing.Go(func() {
		m.command(m.p.api.Set(m.brief(), m.room, m.roster(mutes).ID.String(), "muted", !was))
	})
	var comes *guest
	doing.Go(func() { comes = m.enters("") })
	m.order(verb)
	doing.Wait()
	m.guests = append(m.guests[:len(m.guests)-1], comes)
	m.present(m.guests)
	eventually(m.T, 15*time.Second, verb+": those who ought to be there", func() (string, bool) {
		v, _ := m.view()
		return fmt.Sprintf("%+v", v), len(v.Members) == len(m.guests) && m.roster(comes).State == "joined" && m.roster(mutes).Muted == !was &&
			v.Mixer == to
	})
	pcm := listen([]*guest{m.guests[4], comes})
	for i, l := range []*guest{m.guests[4], comes} {
		for _, s := range []*guest{m.guests[5], mutes} {
			want := s != mutes || was
			if level := audiotest.Steady(pcm[i], int(l.Rate()), s.hz); (level > quiet-6) != want {
				m.Errorf("%s, and one came, one went, one was muted: %s hears %s at %.0f dBFS", verb, l.name, s.name, level)
			}
		}
	}
}
