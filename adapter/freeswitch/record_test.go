package freeswitch_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"parley/engine"
	"parley/esl/esltest"
)

// TestTheSwitchRecords: where it mixes, it records, below its own folder.
func TestTheSwitchRecords(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.core.Store(esltest.RecordDir + "/a.wav")
		p.core.API("conference", "4000 record "+esltest.RecordDir+"/theirs.wav") // somebody at the switch
		tapes := func() string {
			var all []string
			for _, r := range p.roster("4000").Recordings {
				all = append(all, strings.TrimPrefix(r.File, esltest.RecordDir+"/")+" "+string(r.State))
			}
			return strings.Join(all, ", ")
		}
		wants := func(want string) {
			t.Helper()
			if got := tapes(); got != want {
				t.Errorf("recorded: %s, want %s", got, want)
			}
		}
		for _, c := range []struct {
			command engine.Record
			want    error
		}{
			{engine.Record{File: "a.wav"}, engine.ErrInUse},
			{engine.Record{File: "/etc/a.wav"}, engine.ErrBadCommand},
			{engine.Record{File: "nowhere.wav"}, engine.ErrNotRecorded},
			{engine.Record{File: "theirs.wav", Exists: engine.ExistsReplace}, engine.ErrInUse},
		} {
			if err := p.exchange.Do(p.Context(), "4000", c.command); !errors.Is(err, c.want) {
				t.Errorf("%+v: %v", c.command, err)
			}
		}
		p.order("4000", engine.Record{File: "a.wav", Exists: engine.ExistsReplace})
		p.order("4000", engine.Record{File: "b c.wav", Exists: engine.ExistsNumber})
		wants("a.wav running, b c.wav running")
		p.order("4000", engine.PauseRecord{File: "a.wav", On: true})
		wants("a.wav paused, b c.wav running")
		p.core.API("conference", "4000 resume "+esltest.RecordDir+"/a.wav") // somebody at the switch
		time.Sleep(time.Second)
		wants("a.wav running, b c.wav running")
		p.order("4000", engine.StopRecord{File: "a.wav"})
		p.core.API("conference", `4000 norecord '`+esltest.RecordDir+`/b c.wav'`)
		time.Sleep(time.Second)
		wants("")
		p.order("4000", engine.Record{File: "lost.wav"})
		time.Sleep(30 * time.Second) // looks at the switch go by
		wants("lost.wav running")
		p.core.LoseTapes("4000")
		for p.await(engine.EventRecordFailed).Recording.Name != "lost.wav" {
			continue // those that could not begin
		}
		wants("")
		p.order("4000", engine.Record{File: "d.wav"})
		p.order("4000", engine.Kick{Member: 1, Quiet: true}) // the conference ends, its recording too
		for e := p.await(engine.EventRecordEnded); e.Recording.Name != "d.wav"; e = p.await(engine.EventRecordEnded) {
			if e.Recording.DurationMS != 2000 {
				t.Errorf("%+v", e.Recording)
			}
		}
	})
}
