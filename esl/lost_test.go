package esl_test

import (
	"net"
	"testing"
	"testing/synctest"

	"parley/esl"
	"parley/esl/esltest"
)

// TestEventsThatTheSwitchHasDropped takes the lines that FreeSWITCH 1.11.1 logs.
func TestEventsThatTheSwitchHasDropped(t *testing.T) {
	const source = "mod_event_socket.c"
	const full = "Event enqueue ERROR [11] | [Resource temporarily unavailable] | Queue size: [100000/100000] Max queue size reached"
	for _, c := range []struct {
		name  string
		lines [][2]string // file, text
		want  esl.Loss
	}{
		{
			"one",
			[][2]string{{source, "Lost [3] events! Event Queue size: [99999/100000]"}},
			esl.Loss{Events: 3, Text: "Lost [3] events! Event Queue size: [99999/100000]"},
		},
		{
			"two that nobody has taken",
			[][2]string{{source, "Lost [3] events! a"}, {source, "Lost [40] events! b"}},
			esl.Loss{Events: 43, Text: "Lost [40] events! b"},
		},
		{"each", [][2]string{{source, full}, {source, full}}, esl.Loss{Events: 2, Text: full}},
		{"each, and their sum", [][2]string{{source, full}, {source, full}, {source, "Lost [2] events! a"}}, esl.Loss{Events: 2, Text: full}},
		{
			"each, and more than we have read",
			[][2]string{{source, full}, {source, "Lost [4] events! a"}, {source, "Lost [1] events! b"}},
			esl.Loss{Events: 5, Text: "Lost [1] events! b"},
		},
		{"lines of the log", [][2]string{{source, "Lost [3] log lines! Log Queue size: [1/100000]"}}, esl.Loss{}},
		{"somebody else's words", [][2]string{{"mod_lua.cpp", "Lost [3] events! Ha"}}, esl.Loss{}},
		{"no number", [][2]string{{source, "Lost [x] events!"}, {source, "Lost ["}, {source, "Lost [-1] events!"}, {source, ""}, {source, "Lost [0] events!"}}, esl.Loss{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, client := linked(t)
				if err := client.WatchLoss(t.Context()); err != nil {
					t.Fatal(err)
				}
				for _, l := range c.lines {
					s.Log(2, l[0], l[1])
				}
				synctest.Wait()
				var got esl.Loss
				select {
				case got = <-client.Losses():
				default:
				}
				if got != c.want {
					t.Errorf("got %+v, want %+v", got, c.want)
				}
				if err := client.Err(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestOnlyWhoAsksReadsTheLog: what is below the level that was asked for is not
// sent, and nothing before.
func TestOnlyWhoAsksReadsTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, client := linked(t)
		s.Log(2, "mod_event_socket.c", "Lost [1] events!")
		if err := client.WatchLoss(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Log(3, "mod_event_socket.c", "Lost [2] events!")
		synctest.Wait()
		if len(client.Losses()) != 0 {
			t.Errorf("got %+v", <-client.Losses())
		}
	})
}

// linked is a connection that is logged in.
func linked(t *testing.T) (*esltest.Switch, *esl.Client) {
	t.Helper()
	near, far := net.Pipe()
	s := esltest.NewSwitch(t, far, esltest.SwitchOptions{})
	client, err := dial(t, near, esl.ClientOptions{Password: "ClueCon"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close(); <-s.Done() })
	return s, client
}
