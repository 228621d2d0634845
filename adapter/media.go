package adapter

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"parley/adapter/control/ariserver"
	"parley/codec"
	"parley/engine"
	"parley/engine/native"
)

// aside is audio without a call, until a room calls it.
type aside struct {
	mu   sync.Mutex                   // held while one is opened, which does not wait
	open map[engine.LegID]*native.Leg // guarded by mu
}

// add opens one that no other has the name of.
func (p *aside) add(id engine.LegID, open func() (*native.Leg, error)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[id] != nil {
		return fmt.Errorf("adapter: media of %.64q: %w", id, engine.ErrInUse)
	}
	l, err := open()
	if err != nil {
		return err
	}
	if p.open == nil {
		p.open = map[engine.LegID]*native.Leg{}
	}
	p.open[id] = l
	return nil
}

func (p *aside) find(id engine.LegID) *native.Leg {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open[id]
}

// take takes one out; nil = there is none.
func (p *aside) take(id engine.LegID) *native.Leg {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.open[id]
	delete(p.open, id)
	return l
}

// program is such audio as a call. It has no signalling: it ends when somebody says so.
type program struct{ *native.Leg }

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
func (a *App) openMedia(id engine.LegID, format string, to netip.AddrPort) (at netip.AddrPort, err error) {
	f, ok := mediaFormats()[format]
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("adapter: format %.20q is none of ulaw, alaw, g722, slin and slin16", format)
	}
	err = a.aside.add(id, func() (*native.Leg, error) {
		s, err := a.phones.Stream(id, f)
		if err != nil {
			return nil, fmt.Errorf("adapter: no media: %w", err)
		}
		s.Aim(to)
		at = s.Address()
		return s.Leg, nil
	})
	return at, err
}

// dropMedia is ariserver's DropMedia.
func (a *App) dropMedia(id engine.LegID) {
	if l := a.aside.take(id); l != nil {
		_ = l.Close() // nothing to lose
	}
}

// bringMedia is the engine.Way to such audio: it is there already.
func (a *App) bringMedia(_ context.Context, c engine.OutCall, kind string) error {
	l := a.aside.take(c.Leg)
	if l == nil {
		return &engine.CallError{Cause: engine.CauseNoRoute, Text: "only who has opened " + kind + "/ calls it"}
	}
	in := c.Invite
	in.Kind, in.Untold = kind, kind == "snoop"
	sink := a.exchange.Arrive(program{l}, in)
	l.Attach(sink)
	sink.Post(engine.MediaUp{Leg: l.ID()})
	return nil
}

// besides is the way to an address of what is aside; nil: it is none.
func (a *App) besides(address string) engine.Way {
	for _, begin := range []string{ariserver.MediaAddress, ariserver.SnoopAddress} {
		if strings.HasPrefix(address, begin) {
			kind := strings.TrimSuffix(begin, "/")
			return func(ctx context.Context, c engine.OutCall) error { return a.bringMedia(ctx, c, kind) }
		}
	}
	return nil
}

// voiceOf is the audio of a call that is mixed here, or may be.
func (a *App) voiceOf(id engine.LegID) (*native.Leg, error) {
	if l := a.aside.find(id); l != nil {
		return l, nil
	}
	leg := a.exchange.Leg(id)
	if leg == nil {
		return nil, fmt.Errorf("%w: it has no audio yet", engine.ErrCannot)
	}
	if m, moves := leg.(engine.Mover); moves && !m.At().Native() {
		return nil, fmt.Errorf("%w: its audio is at switch %s", engine.ErrCannot, m.At().Switch)
	}
	if v, ok := leg.(interface{ Voice() *native.Leg }); ok && v.Voice() != nil {
		return v.Voice(), nil
	}
	return nil, fmt.Errorf("%w: its audio is not here", engine.ErrCannot)
}

// snoop is ariserver's Snoop. It ends with the audio of the other.
func (a *App) snoop(id, of engine.LegID, spy, whisper string) error {
	directions := map[string]native.Direction{"in": native.In, "out": native.Out, "both": native.In | native.Out}
	on, err := a.voiceOf(of)
	if err != nil {
		return err
	}
	err = a.aside.add(id, func() (*native.Leg, error) {
		return a.native.Snoop(id, on, directions[spy], directions[whisper], func() { go a.ari.Unsnooped(id) })
	})
	if errors.Is(err, native.ErrClosed) {
		return fmt.Errorf("%w: it has ended", engine.ErrCannot)
	}
	return err
}
