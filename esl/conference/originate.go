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
	To          string // a dial string, as it is
	Application string // that the called is to have, in lower case; "" = Extension
	Argument    string // of it
	Extension   string // that he is sent to
	Dialplan    string // "" = XML
	Context     string // "" = default
	Name        string // that he sees; "" = none was given, as with Number
	Number      string
	Timeout     time.Duration // for him to answer; 0 = none was given
}

// maxOriginate is how many words the command takes; "undef" in place of one is
// none.
const maxOriginate = 7

// ParseOriginate reads the argument as the switch does: blanks part it, where
// single quotes group and a backslash escapes. An application of the dialplan
// "inline", NAME:ARGUMENT, is read like one behind "&", if it is the only one.
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
	o := Originate{To: words[0], Extension: words[1], Dialplan: words[2], Context: words[3], Name: words[4], Number: words[5]}
	if s, err := strconv.ParseUint(words[6], 10, 16); err == nil {
		o.Timeout = time.Duration(s) * time.Second
	}
	o.application()
	return o, nil
}

// application takes an application out of the extension.
func (o *Originate) application() {
	var app string
	switch inline := strings.EqualFold(o.Dialplan, "inline"); {
	case len(o.Extension) > 1 && o.Extension[0] == '&':
		call, _, _ := strings.Cut(o.Extension[1:], ")")
		app, o.Argument, _ = strings.Cut(call, "(")
	case inline:
		app, o.Argument, _ = strings.Cut(o.Extension, ":")
		if strings.Contains(o.Argument, ",") { // the switch has the next application there
			app = inlineList
		}
	default:
		return
	}
	o.Application, o.Extension = strings.ToLower(app), ""
}

// inlineList stands for several applications.
const inlineList = "inline"
