package eventsocket

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/esl"
)

func TestWrongPasswordsAreSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server()
		begin := time.Now()
		for i := range 10 {
			c := dial(t, s)
			c.says("auth guess "+strconv.Itoa(i), "-ERR invalid")
			if m := c.read(); m.Type() != "text/disconnect-notice" {
				t.Errorf("then %v", m.Headers)
			}
		}
		if took := time.Since(begin); took < 30*time.Second {
			t.Errorf("ten guesses took %v", took)
		}
		begin = time.Now()
		enter(t, s)
		if took := time.Since(begin); took == 0 || took > 10*time.Second {
			t.Errorf("the right one, after wrong ones, took %v", took)
		}
		begin = time.Now()
		enter(t, s)
		if took := time.Since(begin); took != 0 {
			t.Errorf("and the next one %v", took)
		}
	})
}

// TestAnOldPasswordKeepsNobodyOut: a program that has it tries and tries, from the
// address of who has the new one.
func TestAnOldPasswordKeepsNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server()
		begin := time.Now()
		for range 50 {
			dial(t, s).says("auth old", "-ERR invalid")
		}
		enter(t, s)
		if took := time.Since(begin); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}

func TestLoginTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dial(t, server())
		begin := time.Now()
		if m := c.read(); m.Type() != "text/disconnect-notice" || time.Since(begin) != loginTime {
			t.Errorf("%v after %v", m.Headers, time.Since(begin))
		}
	})
}

func TestUsers(t *testing.T) {
	s := New(Options{Password: "secret", API: echo, Users: func() []User {
		return []User{
			{Name: "bob@pbx", Password: "b", API: []string{"echo", "bgapi"}, Events: []string{"conference::maintenance"}, NoLog: true},
		}
	}})
	synctest.Test(t, func(t *testing.T) {
		c := dial(t, s)
		m := c.ask("userauth bob:b@pbx")
		for name, want := range map[string]string{
			"Reply-Text": "+OK accepted", "Allowed-Events": "conference::maintenance", "Allowed-API": "echo bgapi", "Allowed-LOG": "false",
		} {
			if m.Value(name) != want {
				t.Errorf("%s: %q", name, m.Value(name))
			}
		}
		c.says("api slow", "-ERR permission denied")
		c.says("bgapi slow", "-ERR permission denied")
		c.says("bgapi bgapi slow", "-ERR permission denied")
		c.says("api bgapi uuid:x slow", "-ERR permission denied")
		c.says("api bgapi uuid:echo slow", "-ERR permission denied")
		c.says("bgapi bgapi uuid:x bgapi slow", "-ERR permission denied")
		if m := c.ask("api slow;;status\nconsole_execute: true"); string(m.Body) != "-ERR permission denied\n-ERR permission denied\n" {
			t.Errorf("%q", m.Body)
		}
		c.says("myevents u-1", "-ERR permission denied")
		c.says("log 7", "-ERR permission denied")
		c.says("event plain all", "-ERR permission denied")
		c.says("sendevent CUSTOM", "-ERR permission denied")
		c.says("event plain CUSTOM conference::maintenance", "+OK event listener enabled plain")
		if m := c.ask("api echo hello"); string(m.Body) != "hello" {
			t.Errorf("%q", m.Body)
		}
		for _, wrong := range []string{"userauth bob@pbx:x", "userauth secret", "userauth eve@pbx:b", "userauth :secret"} {
			dial(t, s).says(wrong, "-ERR invalid")
		}
	})
}

// TestGuessesInParallel are as slow as one after the other.
func TestGuessesInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server()
		begin := time.Now()
		var group sync.WaitGroup
		var mu sync.Mutex
		judged := 0
		for i := range 8 {
			group.Go(func() {
				for n := 0; time.Since(begin) < 5*time.Minute; n++ {
					c := dial(t, s)
					if m, err := c.tell(fmt.Sprintf("auth guess %d of %d", n, i)); err == nil && m.Value("Reply-Text") == "-ERR invalid" {
						mu.Lock()
						judged++
						mu.Unlock()
					}
				}
			})
		}
		group.Wait()
		if judged < 25 || judged > 40 { // 3, then 0.5 1 2 4 8 s, then one in 10 s
			t.Errorf("%d guesses were judged in 5 minutes", judged)
		}
	})
}

// TestGuessersWhoComeAgainAtOnce keep nobody out at whose address they are: each
// has his turn.
func TestGuessersWhoComeAgainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server()
		enter(t, s)
		over := make(chan struct{})
		var group sync.WaitGroup
		const guessers = 60
		for i := range guessers {
			group.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-over:
						return
					default:
						_, _ = dial(t, s).tell(fmt.Sprintf("auth guess %d of %d", n, i)) // it may be cut off at the end
					}
				}
			})
		}
		time.Sleep(time.Minute)
		for range 5 {
			begin := time.Now()
			enter(t, s)
			if took := time.Since(begin); took > (guessers+1)*250*time.Millisecond {
				t.Errorf("the right one took %v", took)
			}
		}
		close(over)
		group.Wait()
	})
}

// TestASourceFullOfGuests lets in who comes and logs in: the oldest make room.
func TestASourceFullOfGuests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server()
		var idle []*client
		for range DefaultMaxGuests {
			idle = append(idle, dial(t, s))
		}
		in := enter(t, s)
		enter(t, s)
		if _, err := idle[0].r.Message(); !errors.Is(err, io.EOF) {
			t.Errorf("the oldest: %v", err)
		}
		idle[1].says("auth secret", "+OK accepted")
		for range 3 * DefaultMaxGuests {
			dial(t, s)
		}
		in.says("nolog", "-ERR not loging") // who is in stays
		synctest.Wait()
		if n := len(s.all()); n != DefaultMaxGuests+3 || s.Clients() != 3 {
			t.Errorf("%d connections, %d logged in", n, s.Clients())
		}
	})
}

// TestFullOfClients refuses one more, as nobody can make room.
func TestFullOfClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Password: "secret", API: echo, MaxConns: 2})
		enter(t, s)
		enter(t, s)
		ours, theirs := net.Pipe()
		go s.Talk(t.Context(), theirs)
		if _, err := esl.NewReader(ours).Message(); !errors.Is(err, io.EOF) {
			t.Errorf("the third: %v", err)
		}
	})
}

// TestStrangersSendLittle: what costs memory is for clients.
func TestStrangersSendLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, in := range []string{"auth x\nContent-Length: 10\n\n0123456789", "auth " + strings.Repeat("x", guestHead) + "\n\n"} {
			c := dial(t, server())
			go func() { _, _ = io.WriteString(c.nc, in) }() // it is not all taken
			if m, err := c.r.Message(); err != nil || m.Type() != "text/disconnect-notice" {
				t.Errorf("%.10q: %v %v", in, m, err)
			}
		}
		c := enter(t, server())
		c.says("nolog\nX: "+strings.Repeat("x", 2*guestHead), "-ERR not loging")
	})
}

// TestWhoIsNotOnTheListIsToldSo, in the switch's words, and is not counted.
func TestWhoIsNotOnTheListIsToldSo(t *testing.T) {
	s := New(Options{Password: "secret", API: echo, Allowed: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, MaxConns: 1})
	at := listen(t, s)
	for range 3 {
		nc, err := new(net.Dialer).DialContext(t.Context(), "tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		r := esl.NewReader(nc)
		for _, want := range []string{"text/rude-rejection", "text/disconnect-notice"} {
			if m, err := r.Message(); err != nil || m.Type() != want {
				t.Errorf("%v %v, want %s", m, err, want)
			}
		}
		if _, err := r.Message(); !errors.Is(err, io.EOF) {
			t.Errorf("then %v", err)
		}
		_ = nc.Close()
	}
}

// TestAUserWhoHasChangedLogsInAgain: what he has logged in with counts no more. Others
// stay, who has logged in by "auth" too.
func TestAUserWhoHasChangedLogsInAgain(t *testing.T) {
	was := User{Name: "bob@pbx", Password: "b", API: []string{"echo", "slow"}, Events: []string{"HEARTBEAT"}}
	for _, tt := range []struct {
		name string
		now  []User
		stay bool
	}{
		{"as he was", []User{was}, true},
		{"in another order", []User{{was.Name, "b", []string{"slow", "echo"}, was.Events, false}}, true},
		{"gone", nil, false},
		{"another password", []User{{was.Name, "c", was.API, was.Events, false}}, false},
		{"another command", []User{{was.Name, "b", []string{"slow"}, was.Events, false}}, false},
		{"another event", []User{{was.Name, "b", was.API, []string{"CUSTOM"}, false}}, false},
		{"no log", []User{{was.Name, "b", was.API, was.Events, true}}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			users := []User{was}
			s := New(Options{Password: "secret", API: echo, Users: func() []User { return users }})
			other, c := enter(t, s), dial(t, s)
			c.says("userauth bob:b@pbx", "+OK accepted")
			c.says("event plain HEARTBEAT", "+OK event listener enabled plain")
			users = tt.now
			s.UsersChanged()
			s.Fire("HEARTBEAT", "", nil, nil)
			if m := c.read(); (m.Type() == "text/event-plain") != tt.stay || !tt.stay && string(m.Body) != otherUser {
				t.Errorf("%s: %v %s", tt.name, m.Headers, m.Body)
			}
			if m, err := c.tell("api echo x"); (err == nil) != tt.stay {
				t.Errorf("%s: %v %v", tt.name, m, err)
			}
			other.says("nolog", "-ERR not loging")
		})
	}
}

// TestAUserWhoChangesWhileHeWaits for his password to be judged, does not get in.
func TestAUserWhoChangesWhileHeWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		users := []User{{Name: "bob@pbx", Password: "b"}}
		s := New(Options{Password: "secret", API: echo, Users: func() []User { return users }})
		for i := range 5 {
			dial(t, s).says("userauth bob:"+strconv.Itoa(i)+"@pbx", "-ERR invalid")
		}
		c := dial(t, s)
		c.send("userauth bob:b@pbx\n\napi echo x\n\n")
		synctest.Wait()
		users = nil
		s.UsersChanged()
		if m, err := c.r.Message(); err == nil && m.Type() != "text/disconnect-notice" {
			t.Errorf("%v", m.Headers)
		}
	})
}
