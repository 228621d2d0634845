package sound

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of the tone grammar.
const (
	maxToneText  = 4096             // bytes of a tone string
	maxLap       = 60 * time.Second // audio of one lap
	maxNotes     = 64               // notes of one lap, repeats counted
	maxPitches   = 18               // frequencies of one note
	maxFrequency = 4000             // Hz, exclusive: half the narrow rate
	minLevel     = -63              // dBm0
	maxLevel     = 0
)

// Times of a key without d= and w=: FreeSWITCH's 2000 and 500 samples at 8 kHz.
const (
	keyOn  = 250 * time.Millisecond
	keyOff = 62500 * time.Microsecond
)

// note is one tone and the silence after it.
type note struct {
	on, off time.Duration
	pitches []float64 // Hz; each gets its share of the level
	level   float64   // dBm0 at the start
	step    time.Duration
	change  float64 // dB added every step; 0 keeps the level
}

// melody is a parsed tone string: first once, then again for the laps after it.
// The two differ when settings stand behind notes, for settings stay in force.
type melody struct {
	first, again []note
	laps         int // L=; endless is as said
	loops        int // ;loops=
}

// endless as a number of laps or loops: until stopped.
const endless = -1

// parseTone reads a tone string, that which follows tone_stream://.
func parseTone(text string) (melody, error) {
	if len(text) > maxToneText {
		return melody{}, fmt.Errorf("%w: tone string of %d bytes, at most %d", ErrTooLarge, len(text), maxToneText)
	}
	m := melody{laps: 1, loops: 1}
	text, err := m.cutLoops(text)
	if err != nil {
		return melody{}, err
	}
	p := toneParser{on: keyOn, off: keyOff, level: -7, factor: 1}
	if m.first, err = p.lap(text); err != nil {
		return melody{}, err
	}
	if p.laps != 0 {
		m.laps = p.laps
	}
	if m.again, err = p.lap(text); err != nil {
		return melody{}, err
	}
	switch {
	case m.laps == 1:
		m.again = m.first
	case m.laps == endless && slices.EqualFunc(m.first, m.again, note.same):
		m.laps, m.loops = 1, endless // the same, and shorter
	}
	return m, m.check()
}

// cutLoops takes ";loops=N" off the end of the text, in any case of letters.
func (m *melody) cutLoops(text string) (string, error) {
	const key = ";loops="
	for i := 0; i+len(key) <= len(text); i++ {
		if strings.EqualFold(text[i:i+len(key)], key) {
			n, err := count("loops", text[i+len(key):])
			m.loops = n
			return text[:i], err
		}
	}
	return text, nil
}

// check refuses what sounds for no time or for too long.
func (m *melody) check() error {
	lap := max(length(m.first), length(m.again))
	if length(m.first) == 0 || length(m.again) == 0 {
		return fmt.Errorf("%w: the tone string has no note", ErrSpec)
	}
	if lap > maxLap {
		return fmt.Errorf("%w: one lap of the tone lasts %v, at most %v", ErrTooLarge, lap, maxLap)
	}
	if all := m.duration(); all > MaxDuration {
		return fmt.Errorf("%w: the tone lasts %v, at most %v; loops=-1 is endless", ErrTooLarge, all, MaxDuration)
	}
	return nil
}

// duration is the length of all laps and loops, of one where it is endless.
func (m *melody) duration() time.Duration {
	all := length(m.first)
	if m.laps == endless {
		return all + length(m.again)
	}
	all += length(m.again) * time.Duration(m.laps-1)
	if all > MaxDuration {
		return all // too long as it is, and times the loops more than an int64 holds
	}
	return all * time.Duration(max(m.loops, 1))
}

func length(notes []note) time.Duration {
	var d time.Duration
	for _, n := range notes {
		d += n.on + n.off
	}
	return d
}

// toneParser holds the settings in force while a tone string is read. They stay
// in force from one lap to the next, as in FreeSWITCH.
type toneParser struct {
	on, off time.Duration // d= and w=
	level   float64       // v=
	step    time.Duration // >= and <=
	slope   float64       // -1 falls, 1 rises
	factor  float64       // +=, dB per step
	repeat  int           // l=: how often the next note sounds; 0 is once
	laps    int           // L=; 0: not given yet
	notes   []note
}

// lap reads the whole text once.
func (p *toneParser) lap(text string) ([]note, error) {
	p.notes = nil
	for part := range strings.SplitSeq(text, ";") {
		part = strings.Trim(part, blanks)
		var err error
		if len(part) > 1 && part[1] == '=' {
			err = p.set(part[0], part[2:])
		} else {
			err = p.play(part)
		}
		if err != nil {
			return nil, err
		}
	}
	return p.notes, nil
}

const blanks = " \t\r\n"

// set reads one setting, key=value.
func (p *toneParser) set(key byte, value string) (err error) {
	switch key {
	case 'd':
		p.on, err = milliseconds("d", value)
	case 'w':
		p.off, err = milliseconds("w", value)
	case 'v':
		p.level, err = number("v", value, minLevel, maxLevel)
	case '>', '<':
		p.slope = 1
		if key == '>' {
			p.slope = -1
		}
		p.step, err = milliseconds(string(key), value)
	case '+':
		p.factor, err = number("+", value, 0, -minLevel)
	case 'l':
		p.repeat, err = count("l", value)
		if p.repeat > maxNotes || p.repeat == endless {
			err = fmt.Errorf("%w: l=%s is not a number from 1 to %d", ErrSpec, value, maxNotes)
		}
	case 'L':
		var n int
		if n, err = count("L", value); p.laps == 0 {
			p.laps = n // the first L= is the one that counts
		}
	case 'c', 'r': // channels and rate of FreeSWITCH's output; ours are given
		_, err = number(string(key), value, 1, 192000)
	default:
		err = fmt.Errorf("%w: unknown tone setting %q", ErrSpec, string(key)+"=")
	}
	return err
}

// play reads a list of notes: %(on,off,f1,…), 5(on,off) or plain 5.
func (p *toneParser) play(text string) error {
	for i := 0; i < len(text); {
		key := text[i]
		i++
		if strings.IndexByte(blanks, key) >= 0 {
			continue
		}
		var args []string
		if i < len(text) && text[i] == '(' {
			end := strings.IndexByte(text[i:], ')')
			if end < 0 {
				return fmt.Errorf("%w: %q has no closing parenthesis", ErrSpec, clipped(text[i-1:]))
			}
			args = strings.Split(text[i+1:i+end], ",")
			i += end + 1
		}
		if err := p.add(key, args); err != nil {
			return err
		}
	}
	return nil
}

// add appends one note, as often as l= asks.
func (p *toneParser) add(key byte, args []string) error {
	n := note{on: p.on, off: p.off, level: p.level, step: p.step, change: p.slope * p.factor}
	var err error
	if args != nil {
		if n.on, n.off, err = times(args); err != nil {
			return err
		}
	}
	if key == '%' {
		n.pitches, err = frequencies(args)
	} else {
		n.pitches, err = keyTone(key, args)
	}
	if err != nil {
		return err
	}
	for range max(p.repeat, 1) {
		p.notes = append(p.notes, n)
	}
	p.repeat = 0
	if len(p.notes) > maxNotes {
		return fmt.Errorf("%w: more than %d notes in a tone string", ErrTooLarge, maxNotes)
	}
	return nil
}

// times reads the first two arguments of a note.
func times(args []string) (on, off time.Duration, err error) {
	if len(args) < 2 {
		return 0, 0, fmt.Errorf("%w: a note needs (on,off), got %q", ErrSpec, clipped(strings.Join(args, ",")))
	}
	if on, err = milliseconds("on", args[0]); err != nil {
		return 0, 0, err
	}
	off, err = milliseconds("off", args[1])
	return on, off, err
}

// frequencies reads the arguments of %(on,off,f1,…) from f1 on.
func frequencies(args []string) ([]float64, error) {
	if len(args) < 3 || len(args)-2 > maxPitches {
		return nil, fmt.Errorf("%w: %%(on,off,f1,…) takes 1 to %d frequencies, got %d",
			ErrSpec, maxPitches, max(len(args)-2, 0))
	}
	pitches := make([]float64, 0, len(args)-2)
	for _, a := range args[2:] {
		f, err := number("frequency", a, 1, maxFrequency-1)
		if err != nil {
			return nil, err
		}
		pitches = append(pitches, f)
	}
	return pitches, nil
}

// keyTone gives the two tones of a telephone key (ITU-T Q.23).
func keyTone(key byte, args []string) ([]float64, error) {
	const keys = "123A456B789C*0#D"
	at := strings.IndexByte(keys, key)
	if at < 0 {
		return nil, fmt.Errorf("%w: %q is no note; notes are %%(on,off,f1,…) and the keys 0-9 A-D * #", ErrSpec, key)
	}
	if args != nil && len(args) != 2 {
		return nil, fmt.Errorf("%w: key %c takes (on,off) and no frequencies", ErrSpec, key)
	}
	rows := [...]float64{697, 770, 852, 941}
	columns := [...]float64{1209, 1336, 1477, 1633}
	return []float64{rows[at/4], columns[at%4]}, nil
}

// milliseconds reads a whole number of them, at most one lap.
func milliseconds(name, text string) (time.Duration, error) {
	ms, err := strconv.Atoi(strings.Trim(text, blanks))
	if most := int(maxLap / time.Millisecond); err != nil || ms < 0 || ms > most {
		return 0, fmt.Errorf("%w: %s %q is not a whole number of milliseconds from 0 to %d", ErrSpec, name, clipped(text), most)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// number reads a decimal from low to high.
func number(name, text string, low, high float64) (float64, error) {
	v, err := strconv.ParseFloat(strings.Trim(text, blanks), 64)
	if err != nil || !(v >= low && v <= high) { // so put, it refuses NaN too
		return 0, fmt.Errorf("%w: %s %q is not a number from %g to %g", ErrSpec, name, clipped(text), low, high)
	}
	return v, nil
}

// count reads how often something is repeated: -1 is endless, 0 is once.
func count(name, text string) (int, error) {
	n, err := strconv.Atoi(strings.Trim(text, blanks))
	if err != nil || n < endless || n > 1_000_000 {
		return 0, fmt.Errorf("%w: %s=%q is neither -1 nor a number of repeats", ErrSpec, name, clipped(text))
	}
	if n == 0 {
		n = 1
	}
	return n, nil
}

// clipped shortens what an error quotes.
func clipped(s string) string {
	const most = 40
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// Tones lists the names tone: knows, in order.
func Tones() []string {
	var names []string
	for name := range toneTable() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// toneTable holds the named tones in the grammar of tone_stream://. The call
// progress tones are those of ITU-T E.180 Supplement 2.
func toneTable() map[string]string {
	return map[string]string{
		"beep":        "v=-10;%(250,0,1000)",
		"busy-eu":     "v=-13;%(500,500,425);loops=-1",
		"busy-uk":     "v=-13;%(375,375,400);loops=-1",
		"busy-us":     "v=-13;%(500,500,480,620);loops=-1",
		"congestion":  "v=-13;%(250,250,480,620);loops=-1",
		"dial-us":     "v=-13;%(1000,0,350,440);loops=-1",
		"join":        "%(200,0,500,600,700)",
		"leave":       "%(500,0,300,200,100,50,25)",
		"ringback-eu": "v=-13;%(1000,4000,425);loops=-1",
		"ringback-uk": "v=-13;%(400,200,400,450)%(400,2000,400,450);loops=-1",
		"ringback-us": "v=-13;%(2000,4000,440,480);loops=-1",
	}
}
