package conference

import (
	"fmt"
	"strings"
	"time"

	"parley/esl"
)

// PrintXML is what "conference xml_list" prints.
func PrintXML(rooms []Sheet) string {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\"?>\n")
	if len(rooms) == 0 {
		b.WriteString("<conferences></conferences>\n")
		return b.String()
	}
	b.WriteString("<conferences>\n")
	for i := range rooms {
		rooms[i].xml(&b)
	}
	b.WriteString("</conferences>\n")
	return b.String()
}

func (s *Sheet) xml(b *strings.Builder) {
	fmt.Fprintf(b, `  <conference name="%s" member-count="%d" ghost-count="%d" rate="%d" uuid="%s"`,
		esl.EscapeXML(s.Name), s.Size, s.Ghosts, s.Rate, esl.EscapeXML(s.UUID))
	for _, f := range s.states() {
		if f.up {
			fmt.Fprintf(b, ` %s="true"`, f.name)
		}
	}
	if s.MaxMembers > 0 {
		fmt.Fprintf(b, ` max_members="%d"`, s.MaxMembers)
	}
	if s.Recording {
		b.WriteString(` recording="true"`)
	}
	if s.Grace > 0 {
		fmt.Fprintf(b, ` endconference_grace_time="%d"`, wholeSeconds(s.Grace))
	}
	fmt.Fprintf(b, " run_time=\"%d\">\n", wholeSeconds(s.RunTime))
	s.variables(b)
	if len(s.Lines)+len(s.Recordings) == 0 {
		b.WriteString("    <members></members>\n  </conference>\n")
		return
	}
	b.WriteString("    <members>\n")
	for _, r := range s.Recordings {
		status := ""
		if r.Paused {
			status = ` status="paused"`
		}
		fmt.Fprintf(b, "      <member type=\"recording_node\">\n        <record_path%s>%s</record_path>\n"+
			"        <join_time type=\"UNIX-epoch\">%d</join_time>\n      </member>\n", status, esl.EscapeXML(r.Path), r.Since.Unix())
	}
	for i := range s.Lines {
		s.Lines[i].xml(b)
	}
	b.WriteString("    </members>\n  </conference>\n")
}

func (s *Sheet) variables(b *strings.Builder) {
	if len(s.Variables) == 0 {
		b.WriteString("    <variables></variables>\n")
		return
	}
	b.WriteString("    <variables>\n")
	for _, v := range s.Variables {
		fmt.Fprintf(b, "      <variable name=\"%s\" value=\"%s\"></variable>\n", esl.EscapeXML(v.Name), esl.EscapeXML(v.Value))
	}
	b.WriteString("    </variables>\n")
}

func (m *Line) xml(b *strings.Builder) {
	text := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "        <%s>%s</%s>\n", name, esl.EscapeXML(esl.Escape(value)), name)
		}
	}
	fmt.Fprintf(b, "      <member type=\"caller\">\n        <id>%d</id>\n        <flags>\n", m.ID)
	for _, f := range []truth{
		{"can_hear", m.Hear && !m.Hold},
		{"can_see", !m.Hold},
		{"can_speak", m.Speak && !m.Hold},
		{"mute_detect", false},
		{"talking", m.Talking && !m.Hold},
		{"hold", m.Hold},
		{"has_video", false},
		{"video_bridge", false},
		{"has_floor", m.Floor},
		{"is_moderator", m.Moderator},
		{"end_conference", m.EndConference},
		{"mandatory_member_end_conference", m.Mandatory},
		{"is_ghost", m.Ghost},
	} {
		fmt.Fprintf(b, "          <%s>%t</%s>\n", f.name, f.up, f.name)
	}
	b.WriteString("        </flags>\n")
	text("uuid", m.UUID)
	text("caller_id_name", m.CallerName)
	text("caller_id_number", m.CallerNumber)
	quiet := "N/A"
	if m.Quiet >= 0 {
		quiet = fmt.Sprint(wholeSeconds(m.Quiet))
	}
	fmt.Fprintf(b, "        <join_time>%d</join_time>\n        <last_talking>%s</last_talking>\n        <energy>%d</energy>\n"+
		"        <volume_in>%d</volume_in>\n        <volume_out>%d</volume_out>\n        <output-volume>%d</output-volume>\n      </member>\n",
		wholeSeconds(m.Joined), quiet, m.Energy, m.VolumeIn, m.VolumeOut, m.VolumeOut)
}

// wholeSeconds is a duration in whole seconds.
func wholeSeconds(d time.Duration) int64 { return int64(d / time.Second) }
