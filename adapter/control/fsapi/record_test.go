package fsapi

import (
	"errors"
	"strings"
	"testing"
	"time"

	"parley/engine"
)

func (p *place) Record(op engine.OpID, t engine.Tape) {
	switch {
	case strings.HasPrefix(t.File, "/proc"):
		p.sink.Post(engine.RecordingEnded{Op: op, Err: errors.New("no such file or directory")})
	case t.Exists != engine.ExistsReplace && t.File != "auto.wav":
		p.sink.Post(engine.RecordingEnded{Op: op, Err: errors.New("the file is kept")})
	default:
		p.sink.Post(engine.RecordingBegan{Op: op, File: "/rec" + t.File, Rate: 16000})
	}
}

func (p *place) PauseRecord(op engine.OpID, on bool) {
	p.sink.Post(engine.RecordingPaused{Op: op, On: on})
}

func (p *place) MuteRecord(op engine.OpID, on bool) {
	p.sink.Post(engine.RecordingMuted{Op: op, On: on})
}

func (p *place) StopRecord(op engine.OpID) {
	p.sink.Post(engine.RecordingEnded{Op: op, Duration: 1500 * time.Millisecond, Bytes: 48044})
}

func TestRecordCommands(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", map[string]string{"record": "from_start", "record_file": "auto.wav"})
		r.events()
		const usage = "recording [start|stop|check|pause|resume] [<filename>|all]"
		for _, row := range []struct{ line, want, told string }{
			{"chkrecord", "+OK Record file auto.wav (Auto)\n", ""},
			{"norecord all", "Stopped AUTO recording file auto.wav (Auto Recording Now Disabled)\n+OK Stopped recording 1 file\n", "stop-recording"},
			{"chkrecord", "-ERR Conference is not being recorded.\n", ""},
			{"record", "record <filename>", ""},
			{"record /a.wav", "+OK Record file /a.wav\n", "start-recording"},
			{"record {x=1}/a.wav", "-ERR file [/a.wav] is already being used for recording.\n", ""},
			{"recording start /b.wav 1", "+OK Record file /b.wav canvas 1\n", "start-recording"},
			{"recording /c.wav", "+OK Record file /c.wav\n", "start-recording"},
			{"record /d.wav 99", "-ERR Invalid canvas\n+OK Record file /d.wav\n", "start-recording"},
			{"recording check", "+OK Record file /d.wav\n+OK Record file /c.wav\n+OK Record file /b.wav\n+OK Record file /a.wav\n", ""},
			{"pause /a.wav", "+OK Pause recording file /a.wav\n", "pause-recording"},
			{"recording pause /a.wav", "+OK Pause recording file /a.wav\n", "pause-recording"},
			{"resume /a.wav", "+OK Resume recording file /a.wav\n", "resume-recording"},
			{"pause /x.wav", "+OK Pause recording file /x.wav\n-ERR non-existant recording '/x.wav'\n", ""},
			{"pause", "pause <filename>", ""},
			{"norecord /a.wav", "Stopped recording file /a.wav\n+OK Stopped recording 1 file\n", "stop-recording"},
			{"norecord /a.wav", "-ERR non-existant recording '/a.wav'\n+OK Stopped recording 0 files\n", ""},
			{
				"recording stop", "Stopped recording file /d.wav\nStopped recording file /c.wav\nStopped recording file /b.wav\n+OK Stopped recording 3 files\n",
				"stop-recording,stop-recording,stop-recording",
			},
			{"record /proc/x.wav", "+OK Record file /proc/x.wav\n", "start-recording,stop-recording"},
			{"recording", usage, ""},
			{"recording nonsense /x.wav", usage, ""},
		} {
			if have := r.api("conference 3001 " + row.line); have != row.want {
				r.t.Errorf("%s:\n%q, want\n%q", row.line, have, row.want)
			}
			time.Sleep(time.Second)
			if told := strings.Join(r.events(), ","); told != row.told {
				r.t.Errorf("%s: told %q, want %q", row.line, told, row.told)
			}
		}
		r.api("conference 3001 record /a.wav")
		r.api("conference 3001 pause /a.wav")
		if list := r.api("conference list summary"); !strings.Contains(list, "|recording|json_status)") {
			r.t.Errorf("%q", list)
		}
		if list := r.api("conference 3001 xml_list"); !strings.Contains(list, ` recording="true"`) || !strings.Contains(list, `<record_path status="paused">/a.wav</record_path>`) {
			r.t.Errorf("%q", list)
		}
	})
}
