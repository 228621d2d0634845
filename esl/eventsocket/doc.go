// Package eventsocket is the switch's end of FreeSWITCH's event socket, the one
// that fs_cli and its like connect to: framing, logging in, subscriptions,
// filters, and queues that no slow reader makes grow. What an api command does
// and which events there are, its user says (Options.API, Server.Fire).
//
// Commands are compared, answered and spelt as mod_event_socket does it, its
// odd words included. What it has beyond that: wrong passwords are slowed down,
// one has to log in within the time there is for it, and a reader that lost
// events is told by a CUSTOM event parley::resync, if it has subscribed to it.
package eventsocket
