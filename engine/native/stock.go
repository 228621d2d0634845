package native

import (
	"sync/atomic"

	"parley/codec"
)

// shelves is how many encoders of a format may lie ready, and decoders, whatever
// the number of legs.
const shelves = 64

// warmUp is how many frames a new encoder is given.
const warmUp = 10

// askAgain is after how many ticks one who waits for one says so again.
const askAgain = 8

// stock has the encoders and decoders of one format that nobody uses at the
// moment. Who hears what all hear needs no encoder of his own (ADR 21), who says
// nothing no decoder (ADR 35), and each of them takes as much memory as ten other
// legs. The tick takes and returns them without a lock; the courier makes more
// before there are none.
type stock struct {
	format   codec.Format
	users    atomic.Int64 // legs
	asked    atomic.Bool  // the courier has been told
	encoders rack[lent]
	decoders rack[loan]
}

// rack has what lies ready of one kind.
type rack[T any] struct {
	short atomic.Int64 // legs that found none since it was filled
	all   [shelves]atomic.Pointer[T]
}

// lent is an encoder that goes from hand to hand.
type lent struct{ codec.Pooled }

// loan is such a decoder.
type loan struct {
	codec.Renewable
	wake
}

// stockOf is the stock of a format, with one user more; nil where each leg has
// an encoder and a decoder for itself.
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
	k.encoders.clear()
	k.decoders.clear()
}

// least is how many should lie ready: for those who may begin to talk before the
// courier has looked.
func (k *stock) least() int { return min(2+int(k.users.Load()/64), shelves/2) }

// most is how many of those that are given back are kept: some more, so that who comes
// and goes does not have the courier make one each time.
func (k *stock) most() int { return k.least() * 3 / 2 }

// encoder is a new one.
func (k *stock) encoder() *lent { return &lent{warm(k.format)} }

// warm is a new encoder of a format that is Pooled. One that has encoded nothing at
// all does not yet know noise from sound, which Renew leaves as it is; its first
// frames would be worse by up to 10 dB than those of one that others have had before.
func warm(f codec.Format) codec.Pooled {
	e, _ := f.Encoder().(codec.Pooled)
	pcm, payload := make([]int16, frame(f.Rate)), make([]byte, codec.MaxOpus)
	for range warmUp {
		_, _ = e.Encode(payload, pcm) // of silence: nothing can be wrong
	}
	return e
}

// decoder is a new one. It has decoded something, so that what it needs is there.
func (k *stock) decoder() *loan {
	d, _ := k.format.Decoder().(codec.Renewable) // of a format that is Pooled
	pcm := make([]int16, k.format.Rate.Samples(codec.MaxFrame))
	for _, payload := range [][]byte{{0x78, 0, 0}, {0x48, 0, 0}, {0xF8, 0xFF, 0xFE}} { // each of the three modes
		_, _ = d.Decode(pcm, payload)
	}
	return &loan{d, newWake(k.format.Rate)}
}

// fill makes what is missing. It is the courier's.
func (k *stock) fill() {
	k.asked.Store(false)
	k.encoders.fill(k.least(), k.encoder)
	k.decoders.fill(k.least(), k.decoder)
}

func (h *rack[T]) fill(least int, made func() *T) {
	want := min(least+int(h.short.Swap(0)), shelves)
	for range want - h.ready() {
		h.put(made(), want)
	}
}

// take is nil when none lies ready.
func (h *rack[T]) take() *T {
	for i := range h.all {
		if e := h.all[i].Load(); e != nil && h.all[i].CompareAndSwap(e, nil) {
			return e
		}
	}
	return nil
}

// put keeps one, unless there are enough.
func (h *rack[T]) put(e *T, most int) {
	if h.ready() >= most {
		return
	}
	for i := range h.all {
		if h.all[i].CompareAndSwap(nil, e) {
			return
		}
	}
}

func (h *rack[T]) ready() (n int) {
	for i := range h.all {
		if h.all[i].Load() != nil {
			n++
		}
	}
	return n
}

func (h *rack[T]) clear() {
	for i := range h.all {
		h.all[i].Store(nil)
	}
}

// borrow takes one off a rack of the leg's stock for who has waited so many
// ticks; nil means later. It has the courier make what is missing.
func borrow[T any](l *Leg, h *rack[T], waited *int) *T {
	e := h.take()
	if e == nil && *waited%askAgain == 0 {
		h.short.Add(1)
	}
	if (e == nil || h.ready() < l.stock.least()) && l.stock.asked.CompareAndSwap(false, true) &&
		!l.sw.tell(note{kind: noteStock, stock: l.stock}) {
		l.stock.asked.Store(false)
	}
	*waited++
	if e != nil {
		*waited = 0
	}
	return e
}

// equip sees to it that a leg has an encoder; false means later.
func (l *Leg) equip() bool {
	v := &l.voice
	if v.encoder != nil {
		return true
	}
	e := borrow(l, &l.stock.encoders, &v.waited)
	if e != nil {
		v.hold(e)
	}
	return e != nil
}

// hold makes an encoder the voice's own. What it did before means nothing here.
func (v *voice) hold(e *lent) { v.lent, v.encoder, v.relay, v.strange = e, e, e, true }

// giveBack parts with an encoder that others may use.
func (l *Leg) giveBack() {
	v := &l.voice
	if v.lent == nil {
		return
	}
	l.stock.encoders.put(v.lent, l.stock.most())
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
			l.overheard(st.class.all)
			return
		}
	}
	v.code, v.shared, v.sent = nil, false, false
	l.memory.put(v.said, silence, v.turns)
}
