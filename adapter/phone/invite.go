package phone

import (
	"fmt"
	"net/netip"
	"strings"

	"parley/engine"
	"parley/sip"
)

const headerPrefix = "X-Parley-"

// headerName is the SIP header of a variable: end_on_exit is
// X-Parley-End-On-Exit.
func headerName(variable string) string {
	words := strings.Split(variable, "_")
	for i, w := range words {
		if w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return headerPrefix + strings.Join(words, "-")
}

// variableName is the inverse; ok is false for other headers.
func variableName(header string) (name string, ok bool) {
	if len(header) <= len(headerPrefix) || !strings.EqualFold(header[:len(headerPrefix)], headerPrefix) {
		return "", false
	}
	return strings.ReplaceAll(strings.ToLower(header[len(headerPrefix):]), "-", "_"), true
}

// harmless are the variables that any caller may set by a header. The others
// decide about roles, rules and files.
func harmless(name string) bool {
	return name == "pin" || name == "language" || name == "muted" || name == "deaf"
}

// invite reads what a SIP call asks for.
func (p *Phones) invite(info sip.Info) engine.Invite {
	trusted := info.User != "" || within(p.opt.Trusted, info.Source.Addr())
	in := engine.Invite{
		Room: info.Target, Kind: "sip", Variables: map[string]string{}, Source: network(info.Source.Addr()),
		Caller: engine.Caller{Number: info.From.User, Name: info.From.Name},
	}
	if info.Target == Attendant {
		in.Room = ""
	}
	if trusted {
		in.Source = info.Source.Addr().String() + "/" + info.From.User // a PBX: its callers are told apart
	}
	for _, h := range info.Headers {
		name, ok := variableName(h.Name)
		switch {
		case !ok, strings.EqualFold(h.Name, loopHeader): // of another Parley
		case name == "reattach": // whoever writes the headers could have it from anywhere
			in.Warnings = append(in.Warnings, fmt.Sprintf("%.40s is ignored: callers by SIP cannot come back", h.Name))
		case name == "room" && trusted:
			in.Room = h.Value
		case trusted || harmless(name):
			in.Variables[name] = h.Value
		default:
			in.Warnings = append(in.Warnings, fmt.Sprintf("%.40s is ignored: the caller's address is not in sip.trusted", h.Name))
		}
	}
	return in
}

// network is whose wrong PINs are counted together: whoever has one IPv6
// address of a /64 has all of them.
func network(a netip.Addr) string {
	if a.Is6() && !a.Is4In6() {
		p, _ := a.Prefix(64) // of an address that is valid
		a = p.Addr()
	}
	return a.String()
}

func within(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}
