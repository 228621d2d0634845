package esltest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// RecordDir is the switch's folder of recordings.
const RecordDir = "/srv/rec"

// recorded is what the words about recordings of a conference do.
func (k *Core) recorded(r *conference, cmd string, args []string) string {
	if len(args) != 1 || !strings.HasPrefix(args[0], RecordDir+"/") {
		k.tb.Errorf("conference %s %s %q", r.name, cmd, args)
		return cmd + " <filename>"
	}
	path := args[0]
	_, runs := r.tapes[path]
	missing := "-ERR non-existant recording '" + path + "'\n"
	switch cmd {
	case "record":
		if runs {
			return "-ERR file [" + path + "] is already being used for recording.\n"
		}
		if strings.Contains(path, "nowhere") {
			k.tell(r, "start-recording", "Path", path, "Error", "File could not be opened for recording")
		} else {
			if r.tapes == nil {
				r.tapes = map[string]bool{}
			}
			r.tapes[path] = true
			k.tell(r, "start-recording", "Path", path)
		}
		return "+OK Record file " + path + "\n"
	case "norecord":
		if !runs {
			return missing + "+OK Stopped recording 0 files\n"
		}
		k.endTape(r, path)
		return "Stopped recording file " + path + "\n+OK Stopped recording 0 files\n"
	}
	if !runs {
		return fmt.Sprintf("+OK %s recording file %s\n%s", cmd, path, missing)
	}
	k.tell(r, cmd+"-recording", "Path", path, "Other-Recordings", "true")
	return "+OK " + cmd + " recording file " + path + "\n"
}

func (k *Core) endTape(r *conference, path string) {
	delete(r.tapes, path)
	k.tell(r, "stop-recording", "Path", path, "Other-Recordings", "false", "Samples-Out", "16000", "Samplerate", "8000", "Milliseconds-Elapsed", "2000")
}

// endTapes ends the recordings of a conference that is over.
func (k *Core) endTapes(r *conference) {
	for _, path := range slices.Sorted(maps.Keys(r.tapes)) {
		k.endTape(r, path)
	}
}

// LoseTapes ends the recordings of a conference without an event.
func (k *Core) LoseTapes(room string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r := k.room(room); r != nil {
		r.tapes = nil
	}
}

// Store puts a file there.
func (k *Core) Store(path string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.files == nil {
		k.files = map[string]bool{}
	}
	k.files[path] = true
}
