package adapter

import (
	"context"
	"fmt"
	"net/netip"
	"sync"

	"parley/adapter/phone"
	"parley/codec"
	"parley/engine"
)

// mediaAddress is how an address begins whose call is RTP that is open already.
const mediaAddress = "rtp/"

// programs are the RTP of programs that have been given audio without a call,
// until a room calls them.
type programs struct {
	mu   sync.Mutex                     // held while one is opened, which does not wait
	open map[engine.LegID]*phone.Stream // guarded by mu
}

// take takes one out; nil = there is none.
func (p *programs) take(id engine.LegID) *phone.Stream {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.open[id]
	delete(p.open, id)
	return s
}

// program is such RTP as a call. It has no signalling: it ends when somebody says so.
type program struct{ *phone.Stream }

// Release implements engine.Leg.
func (p program) Release(engine.Outcome) { _ = p.Close() } // nobody to tell

// mediaFormats are Asterisk's names of what RTP may carry without SDP, with its
// payload types (main/rtp_engine.c).
func mediaFormats() map[string]codec.Format {
	slin, wide := codec.L16(8000), codec.L16(16000)
	slin.Payload, wide.Payload = 10, 118
	return map[string]codec.Format{"ulaw": codec.PCMU(), "alaw": codec.PCMA(), "g722": codec.G722(), "slin": slin, "slin16": wide}
}

// openMedia is ariserver's OpenMedia.
func (a *App) openMedia(id engine.LegID, format string, to netip.AddrPort) (netip.AddrPort, error) {
	f, ok := mediaFormats()[format]
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("adapter: format %.20q is none of ulaw, alaw, g722, slin and slin16", format)
	}
	a.programs.mu.Lock()
	defer a.programs.mu.Unlock()
	if a.programs.open[id] != nil {
		return netip.AddrPort{}, fmt.Errorf("adapter: media of %.64q: %w", id, engine.ErrInUse)
	}
	s, err := a.phones.Stream(id, f)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("adapter: no media: %w", err)
	}
	s.Aim(to)
	if a.programs.open == nil {
		a.programs.open = map[engine.LegID]*phone.Stream{}
	}
	a.programs.open[id] = s
	return s.Address(), nil
}

// dropMedia is ariserver's DropMedia.
func (a *App) dropMedia(id engine.LegID) {
	if s := a.programs.take(id); s != nil {
		_ = s.Close() // nothing to lose
	}
}

// bringMedia is the engine.Way to a program: it is there already.
func (a *App) bringMedia(_ context.Context, c engine.OutCall) error {
	s := a.programs.take(c.Leg)
	if s == nil {
		return &engine.CallError{Cause: engine.CauseNoRoute, Text: "only externalMedia calls rtp/"}
	}
	in := c.Invite
	in.Kind = "rtp"
	sink := a.exchange.Arrive(program{s}, in)
	s.Attach(sink)
	sink.Post(engine.MediaUp{Leg: s.ID()})
	return nil
}
