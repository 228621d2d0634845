package freeswitch_test

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
	"parley/esl/esltest"
)

func TestACallJoinsAndIsGivenBack(t *testing.T) {
	inBubble(t, func(r *rig) {
		before := vars("3000", "hangup_after_bridge", "true", "park_after_bridge", "maybe", "parley_result", "old", "parley_reason", "old")
		c := r.call(esltest.CallOptions{Vars: before, Headers: map[string]string{
			"FreeSWITCH-Switchname": "pbx1", "Caller-Network-Addr": "198.51.100.7",
		}})
		app, token := r.bridge(c)
		peer, rest, _ := strings.Cut(strings.TrimPrefix(app.Arg, "{origination_uuid=parley-"), ",")
		if want := "origination_caller_id_name=parley,origination_caller_id_number=parley,absolute_codec_string='PCMU,PCMA'}sofia/internal/" + token + "@192.0.2.1:5070"; len(peer) < 20 || rest != want {
			t.Errorf("bridge(%s), want a random UUID and %s", app.Arg, want)
		}
		for name, want := range map[string]string{
			"socket_resume": "true", "hangup_after_bridge": "false", "park_after_bridge": "false", "continue_on_fail": "true",
			"parley_result": "", "parley_reason": "",
		} {
			if got := c.Var(name); got != want {
				t.Errorf("while it waits: %s=%q, want %q", name, got, want)
			}
		}
		m, err := r.tickets.claim(c, token)
		if err != nil {
			t.Fatal(err)
		}
		c.Answer()
		e := r.await(engine.EventJoined)
		if e.Invite.Kind != "freeswitch" || e.Invite.Switch != "pbx1" || e.Invite.Source != "198.51.100.7/1001" || !e.Invite.Dialplan ||
			e.Invite.Caller != (engine.Caller{Number: "1001", Name: "Alice"}) || string(e.Leg) != c.UUID() {
			t.Errorf("invite %+v of %s", e.Invite, e.Leg)
		}
		if _, err := r.tickets.claim(c, token); err == nil {
			t.Error("the token was good for a second call")
		}
		time.Sleep(90 * time.Second)
		m.press("#")
		began := time.Now()
		r.continued(c, before, map[string]string{
			"result": "joined", "reason": "terminator", "exit": "terminator", "exit_digits": "#", "member_id": "1", "duration": "90",
		})
		if d := time.Since(began); d > time.Second {
			t.Errorf("it took %v", d)
		}
		if q := c.Requests(); q[len(q)-1] != "exit" {
			t.Errorf("requests %q", q)
		}
	})
}

func TestWidebandCallersComeWideband(t *testing.T) {
	inBubble(t, func(r *rig) {
		c := r.call(esltest.CallOptions{Vars: vars("3000"), Headers: map[string]string{"Channel-Read-Codec-Rate": "16000"}})
		if app, _ := r.bridge(c); !strings.Contains(app.Arg, ",absolute_codec_string='L16@16000h@20i'}") {
			t.Errorf("bridge(%s)", app.Arg)
		}
		c.Hangup("NORMAL_CLEARING")
		r.ended(c)
	})
}

func TestTheProfileOfTheCallIsDialled(t *testing.T) {
	for _, c := range []struct{ name, profile, want string }{
		{name: "its own", profile: "external", want: "sofia/external/~token1@"},
		{name: "no SIP call", want: "sofia/internal/~token1@"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				call := r.call(esltest.CallOptions{Vars: map[string]string{"parley_room": "3000", "sofia_profile_name": c.profile}})
				for app := range call.Apps() {
					if app.Name == "bridge" {
						if !strings.Contains(app.Arg, c.want) {
							t.Errorf("bridge(%s)", app.Arg)
						}
						break
					}
				}
				call.Hangup("NORMAL_CLEARING")
				r.ended(call)
			})
		})
	}
	t.Run("an expansion", func(t *testing.T) {
		inBubble(t, func(r *rig) {
			call := r.call(esltest.CallOptions{Vars: map[string]string{"parley_room": "3000", "sofia_profile_name": "${system ls}"}})
			r.continued(call, map[string]string{"parley_room": "3000", "sofia_profile_name": "${system ls}"},
				map[string]string{"result": "failed", "reason": "media_lost", "duration": "0"})
		})
	})
}

func TestResults(t *testing.T) {
	type results map[string]string
	for _, c := range []struct {
		name, room string
		keys       string
		do         func(*rig) // in the room
		want       results
	}{
		{
			name: "terminator", room: "3000", do: func(*rig) {}, keys: "#",
			want: results{"result": "joined", "reason": "terminator", "exit": "terminator", "exit_digits": "#", "member_id": "1", "duration": "5"},
		},
		{
			name: "right PIN", room: "3101", do: func(*rig) {}, keys: "4711#",
			want: results{"result": "joined", "reason": "terminator", "exit": "terminator", "exit_digits": "#", "member_id": "1", "duration": "5"},
		},
		{name: "wrong PIN", room: "3101", keys: "1#2#3#", want: results{"result": "rejected", "reason": "pin_failed", "duration": "0"}},
		{
			name: "kicked", room: "3000", do: func(r *rig) { r.command("3000", engine.Kick{Member: 1}) },
			want: results{"result": "joined", "reason": "kicked", "exit": "kicked", "member_id": "1", "duration": "5"},
		},
		{
			name: "ended", room: "3000", do: func(r *rig) { r.command("3000", engine.End{}) },
			want: results{"result": "joined", "reason": "ended", "exit": "ended", "member_id": "1", "duration": "5"},
		},
		{name: "bad name", room: "../x", want: results{"result": "rejected", "reason": "bad_room_name", "duration": "0"}},
		{name: "long name", room: strings.Repeat("x", 129), want: results{"result": "rejected", "reason": "bad_room_name", "duration": "0"}},
		{name: "emoji", room: "😀", want: results{"result": "rejected", "reason": "bad_room_name", "duration": "0"}},
		{name: "no room, and no key", want: results{"result": "rejected", "reason": "bad_room_name", "duration": "0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				before := vars(c.room)
				if c.room == "" {
					delete(before, "parley_room")
				}
				call := r.call(esltest.CallOptions{Vars: before})
				m := r.answer(call)
				keys := c.keys
				if c.do != nil {
					m.press(strings.TrimSuffix(keys, "#"))
					r.await(engine.EventJoined)
					time.Sleep(5*time.Second + 100*time.Millisecond)
					c.do(r)
					keys = keys[max(0, len(keys)-1):]
				}
				m.press(keys)
				r.continued(call, before, c.want)
				if c.room == "" && !strings.Contains(r.log.String(), "call "+call.UUID()+": parley_room not set") {
					t.Error("that no room was set is not in the log")
				}
				if strings.Contains(r.log.String(), "4711") {
					t.Error("a PIN is in the log")
				}
			})
		})
	}
	t.Run("full", func(t *testing.T) {
		inBubble(t, func(r *rig) {
			first, m := r.join(esltest.CallOptions{Vars: vars("3102")})
			second := r.call(esltest.CallOptions{UUID: "22222222-2222-4222-8222-222222222222", Vars: vars("3102")})
			r.answer(second)
			r.continued(second, vars("3102"), results{"result": "rejected", "reason": "full", "duration": "0"})
			m.hangUp()
			r.ended(first)
		})
	})
}

// command gives an order to a room.
func (r *rig) command(room engine.RoomName, c engine.Command) {
	r.Helper()
	if err := r.exchange.Do(r.Context(), room, c); err != nil {
		r.Error(err)
	}
}

func TestARefusedCallIsHungUpWhereTheProfileSaysSo(t *testing.T) {
	inBubble(t, func(r *rig) {
		c := r.call(esltest.CallOptions{Vars: vars("3103")})
		m := r.answer(c)
		m.press("1#2#3#")
		e := r.ended(c)
		if !e.HungUp {
			t.Errorf("the call left with %+v", e)
		}
		r.variables(e, vars("3103"), map[string]string{"result": "rejected", "reason": "pin_failed", "duration": "0"})
	})
}

// TestASocketLineThatLacksAsyncFull has the line that admins read.
func TestASocketLineThatLacksAsyncFull(t *testing.T) {
	inBubble(t, func(r *rig) {
		c := r.call(esltest.CallOptions{Mode: "static", Control: "single-channel", Vars: vars("3000")})
		e := r.ended(c)
		if e.HungUp || e.Stuck != "" || e.Broken != "" || !maps.Equal(e.Vars, vars("3000")) || len(c.Requests()) != 1 {
			t.Errorf("the call left with %+v after %q", e, c.Requests())
		}
		synctest.Wait()
		want := `level=ERROR msg="esl-outbound: socket is \"single-channel, static\"; use: socket 127.0.0.1:8084 async full. ` +
			`Call continues in the dialplan. [socket_mode]" from=pipe`
		if got := r.log.String(); !strings.Contains(got, want) || strings.Count(got, "\n") != 1 {
			t.Errorf("log %s, want %s", got, want)
		}
	})
}

// TestNoAudioNoRoom: whatever becomes of the bridge, the dialplan goes on.
func TestNoAudioNoRoom(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*esltest.Call)
		took time.Duration
		want string // reason; "" = media_lost
	}{
		{name: "nobody comes with the token", do: func(*esltest.Call) {}, took: tokenTime + time.Second},
		{name: "somebody else answers", do: (*esltest.Call).Answer, took: tokenTime + time.Second},
		{name: "busy", do: func(c *esltest.Call) { c.Finish(map[string]string{"originate_disposition": "USER_BUSY"}) }},
		{
			name: "we refuse with 503", do: func(c *esltest.Call) {
				c.Finish(map[string]string{"originate_disposition": "NORMAL_TEMPORARY_FAILURE"})
			},
			want: "node_busy",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				before := vars("3000", "continue_on_fail", "NORMAL_TEMPORARY_FAILURE", "socket_resume", "perhaps")
				call := r.call(esltest.CallOptions{Vars: before})
				r.bridge(call)
				began := time.Now()
				c.do(call)
				e := r.ended(call)
				if d := time.Since(began); d > c.took+100*time.Millisecond || d < c.took {
					t.Errorf("it took %v, want %v", d, c.took)
				}
				if e.HungUp || e.Broken != "" || e.Stuck != "" || e.Because != nil {
					t.Errorf("the call left with %+v", e)
				}
				delete(e.Vars, "originate_disposition") // the switch's own
				r.variables(e, before, map[string]string{"result": "failed", "reason": cmp.Or(c.want, "media_lost"), "duration": "0"})
				if r.tickets.open() != 0 {
					t.Error("the token is still good")
				}
				if n := strings.Count(r.log.String(), "\n"); n != 1 || !strings.Contains(r.log.String(), "no audio came") {
					t.Errorf("log %s", r.log)
				}
				if len(r.events) > 0 {
					t.Errorf("a room knows of it: %+v", <-r.events)
				}
			})
		})
	}
}

// deafTo is a connection on which the switch does not understand a command.
type deafTo struct {
	net.Conn
	command, instead []byte // of one length
}

func (d deafTo) Read(b []byte) (int, error) {
	n, err := d.Conn.Read(b)
	copy(b, bytes.ReplaceAll(b[:n], d.command, d.instead))
	return n, err
}

// TestABridgeThatCannotBeEnded is left to the end of the socket, which breaks it.
func TestABridgeThatCannotBeEnded(t *testing.T) {
	inBubble(t, func(r *rig) {
		nc := deafTo{r.lines.connect(), []byte("uuid_kill parley-"), []byte("uuid_kill PARLEY-")}
		c := r.callOver(nc, esltest.CallOptions{Vars: vars("3000")})
		r.bridge(c)
		e := r.ended(c)
		if e.Broken != "bridge" || e.Because != nil || e.Vars["parley_result"] != "failed" {
			t.Errorf("the call left with %+v", e)
		}
	})
}

func TestTheBridgeEndsAsTheAudioComes(t *testing.T) {
	inBubble(t, func(r *rig) {
		c := r.call(esltest.CallOptions{Vars: vars("3000")})
		_, token := r.bridge(c)
		m, err := r.tickets.claim(c, token)
		if err != nil {
			t.Fatal(err)
		}
		m.end()
		c.Finish(map[string]string{"originate_disposition": "SUCCESS"})
		if e := r.ended(c); e.Stuck != "" || e.Broken != "" || e.Vars["parley_reason"] != "media_lost" {
			t.Errorf("the call left with %+v", e)
		}
	})
}

// TestTheAudioEndsAlone: the switch's leg to us is over, its caller is not.
func TestTheAudioEndsAlone(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*media)
	}{
		{name: "the bridge, and its call to us", do: func(m *media) { m.end(); m.call.Finish(nil) }},
		{name: "the bridge first", do: func(m *media) { m.call.Finish(nil); time.Sleep(100 * time.Millisecond); m.end() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				call, m := r.join(esltest.CallOptions{Vars: vars("3000")})
				time.Sleep(time.Minute)
				began := time.Now()
				c.do(m)
				if e := r.await(engine.EventLeft); e.Reason != engine.ReasonMediaLost || time.Since(began) > 1200*time.Millisecond {
					t.Errorf("left by %s after %v", e.Reason, time.Since(began))
				}
				r.continued(call, vars("3000"),
					map[string]string{"result": "joined", "reason": "media_lost", "exit": "lost", "member_id": "1", "duration": "61"})
			})
		})
	}
}

// TestHostileVariables: what a caller could bring into the dialplan's variables
// never gets to the switch as anything but text.
func TestHostileVariables(t *testing.T) {
	inBubble(t, func(r *rig) {
		before := vars("3000", "continue_on_fail", "${system reboot}",
			"parley_beep", "${system reboot}", "parley_flags", "a\r\nb|$\\{x}|$${y}|\x00z|mute;parley_result=joined", "parley_x exit", "1")
		call, m := r.join(esltest.CallOptions{Vars: before})
		m.press("#")
		want := maps.Clone(before)
		want["continue_on_fail"] = "{system reboot}"
		r.continued(call, want, map[string]string{
			"result": "joined", "reason": "terminator", "exit": "terminator", "exit_digits": "#", "member_id": "1", "duration": "0",
			"warnings": `parley_beep: bad value "{system reboot}", want true, false, onEnter or onExit; ` +
				`parley_flags: flags without effect: a  b, \{x}, {y},  z, mute;parley_result=joined; unknown variable parley_x exit, did you mean parley_exit?`,
		})
	})
}

func TestLiteral(t *testing.T) {
	for n := range 3 {
		inBubble(t, func(r *rig) { // every byte, n-th thirds of them
			var all strings.Builder
			for b := n; b < 256; b += 3 {
				all.WriteByte(byte(b))
			}
			call, m := r.join(esltest.CallOptions{Vars: vars("3000", "parley_flags", all.String()+"${")})
			m.press("#")
			if e := r.ended(call); e.Vars["parley_result"] != "joined" || e.Vars["parley_warnings"] == "" {
				t.Errorf("the call left with %+v", e)
			}
		})
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	inBubble(t, func(r *rig) {
		const n = 50
		var calls []*esltest.Call
		var medias []*media
		for i := range n {
			calls = append(calls, r.call(esltest.CallOptions{
				UUID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), Vars: vars(fmt.Sprint(4000 + i/10)),
			}))
		}
		for _, c := range calls {
			medias = append(medias, r.answer(c))
		}
		members := 0
		for range n {
			r.await(engine.EventJoined)
			members++
		}
		for i, m := range slices.Backward(medias) {
			m.hangUp()
			if e := r.ended(calls[i]); !e.HungUp {
				t.Errorf("call %d left with %+v", i, e)
			}
		}
	})
}
