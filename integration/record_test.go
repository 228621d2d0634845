//go:build integration

package integration

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/engine"
	"parley/internal/audiotest"
	"parley/sound"
)

// recorder is a place that records rooms.
type recorder struct {
	place                 place
	name, config, address string
	mixer                 string
	read                  func(file string) []byte
}

// inside reads a file in a container.
func (c *container) inside(file string) []byte {
	c.t.Helper()
	text := strings.Join(strings.Fields(c.exec("base64", "-w", "0", file)), "")
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		c.t.Fatalf("%s: %v: %.200s", file, err, text)
	}
	return b
}

// TestRecordings records rooms wherever they are mixed, by command and by the
// profile, and listens to the files.
func TestRecordings(t *testing.T) {
	t.Parallel()
	dir, at := t.TempDir(), newPlace()
	t.Run("native", func(t *testing.T) {
		records(t, recorder{
			place: at, name: "native", config: at.base(false) + fmt.Sprintf("record_dir: %q\n", dir), address: at.sip, mixer: "native",
			read: func(file string) []byte {
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				return b
			},
		})
	})
	t.Run("FreeSWITCH", func(t *testing.T) {
		fs := startFreeSWITCH(t, at)
		records(t, recorder{place: at, name: "fs", config: at.base(false) + at.pbx1(), address: at.fsSIP, mixer: "switch", read: fs.inside})
	})
	t.Run("Asterisk", func(t *testing.T) {
		ast := startAsterisk(t, at)
		ast.exec("mkdir", "-p", "/var/spool/asterisk/recording") // Debian's package has none
		records(t, recorder{place: at, name: "ast", config: at.base(true), address: at.astSIP, mixer: "switch", read: ast.inside})
	})
}

func records(t *testing.T, at recorder) {
	p := run(t, at.place, at.config+fmt.Sprintf(`
profiles:
  - name: default
    mixer: %s
    play_entry_tone: false
    play_exit_tone: false
    alone_sound: none
    moh_sound: none
    record: from_start
    record_min_members: 2
    record_file: ${room}-auto.wav
`, at.mixer))
	ctx := context.Background()
	a := call(t, at.address, "3001", tone(500))
	p.members("3001", 1)
	b := call(t, at.address, "3001", tone(900))
	p.members("3001", 2)
	var auto engine.Recording
	eventually(t, 10*time.Second, "the recording of the profile", func() (string, bool) {
		list, err := p.api.Recordings(ctx, "3001")
		if len(list) == 1 {
			auto = list[0]
		}
		return fmt.Sprint(list, err), len(list) == 1 && auto.State == engine.RecordingRunning
	})
	began := time.Now()
	a.Listen(time.Second) // until both are heard in full
	r, err := p.api.Record(ctx, "3001", "week one", false)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	for _, on := range []bool{true, false} {
		if err := p.api.PauseRecord(ctx, "3001", "week one", on); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond)
	}
	if err := p.api.StopRecord(ctx, "3001", "week one"); err != nil {
		t.Fatal(err)
	}
	heardIn(t, at, r.File, 3500*time.Millisecond)
	if _, err := p.api.Record(ctx, "3001", "week one", false); err == nil || !strings.Contains(err.Error(), "[in_use]") {
		t.Errorf("a file that is there: %v", err)
	}
	if _, err := p.api.Record(ctx, "3001", "../out", false); err == nil || !strings.Contains(err.Error(), "[bad_value]") {
		t.Errorf("a file elsewhere: %v", err)
	}
	b.Hangup()
	a.Hangup()
	took := time.Since(began)
	p.gone("3001")
	heardIn(t, at, auto.File, took)
	if filepath.Base(auto.File) != "3001-auto.wav" || !auto.Auto {
		t.Errorf("%+v", auto)
	}
}

// heardIn judges a file: both callers' tones, and its length.
func heardIn(t *testing.T, at recorder, file string, want time.Duration) {
	t.Helper()
	pcm, rate, err := sound.DecodeWAV(bytes.NewReader(at.read(file)))
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	long := time.Duration(len(pcm)) * time.Second / time.Duration(rate)
	if off := (long - want).Abs(); off > 700*time.Millisecond {
		t.Errorf("%s: %v of audio, want %v", file, long, want)
	}
	middle := pcm[len(pcm)/4 : len(pcm)/2]
	for _, hz := range []float64{500, 900} {
		if got := audiotest.Steady(middle, int(rate), hz); got < -24 || got > -16 {
			t.Errorf("%s: %.0f Hz at %.1f dB", file, hz, got)
		}
	}
	t.Logf("%s: %v at %d Hz, wanted %v", file, long, rate, want)
}
