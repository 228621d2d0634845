package native

import (
	"parley/codec"
	"parley/mixer"
)

// settling is how many ticks a listener has to be one like the others before he
// shares their payloads, where decoders remember: half a second, so that who
// only draws breath keeps his own encoder.
const settling = 25

// beat is how many ticks apart packets are where silence is not sent: 400 ms, as
// encoders do it.
const beat = 20

// code is all encoded for one format, once for everybody who hears it.
type code struct {
	encoder codec.Encoder
	relay   codec.Relay // the encoder, if its decoders remember; else nil
	payload []byte
	size    int
	done    uint64 // tick that payload is of
}

func newCode(f codec.Format) *code {
	k := &code{payload: make([]byte, 2*frame(f.Rate))}
	if f.Pooled() {
		k.encoder = warm(f)
	} else {
		k.encoder = f.Encoder()
	}
	k.relay, _ = k.encoder.(codec.Relay)
	return k
}

// begin readies an encoder that nobody follows for a listener: it goes on from
// what he has, or anew.
func (k *code) begin(from codec.Encoder) {
	if from != nil {
		k.relay.Continue(from, false)
		return
	}
	fresh, _ := k.encoder.(codec.Pooled) // else he has one of his own
	fresh.Renew()
}

// encoded returns what the silent listeners of a class hear in tick n, made
// once per tick and format. lim is the limiter of the one who asks: it goes on
// from there when nobody shared the mix before.
func (c *class) encoded(k *code, n uint64, lim mixer.Limiter) ([]byte, error) {
	if c.done != n {
		if c.done != n-1 {
			c.shared = lim
		}
		c.mix.All(c.all, &c.shared)
		c.loud = c.meter.Level(c.all)
		c.done = n
	}
	if k.done != n {
		size, err := k.encoder.Encode(k.payload, c.all)
		if err != nil {
			return nil, err
		}
		k.size, k.done = size, n
	}
	return k.payload[:k.size], nil
}

// share returns what a listener and all others like him are sent in tick n; nil
// when he cannot have it yet without hearing the change. Who has heard nothing so
// far and has no encoder comes in with the first payload that depends on none,
// which decoders begin within some 5 ms.
func (st *seat) share(n uint64) []byte {
	v, k := &st.leg.voice, st.code
	joining := k.relay != nil && v.code != k
	if joining {
		if v.alike < settling && v.encoder != nil {
			return nil
		}
		if k.done != n && k.done != n-1 {
			k.begin(v.encoder)
			joining = false
		}
	}
	payload, err := st.class.encoded(k, n, v.limiter)
	if err != nil {
		return nil
	}
	forGood := true
	if joining {
		var yes bool
		if yes, forGood = k.relay.Admits(v.encoder); !yes {
			return nil
		}
	}
	v.shared, v.ear = true, true
	if forGood {
		v.code = k
		st.leg.giveBack()
	}
	return payload
}

// own makes a leg's own encoder ready for tick n: it goes on from the payloads
// that all shared, if he had them up to now.
func (v *voice) own(n uint64) {
	switch k := v.code; {
	case k != nil && k.relay != nil:
		v.relay.Continue(k.encoder, k.done == n)
	case v.strange:
		v.lent.Renew()
	}
	v.code, v.shared, v.strange = nil, false, false
}

// rests says whether a leg that is in no mix has nothing to hear, so that it needs
// no encoder. It gives its own back when that has been so for a while.
func (l *Leg) rests(inMix bool) bool {
	v, p := &l.voice, l.prompt.Load()
	if inMix || l.stock == nil || v.playing != nil || p != nil && p.ready.Load() {
		v.resting = 0
		return false
	}
	if v.resting++; v.resting >= settling {
		l.giveBack()
	}
	return v.encoder == nil
}

// still sends a leg that hears nothing digital silence, which takes no encoder.
// Where silence need not be sent a beat of it is.
func (l *Leg) still(s *scratch, n uint64) {
	v := &l.voice
	v.code, v.shared = nil, false
	if v.held || l.format.Opus.DTX && (n-v.first)%beat != 0 {
		v.sent = false
		return
	}
	l.send(s.payload[:l.format.Still(s.payload[:])], n)
}
