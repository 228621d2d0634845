// Package phone makes legs of SIP calls: of phones and trunks that call a
// room, and of the media that a switch sends us for a call of its own, which
// names a one-time token instead of a room.
package phone

import (
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/engine/native"
	"parley/rtp"
	"parley/sip"
)

// Attendant is the user part that names no room: the caller is asked for one.
const Attendant = "parley"

// Options sets up Phones. Exchange, Switch, Ports and Local must be set.
type Options struct {
	Exchange  *engine.Exchange
	Switch    *native.Switch
	Ports     *rtp.Ports
	Local     netip.Addr     // where our RTP is, for SDP
	Advertise netip.Addr     // instead of Local, when peers see us elsewhere
	OwnPorts  bool           // for each call, also where it could share some
	Trusted   []netip.Prefix // whose X-Parley-* headers may say anything
	MediaLost time.Duration  // without a packet of one who sends, until he is given up; 0 = never
	Codecs    []codec.Format // that callers may have, best first; nil = those of the endpoint
	Jitter    time.Duration  // held back until the arrivals are known; 0 = nothing
	JitterMax time.Duration  // 0 = rtp.DefaultMaxDelay
	Levels    bool           // in RTP headers, with who offers them
	Unheard   time.Duration  // without a first packet, until the log says so; 0 = DefaultUnheard
	// Taken says whether something that is no call of Phones has the name that a
	// caller's Call-ID would give his leg; nil: nothing ever has.
	Taken func(engine.LegID) bool
	Log   *slog.Logger
}

// Phones takes the calls of a sip.Endpoint; see Incoming.
type Phones struct {
	opt    Options
	claims claims
	names  names
	marks  marks // of the calls that we make
}

// New checks nothing and starts nothing.
func New(o Options) *Phones {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Unheard == 0 {
		o.Unheard = DefaultUnheard
	}
	if !o.Advertise.IsValid() {
		o.Advertise = o.Local
	}
	return &Phones{opt: o, claims: newClaims(), names: names{taken: o.Taken}, marks: newMarks()}
}

// Incoming is a sip.Options.Incoming: it answers, or refuses what cannot have
// media here.
func (p *Phones) Incoming(c *sip.Call) sip.Events {
	info := c.Info()
	if p.marks.ours(info.Header(loopHeader)) {
		p.opt.Log.Warn("sip: a call of ours has come back to us. [dial_loop]", "call", info.CallID, "to", info.Target)
		_ = c.Reject(482)
		return nil
	}
	var claim *claim
	if strings.HasPrefix(info.Target, TokenPrefix) {
		if claim = p.claims.take(info.Target); claim == nil {
			p.opt.Log.Warn("sip: unknown or used token", "call", info.CallID, "source", info.Source)
			_ = c.Reject(404)
			return nil
		}
	}
	pair, err := p.room(c.Session())
	if err != nil {
		claim.refuse(engine.ReasonNodeBusy, err)
		p.opt.Log.Error("sip: no media", "call", info.CallID, "error", err)
		_ = c.Reject(503, sip.Header{Name: "Retry-After", Value: "10"})
		return nil
	}
	t := &talk{phones: p, call: c, pair: pair, free: sync.OnceFunc(pair.Close), claim: claim}
	local := t.local()
	if claim == nil {
		local.Codecs = p.codecs(info)
	}
	if err := c.Answer(local); err != nil {
		claim.refuse(engine.ReasonMediaLost, err)
		p.opt.Log.Info("sip: not answered", "call", info.CallID, "error", err)
		t.free()
		_ = c.Reject(488)
		return nil
	}
	return t
}

// room finds ports for a call that the mixer may have, by what its offer says of
// the session.
func (p *Phones) room(offer sip.Session) (*rtp.Pair, error) {
	if err := p.opt.Switch.Busy(); err != nil {
		return nil, err
	}
	if p.opt.OwnPorts {
		return p.opt.Ports.Reserve()
	}
	return p.opt.Ports.ReserveFor(offer.Remote, offer.RemoteRTCP)
}

// talk is one SIP call, from its answer to its end. It is the sip.Events of
// the call: its methods run one after the other.
type talk struct {
	phones   *Phones
	call     *sip.Call
	agreed   sip.Session // until the caller has confirmed it
	pair     *rtp.Pair   // until there is a session
	free     func()      // closes it, once
	port     *port
	voice    *Media
	sink     engine.Sink  // nil: the call was claimed
	given    engine.LegID // by Phones; "" = the call was claimed, or is ours, or there is no media yet
	claim    *claim
	out      *engine.OutCall // nil: the call came to us
	sent     string          // where the caller's phone has said that it will call; "" = nowhere
	referred engine.OpID     // by that order, until the phone has told what came of it
	over     bool
	alarm    *alarm // nil: there is no media yet
}

// local is our side of the audio. A call keeps the codec it began with.
func (t *talk) local() sip.Local {
	l := sip.Local{Addr: netip.AddrPortFrom(t.phones.opt.Advertise, t.pair.Port()), OneCodec: true}
	if t.phones.opt.Levels {
		l.Levels = sip.MixerLevels
	}
	return l
}

// Media implements sip.Events. Before Confirmed nothing is begun: an INVITE
// that nobody confirms costs no tick, and no audio goes to an address that may
// be that of somebody who asked for nothing. What comes meanwhile waits in the
// socket.
func (t *talk) Media(s sip.Session) {
	if t.voice == nil {
		t.agreed = s
		return
	}
	t.port.SetRemote(s.Remote, s.RemoteRTCP)
	t.port.SetLevels(s.Levels.MixOut, s.Levels.OwnIn)
	t.follow(s)
}

// follow follows the direction of the audio. Who does not want to hear us is
// away, and what he sends meanwhile is music on hold; who only wants to hear
// us is not lost when he is silent.
func (t *talk) follow(s sip.Session) {
	t.alarm.session.Store(&s)
	t.port.Hold(s.Held())
	t.voice.SetHold(s.Held())
	patience := t.phones.opt.MediaLost
	if !s.Direction.Receives() || t.voice.endures.Load() {
		patience = 0
	}
	t.voice.SetMediaLost(patience)
}

// begin starts media.
func (t *talk) begin(s sip.Session) {
	o := t.phones.opt
	t.port = &port{Session: t.pair.Session(rtp.Options{
		Payload: s.Codec.Payload, Receive: s.Receive, ClockRate: s.Codec.Clock,
		FrameBytes: frameBytes(s.Codec), SendBytes: sendBytes(s.Codec),
		EventPayload: s.Digits, EventReceive: s.DigitsIn,
		Remote: s.Remote, RemoteRTCP: s.RemoteRTCP, Latch: true, Signalling: t.call.Info().Source.Addr(),
		Delay: o.Jitter, MaxDelay: o.JitterMax,
	})}
	t.port.SetLevels(s.Levels.MixOut, s.Levels.OwnIn)
	id := t.name()
	voice, err := o.Switch.NewLeg(id, t.port, s.Codec)
	if err != nil {
		t.claim.refuse(engine.ReasonNodeBusy, err)
		o.Log.Warn("sip: no media", "call", id, "error", err)
		_ = t.port.Close()
		t.call.HangUp()
		return
	}
	t.voice = &Media{Leg: voice, call: t.call, port: t.port}
	t.arm(id, s)
	t.follow(s)
}

// name is what the leg is called.
func (t *talk) name() engine.LegID {
	switch {
	case t.claim != nil:
		return t.claim.id
	case t.out != nil:
		return t.out.Leg
	}
	t.given = t.phones.names.give(t.call.Info().CallID)
	return t.given
}

// Confirmed implements sip.Confirmer: only now is there a caller, and may he
// take a seat.
func (t *talk) Confirmed() {
	if t.begin(t.agreed); t.voice == nil {
		return // there is no media; the call is being ended
	}
	if t.claim != nil {
		t.claim.taken(t.voice)
		return
	}
	t.arrive(t.phones.invite(t.call.Info()))
}

// arrive hands the call to the engine.
func (t *talk) arrive(in engine.Invite) {
	t.sink = t.phones.opt.Exchange.Arrive(leg{t.voice, t}, in)
	t.voice.Attach(t.sink)
	t.sink.Post(engine.MediaUp{Leg: t.voice.ID()})
}

// frameBytes is what a usual payload of 20 ms has.
func frameBytes(f codec.Format) int {
	switch f.Name {
	case "L16":
		return 2 * f.Clock / 50
	case "opus":
		return 200 // at 64 kbit/s, and redundancy
	}
	return f.Clock / 50
}

// sendBytes is the longest payload of 20 ms.
func sendBytes(f codec.Format) int {
	if f.Name == "opus" {
		return codec.MaxOpus
	}
	return frameBytes(f)
}

// Digit implements sip.Events: a key that came by INFO.
func (t *talk) Digit(d byte) {
	if t.voice != nil {
		t.voice.press(d)
	}
}

// Ended implements sip.Events.
func (t *talk) Ended(end sip.End) {
	t.over = true
	defer t.phones.names.back(t.given)
	if t.voice == nil {
		if t.port == nil {
			t.free()
		}
		return
	}
	t.alarm.timer.Stop()
	if t.sink != nil && end.Cause != sip.ByUs {
		t.sink.Post(engine.LegGone{Leg: t.voice.ID(), Reason: t.lossOf(end.Cause), Cause: namedIn(end.Reason)})
	}
	_ = t.voice.Close()
}

// lossOf is why a call is gone, in the engine's words.
func (t *talk) lossOf(c sip.Cause) engine.Reason {
	switch c {
	case sip.NoACK, sip.Expired, sip.Failed:
		return engine.ReasonMediaLost
	case sip.ByPeer:
		if t.sent != "" {
			return engine.ReasonTransferred
		}
		return engine.ReasonHangup
	case sip.ByUs, sip.Cancelled, sip.Refused, sip.Shutdown:
		return engine.ReasonHangup
	default:
		return engine.ReasonHangup
	}
}

// leg is a plain SIP call as the engine drives it.
type leg struct {
	*Media
	talk *talk
}

// Release implements engine.Leg. A SIP call has no dialplan: it ends, and the
// BYE says how.
func (l leg) Release(o engine.Outcome) {
	hs := []sip.Header{reasonOf(causeFor(o))}
	for _, v := range o.Variables() {
		if v.Value != "" {
			hs = append(hs, sip.Header{Name: headerName(v.Name), Value: v.Value})
		}
	}
	l.call.HangUp(hs...)
}

// port is an rtp.Session with the figures that the switch shows.
type port struct {
	*rtp.Session
	voices [rtp.MaxVoices]rtp.Voice // the tick's
}

// Credit implements native.Crediter.
func (p *port) Credit(voices []native.Voice) {
	n := min(len(voices), len(p.voices))
	for i, v := range voices[:n] {
		p.voices[i] = rtp.Voice(v)
	}
	p.Session.Credit(p.voices[:n])
}

// Outbox is native.Options.Outbox for a switch whose legs are calls by SIP.
func Outbox() native.Outbox { return new(rtp.Outbox) }

// Batch implements native.Batcher.
func (p *port) Batch(o native.Outbox) {
	box, _ := o.(*rtp.Outbox)
	p.Session.Batch(box)
}

// Health implements native.Meter.
func (p *port) Health() native.Health {
	st := p.Stats()
	dropped := st.Dropped
	dropped["late"], dropped["duplicate"], dropped["skipped"] = st.Late, st.Duplicate, st.Skipped
	return native.Health{
		Received: st.PacketsIn, Lost: st.Lost, Late: st.Late, Delay: st.Delay, Jitter: st.Jitter, Capped: st.Capped,
		Source: st.Source, Dropped: dropped,
	}
}
