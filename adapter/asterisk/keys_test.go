package asterisk

import (
	"testing"
	"time"
)

// told is what a switch tells of a key: ms since the first one, the key, and how
// long it was held, in ms.
type told struct {
	at   int
	key  byte
	held int
}

// TestKeysThatTheSwitchTellsTwice: the first ones are as an Asterisk 22.10.1 told
// them on a busy machine, of a phone that typed 98765#.
func TestKeysThatTheSwitchTellsTwice(t *testing.T) {
	for _, c := range []struct {
		name, want string
		told       []told
	}{
		{"told once", "98765#", []told{{0, '9', 100}, {159, '8', 100}, {314, '7', 100}, {474, '6', 100}, {634, '5', 100}, {794, '#', 100}}},
		{"the last", "98765#", []told{{0, '9', 100}, {159, '8', 100}, {314, '7', 100}, {580, '6', 100}, {660, '5', 100}, {807, '#', 100}, {855, '#', 100}}},
		{"three of six", "98765#", []told{
			{0, '9', 100}, {272, '8', 100}, {307, '7', 100}, {317, '7', 100}, {556, '6', 100}, {693, '5', 100}, {701, '5', 100}, {814, '#', 100}, {846, '#', 100},
		}},
		{"each in the time of the one before", "98765#", []told{
			{0, '9', 100}, {356, '8', 100}, {356, '7', 100}, {401, '7', 100}, {484, '6', 100}, {546, '6', 100}, {644, '5', 100}, {692, '5', 100}, {820, '#', 100}, {837, '#', 100},
		}},
		{"much later than it was pressed", "98765#", []told{
			{0, '9', 100}, {581, '8', 100}, {581, '7', 100}, {626, '7', 100}, {627, '6', 100}, {859, '6', 100}, {859, '5', 100}, {1004, '5', 100}, {1004, '#', 100}, {1149, '#', 100},
		}},
		{"a speed dial, the second one at the very end of the first", "98765#", []told{
			{0, '9', 40}, {81, '8', 40}, {178, '8', 40}, {179, '7', 40}, {519, '7', 40}, {519, '6', 40}, {710, '6', 40}, {710, '5', 40}, {836, '5', 40}, {836, '#', 40}, {961, '#', 40},
		}},
		{"the same, still nearer", "98765#", []told{
			{0, '9', 40}, {84, '8', 40}, {212, '8', 40}, {213, '7', 40}, {345, '7', 40}, {345, '6', 40}, {595, '6', 40}, {597, '5', 40}, {741, '5', 40}, {743, '#', 40}, {873, '#', 40},
		}},
		{"some behind what began late", "98765#", []told{
			{0, '9', 40}, {145, '8', 40}, {262, '7', 40}, {310, '7', 40}, {311, '6', 40}, {709, '6', 40}, {728, '5', 40}, {1343, '5', 40}, {1344, '#', 40}, {1468, '#', 40},
		}},
		{"SIP INFO of short ones", "1122", []told{{0, '1', 40}, {125, '1', 40}, {250, '2', 40}, {375, '2', 40}}},
		{"a key twice, by hand", "77#", []told{{0, '7', 100}, {160, '7', 100}, {400, '#', 100}}},
		{"a key held long, and short ones behind it", "5771", []told{{0, '5', 600}, {170, '7', 80}, {310, '7', 80}, {500, '1', 80}}},
		{"SIP INFO: each when the one before it has been played", "99877#", []told{
			{0, '9', 100}, {144, '9', 100}, {290, '8', 100}, {434, '7', 100}, {579, '7', 100}, {724, '#', 100},
		}},
		{"SIP INFO that says longer", "777", []told{{0, '7', 250}, {295, '7', 250}, {589, '7', 250}}},
		{"a key again after a while", "111", []told{{0, '1', 100}, {20, '1', 100}, {1000, '1', 100}, {2000, '1', 100}}},
		{"as long as nobody knows", "11", []told{{0, '1', 0}, {200, '1', 0}}},
	} {
		var f keyFilter
		got := ""
		for _, k := range c.told {
			if f.pressed(time.Unix(1e9, 0).Add(time.Duration(k.at)*time.Millisecond), k.key, time.Duration(k.held)*time.Millisecond) {
				got += string(k.key)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
