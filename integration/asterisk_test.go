//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// astFurther is how far the ports of a test's Asterisks lie apart.
const astFurther = 40

// astSIP, astARI and astAMI are where the n-th Asterisk listens.
func astSIP(n int) string { return fmt.Sprintf("127.0.0.1:%d", 5068+astFurther*n) }
func astARI(n int) string { return fmt.Sprintf("127.0.0.1:%d", 19088+astFurther*n) }
func astAMI(n int) string { return fmt.Sprintf("127.0.0.1:%d", 15038+astFurther*n) }

// startAsterisk runs the switch with the dialplan that users paste.
func startAsterisk(t *testing.T) *container {
	t.Helper()
	return asteriskAt(t, 0, nil)
}

// asteriskAt runs the n-th switch of the tests that run at the same time. more
// is added to its files, by name. conf holds them: what is written there is read
// by the switch's next reload.
func asteriskAt(t *testing.T, n int, more map[string]string) *container {
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
	first, last := 22000, 22999
	if n > 0 {
		first, last = 26000+500*n, 26499+500*n
	}
	ports := strings.NewReplacer("127.0.0.1:5068", astSIP(n), "bindport = 19088", fmt.Sprintf("bindport = %d", 19088+astFurther*n),
		"port = 15038", fmt.Sprintf("port = %d", 15038+astFurther*n),
		"rtpstart = 22000", fmt.Sprintf("rtpstart = %d", first), "rtpend = 22999", fmt.Sprintf("rtpend = %d", last))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = ports.Replace(string(data))
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
	c := start(t, asteriskImage(), nil, []string{"asterisk", "-f", "-vvv"}, mounts)
	c.n, c.front, c.conf = n, astARI(n), dir
	c.logged("Asterisk Ready")
	return c
}

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

// callers counts who is in the switch's own conference.
func (c *container) callers(room string) int {
	out := c.exec("asterisk", "-rx", "confbridge list "+room)
	return strings.Count(out, "PJSIP/")
}

func TestAsterisk(t *testing.T) {
	ast := startAsterisk(t)
	contract(t, contractOf{
		address: asteriskSIP,
		config:  base(true),
		patient: astPatience,
		result: func(room, result, reason, exit string) {
			ast.logged("parley room="+room+" ", "result="+result+" ", "reason="+reason+" ", "exit="+exit+" ")
		},
		inFallback: func(room string) bool { return ast.callers(room) == 2 },
	})
}

// astPatience is how long the pasted dialplan tries to come back.
const astPatience = 11 * time.Second
