// Package sound turns a sound spec, a short string such as a file name or
// "tone_stream://%(200,0,500)", into mono PCM at the rates rooms run at.
//
//	conf/welcome.wav        a WAV file: absolute, or searched in Options.Dir for
//	                        the language, then among the built-in prompts
//	enter-pin               the same; ".wav" is added
//	tone:beep               a named tone, see Tones
//	tone_stream://%(…)      FreeSWITCH's tone grammar: (on,off,f1,f2…) v= L= d= w=
//	                        >= <= += l= ;loops= and DTMF characters
//	silence:500             milliseconds; silence_stream://500 and ,factor too
//	local_stream://moh      endless music: NAME is music/NAME.wav of Options.Dir;
//	                        moh and default are built in
//	say:text                spoken by Options.Speech
//	number:42               a number spoken from prompts, 0 to MaxNumber
//	phrase:count:42         "there are forty two participants"
//	file_string://a!b!c     one after the other; only the last may be endless
//
// A Load that fails says why; the caller then plays Fallback, or HoldMusic for
// music. These never fail.
package sound

import "errors"

// What is played when nothing else is said, or when a configured sound fails.
const (
	EntryTone  = "tone:join"
	ExitTone   = "tone:leave"
	RecordBeep = "tone:beep"
	HoldMusic  = "local_stream://moh"
	Fallback   = "tone:beep"
)

// DefaultLanguage is the language of the built-in prompts, and the end of every
// search for a language that lacks one.
const DefaultLanguage = "en"

// Errors of Load and Check, to be tested with errors.Is.
var (
	ErrSpec     = errors.New("sound: bad spec")         // the string is not in the grammar
	ErrMissing  = errors.New("sound: not found")        // no such file, prompt or tone
	ErrFormat   = errors.New("sound: unreadable audio") // not a WAV file we can read
	ErrTooLarge = errors.New("sound: too large")        // a limit of this package
	ErrSpeech   = errors.New("sound: cannot speak")     // say: without or with a failing command
)
