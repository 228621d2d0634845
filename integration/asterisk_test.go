//go:build integration

package integration

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/audiotest"
)

// startAsterisk runs the switch with the dialplan that users paste.
func startAsterisk(t *testing.T, at place) *container {
	t.Helper()
	return asteriskAt(t, at, nil)
}

// asteriskAt runs the switch with more added to its files, by name. conf holds
// them: what is written there is read by the switch's next reload.
func asteriskAt(t *testing.T, at place, more map[string]string) *container {
	t.Helper()
	files := map[string]string{}
	for name, pasted := range map[string]string{"extensions.conf": "extensions.conf", "pjsip_parley.conf": "pjsip.conf"} {
		data, err := os.ReadFile(filepath.Join("../configs/asterisk", pasted))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(data)
	}
	names, err := filepath.Glob("asterisk/conf/*.conf")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	where := strings.NewReplacer("127.0.0.1", at.host, "rtpstart = 22000\nrtpend = 22999", asteriskRTP)
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = where.Replace(string(data))
	}
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	for name := range more {
		files[name] += "\n" + more[name]
	}
	var mounts []string
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		mounts = append(mounts, path+":/etc/asterisk/"+name)
	}
	seen := filepath.Join(dir, seenFolder)
	if err := errors.Join(os.Mkdir(seen, 0o755), os.Chmod(seen, 0o777)); err != nil {
		t.Fatal(err)
	}
	mounts = append(mounts, holdMusic(t)+":/tmp/moh:ro", seen+":/var/log/asterisk/cdr-custom")
	c := start(t, asteriskImage(), nil, []string{"asterisk", "-f", "-vvv"}, mounts)
	c.at, c.front, c.conf = at, at.astARI, dir
	eventually(t, startTime, "Asterisk getting ready", func() (string, bool) {
		out := c.log(100)
		return out, strings.Contains(out, "Asterisk Ready")
	})
	return c
}

// seenFolder is where a dialplan and the CDR may write, in the folder of the
// switch's files.
const seenFolder = "seen"

// edit changes a file of the switch and has a module read it again.
func (c *container) edit(name, module string, replace ...string) {
	c.t.Helper()
	c.writes.Lock()
	defer c.writes.Unlock()
	path := filepath.Join(c.conf, name)
	data, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	// in place: the switch has this very file
	if err := os.WriteFile(path, []byte(strings.NewReplacer(replace...).Replace(string(data))), 0o644); err != nil {
		c.t.Fatal(err)
	}
	c.exec("asterisk", "-rx", "module reload "+module)
}

// holdHz is the tone of the switch's music on hold.
const holdHz = 2500

// holdMusic is a folder with it.
func holdMusic(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var b []byte
	for _, v := range audiotest.Tone(8000, holdHz, -20, 10*8000, 0) {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "tone.sln"), b, 0o644), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// callers counts who is in the switch's own conference.
func (c *container) callers(room string) int {
	out := c.exec("asterisk", "-rx", "confbridge list "+room)
	return strings.Count(out, "PJSIP/")
}

func TestAsterisk(t *testing.T) { contractByMedia(t, "audiosocket", astPatience) }

// The contract on the other ways for audio. One that does not tell the switch of
// the death of Parley has its callers wait until the leash ends.
func TestAsteriskByRTP(t *testing.T)       { contractByMedia(t, "rtp", 30*time.Second+astPatience) }
func TestAsteriskByWebSocket(t *testing.T) { contractByMedia(t, "websocket", astPatience) }
func TestAsteriskBySIP(t *testing.T)       { contractByMedia(t, "sip", 30*time.Second+astPatience) }

func contractByMedia(t *testing.T, by string, patient time.Duration) {
	t.Helper()
	t.Parallel()
	at := newPlace()
	ast := startAsterisk(t, at)
	contract(t, contractOf{
		at: at, address: at.astSIP,
		config:   at.base(true),
		profiles: strings.ReplaceAll(contractProfiles, "\n  - name: ", "\n  - media: "+by+"\n    name: "),
		patient:  patient,
		result: func(room, result, reason, exit string) {
			ast.logged("parley room="+room+" ", "result="+result+" ", "reason="+reason+" ", "exit="+exit+" ")
		},
		inFallback: func(room string) bool { return ast.callers(room) == 2 },
	})
}

// astPatience is how long the pasted dialplan tries to come back.
const astPatience = 11 * time.Second
