package importer

import (
	"path"
	"strings"
	"time"

	"parley/engine"
)

// recordName makes a record_file of a switch's path, with what is said about
// it. The folder of a path from the root is dropped: recordings are below
// record_dir.
func recordName(value string) (name, text string) {
	if strings.Contains(value, "://") || strings.ContainsAny(value, "[]{") && !strings.Contains(value, "${") {
		return engine.DefaultRecordFile, "Parley records to files only; they are named " + engine.DefaultRecordFile + "."
	}
	name = value
	if path.IsAbs(name) || strings.HasPrefix(name, "$${") || strings.Contains(name, "../") {
		name = path.Base(name)
	}
	if name == "/" {
		name = ""
	}
	if ext := path.Ext(name); !strings.EqualFold(ext, ".wav") && !strings.ContainsAny(ext, "}{()") {
		name = strings.TrimSuffix(name, ext) + ".wav"
	}
	if _, err := engine.RecordFile(name, "", "", time.Time{}); err != nil || name == "" || name == ".wav" {
		return engine.DefaultRecordFile, "What it fills in is not all known here; the files are named " + engine.DefaultRecordFile + "."
	}
	if name != value {
		text = "The file is " + name + " below record_dir; a second one of that name is " + strings.TrimSuffix(name, ".wav") + "-2.wav."
	}
	return name, text
}

// autoRecord maps auto-record of mod_conference.
func (p *profile) autoRecord(at param) error {
	name, text := recordName(at.value)
	if text != "" {
		p.report(at, Differs, "%s", text)
	}
	p.set("record", plain(string(engine.RecordFromStart)), at.from())
	p.set("record_file", plain(name), at.from())
	return nil
}

// recordMembers maps min-required-recording-participants, which knows 1 and 2.
func (p *profile) recordMembers(at param) error {
	if _, on := p.params["auto-record"]; !on {
		p.report(at, Unneeded, "It is only for auto-record.")
		return nil
	}
	if n, ok := p.whole(at); ok && n >= 1 {
		p.set("record_min_members", number(n), at.from())
	}
	return nil
}

// recordConference maps record_conference of ConfBridge, with the name that its
// other options give the file.
func (s *section) recordConference(at param) error {
	if !isTrue(at.value) {
		return nil
	}
	name := "confbridge-${room}-${strftime(%s)}.wav"
	if file, ok := s.values["record_file"]; ok {
		var text string
		if name, text = recordName(file.value); text != "" {
			s.report(file, Differs, "%s", text)
		}
		stamped := true
		if stamp, ok := s.values["record_file_timestamp"]; ok {
			stamped = isTrue(stamp.value)
		}
		if stamped && name != engine.DefaultRecordFile {
			name = strings.TrimSuffix(name, path.Ext(name)) + "-${strftime(%s)}.wav"
		}
	}
	s.set("record", plain(string(engine.RecordFromStart)), at)
	s.set("record_file", plain(name), at)
	return nil
}

// ofRecording is an option that counts with record_conference only.
func ofRecording(kind Kind, text string) rule[*section] {
	return rule[*section]{to: func(s *section, at param) error {
		on, ok := s.values["record_conference"]
		switch {
		case !ok || !isTrue(on.value):
			s.report(at, Unneeded, noChange)
		case text != "":
			s.report(at, kind, "%s", text)
		}
		return nil
	}}
}
