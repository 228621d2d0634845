package engine

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// tapes are the recordings of room 1 in short, "NAME STATE …".
func (th *theatre) tapes() string {
	th.t.Helper()
	v, err := th.Room(th.t.Context(), "1")
	if err != nil {
		th.t.Fatal(err)
	}
	var all []string
	for _, r := range v.Recordings {
		all = append(all, r.Name+" "+string(r.State))
	}
	return strings.Join(all, ", ")
}

// recordings are the recordings of the events since they were last asked for.
func (th *theatre) recordings() (list []Recording) {
	th.mu.Lock()
	defer th.mu.Unlock()
	for _, e := range th.events {
		if e.Recording != nil {
			list = append(list, *e.Recording)
		}
	}
	return list
}

func TestRecordByCommand(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.call("a", "1", nil)
		time.Sleep(time.Minute)
		th.types()
		live(t, th, Record{File: "x.wav"})
		live(t, th, Record{File: "y.wav", Rate: 16000, Exists: ExistsReplace})
		want(t, "recordings", th.tapes(), "x.wav running, y.wav running")
		if err := th.Do(t.Context(), "1", Record{File: "x.wav"}); !errors.Is(err, ErrInUse) {
			t.Errorf("the same file twice: %v", err)
		}
		time.Sleep(2 * time.Second)
		live(t, th, PauseRecord{File: "x", On: true})
		live(t, th, PauseRecord{File: "x", On: true})
		want(t, "recordings", th.tapes(), "x.wav paused, y.wav running")
		time.Sleep(time.Minute)
		live(t, th, PauseRecord{File: "/rec/x.wav"})
		time.Sleep(time.Second)
		if v, err := th.Room(t.Context(), "1"); err != nil || v.Recordings[0].DurationMS != 3000 || v.Recordings[1].Rate != 16000 {
			t.Errorf("%+v, %v", v.Recordings, err)
		}
		live(t, th, StopRecord{File: "x.wav"})
		live(t, th, StopRecord{})
		want(t, "told", th.types(), "recording.started recording.started recording.paused recording.resumed recording.completed recording.completed")
		want(t, "recordings", th.tapes(), "")
		for _, c := range []Command{StopRecord{}, StopRecord{File: "x.wav"}, PauseRecord{File: "x.wav", On: true}} {
			if err := th.Do(t.Context(), "1", c); !errors.Is(err, ErrNoRecording) {
				t.Errorf("%+v: %v", c, err)
			}
		}
	})
}

// ends are the words for why recordings have ended, in order.
func (th *theatre) ends() (list []RecordEnd) {
	for _, r := range th.recordings() {
		if r.State == RecordingDone {
			list = append(list, r.End)
		}
	}
	return list
}

// TestALimitEndsARecording: by what is recorded, of which a pause is no part, and
// also where the room has moved meanwhile.
func TestALimitEndsARecording(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a := th.call("a", "1", nil)
		time.Sleep(time.Minute)
		live(t, th, Record{File: "x.wav", MaxDuration: 3 * time.Second})
		live(t, th, Record{File: "y.wav", MaxDuration: 3 * time.Second})
		time.Sleep(2 * time.Second)
		live(t, th, PauseRecord{File: "x.wav", On: true})
		time.Sleep(time.Minute)
		want(t, "while one is paused", th.tapes(), "x.wav paused")
		live(t, th, PauseRecord{File: "x.wav"})
		time.Sleep(999 * time.Millisecond)
		want(t, "just before the end", th.tapes(), "x.wav running")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		want(t, "at the end", th.tapes(), "")
		live(t, th, Record{File: "z.wav", MaxDuration: time.Minute})
		live(t, th, StopRecord{})
		live(t, th, Record{File: "last.wav", MaxDuration: time.Minute})
		a.sink.Post(LegGone{Leg: a.id, Reason: ReasonHangup})
		time.Sleep(time.Hour)
		if got := th.ends(); !slices.Equal(got, []RecordEnd{RecordFull, RecordFull, RecordStopped, RecordLeft}) {
			t.Errorf("ended by %q", got)
		}
	})
	switched(t, nil, func(t *testing.T, th *theatre) {
		th.dial("a", "1", pbx1, pbx1, nil)
		synctest.Wait()
		live(t, th, Record{File: "x.wav", MaxDuration: 10 * time.Second})
		time.Sleep(4 * time.Second)
		if _, err := th.Relocate(t.Context(), "1", Place{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		time.Sleep(6*time.Second - time.Millisecond)
		want(t, "where the room is now", th.tapes(), "x.wav running")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		want(t, "at the end", th.tapes(), "")
		if got := th.ends(); !slices.Equal(got, []RecordEnd{RecordMoved, RecordFull}) {
			t.Errorf("ended by %q", got)
		}
	})
}

func TestRecordFailures(t *testing.T) {
	bubble(t, func(p *Profile) { p.RecordSound, p.RecordEndSound = "on-air", "off-air" }, func(t *testing.T, th *theatre) {
		th.call("a", "1", nil)
		time.Sleep(time.Minute)
		b := th.stage("1")
		b.noDisk = syscall.EACCES
		th.types()
		if err := th.Do(t.Context(), "1", Record{File: "x.wav"}); !errors.Is(err, syscall.EACCES) {
			t.Errorf("%v", err)
		}
		want(t, "told", th.types(), "recording.failed")
		b.noDisk = nil
		b.sounds()
		live(t, th, Record{})
		b.lose(syscall.ENOSPC)
		synctest.Wait()
		list := th.recordings()
		if r := list[len(list)-1]; r.State != RecordingFailed || r.Error != "no space left on device" || r.File == "" {
			t.Errorf("%+v", r)
		}
		want(t, "told", th.types(), "recording.started recording.failed")
		want(t, "the room hears", b.sounds(), "on-air off-air")
		for range maxRecordings {
			live(t, th, Record{File: string(rune('a'+len(b.recorded()))) + ".wav"})
		}
		if err := th.Do(t.Context(), "1", Record{File: "more.wav"}); !errors.Is(err, ErrCannot) {
			t.Errorf("%v", err)
		}
	})
}

func TestRecordByProfile(t *testing.T) {
	for _, c := range []struct {
		name  string
		edit  func(*Profile)
		calls []string // roles, one after the other
		from  int      // calls it begins with; 0 = never
	}{
		{"off", func(*Profile) {}, []string{"moderator", "member"}, 0},
		{"from the start", func(p *Profile) { p.Record = RecordFromStart }, []string{"member", "member"}, 1},
		{"from two on", func(p *Profile) { p.Record, p.RecordMin = RecordFromStart, 2 }, []string{"member", "member", "member"}, 2},
		{"from the moderator on", func(p *Profile) { p.Record = RecordOnModerator }, []string{"member", "moderator"}, 2},
		{"who waits does not count", func(p *Profile) { p.Record, p.WaitForModerator = RecordFromStart, true }, []string{"member", "member", "moderator"}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.edit, func(t *testing.T, th *theatre) {
				for i, role := range c.calls {
					th.call(string(rune('a'+i)), "1", map[string]string{"role": role})
					time.Sleep(time.Minute)
					if began := th.tapes() != ""; began != (c.from > 0 && i+1 >= c.from) {
						t.Errorf("after %d calls: recorded %v", i+1, began)
					}
				}
				if c.from == 0 {
					return
				}
				live(t, th, StopRecord{})
				th.call("z", "1", nil)
				time.Sleep(time.Minute)
				want(t, "recordings after it was stopped by hand", th.tapes(), "")
			})
		})
	}
}

func TestRecordByTheOpeningCall(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.call("a", "1", map[string]string{"record": "from_start", "record_file": "${room}/${strftime(%Y)}.wav"})
		time.Sleep(time.Minute)
		want(t, "recordings", th.tapes(), "1/2000.wav running")
	})
}

func TestARecordingEndsWithItsRoom(t *testing.T) {
	for _, jammed := range []bool{false, true} {
		bubble(t, func(p *Profile) { p.Record = RecordFromStart }, func(t *testing.T, th *theatre) {
			a := th.call("a", "1", nil)
			time.Sleep(time.Minute)
			th.stage("1").jammed = jammed
			th.types()
			a.sink.Post(LegGone{Leg: a.id, Reason: ReasonHangup})
			synctest.Wait()
			told := "participant.left"
			if jammed {
				want(t, "told at first", th.types(), told)
				time.Sleep(recordEndTime)
				synctest.Wait()
				want(t, "told", th.types(), "recording.failed room.ended")
			} else {
				want(t, "told", th.types(), told+" recording.completed room.ended")
			}
			if !th.stage("1").closed {
				t.Error("the place is not closed")
			}
		})
	}
}

func TestARecordingGoesWhereTheRoomGoes(t *testing.T) {
	switched(t, nil, func(t *testing.T, th *theatre) {
		th.dial("a", "1", pbx1, pbx1, nil)
		synctest.Wait()
		live(t, th, Record{File: "x.wav"})
		first := th.stage("1")
		if _, err := th.Relocate(t.Context(), "1", Place{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		want(t, "recordings", th.tapes(), "x.wav running")
		if second := th.stage("1"); second == first || !slices.Equal(second.recorded(), []string{"x.wav"}) || !first.closed {
			t.Errorf("recorded to %v; the old place is closed: %v", second.recorded(), first.closed)
		}
		want(t, "told", th.types(), "room.started participant.joined recording.started room.moved recording.completed recording.started")
	})
}

// TestWhatAPlaceCannotRecordTheNextOneDoes: by the profile, and what was asked
// for where the room was before. What was stopped meanwhile does not come back.
func TestWhatAPlaceCannotRecordTheNextOneDoes(t *testing.T) {
	for _, c := range []struct {
		name  string
		when  RecordWhen
		stop  bool
		files string
	}{
		{"by the profile", RecordFromStart, false, "p.wav running"},
		{"by command", RecordOff, false, "x.wav running"},
		{"both", RecordFromStart, false, "p.wav running, x.wav running"},
		{"stopped meanwhile", RecordFromStart, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			switched(t, func(p *Profile) { p.Record, p.RecordFile = c.when, "p.wav" }, func(t *testing.T, th *theatre) {
				th.noDisk = map[Place]error{pbx1: syscall.EACCES}
				th.dial("a", "1", pbx1, pbx1, nil)
				synctest.Wait()
				want(t, "recordings at the switch", th.tapes(), "")
				move := func(to Place, unrecorded bool) {
					moves, err := th.Relocate(t.Context(), "1", to)
					if errors.Is(err, ErrUnrecorded) != unrecorded || err != nil && (!unrecorded || !errors.Is(err, syscall.EACCES)) || len(moves) != 1 {
						t.Fatal(moves, err)
					}
					synctest.Wait()
				}
				move(Place{}, false)
				if strings.Contains(c.files, "x.wav") {
					live(t, th, Record{File: "x.wav"})
				}
				move(pbx1, true)
				want(t, "recordings back at the switch", th.tapes(), "")
				if c.stop {
					if err := th.Do(t.Context(), "1", StopRecord{}); !errors.Is(err, ErrNoRecording) {
						t.Errorf("stopped: %v", err)
					}
				}
				move(Place{}, false)
				want(t, "recordings with us again", th.tapes(), c.files)
			})
		})
	}
}

func TestRecordFile(t *testing.T) {
	now := time.Date(2026, 11, 29, 9, 5, 7, 0, time.Local)
	for _, c := range []struct{ in, want string }{
		{DefaultRecordFile, "3001-20261129-090507.wav"},
		{"plain.wav", "plain.wav"},
		{"${conference_name}/${date}/${instance}", "3001/20261129/i1"},
		{"${strftime(%Y-%m-%d_%H%M%S %F %T %y%%)}.wav", "2026-11-29_090507 2026-11-29 09:05:07 26%.wav"},
		{"$100 and 100%", "$100 and 100%"},
		{"${uuid}.wav", ""},
		{"${room", ""},
		{"../x.wav", ""},
		{"${room}/../../x.wav", ""},
		{"a/../${room}", "a/../3001"},
		{"/srv/recordings/${room}.wav", "/srv/recordings/3001.wav"},
		{"${strftime(%Q)}", ""},
		{"${strftime(%)}", ""},
	} {
		got, err := RecordFile(c.in, "3001", "i1", now)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q: %q, %v; want %q", c.in, got, err, c.want)
		}
	}
}
