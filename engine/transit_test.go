package engine

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
)

// transit is a room on its way from one place to another, held in the middle.
type transit struct {
	*theatre
	from, to Place
	phone    *mover // of member 1, who is held; member 2 is a moderator
	prompted *phone // is asked for the PIN
	admitted *mover // is about to be admitted where the room was; nil: nobody is
	answer   chan relocated
	errs     chan error // of commands asked meanwhile
}

// do asks a command in the background.
func (x *transit) do(c Command) {
	go func() { x.errs <- x.Do(x.t.Context(), "1", c) }()
	synctest.Wait()
}

// went reads the answer of such a command.
func (x *transit) went() {
	x.t.Helper()
	select {
	case err := <-x.errs:
		if err != nil {
			x.t.Errorf("command: %v", err)
		}
	default:
		x.t.Error("the command was not answered")
	}
}

// happening is what happens in the middle of a move, and what must be true once
// all is over.
type happening struct {
	name   string
	happen func(x *transit)
	check  func(x *transit)
	ends   bool // the room, and so the move
}

func happenings() []happening {
	return []happening{
		{name: "nothing", happen: func(*transit) {}, check: func(*transit) {}},
		{
			name: "kick", happen: func(x *transit) { x.do(Kick{Member: 1}) },
			check: func(x *transit) {
				x.went()
				want(x.t, "outcome", line1(outcome(x.t, x.phone.phone)), "joined kicked kicked")
			},
		},
		{
			name: "terminator", happen: func(x *transit) { x.phone.press("#") },
			check: func(x *transit) {
				want(x.t, "outcome", line1(outcome(x.t, x.phone.phone)), "joined terminator terminator")
			},
		},
		{
			name: "lost", happen: func(x *transit) { x.phone.dies(ReasonSwitchLost) },
			check: func(x *transit) { want(x.t, "outcome", line1(outcome(x.t, x.phone.phone)), "joined switch_lost lost") },
		},
		{
			name: "kicked, then lost", happen: func(x *transit) {
				x.do(Kick{Member: 1})
				x.phone.dies(ReasonHangup)
			},
			check: func(x *transit) {
				x.went()
				want(x.t, "outcome", line1(outcome(x.t, x.phone.phone)), "joined kicked kicked")
			},
		},
		{
			name: "end", ends: true, happen: func(x *transit) { x.do(End{}) },
			check: func(x *transit) {
				x.went()
				want(x.t, "outcome", line1(outcome(x.t, x.phone.phone)), "joined ended ended")
			},
		},
		{
			name: "mute", happen: func(x *transit) { x.do(Mute{Member: 1, On: true}) },
			check: func(x *transit) { x.went(); x.member(1, func(m MemberView) bool { return m.Muted }) },
		},
		{
			name: "mute and unmute", happen: func(x *transit) { x.do(Mute{Member: 1, On: true}); x.do(Mute{Member: 1, On: false}) },
			check: func(x *transit) { x.went(); x.went(); x.member(1, func(m MemberView) bool { return !m.Muted }) },
		},
		{
			name: "a key of the menu", happen: func(x *transit) { x.phone.press("0") },
			check: func(x *transit) { x.member(1, func(m MemberView) bool { return m.Muted }) },
		},
		{
			name: "a second move", happen: func(x *transit) {
				if _, err := x.Relocate(x.t.Context(), "1", x.from); !errors.Is(err, ErrMoving) {
					x.t.Errorf("second move: %v", err)
				}
			}, check: func(*transit) {},
		},
		{
			name: "a new caller", happen: func(x *transit) { x.dial("n", "1", x.from, pbx1, map[string]string{"pin": "1234"}) },
			check: func(x *transit) { x.members(3) },
		},
		{
			name: "the PIN is right", happen: func(x *transit) { x.prompted.press("1234#") },
			check: func(x *transit) { x.members(3); want(x.t, "mixer", x.mixer("1"), "native") },
		},
		{
			name: "the last moderator leaves", happen: func(x *transit) { x.do(Kick{Member: 2}) },
			check: func(x *transit) { x.went(); x.member(1, func(m MemberView) bool { return m.State == "waiting" }) },
		},
		{
			name: "the old place dies", happen: func(x *transit) { x.stageAt(x.from).ends() },
			check: func(x *transit) { x.members(2) },
		},
	}
}

// member looks at a member as the roster and the place have it.
func (x *transit) member(id MemberID, is func(MemberView) bool) {
	x.t.Helper()
	v, _ := x.Room(x.t.Context(), "1")
	for _, m := range v.Members {
		if m.ID == id {
			if !is(m) {
				x.t.Errorf("member %d: %+v", id, m)
			}
			return
		}
	}
	x.t.Errorf("member %d is gone", id)
}

func (x *transit) members(n int) {
	x.t.Helper()
	if x.admitted != nil {
		n++
	}
	if v, _ := x.Room(x.t.Context(), "1"); len(v.Members) != n {
		x.t.Errorf("%d members, want %d", len(v.Members), n)
	}
}

// TestWhateverHappensDuringAMove goes through every step of a member's move,
// both ways, and everything that may happen then.
func TestWhateverHappensDuringAMove(t *testing.T) {
	steps := map[string]func(x *transit){
		"moving":   func(x *transit) { x.phone.dawdle() },
		"leaving":  func(x *transit) { x.stageAt(x.from).hold() },
		"entering": func(x *transit) { x.mu.Lock(); x.slow = &x.to; x.mu.Unlock() },
	}
	for _, ways := range [][2]Place{{{}, pbx1}, {pbx1, {}}} {
		for step, hold := range steps {
			for _, also := range []bool{false, true} {
				for _, h := range happenings() {
					name := fmt.Sprintf("%s to %s, %s, another is being admitted %v", step, ways[1], h.name, also)
					t.Run(name, func(t *testing.T) {
						switched(t, func(p *Profile) {
							pins(p)
							p.RequireModerator, p.ModeratorGrace = true, 0
							p.Member.Terminator = "#"
							p.Member.Controls.Keys = append(p.Member.Controls.Keys, Control{"0", ActionMute})
						}, func(t *testing.T, th *theatre) {
							x := &transit{theatre: th, from: ways[0], to: ways[1], errs: make(chan error, 4)}
							x.begin(hold, also)
							h.happen(x)
							x.finish(h)
						})
					})
				}
			}
		}
	}
}

// begin lets the room set out.
func (x *transit) begin(hold func(*transit), also bool) {
	if x.from.Native() {
		d := x.dir.Load()
		d.Profiles["default"].Mixer = MixerNative
	}
	x.phone = x.dial("a", "1", x.from, pbx1, map[string]string{"pin": "1234"})
	synctest.Wait()
	x.dial("m", "1", x.from, pbx1, map[string]string{"pin": "98765"})
	x.prompted = x.call("p", "1", nil)
	synctest.Wait()
	hold(x)
	if also {
		x.stageAt(x.from).hold()
		x.admitted = x.dial("j", "1", x.from, pbx1, map[string]string{"pin": "1234"})
		synctest.Wait()
	}
	x.answer = x.relocate("1", x.to)
	synctest.Wait()
}

// finish lets everything come true, and looks at the books.
func (x *transit) finish(h happening) {
	synctest.Wait()
	for range 3 { // a step that is let go may lead to one that is held
		x.phone.arrive(false)
		x.mu.Lock()
		every := x.every
		x.slow = nil
		x.mu.Unlock()
		for _, b := range every {
			b.letGo()
		}
		synctest.Wait()
	}
	select {
	case a := <-x.answer:
		if ended := errors.Is(a.err, ErrClosed); ended != h.ends || !ended && a.err != nil {
			x.t.Errorf("the move: %+v", a)
		}
	default:
		x.t.Error("the move was not answered")
	}
	h.check(x)
	x.agree("1")
	if x.phone.twice {
		x.t.Error("asked to move while it moved")
	}
}
