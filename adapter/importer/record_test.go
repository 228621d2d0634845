package importer

import (
	"strings"
	"testing"

	"parley/engine"
)

func TestAutoRecord(t *testing.T) {
	for _, c := range []struct{ value, file, said string }{
		{"${conference_name}.wav", "${conference_name}.wav", ""},
		{"rec/${strftime(%Y-%m-%d)}.wav", "rec/${strftime(%Y-%m-%d)}.wav", ""},
		{"/var/spool/x.wav", "x.wav", "record_dir"},
		{"$${recordings_dir}/${conference_name}_${strftime(%s)}.mp3", "${conference_name}_${strftime(%s)}.wav", "record_dir"},
		{"../../x.wav", "x.wav", "record_dir"},
		{"${uuid}.wav", engine.DefaultRecordFile, "not all known"},
		{"shout://user:secret@example.org/a.mp3", engine.DefaultRecordFile, "files only"},
		{"/", engine.DefaultRecordFile, "not all known"},
	} {
		file, said := recordName(c.value)
		if file != c.file || !strings.Contains(said, c.said) || (said == "") != (c.said == "") || strings.Contains(said, "secret") {
			t.Errorf("%s: %s, %q; want %s, %q", c.value, file, said, c.file, c.said)
		}
	}
}

func TestRecordOfConfBridge(t *testing.T) {
	for _, c := range []struct {
		options, file string
		when          engine.RecordWhen
	}{
		{"record_conference=no\nrecord_file=x.wav", engine.DefaultRecordFile, engine.RecordOff},
		{"record_conference=yes", "confbridge-${room}-${strftime(%s)}.wav", engine.RecordFromStart},
		{"record_conference=yes\nrecord_file=/spool/x.wav", "x-${strftime(%s)}.wav", engine.RecordFromStart},
		{"record_conference=yes\nrecord_file=x.wav\nrecord_file_timestamp=no", "x.wav", engine.RecordFromStart},
	} {
		r, err := ConfBridge("c.conf", []byte("[b]\ntype=bridge\n"+c.options+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if p := profileOf(t, load(t, r), "b"); p.Record != c.when || p.RecordFile != c.file {
			t.Errorf("%q: %s to %s\n%s", c.options, p.Record, p.RecordFile, r.YAML())
		}
	}
}
