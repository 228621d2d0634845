package esl

import (
	"context"

	"github.com/percipia/eslgo/command/call"
)

// SetVars is Session.SetVars for any call of the switch.
func (c *Conn) SetVars(ctx context.Context, uuid string, vars map[string]string) error {
	cmds, err := setVars(uuid, vars)
	if err != nil {
		return err
	}
	for _, cmd := range cmds {
		m, err := c.Do(ctx, cmd)
		if err != nil {
			return err
		}
		if _, err := apiResult("uuid_setvar_multi", m.Body); err != nil {
			return err
		}
	}
	return nil
}

// Start is Session.Start for any call of the switch. On one that is in a
// conference the application takes the call out of the mix while it runs; the
// conference has it back afterwards.
func (c *Conn) Start(ctx context.Context, uuid, app, arg string) (id string, err error) {
	id = NewUUID()
	return id, c.start(ctx, uuid, id, app, arg)
}

// start locks the call until the application is over, so that what is sent
// later waits for its turn. A conference is not locked: nothing could take the
// call out of its mix.
func (c *Conn) start(ctx context.Context, uuid, id, app, arg string) error {
	_, err := c.Do(ctx, &call.Execute{UUID: uuid, AppName: app, AppArgs: arg, AppUUID: id, Sync: app != "conference"})
	return err
}
