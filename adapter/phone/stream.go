package phone

import (
	"net/netip"

	"parley/codec"
	"parley/engine"
	"parley/engine/native"
	"parley/rtp"
)

// Stream is the RTP of a call whose two ends have been told of each other by
// other means than SIP. Its Leg's Close ends it.
type Stream struct {
	*native.Leg
	port *port
	at   netip.AddrPort
}

// Stream opens one, with f's payload type in both directions. Nothing is sent
// before Aim. Silence is no reason to give it up.
func (p *Phones) Stream(id engine.LegID, f codec.Format) (*Stream, error) {
	pair, err := p.opt.Ports.Reserve()
	if err != nil {
		return nil, err
	}
	at := netip.AddrPortFrom(p.opt.Advertise, pair.Port())
	end := &port{Session: pair.Session(rtp.Options{
		Payload: f.Payload, Receive: f.Payload, ClockRate: f.Clock, FrameBytes: frameBytes(f), SendBytes: sendBytes(f),
		Delay: p.opt.Jitter, MaxDelay: p.opt.JitterMax,
	})}
	voice, err := p.opt.Switch.NewLeg(id, end, f)
	if err != nil {
		_ = end.Close()
		return nil, err
	}
	voice.SetMediaLost(0)
	return &Stream{Leg: voice, port: end, at: at}, nil
}

// Address is where the other end has to send.
func (s *Stream) Address() netip.AddrPort { return s.at }

// Aim says where the other end is: what is sent goes there, and nothing is
// taken from elsewhere.
func (s *Stream) Aim(at netip.AddrPort) { s.port.SetRemote(at, netip.AddrPort{}) }

// LastArrival is when the last packet came, in Unix ns; 0: never.
func (s *Stream) LastArrival() int64 { return s.port.LastArrival() }
