package conference

import (
	"fmt"
	"strings"

	"parley/esl"
)

// DialString is whom to call: the address, and the variables in braces before it.
type DialString struct {
	Address   string
	Variables esl.Headers // in their order, each with a name; of one that is there twice the last counts
}

// MaxVariables is how many variables a dial string may have.
const MaxVariables = 100

// ParseDialString reads "{name=value,…}[name=value,…]ADDRESS", with any number of
// brackets in front, as the switch does: a backslash escapes, single quotes group,
// and "^^:" in front of a list has ":" in place of its commas. What is no pair is
// passed over. Angle brackets, which are for several calls at once, are read alike.
func ParseDialString(text string) (DialString, error) {
	var d DialString
	if err := argument(text, "a dial string"); err != nil {
		return d, err
	}
	for {
		text = strings.TrimLeft(text, " ")
		if text == "" {
			return d, fmt.Errorf("%w: a dial string without an address", esl.ErrArgument)
		}
		open := strings.IndexByte("{[<", text[0])
		if open < 0 {
			d.Address = text
			return d, nil
		}
		end := closing(text, "}]>"[open])
		if end < 0 {
			return d, fmt.Errorf("%w: a dial string's %q is not closed", esl.ErrArgument, text[0])
		}
		d.Variables = append(d.Variables, pairs(text[1:end])...)
		for _, v := range d.Variables { // an escape may have made one: "\n"
			if err := argument(v.Name+v.Value, "a variable of a dial string"); err != nil {
				return d, err
			}
		}
		if len(d.Variables) > MaxVariables {
			return d, fmt.Errorf("%w: more than %d variables in a dial string", esl.ErrArgument, MaxVariables)
		}
		text = text[end+1:]
	}
}

// closing is where the bracket is that ends the one at the beginning; those of the
// same kind between are in pairs. -1 = nowhere.
func closing(text string, end byte) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case text[0]:
			depth++
		case end:
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// pairs reads a list of variables.
func pairs(list string) (vars esl.Headers) {
	for _, item := range esl.SplitList(list, ',') {
		if name, value, ok := strings.Cut(item, "="); ok && name != "" {
			vars = append(vars, esl.Header{Name: name, Value: value})
		}
	}
	return vars
}
