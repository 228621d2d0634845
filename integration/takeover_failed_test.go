//go:build integration

package integration

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/engine"
)

// TestTakeOverThatFails leaves everybody in the conference that he is in.
func TestTakeOverThatFails(t *testing.T) {
	t.Parallel()
	fs := newPlace()
	startFreeSWITCH(t, fs)
	at := newPlace()
	p := run(t, at, contractConfig("native", at, fs.fsESL)+"\nlimits: {max_rooms: 1}\n")
	w := watch(t, fs)
	gathered := func(t *testing.T, p *parley, room string, hash int) *meeting {
		m := &meeting{cell: cell{T: t, p: p, w: w, room: room, hash: hash}, plain: true}
		for range 3 {
			m.guests = append(m.guests, m.enters(""))
		}
		m.stay()
		return m
	}
	t.Run("a name that no room can have", func(t *testing.T) {
		m := gathered(t, p, "sales,team", 610)
		m.refused(http.StatusConflict, "not_ours")
	})
	t.Run("the switch has no ports for its ends", func(t *testing.T) {
		m := gathered(t, p, "ports", 620)
		free := m.exhaust()
		m.refused(http.StatusBadGateway, "INCOMPATIBLE_DESTINATION")
		free()
		eventually(t, 15*time.Second, "the take-over", func() (string, bool) {
			answer, err := p.api.TakeOver(m.brief(), m.room)
			return fmt.Sprint(err), err == nil && len(answer.Moves) == len(m.guests)
		})
		m.command(p.api.End(m.brief(), m.room))
	})
	t.Run("we have no room for all", func(t *testing.T) {
		at := newPlace()
		few := run(t, at, contractConfig("native", at, fs.fsESL)+"\nlimits: {max_legs: 2}\n")
		m := gathered(t, few, "few", 640)
		m.refused(http.StatusBadGateway, "max_legs")
	})
	t.Run("our own calls are not counted", func(t *testing.T) {
		at := newPlace()
		slow := run(t, at, strings.Replace(contractConfig("native", at, fs.fsESL), "sip: {", "sip: {rate_per_source: 1, burst_per_source: 1, ", 1))
		m := gathered(t, slow, "slow", 650)
		if answer := m.order("takeover"); len(answer.Moves) != len(m.guests) {
			t.Errorf("%+v", answer)
		}
	})
	t.Run("no more rooms", func(t *testing.T) {
		m := gathered(t, p, "big", 630)
		c := &cell{T: t, p: p, w: w, room: "only", hash: 631}
		c.dial()
		c.members(1)
		m.refused(http.StatusServiceUnavailable, "max_rooms")
	})
}

// refused orders a take-over that is to be refused in a word, and looks whether
// everybody is where he was.
func (m *meeting) refused(status int, word string) {
	m.Helper()
	r, err := http.Post("http://"+m.p.at.http+"/v1/rooms/"+m.room+"/takeover", "", nil)
	if err != nil {
		m.Fatal(err)
	}
	defer r.Body.Close()
	text := make([]byte, 4096)
	n, _ := r.Body.Read(text)
	if r.StatusCode != status || !strings.Contains(string(text[:n]), word) {
		m.Errorf("%d %s", r.StatusCode, text[:n])
	}
	m.stay()
}

// stay waits until all are in the mix of the conference at the switch, whosever
// it is, and none of them has a leg to Parley left; the one that was is still named
// as the caller's last application.
func (m *meeting) stay() {
	m.Helper()
	eventually(m.T, 15*time.Second, "everybody's being in conference "+m.room, func() (string, bool) {
		in, channels := m.fs().conference(m.room), m.fs().api("show", "channels")
		rooms, err := m.p.api.Rooms(m.brief())
		seen := fmt.Sprintf("%v at the switch, %+v with us, %v\n%s", in, rooms, err, channels)
		return seen, len(in) == len(m.guests) && !legsOf(channels, in) && slices.ContainsFunc(rooms, func(v engine.RoomView) bool {
			return v.Name == engine.RoomName(m.room) && len(v.Members) == len(m.guests) && v.Mixer != "native"
		})
	})
}

// legsOf says whether one of these callers has a leg to Parley, by `show channels`.
func legsOf(channels string, callers []string) bool {
	for row := range strings.Lines(channels) {
		if strings.HasPrefix(row, "parley-") && slices.ContainsFunc(callers, func(id string) bool { return strings.Contains(row, id) }) {
			return true
		}
	}
	return false
}

// exhaust takes all ports that the switch has left for audio, until free.
func (m *meeting) exhaust() (free func()) {
	m.Helper()
	var taken []net.PacketConn
	for port := fsRTPFirst; port < fsRTPFirst+1000; port += 2 {
		if c, err := net.ListenPacket("udp", fmt.Sprintf("%s:%d", m.fs().at.host, port)); err == nil {
			taken = append(taken, c)
		}
	}
	free = func() {
		for _, c := range taken {
			_ = c.Close()
		}
	}
	m.Cleanup(free)
	return free
}
