package native

import (
	"sync/atomic"

	"parley/codec"
)

// shelves is how many encoders of a format may lie ready, whatever the number of
// legs.
const shelves = 64

// warmUp is how many frames a new encoder is given.
const warmUp = 10

// askAgain is after how many ticks one who waits for an encoder says so again.
const askAgain = 8

// stock has the encoders of one format that nobody uses at the moment: who hears
// what all hear needs none of his own (ADR 21), and an Opus encoder takes as much
// memory as ten other legs. The tick takes and returns them without a lock; the
// courier makes more before there are none.
type stock struct {
	format codec.Format
	users  atomic.Int64 // legs
	short  atomic.Int64 // of them, those that found none since it was filled
	asked  atomic.Bool  // the courier has been told
	shelf  [shelves]atomic.Pointer[lent]
}

// lent is an encoder that goes from hand to hand.
type lent struct{ codec.Pooled }

// stockOf is the stock of a format, with one user more; nil where each leg has
// an encoder for itself.
func (s *Switch) stockOf(f codec.Format) *stock {
	if !f.Pooled() {
		return nil
	}
	f.Payload = 0 // is the port's affair
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.stocks[f]
	if k == nil {
		k = &stock{format: f}
		s.stocks[f] = k
	}
	k.users.Add(1)
	return k
}

// leave is one user less. After the last one nothing is kept.
func (k *stock) leave() {
	if k == nil || k.users.Add(-1) > 0 {
		return
	}
	for i := range k.shelf {
		k.shelf[i].Store(nil)
	}
}

// least is how many should lie ready: for those who may begin to talk before the
// courier has looked.
func (k *stock) least() int { return min(2+int(k.users.Load()/64), shelves/2) }

// made is a new encoder. One that has encoded nothing at all does not yet know
// noise from sound, which Renew leaves as it is; its first frames would be worse
// by up to 10 dB than those of an encoder that others have had before.
func (k *stock) made() *lent {
	e, _ := k.format.Encoder().(codec.Pooled) // of a format that is Pooled
	pcm, payload := make([]int16, frame(k.format.Rate)), make([]byte, codec.MaxOpus)
	for range warmUp {
		_, _ = e.Encode(payload, pcm) // of silence: nothing can be wrong
	}
	return &lent{e}
}

// take is nil when none lies ready.
func (k *stock) take() *lent {
	for i := range k.shelf {
		if e := k.shelf[i].Load(); e != nil && k.shelf[i].CompareAndSwap(e, nil) {
			return e
		}
	}
	return nil
}

// put keeps an encoder, unless there are enough.
func (k *stock) put(e *lent, most int) {
	if k.ready() >= most {
		return
	}
	for i := range k.shelf {
		if k.shelf[i].CompareAndSwap(nil, e) {
			return
		}
	}
}

func (k *stock) ready() (n int) {
	for i := range k.shelf {
		if k.shelf[i].Load() != nil {
			n++
		}
	}
	return n
}

// fill makes what is missing. It is the courier's.
func (k *stock) fill() {
	k.asked.Store(false)
	want := min(k.least()+int(k.short.Swap(0)), shelves)
	for range want - k.ready() {
		k.put(k.made(), want)
	}
}

// equip sees to it that a leg has an encoder; false means later.
func (l *Leg) equip() bool {
	v := &l.voice
	if v.encoder != nil {
		return true
	}
	e := l.stock.take()
	if e == nil && v.waited%askAgain == 0 {
		l.stock.short.Add(1)
	}
	if (e == nil || l.stock.ready() < l.stock.least()) && l.stock.asked.CompareAndSwap(false, true) &&
		!l.sw.tell(note{kind: noteStock, stock: l.stock}) {
		l.stock.asked.Store(false)
	}
	if e == nil {
		v.waited++
		return false
	}
	v.waited = 0
	v.hold(e)
	return true
}

// hold makes an encoder the voice's own. What it did before means nothing here.
func (v *voice) hold(e *lent) { v.lent, v.encoder, v.relay, v.strange = e, e, e, true }

// giveBack parts with an encoder that others may use.
func (l *Leg) giveBack() {
	v := &l.voice
	if v.lent == nil {
		return
	}
	l.stock.put(v.lent, 2*l.stock.least())
	v.lent, v.encoder, v.relay = nil, nil, nil
}

// makeDo is listen for one whose own encoder is not there yet. For some ticks he
// goes on with what all hear, himself included, or is sent nothing.
func (st *seat) makeDo(n uint64, hears bool) {
	l, v := st.leg, &st.leg.voice
	if hears && v.ear && v.code == st.code && len(st.minus) == 0 {
		if payload, err := st.class.encoded(st.code, n, v.limiter); err == nil {
			v.shared = true
			l.send(payload, n)
			l.memory.put(v.said, st.class.loud, v.turns)
			return
		}
	}
	v.code, v.shared, v.sent = nil, false, false
	l.memory.put(v.said, silence, v.turns)
}
