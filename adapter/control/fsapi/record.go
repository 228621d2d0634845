package fsapi

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
)

// maxCanvas is the last canvas that the switch takes a number for.
const maxCanvas = 21

// record begins a recording, in place of a file that is there already. Where
// the file cannot be opened the switch says so in an event only.
func (c *call) record() bool {
	if len(c.words) == 0 {
		return false
	}
	file, canvas := c.words[0], ""
	if len(c.words) > 1 {
		if n := atoi(c.words[1]); n < 1 || n > maxCanvas {
			c.printf("-ERR Invalid canvas\n")
		} else {
			canvas = " canvas 1" // there is one picture at most
		}
	}
	for _, r := range c.recorded("") {
		if afterOptions(r.Name) == afterOptions(file) {
			c.printf("-ERR file [%s] is already being used for recording.\n", r.Name)
			return true
		}
	}
	err := c.a.opts.Exchange.Do(c.ctx, c.view.Name, engine.Record{File: file, Exists: engine.ExistsReplace})
	switch {
	case errors.Is(err, engine.ErrCannot), errors.Is(err, engine.ErrMoving), errors.Is(err, engine.ErrNoMember), errors.Is(err, engine.ErrNoRoom):
		c.printf("%s", refusal(err))
	default:
		c.printf("+OK Record file %s%s\n", file, canvas)
	}
	return true
}

// afterOptions is a path without the {options} before it.
func afterOptions(path string) string {
	return strings.TrimLeft(path[strings.LastIndex(path, "}")+1:], " ")
}

// recorded are the recordings that a word means to the switch, newest first.
func (c *call) recorded(file string) (list []engine.Recording) {
	for _, r := range slices.Backward(c.view.Recordings) {
		if r.Member == 0 && (file == "" || r.Name == file) { // the switch's conference has none of one member
			list = append(list, r)
		}
	}
	return list
}

// stopRecord ends one recording or all. It says how many have ended, where the
// switch counts those that have done so already, mostly none.
func (c *call) stopRecord() bool {
	if len(c.words) == 0 {
		return false
	}
	file := c.words[0]
	if strings.EqualFold(file, "all") {
		file = ""
	}
	found := c.recorded(file)
	if len(found) == 0 && file != "" {
		c.printf("-ERR non-existant recording '%s'\n", file)
	}
	ended := 0
	for _, r := range found {
		if r.Auto {
			c.printf("Stopped AUTO recording file %s (Auto Recording Now Disabled)\n", r.Name)
		} else {
			c.printf("Stopped recording file %s\n", r.Name)
		}
		if c.a.opts.Exchange.Do(c.ctx, c.view.Name, engine.StopRecord{File: r.Name}) == nil {
			ended++
		}
	}
	many := "s"
	if ended == 1 {
		many = ""
	}
	c.printf("+OK Stopped recording %d file%s\n", ended, many)
	return true
}

// checkRecord lists the recordings.
func (c *call) checkRecord() bool {
	for _, r := range c.recorded("") {
		auto := ""
		if r.Auto {
			auto = " (Auto)"
		}
		c.printf("+OK Record file %s%s\n", r.Name, auto)
	}
	if len(c.recorded("")) == 0 {
		c.printf("-ERR Conference is not being recorded.\n")
	}
	return true
}

// pauseRecord has a recording leave out what comes, or go on.
func (c *call) pauseRecord(on bool) bool {
	if len(c.words) == 0 {
		return false
	}
	file, verb, action := c.words[0], "Resume", conference.RecordResume
	if on {
		verb, action = "Pause", conference.RecordPause
	}
	c.printf("+OK %s recording file %s\n", verb, file)
	found := c.recorded(file)
	if len(found) == 0 || c.a.opts.Exchange.Do(c.ctx, c.view.Name, engine.PauseRecord{File: file, On: on}) != nil {
		c.printf("-ERR non-existant recording '%s'\n", file)
		return true
	}
	if (found[0].State == engine.RecordingPausing) == on {
		c.a.put(again{instance: c.view.Instance, action: action, more: esl.Headers{{Name: "Path", Value: file}, remain(true)}})
	}
	return true
}

// recording is the same by other words.
func (c *call) recording() bool {
	if len(c.words) == 0 {
		return false
	}
	verb := strings.ToLower(c.words[0])
	if len(c.words) == 1 && (verb == "stop" || verb == "check") {
		c.words = append(c.words, "all")
	}
	if len(c.words) == 1 { // the old syntax: a file
		return c.record()
	}
	c.words = c.words[1:]
	switch verb {
	case "start":
		return c.record()
	case "stop":
		return c.stopRecord()
	case "check":
		return c.checkRecord()
	case "pause":
		return c.pauseRecord(true)
	case "resume":
		return c.pauseRecord(false)
	default:
		return false
	}
}

// remain says whether there are recordings besides.
func remain(are bool) esl.Header {
	return esl.Header{Name: "Other-Recordings", Value: strconv.FormatBool(are)}
}

// records tells of a recording.
func (r *run) records(e engine.Event) []telling {
	is := e.Recording
	if is.Member != 0 {
		return r.tapes(e)
	}
	more := esl.Headers{{Name: "Path", Value: is.Name}}
	switch e.Type { //nolint:exhaustive // the ends come below
	case engine.EventRecordStarted:
		r.recorded++
		return []telling{r.tell(conference.RecordStart, 0, more)}
	case engine.EventRecordPaused:
		return []telling{r.tell(conference.RecordPause, 0, append(more, remain(true)))}
	case engine.EventRecordResumed:
		return []telling{r.tell(conference.RecordResume, 0, append(more, remain(true)))}
	}
	if is.File == "" { // the switch tells the end, too, of what never began
		failed := append(slices.Clone(more), esl.Header{Name: "Error", Value: "File could not be opened for recording"})
		return []telling{r.tell(conference.RecordStart, 0, failed), r.recordStop(is, more)}
	}
	r.recorded--
	return []telling{r.recordStop(is, more)}
}

// recordStop is the end of a recording.
func (r *run) recordStop(is *engine.Recording, more esl.Headers) telling {
	rate := int64(cmp.Or(is.Rate, 8000))
	more = append(more, remain(r.recorded > 0),
		esl.Header{Name: "Samples-Out", Value: strconv.FormatInt(is.DurationMS*rate/1000, 10)},
		esl.Header{Name: "Samplerate", Value: strconv.FormatInt(rate, 10)},
		esl.Header{Name: "Milliseconds-Elapsed", Value: strconv.FormatInt(is.DurationMS, 10)})
	if is.Bytes > 0 {
		more = append(more, esl.Header{Name: "Record-File-Size", Value: strconv.FormatInt(is.Bytes, 10)})
	}
	return r.tell(conference.RecordStop, 0, more)
}
