package conference

import (
	"fmt"
	"strings"
	"time"

	"parley/esl"
)

// Sheet is a room as the lists below print it; Room.Members is not looked at.
type Sheet struct {
	Room
	EnterSound, ExitSound bool
	Grace                 time.Duration // endconf-grace-time; 0 = none
	Variables             esl.Headers
	Lines                 []Line // in the order to be printed: newest first
	Recordings            []Recording
}

// Line is a member as the lists below print it.
type Line struct {
	Member
	Joined                   time.Duration // since he joined
	Quiet                    time.Duration // since he last talked; < 0 = he never has
	EndConference, Mandatory bool          // endconf, mandatory_member_endconf
}

// Recording is one that runs.
type Recording struct {
	Path   string
	Paused bool
	Since  time.Time
}

// Style is how "list" prints.
type Style struct {
	Pretty    bool
	Summary   bool   // heads only; of one room it means nothing
	Delimiter string // "" = ";"
}

// PrintList is what "conference list" prints.
func PrintList(rooms []Sheet, how Style) string {
	if len(rooms) == 0 {
		return "+OK " + noRooms + "\n"
	}
	var b strings.Builder
	for i := range rooms {
		r := &rooms[i]
		many := "s"
		if r.Size == 1 {
			many = ""
		}
		locked := ""
		if r.Locked {
			locked = " locked"
		}
		fmt.Fprintf(&b, "+OK Conference %s (%d member%s rate: %d%s flags: %s)\n", r.Name, r.Size, many, r.Rate, locked, r.flags())
		if !how.Summary {
			b.WriteString(PrintMembers(r, how))
		}
	}
	return b.String()
}

// truth is a flag and whether it is up.
type truth struct {
	name string
	up   bool
}

// join lists the flags that are up.
func join(flags []truth) string {
	var up []string
	for _, f := range flags {
		if f.up {
			up = append(up, f.name)
		}
	}
	return strings.Join(up, "|")
}

// states are the flags that all three lists have, in their order.
func (s *Sheet) states() []truth {
	return []truth{
		{"locked", s.Locked},
		{"destruct", s.Ending},
		{"wait_mod", s.WaitMod},
		{"audio_always", s.AudioAlways},
		{"running", true},
		{"answered", true},
		{"enforce_min", true},
		{"bridge_to", false},
		{"dynamic", true},
		{"exit_sound", s.ExitSound},
		{"enter_sound", s.EnterSound},
	}
}

func (s *Sheet) flags() string {
	return join(append(s.states(), truth{"recording", s.Recording}, truth{"json_status", true}))
}

// PrintMembers is what "conference NAME list" prints.
func PrintMembers(s *Sheet, how Style) string {
	sep := how.Delimiter
	if sep == "" {
		sep = ";"
	}
	var b strings.Builder
	for i := range s.Lines {
		m := &s.Lines[i]
		if how.Pretty {
			fmt.Fprintf(&b, "%d) %s (%s)\n", m.ID, m.CallerName, m.CallerNumber)
			continue
		}
		fields := []string{
			fmt.Sprint(m.ID), m.Channel, m.UUID, m.CallerName, m.CallerNumber, m.flags(),
			fmt.Sprint(m.VolumeIn), fmt.Sprint(m.VolumeOut), fmt.Sprint(m.Energy),
		}
		for i, f := range fields {
			fields[i] = oneLine(f)
		}
		b.WriteString(strings.Join(fields, sep) + "\n")
	}
	return b.String()
}

// oneLine keeps a caller's name from beginning a line of its own.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if control(r) {
			return ' '
		}
		return r
	}, s)
}

// flags are a member's: what he could do but for a hold is not shown during it.
func (m *Line) flags() string {
	return join([]truth{
		{"hear", m.Hear && !m.Hold},
		{"speak", m.Speak && !m.Hold},
		{"talking", m.Talking && !m.Hold},
		{"hold", m.Hold},
		{"floor", m.Floor},
		{"moderator", m.Moderator},
		{"ghost", m.Ghost},
	})
}
