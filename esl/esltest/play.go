package esltest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// playTime is how long every file lasts that has an end, see endless.
const playTime = 40 * time.Millisecond

// file is something that a conference plays.
type file struct {
	name   string // as typed
	member *member
	async  bool
	paused bool
	due    bool // over, but for the pause
	volume int
}

// File is something that a conference plays to all.
type File struct {
	Name   string
	Paused bool
	Volume int // dB
}

// Playing are the files of a conference: those in its queue, then the one beside it.
func (k *Core) Playing(room string) (all []File) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r := k.room(room)
	if r == nil {
		return nil
	}
	for _, f := range r.playing() {
		all = append(all, File{f.name, f.paused, f.volume})
	}
	return all
}

// LosePlays ends all that a conference plays to all without an event.
func (k *Core) LosePlays(room string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r := k.room(room); r != nil {
		r.files, r.beside = nil, nil
	}
}

// Plays has a conference play a file by itself, before all others.
func (k *Core) Plays(room, name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r := k.room(room); r != nil {
		r.files = append([]*file{{name: name}}, r.files...)
	}
}

// EndPlay ends the file whose turn it is.
func (k *Core) EndPlay(room string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r := k.room(room); r != nil && len(r.files) > 0 {
		k.over(r, r.files[0])
	}
}

func (r *conference) playing() []*file {
	if r.beside == nil {
		return r.files
	}
	return append(slices.Clone(r.files), r.beside)
}

// play takes "FILE", "FILE async" or "FILE ID".
func (k *Core) play(r *conference, args []string) string {
	if len(args) == 0 || strings.HasPrefix(untagged(args[0]), "/nosuch") {
		return fmt.Sprintf("-ERR (play) File: %s not found.\nplay <syntax>", strings.Join(args, " "))
	}
	f := &file{name: args[0], async: len(args) > 1 && args[1] == "async"}
	switch {
	case f.async:
		if old := r.beside; old != nil {
			k.over(r, old)
		}
		r.beside = f
		k.tell(r, "play-file", "File", f.name, "Async", "true")
		k.last(r, f)
	case len(args) == 1:
		r.files = append(r.files, f)
		k.tell(r, "play-file", "File", f.name, "Async", "false")
		if len(r.files) == 1 {
			k.last(r, f)
		}
	default:
		if f.member = r.member(args[1]); f.member == nil {
			return "-ERR Member: 1077 not found.\n"
		}
		f.member.files = append(f.member.files, f)
		k.tellOf(f.member, "play-file-member", "File", f.name)
		k.last(r, f)
		return fmt.Sprintf("+OK (play) Playing file %s to member %d\n", f.name, f.member.id)
	}
	return "+OK (play) Playing file " + f.name + "\n"
}

// last has a file end in its time.
func (k *Core) last(r *conference, f *file) {
	if endless(f.name) {
		return
	}
	time.AfterFunc(playTime, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if f.due = f.paused; !f.due {
			k.over(r, f)
		}
	})
}

// endless says whether a file never ends.
func endless(name string) bool {
	name = untagged(name)
	return strings.HasPrefix(name, "{loops=-1}") || strings.HasSuffix(name, ";loops=-1") || strings.HasPrefix(name, "local_stream://") ||
		strings.HasPrefix(name, "/long")
}

// untagged is a file without its first parameter, if that is a tag.
func untagged(name string) string {
	rest, ok := strings.CutPrefix(name, "{parley_play=")
	if !ok {
		return name
	}
	if i := strings.IndexAny(rest, ",}"); i >= 0 && rest[i] == ',' {
		return "{" + rest[i+1:]
	} else if i >= 0 {
		return rest[i+1:]
	}
	return name
}

// over ends a file: once, and the next one of the queue begins. The headers of
// what a member hears come twice, as at the switch.
func (k *Core) over(r *conference, f *file) {
	told := []string{"File", f.name}
	if rest, ok := strings.CutPrefix(f.name, "{parley_play="); ok {
		tag, _, _ := strings.Cut(strings.ReplaceAll(rest, ",", "}"), "}")
		told = append([]string{"parley_play", tag}, told...)
	}
	if m := f.member; m != nil {
		i := slices.Index(m.files, f)
		if i < 0 || m.call.member != m {
			return
		}
		m.files = slices.Delete(m.files, i, i+1)
		k.tellOf(m, "play-file-member-done", told...)
		return
	}
	if r.beside == f {
		r.beside = nil
		k.tell(r, "play-file-done", append(told, "Async", "true")...)
		return
	}
	i := slices.Index(r.files, f)
	if i < 0 {
		return
	}
	r.files = slices.Delete(r.files, i, i+1)
	k.tell(r, "play-file-done", told...)
	if i == 0 && len(r.files) > 0 {
		k.last(r, r.files[0])
	}
}

// stop takes "current", "async", "all" or "all ID".
func (k *Core) stop(r *conference, args []string) string {
	files := r.playing()
	switch {
	case len(args) == 2 && args[0] == "all":
		m := r.member(args[1])
		if m == nil {
			return "-ERR Member: " + args[1] + " not found.\n"
		}
		files = m.files
	case len(args) == 1 && args[0] == "all":
	case len(args) == 1 && args[0] == "current":
		files = r.files[:min(1, len(r.files))]
	case len(args) == 1 && args[0] == "async":
		files = nil
		if r.beside != nil {
			files = []*file{r.beside}
		}
	default:
		k.tb.Errorf("conference %s stop %q", r.name, args)
		return "stop <syntax>"
	}
	files = slices.Clone(files)
	for _, f := range files {
		k.over(r, f)
	}
	return fmt.Sprintf("+OK Stopped %d files.\n", len(files))
}

// steer runs the commands about the file whose turn it is.
func (k *Core) steer(r *conference, cmd string, args []string) string {
	files := r.files
	switch {
	case cmd == "file-vol" && len(args) == 2:
		files = nil
		if r.beside != nil {
			files = []*file{r.beside}
		}
	case cmd != "file-vol" && len(args) > 0 && (cmd != "file_seek" || len(args) > 1):
		m := r.member(args[len(args)-1])
		if m == nil {
			return "-ERR Member: " + args[len(args)-1] + " not found.\n"
		}
		files = m.files
	}
	if len(files) == 0 {
		none := map[string]string{"play_status": "-ERR Nothing is playing\n", "file-vol": "-ERR File not playing\nfile-vol <vol#>"}[cmd]
		return cmp.Or(none, "-ERR no reply\n")
	}
	f := files[0]
	switch cmd {
	case "pause_play":
		if f.paused = !f.paused; f.paused {
			return "+OK Pause\n"
		}
		if f.due {
			k.over(r, f)
		}
		return "+OK Resume\n"
	case "file_seek":
		return "+OK seek to position 4000\n"
	case "file-vol":
		f.volume, _ = strconv.Atoi(args[0])
		return "+OK volume changed\n"
	}
	name := untagged(f.name)
	_, rest, _ := strings.Cut(name, "://")
	return "+OK 0/0 " + cmp.Or(rest, name) + "\n"
}
