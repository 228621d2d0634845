package door

import (
	"net/netip"
	"testing"
)

// entrance is a Door and who was sent out of it, by number of their coming.
type entrance struct {
	*Door
	came int
	out  []int
}

func (e *entrance) admit(from string) *Visitor {
	e.came++
	n := e.came
	return e.Admit(netip.MustParseAddr(from), func() { e.out = append(e.out, n) })
}

// TestWhoMakesRoom: the fifth to come is one too many.
func TestWhoMakesRoom(t *testing.T) {
	one, other := []string{"10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.1"}, []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"}
	nothing := func([]*Visitor) {}
	of := func(does func(*Visitor), who ...int) func([]*Visitor) {
		return func(v []*Visitor) {
			for _, i := range who {
				does(v[i-1])
			}
		}
	}
	welcome := func(v *Visitor) { v.Welcome() }
	for _, tt := range []struct {
		name string
		Limits
		from []string
		does func([]*Visitor)
		out  int // 0 = the fifth is refused
	}{
		{"all: the oldest", Limits{4, 9, 9}, other, nothing, 1},
		{"source: the oldest", Limits{9, 4, 9}, one, nothing, 1},
		{"guests: the oldest", Limits{9, 9, 4}, one, nothing, 1},
		{"a network of IPv6 is one source", Limits{9, 4, 9}, []string{"fd00::1", "fd00::2", "fd00::3:1:2:3", "fd00::4", "fd00::5"}, nothing, 1},
		{"guests: none of another source", Limits{9, 9, 2}, []string{"10.0.0.2", "10.0.0.2", "10.0.0.1", "10.0.0.1", "10.0.0.1"}, nothing, 3},
		{"who asks for nothing is before who does", Limits{9, 9, 4}, one, of((*Visitor).Ask, 1, 2), 3},
		{"of those who ask, where they are more", Limits{9, 9, 4}, one, of((*Visitor).Ask, 2, 3, 4), 2},
		{"who has been served last is the youngest", Limits{9, 9, 4}, one, of((*Visitor).Rest, 1, 2), 3},
		{"who asks is before who waits", Limits{4, 9, 9}, other, func(v []*Visitor) { v[0].Wait(); v[1].Wait(); v[2].Ask(); v[3].Ask() }, 3},
		{"all ask: the oldest", Limits{9, 9, 4}, one, of((*Visitor).Ask, 1, 2, 3, 4), 1},
		{"all wait: the oldest of all", Limits{4, 9, 9}, other, of((*Visitor).Wait, 1, 2, 3, 4), 1},
		{"all wait: of one address none", Limits{9, 9, 4}, one, of((*Visitor).Wait, 1, 2, 3, 4), 0},
		{"who is known stays", Limits{4, 9, 9}, other, of(welcome, 1, 2, 4), 3},
		{"all are known", Limits{4, 9, 9}, other, of(welcome, 1, 2, 3, 4), 0},
		{"all of the source are known", Limits{9, 4, 9}, one, of(welcome, 1, 2, 3, 4), 0},
		{"who is known stays so", Limits{9, 4, 9}, one, func(v []*Visitor) { v[0].Welcome(); v[0].Ask(); v[0].Rest() }, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := entrance{Door: New(tt.Limits)}
			var visitors []*Visitor
			for _, from := range tt.from[:4] {
				visitors = append(visitors, e.admit(from))
			}
			tt.does(visitors)
			if len(e.out) > 0 {
				t.Fatalf("out before the fifth: %v", e.out)
			}
			switch last := e.admit(tt.from[4]); {
			case tt.out == 0 && (last != nil || len(e.out) > 0), tt.out > 0 && (last == nil || len(e.out) != 1 || e.out[0] != tt.out):
				t.Errorf("in: %v; out: %v, want %d", last != nil, e.out, tt.out)
			case last != nil && visitors[tt.out-1].Welcome():
				t.Error("who has made room is welcome")
			default:
				visitors = append(visitors, last)
			}
			for range 2 {
				for _, v := range visitors {
					v.Leave()
				}
			}
			if len(e.visitors) > 0 || len(e.sources) > 0 {
				t.Errorf("nobody is there, and counted are %d of %d addresses", len(e.visitors), len(e.sources))
			}
		})
	}
}

// TestKnownAreNoGuests: they leave places to others of their address.
func TestKnownAreNoGuests(t *testing.T) {
	e := entrance{Door: New(Limits{All: 9, PerSource: 9, Guests: 1})}
	for range 9 {
		if !e.admit("10.0.0.1").Welcome() {
			t.Fatal("not welcome")
		}
	}
	if len(e.out) > 0 {
		t.Errorf("out: %v", e.out)
	}
}
