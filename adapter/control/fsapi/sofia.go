package fsapi

import (
	"context"
	"fmt"
	"net"
	"strings"

	"parley/esl"
)

// sofia shows where calls come to us as the switch's one profile, which has no
// gateways, and at which nobody registers.
func (a *API) sofia(_ context.Context, arguments string) string {
	words := split(arguments)
	if len(words) == 0 {
		return "-USAGE: sofia [status|xmlstatus]\n"
	}
	verb := strings.ToLower(words[0])
	xml := verb == "xmlstatus"
	if verb != "status" && !xml {
		return "Unknown Command [" + words[0] + "]\n"
	}
	switch w := words[1:]; {
	case len(w) == 0:
		return a.profiles(xml)
	case len(w) == 1:
		return either(xml, gateways, xmlHead+"<gateways>\n</gateways>\n")
	case strings.EqualFold(w[0], "gateway"):
		return "Invalid Gateway!\n"
	case !strings.EqualFold(w[0], "profile"):
		return "Invalid Syntax!\n"
	case w[1] != domain:
		return "Invalid Profile!\n"
	case len(w) > 2 && strings.EqualFold(w[2], "reg"):
		return either(xml, registrations, xmlHead+"<profile>\n  <registrations>\n  </registrations>\n</profile>\n")
	}
	return a.profile(xml)
}

func either(xml bool, inText, inXML string) string {
	if xml {
		return inXML
	}
	return inText
}

const (
	line    = "=================================================================================================\n"
	xmlHead = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n"

	gateways = "    Profile::Gateway-Name\t                        Data    \tState\tPing Time\tIB Calls(F/T)\tOB Calls(F/T)\n" +
		line + line + "0 gateways: Inbound(Failed/Total): 0/0,Outbound(Failed/Total):0/0\n"
	registrations = "\nRegistrations:\n" + line + "Total items returned: 0\n" + line
)

func (a *API) profiles(xml bool) string {
	uri := "sip:" + a.opts.SIP
	n, _, _ := a.sessions()
	if xml {
		return fmt.Sprintf(xmlHead+"<profiles>\n<profile>\n<name>%s</name>\n<type>profile</type>\n"+
			"<data>%s</data>\n<state>RUNNING (%d)</state>\n</profile>\n</profiles>\n", domain, esl.EscapeXML(uri), n)
	}
	row := fmt.Sprintf("%25s\t%s\t  %40s\t%s\n", domain, "profile", uri, fmt.Sprintf("RUNNING (%d)", n))
	return fmt.Sprintf("%25s\t%7s\t  %40s\t%s\n", "Name", "Type", "Data", "State") + line + row + line + "1 profile 0 aliases\n"
}

// profile is what the switch's sheet of one has that is so here.
func (a *API) profile(xml bool) string {
	host, _, _ := net.SplitHostPort(a.opts.SIP) // "" where there is no SIP
	rows := [][2]string{
		{"Name", domain}, {"Dialplan", "XML"}, {"Context", "default"}, {"SIP-IP", host}, {"URL", "sip:" + a.opts.SIP}, {"REGISTRATIONS", "0"},
	}
	var b strings.Builder
	for _, row := range rows {
		if name := strings.ToLower(row[0]); xml {
			fmt.Fprintf(&b, "    <%s>%s</%s>\n", name, esl.EscapeXML(row[1]), name)
		} else {
			fmt.Fprintf(&b, "%-17s\t%s\n", row[0], row[1])
		}
	}
	if xml {
		return xmlHead + "<profile>\n  <profile-info>\n" + b.String() + "  </profile-info>\n</profile>\n"
	}
	return line + b.String()
}
