package asterisk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"parley/ami"
)

// AMI is how to reach Asterisk's manager interface; without an Address it cannot
// be.
type AMI struct{ Address, User, Password string }

// manager connects to it.
func (o Options) manager(ctx context.Context) (*ami.Client, error) {
	return ami.Dial(ctx, ami.Options{Address: o.AMI.Address, User: o.AMI.User, Password: o.AMI.Password, Timeout: adoptTime})
}

// ProbeManager looks, within ctx, whether a ConfBridge room could be taken over,
// and changes nothing. Of the options it needs Name, App and AMI. warnings are of
// what the dialplan lacks; they and the error's text are lines for an admin,
// with their codes.
func ProbeManager(ctx context.Context, o Options) (warnings []string, err error) {
	c, err := o.manager(ctx)
	if err == nil {
		defer c.Close()
		warnings, err = o.missing(c)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("ami %s %s: no answer in time. Is this the address, and does a firewall let us through? [ami_timeout]",
			o.Name, o.AMI.Address)
	case err != nil:
		return nil, errors.New(o.amiTrouble(err))
	}
	return warnings, nil
}

// rightsError are actions that the user may not do.
type rightsError []string

func (r rightsError) Error() string { return "may not " + strings.Join(r, ", ") }

// missing is what the user, which is an error, and the dialplan do not have.
func (o Options) missing(c *ami.Client) (warnings []string, err error) {
	may, err := c.Actions()
	if err != nil {
		return nil, err
	}
	no := slices.DeleteFunc([]string{"ConfbridgeList", "ShowDialPlan", "Setvar", "Redirect"}, func(action string) bool {
		return slices.Contains(may, action)
	})
	if len(no) > 0 {
		return nil, rightsError(no)
	}
	for _, context := range []struct{ name, told string }{{o.App + takeOverContext, o.unguided()}, {lostContext, o.unhandled()}} {
		has, err := c.HasContext(context.name)
		if err != nil {
			return nil, err
		}
		if !has {
			warnings = append(warnings, context.told)
		}
	}
	return warnings, nil
}

const pasteIt = "Paste it from configs/asterisk/extensions.conf."

func (o Options) unguided() string {
	return fmt.Sprintf("the dialplan has no context %s: calls that are being taken over from ConfBridge are hung up if Parley dies at that moment. %s [takeover_context]",
		o.App+takeOverContext, pasteIt)
}

func (o Options) unhandled() string {
	return fmt.Sprintf("the dialplan has no context %s: callers stay in silence if Parley dies. %s [lost_context]", lostContext, pasteIt)
}

// amiTrouble is what an admin needs to know of an error.
func (o Options) amiTrouble(err error) string {
	at := fmt.Sprintf("ami %s %s: ", o.Name, o.AMI.Address)
	no, rights := errors.AsType[rightsError](err)
	switch {
	case errors.Is(err, ami.ErrAuth):
		return at + fmt.Sprintf("user %s or its password is refused. Check [%s] in manager.conf and ami_password_file of switch %s. [ami_auth]",
			o.AMI.User, o.AMI.User, o.Name)
	case rights:
		return at + fmt.Sprintf("user %s %v. It needs read = reporting,call and write = reporting,call in manager.conf, and Asterisk app_confbridge. [ami_rights]",
			o.AMI.User, no)
	case errors.Is(err, syscall.ECONNREFUSED):
		return at + "connection refused. Is enabled = yes in manager.conf, and is this its bindaddr and port? [ami_refused]"
	}
	return at + err.Error() + ". [ami_failed]"
}
