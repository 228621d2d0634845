//go:build integration

package integration

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"parley/esl"
)

// What is another each time: ids, times, and the names of channels.
func others() []struct{ from, to string } {
	return []struct{ from, to string }{
		{`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, "<uuid>"},
		{`(sofia/internal|parley/sip)/(\d+)(@[0-9.:]+)?`, "<channel $2>"},
		{`((?:run_time|join_time|last_talking)"?[:=]\s*"?)\d+`, "$1<n>"},
		{`(<(?:join_time|last_talking)>)[^<]+`, "$1<n>"},
		{`Current-Energy=\d+`, "Current-Energy=<n>"}, // the phones' noise
		{`Content-Length=\d+ `, ""},
		{`\+OK \d+/\d+ `, "+OK <n>/<n> "}, // of play_status; the switch counts pictures only
		{`((?:Samples-Out|Milliseconds-Elapsed|Record-File-Size)=)\d+`, "$1<n>"},
		{`((?:seconds|milliseconds|samples|event_count)=)\d+`, "$1<n>"},
		{`(<(?:start|end|join|leave|reject)_time[^>]*>)\d+`, "$1<n>"},
		{`(<(hostname|source|context|dialplan|username|network_addr)>)[^<]*`, "$1"},
	}
}

func steady(text string) string {
	for _, o := range others() {
		text = regexp.MustCompile(o.from).ReplaceAllString(text, o.to)
	}
	return text
}

// answer is what was said to a command, without what is another each time.
func answer(line, body string) string {
	if strings.HasSuffix(line, " get run_time") {
		return regexp.MustCompile(`^\d+$`).ReplaceAllString(body, "<n>")
	}
	return steady(body)
}

// event writes what the conference itself says in an event on one line, and
// notes which headers there are. Talking is a matter of the phones' noise.
func (s *stage) event(m *esl.Message) string {
	e, err := esl.ParseEvent(m)
	if err != nil {
		s.t.Fatal(err)
	}
	action := e.Value("Action")
	if action == "" { // an event that is not of conference::maintenance
		action = strings.TrimSpace(strings.TrimPrefix(e.Name()+" "+e.Value("Event-Subclass"), "CUSTOM "))
	}
	if action == "start-talking" || action == "stop-talking" {
		return ""
	}
	var names, said []string
	if strings.HasPrefix(e.Name(), "CHANNEL_") || strings.HasPrefix(e.Name(), "RECORD_") {
		said = []string{e.Name(), e.Value("Channel-Name"), e.Value("Hangup-Cause")}
	}
	for _, h := range e.Headers {
		if strings.HasPrefix(h.Name, "variable_") { // of a channel, whose we have none
			continue
		}
		names = append(names, h.Name)
		for _, begin := range []string{"Event-", "Core-", "FreeSWITCH-", "Channel-", "Caller-", "Presence-", "Unique-ID", "Call-", "Answer-", "Hangup-"} {
			if strings.HasPrefix(h.Name, begin) {
				h.Value = ""
			}
		}
		if h.Value != "" {
			said = append(said, h.Name+"="+h.Value)
		}
	}
	if e.Value("Channel-State") != "" && e.Name() == "CUSTOM" {
		action += " of a member"
	}
	if len(e.Body) > 0 {
		said = append(said, strings.Join(strings.Fields(string(e.Body)), " "))
	}
	if s.shapes[action] == "" {
		s.shapes[action] = strings.Join(names, " ")
	}
	said = slices.DeleteFunc(said, func(word string) bool { return word == "" })
	return steady(s.asScript(strings.Join(said, " ")))
}

// asScript is a text of the switch as if the script's folder were there.
func (s *stage) asScript(text string) string { return strings.ReplaceAll(text, s.folder, scriptFolder) }

// transcript is all that as a text.
func (s *stage) transcript(steps []step) string {
	var b strings.Builder
	for _, st := range steps {
		fmt.Fprintf(&b, "> %s\n", st.line)
		if st.answer != "" {
			fmt.Fprintf(&b, "%q\n", st.answer)
		}
		for _, e := range st.events {
			fmt.Fprintf(&b, "! %s\n", e)
		}
	}
	for _, action := range slices.Sorted(maps.Keys(s.shapes)) {
		fmt.Fprintf(&b, "> headers of %s\n%s\n", action, s.shapes[action])
	}
	return b.String()
}
