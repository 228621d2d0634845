package sip

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"parley/codec"
)

// page is a log.
type page struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// TestARefusedCodecIsTold names what was offered and what we have.
func TestARefusedCodecIsTold(t *testing.T) {
	for _, tt := range []struct{ name, formats, lines, want string }{
		{"names", "96 97 101", "a=rtpmap:96 AMR/8000\r\na=rtpmap:97 iLBC/8000\r\na=rtpmap:101 telephone-event/8000\r\n", "AMR,iLBC"},
		{"numbers of old", "18 4 13", "a=rtpmap:13 CN/8000\r\n", "G729,G723"},
		{"ours, at another clock", "96 97", "a=rtpmap:96 L16/48000\r\na=rtpmap:97 L16/8000/2\r\n", "L16/48000,L16/8000/2"},
		{"twice", "96 97", "a=rtpmap:96 AMR/8000\r\na=rtpmap:97 AMR/8000\r\n", "AMR"},
		{"nothing that has a name", "77", "", "nothing known"},
		{"a name that steers", "96", "a=rtpmap:96 \x1b[2J,x/8000\r\n", "[2Jx"},
		{"a long name", "96", "a=rtpmap:96 " + strings.Repeat("x", 99) + "/8000\r\n", strings.Repeat("x", 32)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := &page{}
			o := Options{
				Codecs: []codec.Format{codec.PCMU(), codec.PCMA(), codec.L16(16000), codec.L16(8000)},
				Log:    slog.New(slog.NewTextHandler(log, nil)),
			}
			bubble(t, o, func(t *testing.T, r *rig) {
				l := r.p.leg()
				m := l.invite(strings.Replace(pcmuSDP, "0 8 101", tt.formats, 1))
				head, _, _ := strings.Cut(m.body, "a=")
				m.body = head + tt.lines
				r.p.send(m)
				r.p.response(488)
				synctest.Wait()
				want := ": 488, offered " + tt.want + "; we have PCMU,PCMA,L16. [no_codec]\""
				if text := log.String(); !strings.Contains(text, `msg="call `) || !strings.Contains(text, want) {
					t.Errorf("no %s in %s", want, text)
				}
			})
		})
	}
}
