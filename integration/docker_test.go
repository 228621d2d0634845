//go:build integration

package integration

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"
)

// Images by switch: the local one, what else may name it, the public one.
type image struct{ name, local, env, public string }

func freeswitchImage() image {
	return image{"FreeSWITCH", "parley-test/freeswitch:1.11.1", "PARLEY_FREESWITCH_IMAGE", "safarov/freeswitch:latest"}
}

func asteriskImage() image {
	return image{"Asterisk", "parley-test/asterisk:22", "PARLEY_ASTERISK_IMAGE", ""}
}

// docks is the Docker daemon and what was skipped for want of an image.
type docks struct {
	pool    *dockertest.Pool
	mu      sync.Mutex
	skipped map[string]string // guarded by mu: test -> why
	land    *landlord
}

var dock docks //nolint:gochecknoglobals // TestMain has no other way to hand it over

// label marks the containers of runs that have had the same addresses.
const label = "parley-integration"

func TestMain(m *testing.M) {
	code := func() int {
		pool, err := dockertest.NewPool("")
		if err == nil {
			err = pool.Client.Ping()
		}
		if err != nil {
			fmt.Printf("integration: no Docker daemon: %v\n", err)
			return 1
		}
		land, err := newLandlord()
		if err != nil {
			fmt.Println("integration:", err)
			return 1
		}
		defer land.claim.Close()
		dock.pool, dock.land, dock.skipped = pool, land, map[string]string{}
		purge(pool)
		if err := buildParley(); err != nil {
			fmt.Println("integration:", err)
			return 1
		}
		defer os.RemoveAll(filepath.Dir(parleyBinary))
		return m.Run()
	}()
	for test, why := range dock.skipped {
		fmt.Printf("SKIPPED %s: %s\n", test, why)
	}
	if len(dock.skipped) > 0 {
		fmt.Printf("%d tests against real switches were skipped\n", len(dock.skipped))
	}
	os.Exit(code)
}

// purge removes containers that an earlier run left.
func purge(pool *dockertest.Pool) {
	left, err := pool.Client.ListContainers(docker.ListContainersOptions{
		All: true, Filters: map[string][]string{"label": {label + "=" + strconv.Itoa(dock.land.run)}},
	})
	if err != nil {
		return
	}
	for _, c := range left {
		_ = pool.Client.RemoveContainer(docker.RemoveContainerOptions{ID: c.ID, Force: true})
	}
}

// found returns the image to run, or why there is none.
func (i image) found() (repository, tag, why string) {
	names := []string{i.local}
	if own := os.Getenv(i.env); own != "" {
		names = []string{own}
	} else if i.public != "" {
		names = append(names, i.public)
	}
	for _, name := range names {
		repository, tag = split(name)
		if _, err := dock.pool.Client.InspectImage(repository + ":" + tag); err == nil {
			return repository, tag, ""
		}
		err := dock.pool.Client.PullImage(docker.PullImageOptions{Repository: repository, Tag: tag, InactivityTimeout: 30 * time.Second},
			docker.AuthConfiguration{})
		if err == nil {
			return repository, tag, ""
		}
	}
	return "", "", fmt.Sprintf("no image of %s: none of %s is here or can be pulled; set %s", i.name, strings.Join(names, ", "), i.env)
}

// find returns the image to run, or skips the test when there is none.
func (i image) find(t *testing.T) (repository, tag string) {
	t.Helper()
	repository, tag, why := i.found()
	if why != "" {
		dock.skip(t, why)
		t.Skip(why)
	}
	return repository, tag
}

// skip notes for the end of the run what a test does not do.
func (d *docks) skip(t *testing.T, why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.skipped[t.Name()] = why
}

func split(name string) (repository, tag string) {
	if at := strings.LastIndexByte(name, ':'); at > strings.LastIndexByte(name, '/') {
		return name[:at], name[at+1:]
	}
	return name, "latest"
}

// container is a running switch.
type container struct {
	t        *testing.T
	resource *dockertest.Resource
	at       place
	front    string     // where it listens first of all
	conf     string     // folder of an Asterisk's files
	writes   sync.Mutex // held while one of them is changed
}

// start runs an image on the host's network. mounts are host:container pairs.
// Of a test that fails, PARLEY_TEST_LOGS is the folder for the whole log.
func start(t *testing.T, i image, entry, cmd, mounts []string) *container {
	t.Helper()
	repository, tag := i.find(t)
	r, err := dock.pool.RunWithOptions(&dockertest.RunOptions{
		Repository: repository, Tag: tag, Entrypoint: entry, Cmd: cmd, Mounts: mounts, Labels: map[string]string{label: strconv.Itoa(dock.land.run)},
		Tty: true, // else the switch keeps its log lines back until it has a block of them
	}, func(h *docker.HostConfig) {
		h.NetworkMode = "host"
		h.PublishAllPorts = false
		h.AutoRemove = false
		h.RestartPolicy = docker.RestartPolicy{Name: "no"}
	})
	if err != nil {
		t.Fatalf("%s: %v", i.name, err)
	}
	c := &container{t: t, resource: r}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s log, last lines:\n%s", i.name, c.log(60))
			if dir := os.Getenv("PARLEY_TEST_LOGS"); dir != "" {
				_ = os.WriteFile(filepath.Join(dir, r.Container.Name[1:]+".log"), []byte(c.log(100_000)), 0o644)
			}
		}
		_ = dock.pool.Purge(r)
	})
	return c
}

// kill is kill -9 of everything in it.
func (c *container) kill() {
	c.t.Helper()
	if err := dock.pool.Client.KillContainer(docker.KillContainerOptions{ID: c.resource.Container.ID, Signal: docker.SIGKILL}); err != nil {
		c.t.Fatal(err)
	}
}

// again starts a container that was killed.
func (c *container) again() {
	c.t.Helper()
	if err := dock.pool.Client.StartContainer(c.resource.Container.ID, nil); err != nil {
		c.t.Fatal(err)
	}
	listening(c.t, c.front)
}

// log returns the last lines of the container's output.
func (c *container) log(lines int) string {
	var out bytes.Buffer
	_ = dock.pool.Client.Logs(docker.LogsOptions{
		Container: c.resource.Container.ID, OutputStream: &out, ErrorStream: &out, Stdout: true, Stderr: true,
		Tail: fmt.Sprint(lines), RawTerminal: c.resource.Container.Config.Tty,
	})
	return out.String()
}

// exec runs a command in the container and returns its output.
func (c *container) exec(cmd ...string) string {
	c.t.Helper()
	var out bytes.Buffer
	if _, err := c.resource.Exec(cmd, dockertest.ExecOptions{StdOut: &out, StdErr: &out}); err != nil {
		c.t.Fatalf("exec %v: %v", cmd, err)
	}
	return out.String()
}

// startTime is how long a program may take to start. That is no test's subject,
// and a busy machine's is long.
const startTime = 2 * time.Minute

// eventually repeats look until it says ok; it fails the test after limit.
func eventually(t *testing.T, limit time.Duration, what string, look func() (string, bool)) string {
	t.Helper()
	last := ""
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var ok bool
		if last, ok = look(); ok {
			return last
		}
	}
	t.Fatalf("%s did not happen within %v; last seen: %s", what, limit, last)
	return ""
}
