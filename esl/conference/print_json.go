package conference

import (
	"strconv"
	"strings"

	"parley/esl"
)

// PrintJSON is what "conference json_list" prints; compact is its other form.
func PrintJSON(rooms []Sheet, compact bool) string {
	p := jsonPrinter{compact: compact}
	p.array(len(rooms), func(i int) { rooms[i].json(&p) })
	return p.b.String()
}

func (s *Sheet) json(p *jsonPrinter) {
	p.object(func() {
		p.text("conference_name", s.Name)
		p.number("member_count", s.Size)
		p.number("ghost_count", s.Ghosts)
		p.number("rate", s.Rate)
		p.number("run_time", int(wholeSeconds(s.RunTime)))
		p.text("conference_uuid", s.UUID)
		for _, none := range []string{"canvas_count", "max_bw_in", "force_bw_in", "video_floor_packets"} {
			p.number(none, 0)
		}
		flags := append(s.states(), truth{"recording", s.Recording})
		for _, f := range append(flags, truth{"video_bridge", false}, truth{"video_floor_only", false}, truth{"video_rfc4579", false}) {
			p.truth(f)
		}
		if s.MaxMembers > 0 {
			p.number("max_members", s.MaxMembers)
		}
		p.key("variables")
		p.object(func() {
			for _, v := range s.Variables {
				p.text(v.Name, v.Value)
			}
		})
		p.key("members")
		p.array(len(s.Recordings)+len(s.Lines), func(i int) {
			if n := len(s.Recordings); i >= n {
				s.Lines[i-n].json(p)
			} else {
				s.Recordings[i].json(p)
			}
		})
	})
}

func (r *Recording) json(p *jsonPrinter) {
	p.object(func() {
		p.text("type", "recording_node")
		p.text("record_path", r.Path)
		if r.Paused {
			p.text("status", "paused")
		}
		p.number("join_time", int(r.Since.Unix()))
	})
}

func (m *Line) json(p *jsonPrinter) {
	p.object(func() {
		p.text("type", caller)
		p.number("id", int(m.ID))
		p.key("flags")
		p.object(func() {
			for _, f := range []truth{
				{"can_hear", m.Hear && !m.Hold},
				{"can_see", !m.Hold},
				{"can_speak", m.Speak && !m.Hold},
				{"hold", m.Hold},
				{"mute_detect", false},
				{"talking", m.Talking && !m.Hold},
				{"has_video", false},
				{"video_bridge", false},
				{"has_floor", m.Floor},
				{"is_moderator", m.Moderator},
				{"end_conference", m.EndConference},
				{"mandatory_member_end_conference", m.Mandatory},
				{"pass_digits", false},
			} {
				p.truth(f)
			}
		})
		p.text("uuid", m.UUID)
		p.text("caller_id_name", m.CallerName)
		p.text("caller_id_number", m.CallerNumber)
		p.number("join_time", int(wholeSeconds(m.Joined)))
		p.number("last_talking", int(wholeSeconds(max(0, m.Quiet))))
		p.number("energy", m.Energy)
		p.number("volume_in", m.VolumeIn)
		p.number("volume_out", m.VolumeOut)
		p.number("output-volume", m.VolumeOut)
		p.number("input-volume", m.VolumeIn)
	})
}

// jsonPrinter writes JSON the way the switch's library does: a tab before each
// member per level, where an array is a level, too.
type jsonPrinter struct {
	b       strings.Builder
	compact bool
	depth   int
	members int // of the object that is open
}

func (p *jsonPrinter) object(fill func()) {
	outer := p.members
	p.members = 0
	p.depth++
	p.b.WriteByte('{')
	fill()
	p.depth--
	p.line()
	p.b.WriteByte('}')
	p.members = outer
}

func (p *jsonPrinter) array(n int, item func(int)) {
	p.depth++
	p.b.WriteByte('[')
	for i := range n {
		if i > 0 {
			p.b.WriteByte(',')
			if !p.compact {
				p.b.WriteByte(' ')
			}
		}
		item(i)
	}
	p.b.WriteByte(']')
	p.depth--
}

func (p *jsonPrinter) line() {
	if !p.compact {
		p.b.WriteString("\n" + strings.Repeat("\t", p.depth))
	}
}

func (p *jsonPrinter) key(name string) {
	if p.members > 0 {
		p.b.WriteByte(',')
	}
	p.members++
	p.line()
	p.b.WriteString(esl.Quote(name) + ":")
	if !p.compact {
		p.b.WriteByte('\t')
	}
}

func (p *jsonPrinter) text(name, value string) {
	p.key(name)
	p.b.WriteString(esl.Quote(value))
}

func (p *jsonPrinter) number(name string, n int) {
	p.key(name)
	p.b.WriteString(strconv.Itoa(n))
}

func (p *jsonPrinter) truth(f truth) {
	p.key(f.name)
	p.b.WriteString(strconv.FormatBool(f.up))
}
