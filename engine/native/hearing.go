package native

import "parley/codec"

// idle is after how many packets without a voice a decoder is given back: 3 s, so
// that who draws breath keeps his.
const idle = 150

// hearing is what a leg's owner keeps of a decoder that is lent.
type hearing struct {
	loan   *loan // nil: it has none, or one for good
	waited int   // packets that it has been waited for
	voiced bool  // it has decoded more than pauses here
	whole  int   // of the last packets, how many a decoder needs no others for but the primers
	missed int   // samples lost since the last packet, while it has none
}

// wake is what is kept of what a decoder has made. Who has no decoder has had
// silence, of which nothing need be kept.
type wake struct {
	conceal *codec.Concealer
	before  [preroll][]int16
}

func newWake(r codec.Rate) wake {
	w := wake{conceal: codec.NewConcealer(r)}
	for i := range w.before {
		w.before[i] = make([]int16, frame(r))
	}
	return w
}

// renew makes it what it is after silence; the end of it was lost, so many samples.
func (w wake) renew(lost int) {
	w.conceal.Renew(lost)
	for _, pcm := range w.before {
		clear(pcm)
	}
}

// decodes gives a voice a decoder and all that goes with it, or takes it away.
func (v *voice) decodes(d codec.Decoder, w wake) {
	v.decoder, v.conceal, v.before.pcm = d, w.conceal, w.before
}

// silent notes that silence came.
func (v *voice) silent(pcm []int16) {
	if v.hearing.missed = 0; v.conceal != nil {
		v.conceal.Good(pcm)
	}
}

// lose fills what did not come.
func (v *voice) lose(pcm []int16) {
	if v.conceal != nil {
		v.conceal.Lost(pcm)
		return
	}
	clear(pcm)
	v.hearing.missed += len(pcm)
}

// least of a payload, in bytes, that is more than a mark that nothing is sent (DTX).
const substance = 3

// welcome readies a new leg: without Sayer, who has no way to make up for what a
// decoder has not heard, it has one for good. Others find one when they need it,
// and all an encoder.
func (k *stock) welcome(v *voice, sayer bool) {
	if k.encoders.ready() < k.least() {
		k.encoders.put(k.encoder(), k.least())
	}
	if !sayer {
		v.decodes(k.format.Decoder(), newWake(k.format.Rate))
		return
	}
	if k.decoders.ready() < k.least() {
		k.decoders.put(k.decoder(), k.least())
	}
}

// unwanted says whether nobody hears what a leg says: it is in no room, not snooped on, and not
// recorded. Where a decoder is cheap that is not asked.
func (l *Leg) unwanted() bool {
	return l.stock != nil && l.voice.trust.apart && l.tape.Load() == nil && len(l.voice.snooped.taps) == 0
}

// hears sees to it that a leg has a decoder; false means that what comes is not
// heard, and stays for the primers if that is soon.
func (l *Leg) hears() bool {
	v := &l.voice
	if v.decoder == nil {
		d := l.loan()
		if d == nil {
			return false
		}
		d.Renew()
		d.renew(v.hearing.missed)
		v.decodes(d.Renewable, d.wake)
		v.hearing.loan, v.hearing.voiced, v.hearing.missed = d, false, 0
		v.trust.skipped = true
	}
	v.hearing.voiced = v.hearing.voiced || v.trust.row == 0
	return true
}

// loan is a decoder off the shelf; nil means later. For a check none is made: it
// waits for a packet at which one lies there.
func (l *Leg) loan() *loan {
	v := &l.voice
	if v.trust.check {
		d := l.stock.decoders.take()
		if d == nil {
			v.trust.row, v.trust.check = v.trust.row-1, false
		}
		return d
	}
	d := borrow(l, &l.stock.decoders, &v.hearing.waited)
	if d == nil {
		v.trust.claim = silence
	}
	return d
}

// unhear gives a decoder back that is not needed for the time being, where the
// primers will do for the next one.
func (l *Leg) unhear() {
	v, h := &l.voice, &l.voice.hearing
	if h.loan == nil || h.whole < primers || h.voiced && v.trust.row < idle && !v.trust.apart {
		return
	}
	l.stock.decoders.put(h.loan, l.stock.most())
	h.loan = nil
	v.decodes(nil, wake{})
}

// weigh notes whether a packet is one that primers are made of.
func (h *hearing) weigh(payload []byte) {
	if h.whole++; len(payload) < substance {
		h.whole = 0
	}
}
