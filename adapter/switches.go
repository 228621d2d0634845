package adapter

import (
	"context"
	"fmt"
	"net/http"

	"parley/adapter/asterisk"
	"parley/adapter/config"
	"parley/adapter/freeswitch"
	"parley/adapter/phone"
	"parley/adapter/seal"
	"parley/ari/audiosocket"
	"parley/codec"
	"parley/engine"
	"parley/sound"
)

// openFreeSWITCH listens for calls of FreeSWITCH dialplans.
func (a *App) openFreeSWITCH(ctx context.Context, c *config.Config) error {
	l, err := listen(ctx, "freeswitch.listen", c.FreeSWITCH.Listen)
	if err != nil {
		return err
	}
	a.esl = l
	a.reattach = a.returns(c)
	share := sound.Share{Dir: sharedSounds(c), Load: a.sounds.Load}
	callers := freeswitch.Callers{Networks: c.FreeSWITCH.ACL}
	for _, s := range c.Switches {
		if s.Kind == config.KindFreeSWITCH {
			callers.Switches = append(callers.Switches, s.ESL)
		}
	}
	a.freeswitch = freeswitch.New(freeswitch.Options{
		Callers:  callers,
		Exchange: a.exchange, DialString: c.FreeSWITCH.DialString, Address: sipAddress(c), Socket: reachable(c.FreeSWITCH.Listen), Token: c.FreeSWITCH.Token,
		Ticket: func(id engine.LegID) freeswitch.Ticket { return ticket{a.phones.Ticket(id)} },
		Share:  freeswitch.Share{Dir: share.Dir, File: share.File}, Reattach: a.reattach, Log: a.opt.Log,
	})
	a.serve = append(a.serve, func(ctx context.Context) error { return a.freeswitch.Serve(ctx, l) })
	return nil
}

// returns lets callers come back, if there is a key to know them by. A Parley
// without one is as good as any until it is restarted, so it starts.
func (a *App) returns(c *config.Config) seal.Reattach {
	if c.Reattach == 0 {
		return seal.Reattach{}
	}
	key, err := seal.Load(c.StateDir)
	if err != nil {
		a.opt.Log.Error(fmt.Sprintf("state_dir: %v. Callers cannot come back after a restart. [state_dir]", err))
	}
	return seal.Reattach{Key: key, Window: c.Reattach}
}

// bridge makes the place where a room is mixed.
func (a *App) bridge(at engine.Place, r engine.RoomName, i engine.InstanceID, sink engine.Sink) (engine.Bridge, error) {
	if at.Native() {
		return a.native.Bridge(at, r, i, sink)
	}
	for _, ast := range asterisks(a.links) {
		if ast.Name() == at.Switch {
			return ast.Bridge(r, sink)
		}
	}
	return a.freeswitch.Bridge(at, r, i, sink)
}

// ticket is a phone.Ticket as adapter/freeswitch knows it.
type ticket struct{ *phone.Ticket }

func (t ticket) Wait(ctx context.Context) (freeswitch.Media, error) {
	v, err := t.Ticket.Wait(ctx)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// asteriskTicket is a phone.Ticket as adapter/asterisk knows it.
type asteriskTicket struct{ *phone.Ticket }

func (t asteriskTicket) Wait(ctx context.Context) (asterisk.Call, error) {
	v, err := t.Ticket.Wait(ctx)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// openAsterisk listens for Asterisk's audio and sets up the link to each
// configured switch.
func (a *App) openAsterisk(ctx context.Context, c *config.Config) error {
	sockets, err := audiosocket.Listen(context.WithoutCancel(ctx), c.AudioSocket.Listen, audiosocket.Options{})
	if err != nil {
		return explainBind("audiosocket.listen", c.AudioSocket.Listen, err)
	}
	a.sockets = sockets
	for _, s := range c.Switches {
		if s.Kind == config.KindFreeSWITCH {
			a.links = append(a.links, a.freeswitch.NewLink(freeswitch.LinkOptions{
				Name: s.Name, Address: s.ESL, Password: s.Password.Reveal(),
			}))
			continue
		}
		l, err := asterisk.New(asterisk.Options{
			Name: s.Name, URL: s.ARI, User: s.User, Password: s.Password.Reveal(), App: s.App,
			Outbound: s.WebSocket == config.WebSocketOutbound, Door: "ws://" + reachable(c.HTTP.Listen) + asteriskDoor + s.Name,
			AMI:      asterisk.AMI{Address: s.AMI, User: s.AMIUser, Password: s.AMIPassword.Reveal()},
			Exchange: a.exchange, Switch: a.native, Sockets: sockets, Advertise: socketAddress(c), Reattach: a.reattach, Log: a.opt.Log,
			DialString: c.Asterisk.DialString, Address: sipAddress(c),
			Ticket: func(id engine.LegID) asterisk.Ticket { return asteriskTicket{a.phones.Ticket(id)} },
			Stream: func(id engine.LegID, f codec.Format) (asterisk.Stream, error) { return a.phones.Stream(id, f) },
		})
		if err != nil {
			return err
		}
		a.links = append(a.links, l)
	}
	return nil
}

// asteriskDoor is where an Asterisk connects to for events, followed by the name
// of the switch.
const asteriskDoor = "/ari-in/"

// openDoor lets an Asterisk in that makes the connection for events itself.
func (a *App) openDoor(w http.ResponseWriter, r *http.Request) {
	for _, ast := range asterisks(a.links) {
		if ast.Name() == r.PathValue("name") {
			ast.Accept(w, r)
			return
		}
	}
	http.NotFound(w, r)
}

// renewLinks ends pauses between tries to connect: an admin may just have mended
// what was wrong.
func (a *App) renewLinks() {
	for _, ast := range asterisks(a.links) {
		ast.Renew()
	}
}

// socketAddress is where an Asterisk sends the audio of its calls.
func socketAddress(c *config.Config) string {
	if c.AudioSocket.Advertise != "" {
		return c.AudioSocket.Advertise
	}
	return reachable(c.AudioSocket.Listen)
}

// reachable is the address by which peers reach a listener.
func reachable(listen string) string {
	host := hostOf(listen)
	if ip, err := localIP(host); err == nil {
		host = ip.String()
	}
	return withHost(listen, host)
}

// sipAddress is where a switch sends the audio of its calls.
func sipAddress(c *config.Config) string {
	switch host := hostOf(c.SIP.Advertise); {
	case host != c.SIP.Advertise:
		return c.SIP.Advertise // with a port
	case host != "":
		return withHost(c.SIP.Listen, host)
	}
	return reachable(c.SIP.Listen)
}
