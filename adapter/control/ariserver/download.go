package ariserver

import (
	"net/http"
	"os"
	"time"
)

// readTime is how long a client that downloads a recording may take for the next
// 32 kB of it. All of it may take as long as it takes.
const readTime = 30 * time.Second

// download sends a recording, or the parts of it that are asked for, and closes it.
func download(w http.ResponseWriter, r *http.Request, f *os.File) {
	defer f.Close()
	var changed time.Time // unknown
	if about, err := f.Stat(); err == nil {
		changed = about.ModTime()
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache, no-store")
	h.Set("Content-Type", "audio/wav")
	http.ServeContent(patient{w}, r, "", changed, f)
}

// patient is an answer that may take any time as long as its client reads: the
// server's deadline moves on with each write.
type patient struct{ http.ResponseWriter }

// Write implements io.Writer.
func (p patient) Write(b []byte) (int, error) {
	_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Now().Add(readTime)) // one that has none waits for ever
	return p.ResponseWriter.Write(b)
}
