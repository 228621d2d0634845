package asterisk_test

import (
	"errors"
	"strings"
	"testing"

	"parley/engine"
)

// TestTheSwitchRecords: where it mixes, it records, in its own folder.
func TestTheSwitchRecords(t *testing.T) {
	r := newRig(t, nil).ready()
	a, b := r.pair()
	tapes := func(want string) {
		t.Helper()
		r.until("recorded: "+want, func() bool { return r.ast.Tapes() == want })
	}
	for _, c := range []struct {
		command engine.Record
		want    error
	}{
		{engine.Record{File: "/etc/a.wav"}, engine.ErrBadCommand},
		{engine.Record{File: "broken.wav"}, engine.ErrNotRecorded},
	} {
		if err := r.exchange.Do(t.Context(), "3200", c.command); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.command, err)
		}
	}
	r.ast.Refuse("POST bridges//record", 500) // as Asterisk without that folder does
	r.ast.Refuse("GET recordings/stored", 500)
	if err := r.exchange.Do(t.Context(), "3200", engine.Record{File: "x/a"}); !errors.Is(err, engine.ErrNotRecorded) ||
		!strings.Contains(err.Error(), "switch ast1 has no folder /var/spool/asterisk/recording") {
		t.Errorf("nowhere to record to: %v", err)
	}
	r.do("3200", engine.Record{File: "x/a"})
	tapes("x/a.wav recording")
	if v, err := r.exchange.Room(t.Context(), "3200"); err != nil || v.Recordings[0].File != "/var/spool/asterisk/recording/x/a.wav" || v.Recordings[0].Rate != 8000 {
		t.Errorf("%+v, %v", v.Recordings, err)
	}
	if err := r.exchange.Do(t.Context(), "3200", engine.Record{File: "x/a.wav"}); !errors.Is(err, engine.ErrInUse) {
		t.Errorf("what is being recorded to: %v", err)
	}
	r.do("3200", engine.PauseRecord{File: "x/a", On: true})
	tapes("x/a.wav paused")
	r.do("3200", engine.PauseRecord{File: "x/a"})
	tapes("x/a.wav recording")
	r.do("3200", engine.MuteRecord{File: "x/a", On: true})
	tapes("x/a.wav recording muted")
	r.do("3200", engine.MuteRecord{File: "x/a"})
	tapes("x/a.wav recording")
	r.do("3200", engine.StopRecord{})
	tapes("")
	if e := r.await(engine.EventRecordEnded, ""); e.Recording.DurationMS != 2000 {
		t.Errorf("%+v", e.Recording)
	}
	if err := r.exchange.Do(t.Context(), "3200", engine.Record{File: "x/a"}); !errors.Is(err, engine.ErrInUse) {
		t.Errorf("what is there is recorded to: %v", err)
	}
	if err := r.exchange.Do(t.Context(), "3200", engine.Record{File: "one", Member: 1}); !errors.Is(err, engine.ErrCannot) {
		t.Errorf("one member is recorded: %v", err)
	}
	r.do("3200", engine.Record{File: "x/a", Exists: engine.ExistsAppend, MaxSilence: 1})
	tapes("x/a.wav recording")
	r.do("3200", engine.StopRecord{})
	r.await(engine.EventRecordEnded, "")
	r.do("3200", engine.Record{File: "x/a", Exists: engine.ExistsNumber, Rate: 48000})
	tapes("x/a-2.wav16 recording")
	r.ast.StopTape("x/a-2") // somebody at the switch
	r.await(engine.EventRecordEnded, "")
	r.do("3200", engine.Record{File: "x/a", Exists: engine.ExistsReplace})
	a.Hangup()
	b.Hangup()
	r.await(engine.EventRecordEnded, "")
	r.until("nothing is left", func() bool {
		channels, bridges := r.ast.Count()
		return channels == 0 && bridges == 0
	})
}
