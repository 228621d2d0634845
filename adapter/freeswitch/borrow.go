package freeswitch

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"parley/esl"
)

// borrowed are the channel variables that we need otherwise than the dialplan
// may have them; they are put back at the end. socket_resume makes the dialplan
// go on at once if this process dies. The resume command would do the same, but
// for good: it would break a call that the switch transferred away meanwhile.
func borrowed() map[string]string {
	return map[string]string{
		"socket_resume": "true", "hangup_after_bridge": "false", "park_after_bridge": "false", "continue_on_fail": "true",
		"playback_terminators": "none",
	}
}

// borrowedVariable holds what the dialplan had of them: if we die, nobody puts
// it back, and what is there would pass for the dialplan's own wish.
const borrowedVariable = "parley_borrowed"

// borrow notes what the dialplan has of what we borrow, and returns what is to
// be set. Where it has just what we would set, an earlier stay may have left
// it: earlier is one in this process that is over, and has is also asked for
// what a process wrote that has died.
func (c *call) borrow(earlier *call, has func(name string) string) (vars map[string]string) {
	vars = borrowed()
	owed := readDebt(has(borrowedVariable))
	for name, ours := range lent() {
		switch c.original[name] = has(name); {
		case c.original[name] != ours:
		case earlier != nil:
			c.original[name] = earlier.original[name]
		case owed != nil:
			c.original[name] = owed[name]
		}
	}
	for name, value := range owed {
		if _, known := c.original[name]; !known && has(name) == "" { // it was masked
			c.original[name] = value
		}
	}
	vars[borrowedVariable] = debt(c.original)
	c.original[borrowedVariable] = ""
	return vars
}

// debt is what is to be put back, as a text without blanks.
func debt(original map[string]string) string {
	text, _ := json.Marshal(original) // of texts: it cannot fail
	return base64.RawURLEncoding.EncodeToString(text)
}

// readDebt is nil where there is none.
func readDebt(text string) (owed map[string]string) {
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(plain, &owed) != nil {
		return nil
	}
	return owed
}

// vars are the call's variables as its dialplan has them: less what we have
// borrowed.
func (c *call) vars(s *esl.Session) map[string]string {
	vars := s.Vars()
	for name, value := range c.original {
		switch {
		case strings.HasPrefix(name, "parley_"):
		case value == "":
			delete(vars, name)
		default:
			vars[name] = value
		}
	}
	return vars
}
