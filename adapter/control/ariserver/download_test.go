package ariserver

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"parley/recording"
)

// oneConn is a listener with one connection.
type oneConn struct {
	conns chan net.Conn
	end   chan struct{}
}

func (l oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.end:
		return nil, net.ErrClosed
	}
}
func (l oneConn) Close() error   { close(l.end); return nil }
func (l oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// downloads has a client fetch a recording of a server that gives its answers 30 s,
// and read 16 kB every so often: what it got, and why no more.
func downloads(t *testing.T, content []byte, every time.Duration, header string) (got []byte, status int, err error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "long.wav"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.opt.Recordings = recording.NewDir(dir)
		near, far := net.Pipe()
		l := oneConn{make(chan net.Conn, 1), make(chan struct{})}
		l.conns <- far
		server := &http.Server{Handler: s, WriteTimeout: 30 * time.Second}
		over := make(chan error, 1)
		go func() { over <- server.Serve(l) }()
		defer func() { _ = server.Close(); <-over }()
		defer near.Close()
		r, _ := http.NewRequest(http.MethodGet, "http://parley.test/ari/recordings/stored/long/file", nil)
		r.SetBasicAuth("u", "p:w")
		if header != "" {
			r.Header.Set("Range", header)
		}
		if err = r.Write(near); err != nil {
			return
		}
		var res *http.Response
		if res, err = http.ReadResponse(bufio.NewReaderSize(near, 16<<10), r); err != nil {
			return
		}
		status = res.StatusCode
		part := make([]byte, 16<<10)
		for err == nil {
			var n int
			n, err = res.Body.Read(part)
			got = append(got, part[:n]...)
			time.Sleep(every)
		}
		_ = res.Body.Close()
	})
	return got, status, err
}

func TestADownloadTakesAsLongAsItsClientReads(t *testing.T) {
	content := bytes.Repeat([]byte("RIFF and what follows it"), 100_000)
	if got, _, err := downloads(t, content, 5*time.Second, ""); err != io.EOF || !bytes.Equal(got, content) { //nolint:errorlint // of package io
		t.Errorf("slowly it gets %d of %d bytes, %v", len(got), len(content), err)
	}
	if got, _, err := downloads(t, content, 5*time.Minute, ""); err == io.EOF || len(got) >= len(content) { //nolint:errorlint // of package io
		t.Errorf("who hardly reads gets %d of %d bytes, %v", len(got), len(content), err)
	}
	got, status, _ := downloads(t, content, 0, "bytes=5-7")
	if status != http.StatusPartialContent || string(got) != "and" {
		t.Errorf("a part of it: %d %q", status, got)
	}
}
