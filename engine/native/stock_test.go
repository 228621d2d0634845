package native

import (
	"fmt"
	"testing"

	"parley/codec"
	"parley/engine"
)

// together is a room in which all share one encoder.
func (r *rig) together(legs int) (hall, []*caller) {
	r.Helper()
	h, f := r.hall(), codec.Opus(16000)
	var all []*caller
	for i := range legs {
		c, _ := r.listener(engine.LegID(fmt.Sprint(i)), f, mute(f.Rate))
		r.seat(h, engine.MemberID(i+1), c, engine.MemberState{})
		all = append(all, c)
	}
	r.run(2*settling + 5)
	for i, c := range all {
		if c.voice.code == nil || c.voice.encoder != nil {
			r.Fatalf("%d has an encoder of his own", i)
		}
	}
	return h, all
}

func (r *rig) stock() *stock {
	f := codec.Opus(16000)
	f.Payload = 0
	return r.sw.stocks[f]
}

// Who only listens has no encoder; those that were given back are few, whatever
// the number of legs.
func TestStock_ListenersHaveNoEncoder(t *testing.T) {
	inBubble(t, func(r *rig) {
		_, all := r.together(12)
		k := r.stock()
		if n := k.encoders.ready(); n < 1 || n > k.most() {
			t.Errorf("%d lie ready for 12 legs", n)
		}
		for _, c := range all {
			_ = c.Close()
		}
		if n := k.encoders.ready(); n != 0 {
			t.Errorf("%d are kept though there are no legs", n)
		}
	})
}

// When more begin to talk than there are encoders, the courier makes them within
// a tick or two; meanwhile the stream goes on.
func TestStock_AllBeginToTalkAtOnce(t *testing.T) {
	inBubble(t, func(r *rig) {
		_, all := r.together(12)
		sent := make([]int, len(all))
		for i, c := range all {
			c.speak = tone(16000, 400+float64(i)*100, -30)
			sent[i] = len(c.stamps)
		}
		r.run(10)
		for i, c := range all {
			if c.voice.encoder == nil || c.voice.code != nil {
				t.Errorf("talker %d hears himself after 10 ticks", i)
			}
			if n := len(c.stamps) - sent[i]; n != 10 {
				t.Errorf("talker %d was sent %d packets in 10 ticks", i, n)
			}
		}
		for i := range all {
			for k := range all[:i] {
				if all[i].voice.lent == all[k].voice.lent {
					t.Fatalf("%d and %d have the same encoder", i, k)
				}
			}
		}
	})
}

// Who must not hear the mix does not, though there is no encoder for him yet.
func TestStock_WithoutAnEncoderTheDeafHearNothing(t *testing.T) {
	inBubble(t, func(r *rig) {
		h, all := r.together(3)
		k := r.stock()
		for k.encoders.take() != nil {
		}
		k.asked.Store(true) // a courier who never comes
		h.Set(1, 1, engine.MemberState{Deaf: true})
		h.Set(2, 2, engine.MemberState{Waiting: true})
		r.run(2)
		n, m, o := len(all[0].stamps), len(all[1].stamps), len(all[2].stamps)
		r.run(20)
		if len(all[0].stamps) != n || len(all[1].stamps) != m || len(all[2].stamps) != o+20 {
			t.Errorf("deaf %d, waiting %d, hearing %d packets in 20 ticks",
				len(all[0].stamps)-n, len(all[1].stamps)-m, len(all[2].stamps)-o)
		}
		if k.encoders.short.Load() == 0 {
			t.Error("nobody says that encoders are missing")
		}
		k.fill()
		k.asked.Store(false)
		r.run(askAgain + 2)
		if all[0].voice.encoder == nil || all[1].voice.encoder == nil {
			t.Error("no encoder after the courier has come")
		}
		if got := len(all[0].stamps) - n; got == 0 {
			t.Error("nothing is sent afterwards")
		}
	})
}

// A leg that is released from a room while there is no encoder does not come near
// the room's own.
func TestStock_WhoLeavesWithoutAnEncoderForgetsTheRooms(t *testing.T) {
	inBubble(t, func(r *rig) {
		h, all := r.together(3)
		k := r.stock()
		for k.encoders.take() != nil {
		}
		k.asked.Store(true)
		h.Remove(1, 1)
		r.run(3)
		if v := &all[0].voice; v.code != nil || v.encoder != nil {
			t.Error("it follows the room's encoder still")
		}
		n := len(all[0].stamps)
		r.run(5)
		if got := len(all[0].stamps) - n; got != 5 {
			t.Errorf("%d packets of silence in 5 ticks", got)
		}
	})
}
