package eventsocket

import (
	"strings"
	"testing"
	"testing/synctest"
)

func TestSendEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := enter(t, server())
		c.says("event plain CUSTOM my::class", "+OK event listener enabled plain")
		m := c.ask("sendevent CUSTOM", "Event-Subclass: my::class", "Fruit: a pear", "Content-Length: 4\n\nbody")
		if text := m.Value("Reply-Text"); !strings.HasPrefix(text, "+OK ") || len(text) != 40 {
			t.Errorf("%q", text)
		}
		if e := c.event(); e.Value("Fruit") != "a pear" || string(e.Body) != "body" || e.Value("Event-Subclass") != "my::class" {
			t.Errorf("%v %q", e.Headers, e.Body)
		}
	})
}

// TestASentEventIsDeliveredAsItIs: the order and the values are those of a real
// 1.11.1, where it has the sender's headers first, and its own behind them.
func TestASentEventIsDeliveredAsItIs(t *testing.T) {
	for _, row := range []struct {
		line    string
		headers []string
		want    string
	}{
		{
			"sendevent NOTIFY",
			[]string{"Foo: ba%72", "Bar: x y/ü", "event-subclass: x::y"},
			"Command: sendevent%20NOTIFY|Foo: ba%72|Bar: x%20y/%C3%BC|event-subclass: x%3A%3Ay|Event-UUID|Event-Name: NOTIFY|Core-UUID",
		},
		{
			"sendevent CUSTOM",
			[]string{"Foo: a%41 b", "Event-Subclass: a::b%41", "Z: %zz%4"},
			"Event-Subclass: a%3A%3Ab%41|Command: sendevent%20CUSTOM|Foo: a%41%20b|Z: %25zz%254|Event-UUID|Event-Name: CUSTOM|Core-UUID",
		},
		{
			"sendevent TALK",
			[]string{"Event-Name: SHUTDOWN", "Empty: ", "foo: +%2B"},
			"Command: sendevent%20TALK|foo: %2B%2B|Event-UUID|Event-Name: TALK|Core-UUID",
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := enter(t, server())
			c.says("event plain NOTIFY TALK CUSTOM a::b%41", "+OK event listener enabled plain")
			c.ask(append([]string{row.line}, row.headers...)...)
			var lines []string
			for line := range strings.SplitSeq(string(c.read().Body), "\n") {
				name, _, _ := strings.Cut(line, ":")
				if name == "Event-UUID" || name == "Core-UUID" {
					line = name
				}
				if lines = append(lines, line); name == "Core-UUID" {
					break
				}
			}
			if got := strings.Join(lines, "|"); got != row.want {
				t.Errorf("%s: %s\nwant %s", row.line, got, row.want)
			}
		})
	}
}

// TestSendEventWithoutAName is taken, as at the switch.
func TestSendEventWithoutAName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := enter(t, server())
		c.says("event plain CUSTOM my::class", "+OK event listener enabled plain")
		for _, line := range []string{"sendevent", "sendevent NO_SUCH"} {
			if text := c.ask(line, "Fruit: a%20pear").Value("Reply-Text"); !strings.HasPrefix(text, "+OK ") {
				t.Errorf("%s: %q", line, text)
			}
			if e := c.event(); e.Name() != "CUSTOM" || e.Value("Fruit") != "a pear" || e.Value("Command") != line {
				t.Errorf("%s: %v", line, e.Headers)
			}
		}
	})
}
