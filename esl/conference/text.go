package conference

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// noRooms is what the switch says in place of an empty list.
const noRooms = "No active conferences."

// ParseList reads what "conference list" printed, with or without the "+OK "
// that old releases lack. The members that "conference NAME list" printed come
// in one Room without a name, counted here.
//
// The switch writes names as they are between its semicolons. Where there are
// too many of these, the channel's UUID is the first word that looks like one,
// the number has none, and the caller's name has the rest. A name with a line
// break would be an error, with its line.
func ParseList(b []byte) ([]Room, error) {
	if err := check(b); err != nil {
		return nil, err
	}
	var rooms []Room
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		if err := listLine(&rooms, strings.TrimRight(line, "\r\n")); err != nil {
			return nil, fmt.Errorf("list: %w: line %d: %w", ErrMalformed, n, err)
		}
	}
	for i := range rooms {
		r := &rooms[i]
		for _, m := range r.Members {
			switch {
			case m.Ghost:
				r.Ghosts++
			case r.Name == "":
				r.Size++
			}
		}
	}
	return judge(rooms)
}

func listLine(rooms *[]Room, line string) error {
	line = strings.TrimPrefix(line, "+OK ")
	switch {
	case line == "" || line == noRooms:
		return nil
	case strings.HasPrefix(line, "Conference "):
		r, err := parseHeader(strings.TrimPrefix(line, "Conference "))
		if err != nil {
			return err
		}
		*rooms = append(*rooms, r)
		return nil
	}
	m, err := parseMember(line)
	if err != nil {
		return err
	}
	if len(*rooms) == 0 {
		*rooms = append(*rooms, Room{})
	}
	last := &(*rooms)[len(*rooms)-1]
	last.Members = append(last.Members, m)
	return nil
}

// parseHeader reads "NAME (2 members rate: 8000 locked flags: running|dynamic)".
func parseHeader(s string) (Room, error) {
	at := strings.LastIndex(s, " (")
	if at <= 0 || !strings.HasSuffix(s, ")") {
		return Room{}, fmt.Errorf("no room in %.60q", s)
	}
	r := Room{Name: s[:at]}
	words := strings.Fields(s[at+2 : len(s)-1])
	if len(words) < 6 || words[2] != "rate:" || words[len(words)-2] != "flags:" {
		return r, fmt.Errorf("no counts in %.60q", s[at:])
	}
	var errSize, errRate error
	r.Size, errSize = strconv.Atoi(words[0])
	r.Rate, errRate = strconv.Atoi(words[3])
	flags := strings.Split(words[len(words)-1], "|")
	r.Locked = slices.Contains(flags, "locked")
	r.Recording = slices.Contains(flags, "recording")
	r.WaitMod = slices.Contains(flags, "wait_mod")
	r.AudioAlways = slices.Contains(flags, "audio_always")
	r.Ending = slices.Contains(flags, "destruct")
	return r, errors.Join(errSize, errRate)
}

// parseMember reads "ID;CHANNEL;UUID;NAME;NUMBER;FLAGS;IN;OUT;ENERGY".
func parseMember(s string) (Member, error) {
	f := strings.Split(s, ";")
	n := len(f)
	if n < 9 {
		return Member{}, fmt.Errorf("%d fields of 9 in %.60q", n, s)
	}
	at := 2
	if n > 9 {
		if i := slices.IndexFunc(f[2:n-6], IsUUID); i > 0 {
			at += i
		}
	}
	flags := strings.Split(f[n-4], "|")
	has := func(flag string) bool { return slices.Contains(flags, flag) }
	m := Member{
		Channel: strings.Join(f[1:at], ";"), UUID: f[at],
		CallerName: strings.Join(f[at+1:n-5], ";"), CallerNumber: f[n-5],
		Hear: has("hear"), Speak: has("speak"), Talking: has("talking"), Hold: has("hold"),
		Floor: has("floor"), Moderator: has("moderator"), Ghost: has("ghost"),
	}
	id, err := strconv.Atoi(f[0])
	m.ID = MemberID(id)
	errs := []error{err}
	for i, to := range []*int{&m.VolumeIn, &m.VolumeOut, &m.Energy} {
		*to, err = strconv.Atoi(f[n-3+i])
		errs = append(errs, err)
	}
	return m, errors.Join(errs...)
}

// IsUUID recognises the form that the switch gives its own channels.
func IsUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if (s[i] == '-') != hyphen || !hyphen && !strings.ContainsRune("0123456789abcdefABCDEF", rune(s[i])) {
			return false
		}
	}
	return true
}
