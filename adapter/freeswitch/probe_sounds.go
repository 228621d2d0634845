package freeswitch

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"parley/esl"
)

// Wish is a sound that rooms play which the switch mixes.
type Wish struct {
	Spec, Language string
	Conferences    []string // profiles of mod_conference that such rooms run with
}

// Lack is a wish that a switch cannot fulfil.
type Lack struct {
	Wish
	File string   // that the switch would play; "": it has nothing in its place
	Dirs []string // of the switch, in which it is not
	Why  string   // it cannot be played, where that is not for want of a file
}

// hearing finds out what a switch can play.
type hearing struct {
	ctx      context.Context //nolint:containedctx // of one look
	client   *esl.Client
	shared   bool
	prefixes map[string]string // by profile of mod_conference; "": of calls
	there    map[string]bool   // files, as the switch says
	err      error             // that ended it
}

// sounds asks a switch for sounds that it is to play, and whether it can read
// ours. Nothing is written anywhere.
func sounds(ctx context.Context, c *esl.Client, share string, wishes []Wish) (shared bool, lacks []Lack, err error) {
	h := &hearing{ctx: ctx, client: c, there: map[string]bool{}}
	h.shared = h.sees(share)
	h.findPrefixes()
	for _, w := range wishes {
		if l := h.lack(w); l.Why != "" || l.Dirs != nil {
			lacks = append(lacks, l)
		}
	}
	return h.shared, lacks, h.err
}

// ask is an api command; what the switch refuses is "".
func (h *hearing) ask(cmd, arguments string) string {
	if h.err != nil {
		return ""
	}
	text, err := h.client.API(h.ctx, cmd, arguments)
	if _, refused := errors.AsType[*esl.ReplyError](err); refused {
		return ""
	}
	h.err = err
	return strings.TrimSpace(text)
}

func (h *hearing) exists(file string) bool {
	if strings.ContainsAny(file, "\r\n\x00") {
		return false
	}
	is, known := h.there[file]
	if !known {
		is = h.ask("file_exists", file) == "true"
		h.there[file] = is
	}
	return is
}

// sees says whether the switch can read the folder of the sounds that we share,
// or, before there is anything in it, the one that it will be in.
func (h *hearing) sees(dir string) bool {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.wav"))
	for _, at := range append(files[:min(len(files), 1)], dir, filepath.Dir(dir)) {
		if _, err := os.Stat(at); err == nil {
			return h.exists(at)
		}
	}
	return false
}

// findPrefixes reads where the switch looks for files that are not absolute:
// for calls, and for its conferences by their profiles.
func (h *hearing) findPrefixes() {
	global := h.ask("global_getvar", "sound_prefix")
	if global == "" {
		global = h.ask("global_getvar", "sounds_dir")
	}
	h.prefixes = map[string]string{"": global}
	var conf struct {
		Profiles []struct {
			Name   string `xml:"name,attr"`
			Params []struct {
				Name  string `xml:"name,attr"`
				Value string `xml:"value,attr"`
			} `xml:"param"`
		} `xml:"profiles>profile"`
	}
	if xml.Unmarshal([]byte(h.ask("xml_locate", "configuration configuration name conference.conf")), &conf) != nil {
		return // it has none, and its conferences use the channel's
	}
	for _, p := range conf.Profiles {
		for _, set := range p.Params {
			if set.Name == "sound-prefix" {
				h.prefixes[p.Name] = set.Value
			}
		}
	}
}

// lack says why the switch cannot play what is wished for.
func (h *hearing) lack(w Wish) Lack {
	l := Lack{Wish: w}
	if h.shared {
		return l // we write it there
	}
	file, err := switchFile(w.Spec)
	if err != nil {
		l.Why = err.Error()
		return l
	}
	l.File = file
	switch {
	case strings.HasPrefix(file, "local_stream://"):
		if h.ask("module_exists", "mod_local_stream") != "true" {
			l.Why = "needs mod_local_stream"
		}
	case strings.HasPrefix(file, "say:"), strings.Contains(file, "://"): // it is made as it is played
	case path.IsAbs(file):
		l.Dirs = h.missing(file)
	default:
		for _, at := range h.places(w) {
			if l.Dirs = h.missing(path.Join(at, file)); l.Dirs != nil {
				return l
			}
		}
	}
	return l
}

// places are where a file is looked for: for the callers alone, and for all of
// a conference.
func (h *hearing) places(w Wish) (dirs []string) {
	for _, profile := range append([]string{""}, w.Conferences...) {
		at := h.prefixes[profile]
		if at == "" {
			at = h.prefixes[""]
		}
		if !slices.Contains(dirs, at) {
			dirs = append(dirs, at)
		}
	}
	return dirs
}

// missing are the folders in which the switch has looked for a file in vain: it
// puts a rate before the name. nil: the file is there.
func (h *hearing) missing(file string) (dirs []string) {
	at, name := path.Split(file)
	for _, rate := range []string{"8000", "16000", "32000", "48000", ""} {
		dir := path.Join(at, rate)
		if h.exists(path.Join(dir, name)) {
			return nil
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

// Places names folders in short: "/a/8000, …/16000, /a".
func Places(dirs []string) string {
	var all []string
	for i, dir := range dirs {
		if i > 0 && path.Dir(dir) == path.Dir(dirs[0]) {
			dir = "…/" + path.Base(dir)
		}
		all = append(all, dir)
	}
	return strings.Join(all, ", ")
}

// Sound names what is lacking: `"conference/conf-pin.wav"`, where ours has
// another name `"enter-pin" (conference/conf-pin.wav)`.
func (l Lack) Sound() string {
	if l.File == "" || l.File == l.Spec {
		return fmt.Sprintf("%q", l.Spec)
	}
	return fmt.Sprintf("%q (%s)", l.Spec, l.File)
}
