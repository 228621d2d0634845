package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"parley/engine"
)

// MoveTimeout is how long a room may take to come to another place.
const MoveTimeout = 20 * time.Second

// ErrSwitch: a switch did not do what it was asked.
var ErrSwitch = errors.New("control: the switch did not do it")

// ErrNotOurs: the room is a conference that runs at a switch without us.
var ErrNotOurs = errors.New("control: not a room of ours")

// ClientTimeout is how long a client should wait for an answer: longer than
// anything that it can ask for takes.
const ClientTimeout = MoveTimeout + 10*time.Second

// Foreign is a conference that runs at a configured switch without us.
type Foreign struct {
	Switch  string
	Kind    string // of the switch
	Name    string
	Members []engine.MemberView
	Locked  bool
}

// Conferences are the foreign ones of all switches.
type Conferences interface {
	List() []Foreign
	// Adopt makes those of that name a room of ours, and returns when their
	// calls are members: who had to leave the conference for it, and for how
	// long. There is none: engine.ErrNoRoom. A switch cannot be asked:
	// engine.ErrAway. Somebody could not come: an engine.NotTakenError.
	Adopt(ctx context.Context, name engine.RoomName) ([]engine.Move, error)
}

// Difference is something that a switch and we do not see alike.
type Difference struct {
	Switch string `json:"switch"`
	Room   string `json:"room"`
	Call   string `json:"call,omitempty"`
	Text   string `json:"text"`
}

// Auditor compares rosters with the switches, now.
type Auditor interface {
	Audit(ctx context.Context) ([]Difference, error)
}

// Moved is how a member came along when a room moved.
type Moved struct {
	Member engine.MemberID `json:"member"`
	Number string          `json:"number"`
	Name   string          `json:"name"`
	Gap    float64         `json:"gap_ms"`
}

// foreignMark stands behind the place of a conference that is not ours.
const foreignMark = " (not ours)"

// foreignState is that of a conference that is not ours.
const foreignState = "foreign"

// view is a foreign conference as lists show rooms.
func (f Foreign) view() engine.RoomView {
	v := engine.RoomView{
		Name: engine.RoomName(f.Name), State: foreignState, Locked: f.Locked, Members: f.Members,
		Mixer: engine.Place{Switch: f.Switch}.String() + foreignMark,
	}
	if v.Members == nil {
		v.Members = []engine.MemberView{}
	}
	return v
}

// refuseRoom is refuse for a request about the room in its path: one that is a
// conference of a switch says so, and what can be done.
func (s *server) refuseRoom(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, engine.ErrNoRoom) || errors.Is(err, engine.ErrBadRoomName) {
		name := engine.RoomName(r.PathValue("room"))
		if f, ours := s.foreign(name); ours != nil {
			_, bad := engine.ParseRoomName(string(name))
			err = notOurs(f, bad)
		}
	}
	s.refuse(w, err)
}

// foreign is the conference of a switch of that name; ErrNotOurs: there is one.
func (s *server) foreign(name engine.RoomName) (engine.RoomView, error) {
	for _, f := range s.withForeign(nil) {
		if f.Name == name {
			return f, ErrNotOurs
		}
	}
	return engine.RoomView{}, nil
}

// notOurs says that a room is a conference of a switch; bad is why its name
// could not be that of a room of ours.
func notOurs(f engine.RoomView, bad error) error {
	what := fmt.Sprintf("%q is a conference of %s", f.Name, strings.TrimSuffix(f.Mixer, foreignMark))
	if bad != nil {
		return fmt.Errorf("%w: %s, which can be shown only: it cannot be taken over under this name (%s); do it at the switch, "+
			"or have its callers call a room by another name", ErrNotOurs, what, strings.TrimPrefix(bad.Error(), "engine: "))
	}
	return fmt.Errorf("%w: %s: take it over first (parley room %s takeover), or do it at the switch", ErrNotOurs, what, f.Name)
}

// both are two moves of a room, one after the other, as one.
func both(first, then []engine.Move) []engine.Move {
	for _, m := range first {
		i := slices.IndexFunc(then, func(o engine.Move) bool { return o.Member == m.Member })
		if i < 0 {
			then = append(then, m)
		} else {
			then[i].Gap += m.Gap
		}
	}
	slices.SortFunc(then, func(a, b engine.Move) int { return cmp.Compare(a.Member, b.Member) })
	return then
}

// handBack brings a room to its members' switch.
func (s *server) handBack(w http.ResponseWriter, r *http.Request) {
	s.move(w, r, s.Exchange.HandBack)
}

func (s *server) move(w http.ResponseWriter, r *http.Request, move func(context.Context, engine.RoomName) ([]engine.Move, error)) {
	ctx, cancel := context.WithTimeout(r.Context(), MoveTimeout)
	defer cancel()
	room := engine.RoomName(r.PathValue("room"))
	moves, err := move(ctx, room)
	answer := map[string]any{}
	if errors.Is(err, engine.ErrUnrecorded) {
		answer["warnings"] = []string{err.Error()}
		err = nil
	}
	if err != nil {
		s.Log.Warn("room not moved", "room", room, "error", err, "from", r.RemoteAddr)
		s.refuseRoom(w, r, err)
		return
	}
	view, err := s.Exchange.Room(ctx, room)
	if err != nil {
		s.refuseRoom(w, r, err)
		return
	}
	s.Log.Info("room moved", "room", room, "mixer", view.Mixer, "members", len(moves), "from", r.RemoteAddr)
	answer["mixer"], answer["moves"] = view.Mixer, named(moves, view.Members)
	reply(w, http.StatusOK, answer)
}

// named says who the members are that were moved.
func named(moves []engine.Move, members []engine.MemberView) []Moved {
	list := make([]Moved, 0, len(moves))
	for _, m := range moves {
		one := Moved{Member: m.Member, Gap: float64(m.Gap.Microseconds()) / 1000}
		for _, v := range members {
			if v.ID == m.Member {
				one.Number, one.Name = v.Number, v.Name
			}
		}
		list = append(list, one)
	}
	return list
}
