package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/engine"
	"parley/sound"
)

func TestRecordingARoom(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rec")
	s := serveFor(t, fmt.Sprintf("record_dir: %s\nprofiles: [{name: default, %s}]\n", dir, quiet))
	s.fails(t, "engine: room is not running: 3001. [room_not_running]", "room", "3001", "record", "start")
	s.dial(t, "1001")
	s.err.has(t, "caller=1001 member=1")
	if got := s.do(t, "room", "3001", "record"); got != "not recorded\n" {
		t.Errorf("%q", got)
	}
	if got := s.do(t, "room", "3001", "record", "start", "week/one"); got != "recording running 00:00:00 at 8000 Hz to "+dir+"/week/one.wav\n" {
		t.Errorf("%q", got)
	}
	s.do(t, "room", "3001", "record", "start")
	s.fails(t, "engine: that id is in use: room 3001 is being recorded to week/one. [in_use]", "room", "3001", "record", "start", "week/one")
	s.fails(t, `engine: bad command: recording: bad name: "../one.wav" is no file below record_dir. [bad_value]`, "room", "3001", "record", "start", "../one.wav")
	s.do(t, "room", "3001", "record", "pause", "week/one")
	if got := s.do(t, "room", "3001", "record", "list"); !strings.HasPrefix(got, "recording paused 00:00:0") || strings.Count(got, "\nrecording running") != 1 {
		t.Errorf("%q", got)
	}
	s.do(t, "room", "3001", "record", "resume")
	if got := s.do(t, "room", "3001"); strings.Count(got, "\nrecording running") != 2 || !strings.Contains(got, "  recording yes  mixer native\n") {
		t.Errorf("%q", got)
	}
	for list := []engine.Recording(nil); len(list) == 0 || list[0].DurationMS < 1000; {
		if err := json.Unmarshal([]byte(s.do(t, "room", "3001", "record", "list", "--json")), &list); err != nil || t.Failed() {
			t.Fatal(err)
		}
	}
	s.do(t, "room", "3001", "record", "stop")
	s.fails(t, "engine: no such recording: room 3001 is not being recorded. [not_recording]", "room", "3001", "record", "stop")
	s.err.has(t, "msg=recording.completed")
	files, err := filepath.Glob(dir + "/3001-20*.wav")
	if err != nil || len(files) != 1 {
		t.Errorf("files named by the profile: %v, %v", files, err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "week", "one.wav"))
	if err != nil {
		t.Fatal(err)
	}
	if pcm, rate, err := sound.DecodeWAV(bytes.NewReader(b)); err != nil || rate != 8000 || len(pcm) == 0 {
		t.Errorf("%d samples at %d, %v", len(pcm), rate, err)
	}
	s.fails(t, "engine: that id is in use: recording: the file is there already: week/one.wav. [in_use]", "room", "3001", "record", "start", "week/one.wav")
	s.do(t, "room", "3001", "record", "start", "week/one.wav", "--replace")
}

func TestAFolderThatCannotBeWrittenTo(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("record_dir: %s\nprofiles: [{name: default, record: from_start, %s}]\n", blocked, quiet)
	s := serveFor(t, text)
	says := fmt.Sprintf("record_dir: recording: %s: not a directory (uid %d). Rooms run, and are not recorded. [record_dir]", blocked, os.Getuid())
	s.err.has(t, says)
	if code, out, _ := parley(t, "check", "--config", s.file); code != 1 || !strings.Contains(out, "recording BAD  "+says) {
		t.Errorf("%d, %s", code, out)
	}
	s.dial(t, "1001")
	s.err.has(t, "room 3001: recording: "+blocked+": not a directory. The room goes on. [recording_failed]")
	s.err.has(t, "caller=1001 member=1")
	s.fails(t, "engine: not recorded: recording: "+blocked+": not a directory. [recording_failed]", "room", "3001", "record", "start", "x")
}
