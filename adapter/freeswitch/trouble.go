package freeswitch

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"parley/adapter/trouble"
	"parley/esl"
)

// codeACL is the code of a switch whose access list refuses us.
const codeACL = "esl_acl"

// Trouble says what is wrong with the event socket of a switch, in its own
// words, and what to do, and the code of that trouble.
func Trouble(name, address string, was trouble.Link, err error) (text, code string) {
	switch {
	case errors.Is(err, esl.ErrAuth):
		return fmt.Sprintf("esl %s %s: password refused (%s). Set password_file of switch %s to the password in "+
			"event_socket.conf.xml.", name, address, quoted(err), name), "esl_auth"
	case errors.Is(err, esl.ErrRejected):
		return fmt.Sprintf("esl %s: switch rejected our address by ACL (%s). Add %s to apply-inbound-acl.",
			name, quoted(err), ownAddress(address)), codeACL
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("esl %s %s: connection refused. Is mod_event_socket loaded and listening on this address?",
			name, address), "esl_refused"
	default:
		text = fmt.Sprintf("esl %s %s: %s: %s.", name, address, was, trouble.Reason(err))
		if was == trouble.Lost {
			return text, "esl_lost"
		}
		return text, "esl_unreachable"
	}
}

// ownAddress is that of ours which a switch sees; nothing is sent to find out.
func ownAddress(address string) string {
	to, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return "it"
	}
	c, err := net.DialUDP("udp", nil, to)
	if err != nil {
		return "it"
	}
	defer func() { _ = c.Close() }()
	return c.LocalAddr().(*net.UDPAddr).IP.String()
}

// quoted is the switch's own words at the end of an error.
func quoted(err error) string {
	text := err.Error()
	if i := strings.IndexByte(text, '"'); i >= 0 {
		return text[i:]
	}
	return text
}
