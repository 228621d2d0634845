package asterisk

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"parley/ari"
	"parley/codec"
	"parley/engine/native"
)

// Times of a media channel whose switch does not notice if we die.
const (
	// leash is how long such a channel lives without a sign of ours; then its
	// hangup handler sends the caller on.
	leash      = 30 * time.Second
	renewEvery = 10 * time.Second // signs of ours

	// darkTime is how long the link must be down, and nothing have come, before
	// audio by UDP is taken as lost together with the switch.
	darkTime = 5 * time.Second
)

const rtpModule = "chan_rtp.so"

// leashFunction is a dialplan function that ends a channel in so many seconds.
const leashFunction = "TIMEOUT(absolute)"

// leashSeconds is leash as a text.
func leashSeconds() string { return strconv.Itoa(int(leash / time.Second)) }

// renewLeashes gives all media channels that are on a leash another while to
// live, unless that is being done.
func (l *Link) renewLeashes(ctx context.Context) {
	if l.troubled() || l.renewing.Swap(true) {
		return
	}
	l.mu.Lock()
	var all []string
	for id, m := range l.byMedia {
		if s := m.sound.Load(); s != nil && s.line.leashed() && !m.mediaOut.isSet() {
			all = append(all, id)
		}
	}
	l.mu.Unlock()
	l.running.Go(func() {
		defer l.renewing.Store(false)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewEvery)
		defer cancel()
		for _, id := range all {
			if err := l.client.SetVariable(ctx, id, leashFunction, leashSeconds()); err != nil && !isAway(err) {
				l.log.Log(ctx, l.gravity(), "asterisk: a media channel is not kept alive", "channel", id, "error", err)
			}
		}
	})
}

// blind is a line by UDP: neither end notices that the other has died.
type blind struct {
	end  interface{ LastArrival() int64 }
	done <-chan struct{} // closed when its signalling is over; nil: it has none
	bye  func()          // ends its signalling; nil likewise
}

func (b blind) leashed() bool { return true }

// Closed implements line.
func (b blind) Closed() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

// Close implements line.
func (b blind) Close() {
	if b.bye != nil {
		b.bye()
	}
}

// over implements line.
func (b blind) over(now time.Time, dark bool) bool {
	return b.Closed() || dark && now.UnixNano()-b.end.LastArrival() > int64(darkTime)
}

// Stream is RTP without signalling of its own; see phone.Stream.
type Stream interface {
	Voice() *native.Leg
	Address() netip.AddrPort
	Aim(netip.AddrPort)
	LastArrival() int64
}

// rtpPath has Asterisk send plain RTP to a socket of ours. Of packets from
// there it knows those only whose payload type is a static one: G.722 is the one
// wideband format among them.
type rtpPath struct{ link *Link }

func (p rtpPath) fetch(ctx context.Context, m *media, variables map[string]string) (*sound, error) {
	f := codec.G722()
	stream, err := p.link.opt.Stream(m.leg, f)
	if err != nil {
		return nil, err
	}
	if err := p.aim(ctx, m, stream, "g722", variables); err != nil {
		_ = stream.Voice().Close()
		return nil, err
	}
	return &sound{voice: stream.Voice(), format: f, line: blind{end: stream}}, nil
}

// aim makes the channel and tells each end where the other is.
func (p rtpPath) aim(ctx context.Context, m *media, stream Stream, format string, variables map[string]string) error {
	first := map[string]string{leashFunction: leashSeconds()}
	ch, err := p.link.client.ExternalMedia(ctx, ari.ExternalMedia{
		ID: m.mediaID, Encapsulation: "rtp", Transport: "udp", Host: stream.Address().String(), Format: format, Variables: first,
	})
	if err != nil {
		return m.refused(ctx, err, rtpModule)
	}
	at, err := netip.ParseAddrPort(ch.ChannelVars["UNICASTRTP_LOCAL_ADDRESS"] + ":" + ch.ChannelVars["UNICASTRTP_LOCAL_PORT"])
	if err != nil {
		return fmt.Errorf("asterisk: the media channel has no address: %w", err)
	}
	stream.Aim(at)
	if err := m.come(ctx); err != nil {
		return err
	}
	return m.arm(ctx, variables)
}

// Ticket is the right to the media of one call by SIP; see phone.Ticket.
type Ticket interface {
	Token() string
	Wait(context.Context) (Call, error)
	Drop()
}

// Call is the media of a SIP call; see phone.Media.
type Call interface {
	Voice() *native.Leg
	Endure()
	LastArrival() int64
	HangUp()
	Done() <-chan struct{}
}

// sipPath has Asterisk call our SIP endpoint, with a token that is good once.
type sipPath struct{ link *Link }

func (p sipPath) fetch(ctx context.Context, m *media, variables map[string]string) (*sound, error) {
	ticket := p.link.opt.Ticket(m.leg)
	endpoint := strings.NewReplacer("{token}", ticket.Token(), "{address}", p.link.opt.Address).Replace(p.link.opt.DialString)
	if err := p.dial(ctx, m, endpoint, variables); err != nil {
		ticket.Drop()
		return nil, err
	}
	call, err := ticket.Wait(ctx)
	if err != nil {
		return nil, fmt.Errorf("asterisk: the call by SIP came to nobody's knowledge: %w", err)
	}
	call.Endure()
	voice := call.Voice()
	return &sound{voice: voice, format: voice.Format(), line: blind{call, call.Done(), call.HangUp}}, nil
}

// dial makes the call and waits until it is answered.
func (p sipPath) dial(ctx context.Context, m *media, endpoint string, variables map[string]string) error {
	_, err := p.link.client.Originate(ctx, ari.Originate{
		ID: m.mediaID, Endpoint: endpoint, Timeout: pathTime, Variables: map[string]string{leashFunction: leashSeconds()},
	})
	if err != nil {
		return fmt.Errorf("%w (does the endpoint of asterisk.dial_string exist?)", m.refused(ctx, err, "chan_pjsip.so"))
	}
	if err := m.come(ctx); err != nil {
		return err
	}
	return m.arm(ctx, variables)
}
