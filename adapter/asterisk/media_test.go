package asterisk_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"parley/ari/aritest"
	"parley/ari/audiosocket"
	"parley/engine"
	"parley/internal/audiotest"
	"parley/sound"
)

func TestTheFormatThatTheSwitchCanCarry(t *testing.T) {
	for _, c := range []struct {
		name, version string
		refuse        int // the first try
		codec         string
		tries         int
	}{
		{name: "wideband", version: "22.10.1", codec: "L16/16000", tries: 1},
		{name: "too old to tell rates apart", version: "18.9.0", codec: "L16/8000", tries: 1},
		{name: "an unknown version", version: "GIT-master", codec: "L16/8000", tries: 1},
		{name: "wideband refused", version: "22.10.1", refuse: 500, codec: "L16/8000", tries: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, func(s *setup) { s.version = c.version }).ready()
			if c.refuse != 0 {
				r.ast.Refuse("POST channels/externalMedia", c.refuse)
			}
			call := r.ast.Call("room=3000")
			r.joined(call)
			room, err := r.exchange.Room(t.Context(), "3000")
			if err != nil || len(room.Members) != 1 || room.Members[0].Codec != c.codec {
				t.Errorf("room %+v, %v; want a member with %s", room, err, c.codec)
			}
			tries := 0
			for _, q := range r.front.requests() {
				if q == "POST externalMedia" {
					tries++
				}
			}
			if tries != c.tries {
				t.Errorf("%d tries, want %d", tries, c.tries)
			}
			call.Hangup()
		})
	}
}

func TestNoAudioNoRoom(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0") // takes the connection, and is not us
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nobody.Close() })
	for _, c := range []struct {
		name  string
		edit  func(*setup)
		do    func(*rig)
		why   string
		tries int // of media
	}{
		{name: "the switch cannot connect", edit: func(s *setup) { s.advertise = "127.0.0.1:1" }, why: "media_lost", tries: 2},
		{name: "the switch refuses for good", do: func(r *rig) { r.ast.Refuse("POST channels/externalMedia", 400) }, why: "media_lost", tries: 1},
		{
			name: "the switch connects to somebody else", edit: func(s *setup) { s.advertise = nobody.Addr().String() },
			why: "media_lost", tries: 1,
		},
		{name: "no bridge", do: func(r *rig) { r.ast.Refuse("POST bridges/", 500) }, why: "media_lost"},
		{name: "not answered", do: func(r *rig) { r.ast.Refuse("POST channels//answer", 500) }, why: "media_lost"},
		{name: "not bridged", do: func(r *rig) { r.ast.Refuse("POST bridges//addChannel", 500) }, why: "media_lost", tries: 1},
		{
			name: "no room for one more", edit: func(s *setup) { s.legs = 2 },
			do: func(r *rig) { r.phone("3000", "one", 0); r.phone("3000", "two", 0) }, why: "node_busy",
		},
		{
			name: "no room for one more when the media comes", edit: func(s *setup) { s.legs = 2 }, why: "node_busy", tries: 1,
			do: func(r *rig) {
				r.phone("3000", "one", 0)
				r.front.on("POST externalMedia", func() { r.phone("3000", "two", 0) })
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, c.edit).ready()
			if c.do != nil {
				c.do(r)
			}
			call := r.ast.Call("room=3000")
			r.continued(call, map[string]string{"result": "failed", "reason": c.why, "duration": "0"})
			r.front.await(t, "DELETE bridge")
			if channels, bridges := r.ast.Count(); channels != 1 || bridges != 0 {
				t.Errorf("%d channels and %d bridges are left, want the caller's", channels, bridges)
			}
			if n := strings.Count(strings.Join(r.front.requests(), " "), "POST externalMedia"); n != c.tries {
				t.Errorf("%d tries to get media, want %d", n, c.tries)
			}
		})
	}
}

// TestWhoHoldsIsNotHeardButSentAudio: a switch that is sent nothing may stand
// still.
func TestWhoHoldsIsNotHeardButSentAudio(t *testing.T) {
	r := newRig(t, nil).ready()
	p := r.phone("3000", "phone", 900)
	c := r.ast.Call("room=3000")
	r.joined(c)
	stop := make(chan struct{})
	spoken := make(chan struct{})
	go func() {
		defer close(spoken)
		r.speak(c, 500, stop)
	}()
	hears := func(want bool) {
		t.Helper()
		p.listen(t, 200*time.Millisecond)
		if level := audiotest.Power(p.listen(t, 200*time.Millisecond), 8000, 500); (level > -30) != want {
			t.Errorf("the caller is heard at %.1f dBFS, want him heard: %v", level, want)
		}
	}
	held := func(name string) {
		r.ast.Emit(map[string]any{"type": name, "channel": map[string]any{"id": c.ID()}})
	}
	hears(true)
	held("ChannelHold")
	hears(false)
	before := c.Heard()
	p.listen(t, 400*time.Millisecond)
	if n := c.Heard() - before; n < 10 {
		t.Errorf("%d frames in 400 ms were sent to a caller who holds", n)
	}
	held("ChannelUnhold")
	hears(true)
	close(stop)
	<-spoken
	c.Hangup()
}

// speak has a call say a tone.
func (r *rig) speak(c *aritest.Call, hz float64, stop <-chan struct{}) {
	l := &line{hz: hz}
	frame := make([]byte, 640)
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			l.wide(frame)
			c.Speak(audiosocket.KindSLIN16, frame)
		case <-stop:
			return
		}
	}
}

func TestKeysOfACallThatDoesNotKeepUpAreDropped(t *testing.T) {
	r := newRig(t, nil).ready()
	flooded := make(chan *aritest.Call, 1)
	r.front.on("POST addChannel", func() {
		(<-flooded).Press("4711#" + strings.Repeat("1", 100))
		r.log.awaitTimes(t, "key dropped", 40)
	})
	c := r.ast.Call("room=3101")
	flooded <- c
	r.joined(c) // by the first keys
	c.Press("#")
	r.continued(c, map[string]string{
		"result": "joined", "reason": "terminator", "exit": "terminator", "exit_digits": "#", "member_id": "1", "duration": "0",
	})
}

func TestManyCallsAtOnce(t *testing.T) {
	r := newRig(t, nil).ready()
	const n = 60
	calls := make([]*aritest.Call, n)
	for i := range calls {
		calls[i] = r.ast.Call(fmt.Sprintf("room=%d", 4000+i/10))
	}
	for _, c := range calls {
		r.joined(c)
	}
	for _, c := range calls {
		c.Hangup()
	}
	for _, c := range calls {
		if e := r.await(engine.EventLeft, c.ID()); e.Reason != engine.ReasonHangup {
			t.Errorf("%s left by %s", c.ID(), e.Reason)
		}
	}
	for range n {
		r.front.await(t, "DELETE bridge")
	}
	if channels, bridges := r.ast.Count(); channels != 0 || bridges != 0 {
		t.Errorf("%d channels and %d bridges are left", channels, bridges)
	}
}

// hush plays 40 ms of silence for every sound.
type hush struct{}

func (hush) Load(string, string) (*sound.Clip, error) {
	return sound.FromPCM(make([]int16, 320), 8000), nil
}
