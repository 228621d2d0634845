package ariserver

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"parley/engine"
	"parley/internal/pace"
	"parley/recording"
)

func newServer() *Server {
	return New(Options{
		Users: func() []User { return []User{{Name: "u", Password: "p:w"}} }, Log: slog.New(slog.DiscardHandler), Version: "1",
		Recordings: recording.NewDir("/nonexistent/recordings"),
	})
}

// get asks as the user.
func get(t *testing.T, s *Server, path string) *httptest.ResponseRecorder {
	t.Helper()
	return ask(t, s, http.MethodGet, path)
}

func ask(t *testing.T, s *Server, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://parley.test:8085/ari"+path, nil)
	r.SetBasicAuth("u", "p:w")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// TestEveryEventIsDescribed: a client that gets an event without a description
// dies of it.
func TestEveryEventIsDescribed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	sent := regexp.MustCompile(`(?:tell|begin)\("(\w+)"|kind (?::=|=) "(Channel\w+)"`)
	n := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil || strings.HasSuffix(f, "_test.go") {
			continue
		}
		for _, m := range sent.FindAllStringSubmatch(string(text), -1) {
			n++
			if name := m[1] + m[2]; eventTypes()[name] == nil {
				t.Errorf("%s: %s is not described", f, name)
			}
		}
	}
	if n < 15 {
		t.Errorf("only %d places found", n)
	}
}

func TestDescriptionsAreWhatClientsNeed(t *testing.T) {
	s := newServer()
	var list listing
	if err := json.Unmarshal(get(t, s, "/api-docs/resources.json").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if list.BasePath != "http://parley.test:8085/ari" || len(list.APIs) != 11 {
		t.Errorf("%+v", list)
	}
	for _, res := range resources() {
		var d declaration
		w := get(t, s, "/api-docs/"+res+".json")
		if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Code != http.StatusOK || len(d.APIs) == 0 {
			t.Fatalf("%s: %d %v", res, w.Code, err)
		}
		for _, api := range d.APIs {
			for _, o := range api.Operations {
				class := strings.TrimSuffix(strings.TrimPrefix(o.Class, "List["), "]")
				if _, known := d.Models[class]; !known && class != "void" && class != "binary" {
					t.Errorf("%s %s returns an unknown %s", res, o.Nickname, class)
				}
				for _, p := range o.Params {
					if p.Class == "" || p.Kind == "path" && !strings.Contains(api.Path, "{"+p.Name+"}") {
						t.Errorf("%s %s: parameter %+v", res, o.Nickname, p)
					}
				}
			}
		}
		for name, m := range d.Models {
			if len(m.Properties) == 0 {
				t.Errorf("model %s has no properties", name)
			}
		}
	}
	if w := get(t, s, "/api-docs/other.json"); w.Code != http.StatusNotFound {
		t.Errorf("other: %d", w.Code)
	}
}

// TestWhatIsSentHasAllItMust compares with the fields that clients need, and
// that none is null.
func TestWhatIsSentHasAllItMust(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 5e6, time.FixedZone("", 3600))
	e := &stasisStart{Args: []string{}, Channel: channel{ID: "1", CreationTime: stamp(at)}}
	e.begin("StasisStart", at, "02:00:00:00:00:01")
	got := string(addressed(frame(e), `a"b`))
	want := `{"type":"StasisStart","timestamp":"2026-11-29T11:00:00.005+0000","asterisk_id":"02:00:00:00:00:01","args":[],` +
		`"channel":{"id":"1","name":"","state":"","protocol_id":"","caller":{"name":"","number":""},"connected":{"name":"","number":""},` +
		`"accountcode":"","dialplan":{"context":"","exten":"","priority":0,"app_name":"","app_data":""},` +
		`"creationtime":"2026-11-29T11:00:00.005+0000","language":""},"application":"a\"b"}`
	if got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	for name, v := range eventTypes() {
		text, err := json.Marshal(v)
		if err != nil || strings.Contains(strings.ReplaceAll(string(text), `"channels":null`, ""), "null") && name != "StasisStart" && name != "ChannelUserevent" {
			t.Errorf("%s: %s %v", name, text, err)
		}
	}
}

func TestParametersComeInAnyForm(t *testing.T) {
	for _, tt := range []struct{ name, query, kind, body, want string }{
		{"query", "a=1&b=x,y", "", "", "map[a:1 b:x,y] map[]"},
		{"form", "", "application/x-www-form-urlencoded", "a=1&b=x", "map[a:1 b:x] map[]"},
		{"JSON", "", "application/json", `{"a":1,"b":["x","y"],"c":true,"d":null,"e":{"f":1}}`, "map[a:1 b:x,y c:true] map[]"},
		{"JSON without its name", "", "", `{"a":9007199254740993}`, "map[a:9007199254740993] map[]"},
		{"empty JSON", "a=1", "application/json", "", "map[a:1] map[]"},
		{"form, query, body", "a=2&b=2", "application/json", `{"a":3}`, "map[a:3 b:2] map[]"},
		{"variables", "", "application/json", `{"variables":{"X":"1","Y":2,"Z":{"value":"3","report_events":true}}}`, "map[] map[X:1 Y:2 Z:3]"},
		{"repeated", "a=1&a=2", "", "", "map[a:2] map[]"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/x?"+tt.query, strings.NewReader(tt.body))
		r.Header.Set("Content-Type", tt.kind)
		q, bad := read(r, nil)
		if bad != nil {
			t.Errorf("%s: %+v", tt.name, bad)
			continue
		}
		if got := fmt.Sprint(q.values, q.variables); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// FuzzRequest sends requests of every method to every path, with an engine that
// nobody calls.
func FuzzRequest(f *testing.F) {
	f.Add(uint8(1), "bridges", "a=1", "application/json", `{"a":[1,"b",null,{"c":1}],"variables":{"X":{"value":[]}}}`)
	f.Add(uint8(1), "bridges", "a=1&a", "application/x-www-form-urlencoded", "x=%zz&y")
	f.Add(uint8(0), "", "", "", "[1]")
	f.Add(uint8(1), "bridges/3001", "name=3001", "", "")
	f.Add(uint8(1), "bridges/3001/play", "", "application/json", `{"media":["sound:beep","digits:1*","tone:ring;tonezone=de"]}`)
	f.Add(uint8(1), "bridges/3001/addChannel", "channel=x,y&mute=1", "", "")
	f.Add(uint8(1), "channels", "", "application/json", `{"endpoint":"sip:a@b","appArgs":"3001","timeout":-1}`)
	f.Add(uint8(1), "channels/x/dtmf", "dtmf=1&before=-1", "", "")
	f.Add(uint8(2), "applications/a/eventFilter", "", "application/json", `{"allowed":[{"type":"Dial"}]}`)
	f.Add(uint8(3), "bridges/3001", "", "", "")
	s := newServer()
	x, err := engine.New(engine.Options{
		Bridges: func(engine.Place, engine.RoomName, engine.InstanceID, engine.Sink) (engine.Bridge, error) {
			return nil, nil
		},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = x.Close(context.Background()) })
	s.Drive(x)
	s.enlist(newSocket(&s.pacer), []string{"a"}, false)
	methods := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}
	f.Fuzz(func(t *testing.T, method uint8, path, query, kind, body string) {
		r, err := http.NewRequest(methods[int(method)%len(methods)], "http://x/", strings.NewReader(body))
		if err != nil {
			t.Skip()
		}
		r.URL.Path, r.URL.RawQuery = "/"+path, query
		r.Header.Set("Content-Type", kind)
		if a := s.serve(r, User{Name: "u"}); a.status == 0 {
			t.Errorf("no answer to %s %q", r.Method, path)
		}
		_ = s.answer(t.Context(), []byte(body), r, User{Name: "u", Password: "p:w"})
	})
}

// TestAReaderThatStandsStillIsCutOff: his queue is bounded, and the engine does
// not wait for him.
func TestAReaderThatStandsStillIsCutOff(t *testing.T) {
	s := newServer()
	slow, well := newSocket(&s.pacer), newSocket(&s.pacer)
	s.enlist(slow, []string{"slow"}, true)
	s.enlist(well, []string{"well"}, true)
	read := 0
	for i := range 3 * queueFrames {
		s.Observe(engine.Event{Type: engine.EventRoomLocked, Room: "1", Time: time.Unix(int64(i), 0)})
		<-well.frames
		read++
	}
	select {
	case <-slow.full:
	default:
		t.Error("he is not cut off")
	}
	if len(slow.frames) > queueFrames || read != 3*queueFrames {
		t.Errorf("%d are queued, the other has %d", len(slow.frames), read)
	}
	big := newSocket(&s.pacer)
	for range 10 {
		big.send(make([]byte, 1<<20))
	}
	if n := len(big.frames); n != 4 {
		t.Errorf("%d MB are queued", n)
	}
}

// TestAStalledClientIsCutOff over a real connection, whose buffers are small
// beside the queue.
func TestAStalledClientIsCutOff(t *testing.T) {
	s := newServer()
	web := httptest.NewServer(s)
	defer web.Close()
	defer s.Close()
	ws, resp, err := websocket.Dial(t.Context(), web.URL+"/ari/events?app=slow&subscribeAll=true&api_key=u:p:w", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }() // it is cut off
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	s.mu.Lock()
	k := s.apps["slow"].socket
	s.mu.Unlock()
	n, stands := 0, false
	for cut := false; !cut && n < 20*queueFrames; n++ {
		s.Observe(engine.Event{Type: engine.EventRoomLocked, Room: "1", Time: time.Unix(int64(n), 0)})
		for limit := time.Now().Add(time.Second); !stands && len(k.frames) > 0; runtime.Gosched() {
			stands = time.Now().After(limit)
		}
		select {
		case <-k.full:
			cut = true
		default:
		}
	}
	t.Logf("cut off after %d events", n)
	if n > 2*queueFrames {
		t.Errorf("cut off after %d events, and %d are what may wait", n, queueFrames)
	}
}

// TestAnEventWakesAFewAtATime, or a tick waits behind all who write; who has asked
// something is answered at once.
func TestAnEventWakesAFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		all := make([]*socket, 100)
		for i := range all {
			all[i] = newSocket(&s.pacer)
			s.enlist(all[i], []string{strconv.Itoa(i)}, true)
		}
		woken := func() (n int) {
			for _, k := range all {
				n += len(k.wake.C)
			}
			return n
		}
		s.Observe(engine.Event{Type: engine.EventRoomLocked, Room: "1"})
		few := woken()
		if few == 0 || few > 10 {
			t.Errorf("one event wakes %d of %d", few, len(all))
		}
		for _, k := range all {
			if len(k.wake.C) == 0 {
				if k.answer(nil); woken() != few+1 {
					t.Error("an answer waits")
				}
				break
			}
		}
		time.Sleep(11 * pace.Gap)
		if synctest.Wait(); woken() != len(all) {
			t.Errorf("%d are woken of %d", woken(), len(all))
		}
	})
}
