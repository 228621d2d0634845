package ami

import (
	"errors"
	"strings"
)

// SetVariable sets a variable of a channel.
func (c *Client) SetVariable(channel, name, value string) error {
	return c.do("Setvar", Field{"Channel", channel}, Field{"Variable", name}, Field{"Value", value})
}

// HasContext says whether the dialplan has anything in a context.
func (c *Client) HasContext(name string) (bool, error) {
	list, err := c.list("ShowDialPlan", "ListDialplan", "ShowDialPlanComplete", Field{"Context", name})
	if r, refused := errors.AsType[*RefusalError](err); refused && strings.HasPrefix(r.Message, "Did not find context") {
		return false, nil
	}
	return len(list) > 0, err
}

// Actions are those that the user may do, as Asterisk writes them.
func (c *Client) Actions() (all []string, err error) {
	m, err := c.ask("ListCommands")
	for _, f := range m {
		if strings.Contains(f.Value, "(Priv: ") {
			all = append(all, f.Name)
		}
	}
	return all, err
}
