package asterisk_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"parley/adapter/asterisk"
	phones "parley/adapter/phone"
	"parley/codec"
	"parley/engine"
	"parley/rtp"
)

// wayRooms has a room for each of the other ways.
func wayRooms(add func(room, name string, edit func(*engine.Profile))) {
	for room, by := range map[string]engine.MediaPath{"3301": engine.MediaRTP, "3302": engine.MediaWebSocket, "3303": engine.MediaSIP} {
		add(room, "by "+string(by), func(p *engine.Profile) { p.Media = by })
	}
}

// ways completes the options of a link by what the other ways need.
func (r *rig) ways(o asterisk.Options) asterisk.Options {
	r.Helper()
	here := netip.MustParseAddr("127.0.0.1")
	ports, err := rtp.NewPorts(here, 16000, 17999)
	if err != nil {
		r.Fatal(err)
	}
	p := phones.New(phones.Options{Exchange: r.exchange, Switch: r.mixer, Ports: ports, Local: here})
	o.Stream = func(id engine.LegID, f codec.Format) (asterisk.Stream, error) { return p.Stream(id, f) }
	o.Ticket = func(id engine.LegID) asterisk.Ticket { return ticket{p.Ticket(id)} }
	o.DialString, o.Address = "PJSIP/parley/sip:{token}@{address}", "127.0.0.1:1"
	return o
}

// ticket is a phone.Ticket as this package knows it.
type ticket struct{ *phones.Ticket }

func (t ticket) Wait(ctx context.Context) (asterisk.Call, error) {
	v, err := t.Ticket.Wait(ctx)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// TestAWayThatCannotBeHad: the call comes by AudioSocket all the same, and the
// reason is told in the switch's words.
func TestAWayThatCannotBeHad(t *testing.T) {
	for _, c := range []struct{ room, module, request, why string }{
		{
			"3301", "chan_rtp.so", "POST channels/externalMedia",
			"media rtp cannot be had: ari: POST channels/externalMedia: 500 Refused by the test (chan_rtp.so: Module could not be found in running modules)",
		},
		{
			"3302", "chan_websocket.so", "POST channels/externalMedia",
			"media websocket cannot be had: ari: POST channels/externalMedia: 500 Refused by the test (chan_websocket.so: Module could not be found in running modules)",
		},
		{
			"3303", "", "POST channels/",
			"media sip cannot be had: ari: POST channels/ID: 500 Refused by the test (does the endpoint of asterisk.dial_string exist?)",
		},
	} {
		t.Run(c.room, func(t *testing.T) {
			r := newRig(t, nil).ready()
			r.ast.Unload(c.module)
			r.ast.Refuse(c.request, 500)
			call := r.ast.Call("room=" + c.room)
			e := r.await(engine.EventJoined, call.ID())
			why := e.Invite.MediaWhy
			if _, id, ok := strings.Cut(why, "POST channels/parley-media-"); ok {
				id, _, _ = strings.Cut(id, ":")
				why = strings.Replace(why, "parley-media-"+id, "ID", 1)
			}
			if e.Invite.Media != engine.MediaAudioSocket || why != c.why {
				t.Errorf("by %s, because %q", e.Invite.Media, why)
			}
			explained, err := r.exchange.ExplainCall(t.Context(), engine.LegID(call.ID()))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range explained.Settings {
				if s.Name == "media" && s.Lost == "" && (s.Value != "audiosocket" || s.Source != e.Invite.MediaWhy) {
					t.Errorf("explained as %+v", s)
				}
			}
			if r.log.count("[media_path]") != 1 {
				t.Error("the log has no line on it")
			}
			call.Hangup()
			r.clean(0)
		})
	}
}
