package phone_test

import (
	"bytes"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/adapter/phone"
	"parley/engine"
)

// journal is a log that a test waits for.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer  // guarded by mu
	news chan struct{} // guarded by mu; closed at the next line
}

func newJournal() *journal { return &journal{news: make(chan struct{})} }

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	close(j.news)
	j.news = make(chan struct{})
	return j.text.Write(b)
}

func (j *journal) read() (text string, news <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String(), j.news
}

// line waits for a line that begins with a message.
func (j *journal) line(t *testing.T, begins string) string {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		text, news := j.read()
		if _, rest, ok := strings.Cut(text, `msg="`+begins); ok {
			rest, _, _ = strings.Cut(rest, "\n")
			return begins + strings.TrimSuffix(rest, `"`)
		}
		select {
		case <-news:
		case <-limit.C:
			t.Fatalf("no %q in\n%s", begins, text)
		}
	}
}

// TestACallThatSendsNothingIsToldOf has callers whose audio never comes: one
// behind a firewall, one that says where nobody can reach it, and one that
// sends what was not agreed on; and two who are all right.
func TestACallThatSendsNothingIsToldOf(t *testing.T) {
	t.Parallel()
	log := newJournal()
	const unheard = 500 * time.Millisecond
	o := open(t, settings{unheard: unheard, log: log, ports: [2]uint16{14000, 14999}})
	const tail = `\. Firewall or NAT\? Range 14000-14999/udp, advertised address 127\.0\.0\.1 \(set media\.advertise\)`
	speaker := o.dial(t, "unheard", low())
	held := newCaller(t, o)
	held.ack(held.invite("unheard", held.describe("0 PCMU/8000", "a=sendonly")), "")
	for _, tt := range []struct {
		name  string
		sdp   func(*caller) string
		sends bool
		want  string
	}{
		{"nothing", func(c *caller) string { return c.describe("0 PCMU/8000") }, false, `to 127\.0\.0\.1:\d+` + tail + `\. \[no_media\]`},
		{
			"another address", func(c *caller) string {
				return strings.Replace(c.describe("0 PCMU/8000"), "c=IN IP4 127.0.0.1", "c=IN IP4 172.17.0.2", 1)
			}, false, `to 172\.17\.0\.2:\d+( and dropped \d+ by send)?` + tail + `; the caller advertises 172\.17\.0\.2, which we cannot reach: docker network\? \[media_addr\]`,
		},
		{
			"an address of another network", func(c *caller) string { // of the documentation's, where nobody is
				return strings.Replace(c.describe("0 PCMU/8000"), "c=IN IP4 127.0.0.1", "c=IN IP4 192.0.2.7", 1)
			}, false, `to 192\.0\.2\.7:\d+( and dropped \d+ by send)?` + tail + `\. \[no_media\]`,
		},
		{"another codec", func(c *caller) string { return c.describe("0 PCMU/8000") }, true, `to 127\.0\.0\.1:\d+ and dropped \d+ by payload` + tail + `\. \[no_media\]`},
	} {
		c := newCaller(t, o)
		answer := c.invite("unheard", tt.sdp(c))
		c.ack(answer, "")
		id := line(answer, "Call-ID")
		if tt.sends {
			c.shout(answer)
		}
		got := log.line(t, "leg "+id)
		want := regexp.MustCompile(`^leg ` + regexp.QuoteMeta(id) + ` from 127\.0\.0\.1 #\d+: no media received in 0\.5 s; we sent \d+ packets ` + tt.want + `$`)
		if !want.MatchString(got) {
			t.Errorf("%s: %s\nwant %s", tt.name, got, want)
		}
	}
	if text, _ := log.read(); strings.Count(text, "no media received") != 4 {
		t.Errorf("one who was heard, or holds, is told of:\n%s", text)
	}
	speaker.Hangup()
	<-speaker.Done()
}

// shout sends packets of a type that was not agreed on.
func (c *caller) shout(answer string) {
	c.t.Helper()
	var port int
	for l := range strings.SplitSeq(answer, "\r\n") {
		_, _ = fmt.Sscanf(l, "m=audio %d ", &port)
	}
	packet := append([]byte{0x80, 96}, make([]byte, 170)...)
	for i := range 8 { // at once: no more than the socket keeps
		packet[3] = byte(i)
		if _, err := c.audio.WriteTo(packet, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}); err != nil {
			c.t.Fatal(err)
		}
	}
}

// lent is a call of a switch, whose media it has sent us.
type lent struct{ *phone.Media }

func (l lent) Release(engine.Outcome) { l.HangUp() }

// TestTheSwitchIsNamed: of a call with a token it is the switch that says where
// its audio is, and the line tells whose it is in the room.
func TestTheSwitchIsNamed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, at, leg, room, tail string }{
		{"an address of nobody", "192.0.2.7", "pbx1 #1", "named-1", `. [no_media]`},
		{
			"an address behind it", "10.255.0.2", "pbx1 #1", "named-2",
			`; the switch advertises 10.255.0.2, which we cannot reach: docker network? [media_addr]`,
		},
		{"in no room yet", "192.0.2.7", "from 127.0.0.1", "", `. [no_media]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			log := newJournal()
			o := open(t, settings{unheard: time.Second, log: log, ports: [2]uint16{14000, 14999}})
			ticket := o.Ticket(engine.LegID("of-the-switch"))
			c := newCaller(t, o)
			c.ack(c.invite(ticket.Token(), strings.Replace(c.describe("0 PCMU/8000"), "c=IN IP4 127.0.0.1", "c=IN IP4 "+tt.at, 1)), "")
			m, err := ticket.Wait(limited(t))
			if err != nil {
				t.Fatal(err)
			}
			if tt.room != "" {
				sink := o.Arrive(lent{m}, engine.Invite{Room: tt.room, Kind: "freeswitch", Switch: "pbx1"})
				m.Attach(sink)
				sink.Post(engine.MediaUp{Leg: m.ID()})
				o.until(t, tt.room, "joined", present(1))
			}
			want := regexp.MustCompile(`^leg of-the-switch ` + regexp.QuoteMeta(tt.leg) + `: no media received in 1 s; we sent \d+ packets to ` +
				regexp.QuoteMeta(tt.at) + `:\d+( and dropped \d+ by send)?\. Firewall or NAT\? Range 14000-14999/udp, advertised address 127\.0\.0\.1 ` +
				`\(set media\.advertise\)` + regexp.QuoteMeta(tt.tail) + `$`)
			if got := log.line(t, "leg of-the-switch "); !want.MatchString(got) {
				t.Errorf("%s\nwant %s", got, want)
			}
			m.HangUp()
			<-m.Done()
		})
	}
}
