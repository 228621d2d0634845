package adapter_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"parley/adapter/config"
	"parley/adapter/control"
	"parley/engine"
	"parley/sip"
	"parley/sip/siptest"
)

// foreigners are callers from outside sip.trusted.
func foreigners(c *config.Config) {
	c.SIP.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
}

// call dials from an address with headers, as somebody.
func (s *siege) call(t *testing.T, host, user, room string, headers ...sip.Header) (*siptest.Call, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return phone(t, siptest.Options{Host: host, User: user}).Dial(ctx, "sip:"+room+"@"+s.config.SIP.Listen,
		siptest.CallOptions{Headers: headers})
}

// logged waits for a line with all of these texts.
func (s *siege) logged(t *testing.T, texts ...string) string {
	t.Helper()
	found := ""
	if !eventually(10*time.Second, func() bool {
		for _, line := range s.log.lines() {
			if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
				found = line
				return true
			}
		}
		return false
	}) {
		t.Errorf("no line with %q is logged", texts)
	}
	return found
}

func header(name, value string) sip.Header { return sip.Header{Name: "X-Parley-" + name, Value: value} }

func TestPINGuessersAreBraked(t *testing.T) {
	const pin = "471147"
	s := &siege{log: &logBook{}}
	s.parley = s.open(t, func(c *config.Config) {
		foreigners(c)
		c.Profiles[0].Member.PINs = []engine.PIN{engine.NewPIN(pin)}
		c.Profiles[0].ThrottledSound = "" // the call is over at once
	})
	guess := func(host, user, pin string) *siptest.Call {
		c, err := s.call(t, host, user, "3001", header("Pin", pin))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for i := range 5 { // whatever a foreigner calls himself, he is one
		guess(attacker, fmt.Sprint("guesser", i), fmt.Sprint(990000+i))
	}
	guess(attacker, "sixth", pin)
	s.logged(t, "participant.rejected", "caller=sixth", "reason=throttled")
	for i := range 20 { // a switch's callers are told apart, but counted together as well
		guess("127.0.0.1", fmt.Sprint("of-switch", i), fmt.Sprint(990000+i))
	}
	s.parley.until(t, "3001", "with all of them", func(v engine.RoomView) bool { return v.Prompting >= 25 })
	guess("127.0.0.1", "last", pin)
	s.logged(t, "participant.rejected", "caller=last", "reason=throttled")
	guess("127.0.0.4", "honest", pin)
	s.logged(t, "participant.joined", "caller=honest")
	for _, line := range s.log.lines() {
		if strings.Contains(line, pin) || strings.Contains(line, "99000") {
			t.Errorf("a PIN is logged: %s", line)
		}
	}
}

func TestForeignersMaySayLittle(t *testing.T) {
	s := &siege{log: &logBook{}}
	s.parley = s.open(t, foreigners)
	for _, tt := range []struct {
		host string
		want []string
	}{
		{attacker, []string{"participant.joined", "room=3001", "caller=127.0.0.3", "role=member"}},
		{"127.0.0.1", []string{"participant.joined", "room=4001", "caller=127.0.0.1", "role=moderator"}},
	} {
		c, err := s.call(t, tt.host, tt.host, "3001", header("Role", "moderator"), header("Room", "4001"),
			header("Enter-Sound", "/etc/passwd"), header("Flags", "moderator|endconf"), header("Muted", "true"))
		if err != nil {
			t.Fatal(err)
		}
		s.logged(t, tt.want...)
		defer c.Hangup()
	}
	for _, name := range []string{"Role", "Room", "Enter-Sound", "Flags"} {
		s.logged(t, "X-Parley-"+name+" is ignored")
	}
	for _, token := range []string{"~", "~a", "~" + strings.Repeat("a", 26), "~%00", "~..%2f"} {
		_, err := s.call(t, attacker, "x", token)
		if refused := new(sip.StatusError); !errors.As(err, &refused) || refused.Code != 404 && refused.Code != 400 {
			t.Errorf("token %q: %v", token, err)
		}
	}
}

// Sounds that a dialplan names, perhaps out of what a caller said.
func TestSoundsThatNobodyShouldName(t *testing.T) {
	s := &siege{log: &logBook{}}
	s.parley = s.open(t, func(c *config.Config) { c.SoundsDir = t.TempDir() })
	first, err := s.call(t, "127.0.0.1", "first", "3001")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Hangup()
	for i, spec := range []string{
		"/etc/passwd", "../../../../etc/passwd", "..", "/proc/self/environ", "/dev/zero", "//dev/stdin", "local_stream://../../etc/passwd",
		"file_string:///etc/passwd!/etc/shadow", "say:$(reboot)", "recorded:" + strings.Repeat("x", 900), "http://127.0.0.1/",
		"tone_stream://L=1000000;%(60000,0,400);loops=10000", "tone_stream://" + strings.Repeat("%(1,1,1)", 120), strings.Repeat("../", 300),
	} {
		user := fmt.Sprint("caller", i)
		c, err := s.call(t, "127.0.0.1", user, "3001", header("Enter-Sound", spec), header("Language", "../../etc"))
		if err != nil {
			t.Errorf("%q: %v", spec, err)
			continue
		}
		s.logged(t, "participant.joined", "caller="+user)
		c.Hangup()
	}
	for _, line := range s.log.lines() {
		if strings.Contains(line, "root:") || strings.Contains(line, "panic") {
			t.Errorf("log: %s", line)
		}
	}
}

// wildNames are callers who would rather be something else.
func wildNames() []string {
	long := strings.Repeat("A", 10_000)
	return []string{
		"%0aERROR%20forged", "%0d%0aX-Parley-Role:%20moderator", "%00", "%c2%85", "%e2%80%a8", "%1b[2J", "%22%20level=ERROR%20msg=%22",
		`"`, `\`, "a b", "%", "%zz", "%ff%fe", "${system reboot}", "%24%7bhash%7d", "a;b=c", "a|b,c", "%25n%25s", long, "..%2f..%2fetc", "%e2%80%ae",
	}
}

func TestWildNamesAreTamed(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			s := &siege{log: &logBook{json: format == "json"}}
			s.parley = s.open(t, func(c *config.Config) {
				foreigners(c)
				c.SIP.Trusted = append(c.SIP.Trusted, netip.MustParsePrefix(attacker+"/32"))
			})
			c := udpFrom(t, s.config.SIP.Listen)
			got := newAnswered()
			got.confirms = true
			go got.read(c) // ends with c
			sdp := offer(netip.MustParseAddrPort(attacker + ":9"))
			var all [][]byte
			add := func(user, from string, headers ...string) {
				n := len(all)
				m := string(invite(c.LocalAddr(), user, n, sdp, headers...))
				all = append(all, []byte(strings.Replace(m, fmt.Sprintf("\"caller %d\" <sip:%d@", n, n%100), from, 1)))
			}
			for _, w := range wildNames() {
				add(w, `"x" <sip:x@`)
				add("5001", `"`+w+`" <sip:x@`)
				add("5001", `"x" <sip:`+w+"@")
				add("5001", `<sip:x@`, "X-Parley-Role: "+w, "X-Parley-"+w+": 1", "X-Parley-Room: "+w, "User-Agent: "+w)
				add("5001", `<sip:x@`, "X-Evil: a\nX-Parley-Role: moderator", "X-Parley-Language: "+w, "X-Parley-Pin: "+w)
			}
			paced(t.Context(), len(all), 5, func(i int) { _, _ = c.Write(all[i]) })
			// What is no SIP at all has no answer.
			if !eventually(3*time.Second, func() bool { return got.count() >= len(all)-6 }) {
				t.Errorf("%d of %d were answered", got.count(), len(all))
			}
			s.roomsAreTame(t)
			s.logIsTame(t)
		})
	}
}

// roomsAreTame looks at what the API shows, and ends the room.
func (s *siege) roomsAreTame(t *testing.T) {
	t.Helper()
	api := control.Client{Base: "http://" + s.config.HTTP.Listen, HTTP: http.DefaultClient}
	var r engine.RoomView
	if !eventually(10*time.Second, func() (all bool) { // who has an answer has still to come in
		var err error
		r, err = api.Room(t.Context(), "5001")
		return err == nil && len(r.Members) >= len(wildNames())
	}) {
		t.Errorf("%d members", len(r.Members))
	}
	for _, m := range r.Members {
		for _, text := range []string{m.Name, m.Number, string(m.CallID)} {
			if len(text) > 256 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%d bytes are shown: %.300q", len(text), text)
			}
		}
		if m.Role != "member" && m.Name != "x" {
			t.Errorf("%+v", m)
		}
	}
	if err := api.End(t.Context(), "5001"); err != nil {
		t.Error(err)
	}
}

// logIsTame says whether every line is one record and all of it can be shown.
func (s *siege) logIsTame(t *testing.T) {
	t.Helper()
	record := regexp.MustCompile(`^(time=\S+ level=[A-Z]+ msg=|\{"time":"[^"]+","level":"[A-Z]+","msg":)`)
	for _, line := range s.log.lines() {
		if !record.MatchString(line) || len(line) > 1500 || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("a line of %d bytes: %.300q", len(line), line)
		}
	}
}
