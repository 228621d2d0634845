package conference

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"parley/esl"
)

// Originate is the argument of the api command "originate":
//
//	DIALSTRING EXTENSION|&APPLICATION(ARGUMENT) [DIALPLAN] [CONTEXT] [NAME] [NUMBER] [SECONDS]
type Originate struct {
	To string // a dial string, as it is
	Destination
	Dialplan string // "" = XML
	Context  string // "" = default
	Name     string // that he sees; "" = none was given, as with Number
	Number   string
	Timeout  time.Duration // for him to answer; 0 = none was given
}

// Destination is where a call is sent: an application, or an extension.
type Destination struct {
	Application string // in lower case; "" = Extension
	Argument    string // of it
	Extension   string
}

// maxOriginate is how many words the command takes; "undef" in place of one is
// none.
const maxOriginate = 7

// ParseOriginate reads the argument as the switch does: blanks part it, where
// single quotes group and a backslash escapes.
func ParseOriginate(text string) (Originate, error) {
	if err := argument(text, "an originate"); err != nil {
		return Originate{}, err
	}
	words := make([]string, 0, maxOriginate)
	for _, w := range esl.SplitItems(text, ' ') {
		if w != "" {
			words = append(words, w)
		}
	}
	if len(words) < 2 || len(words) > maxOriginate {
		return Originate{}, fmt.Errorf("%w: %d words of an originate, want 2 to %d", esl.ErrArgument, len(words), maxOriginate)
	}
	for i, w := range words {
		if strings.EqualFold(w, "undef") {
			words[i] = ""
		}
	}
	words = append(words, make([]string, maxOriginate-len(words))...)
	o := Originate{To: words[0], Destination: ParseDestination(words[1], words[2]), Dialplan: words[2], Context: words[3], Name: words[4], Number: words[5]}
	if s, err := strconv.ParseUint(words[6], 10, 16); err == nil {
		o.Timeout = time.Duration(s) * time.Second
	}
	return o, nil
}

// ParseDestination reads where a call is to go: "&APPLICATION(ARGUMENT)", an
// application of the dialplan "inline" ("APPLICATION:ARGUMENT", with "m:^:" in
// front where "^" and not a comma parts several), or an extension of another.
// Several applications are one that does not exist.
func ParseDestination(text, dialplan string) Destination {
	var app, argument string
	switch inline := strings.EqualFold(dialplan, "inline"); {
	case len(text) > 1 && text[0] == '&':
		call, _, _ := strings.Cut(text[1:], ")")
		app, argument, _ = strings.Cut(call, "(")
	case inline:
		separator := ","
		if len(text) > 4 && text[:2] == "m:" && text[3] == ':' {
			separator, text = text[2:3], text[4:]
		}
		app, argument, _ = strings.Cut(text, ":")
		if strings.Contains(argument, separator) { // the switch has the next application there
			app = inlineList
		}
	default:
		return Destination{Extension: text}
	}
	return Destination{Application: strings.ToLower(app), Argument: argument}
}

// inlineList stands for several applications.
const inlineList = "inline"
