package fsapi

import "context"

// Commands to channels that a member's call cannot obey: its audio comes to us,
// its place is a room, and no UPDATE is sent to it. They are refused
// in the words by which each fails at the switch; where it has none, in ours.

func (a *API) bridge(context.Context, string) string { return "-ERR Invalid uuid\n" }

func (a *API) park(ctx context.Context, id string) string {
	if _, ok := a.channel(ctx, id); !ok {
		return noChannel
	}
	return "-ERR a member's call is in a room, or over\n"
}

func (a *API) display(context.Context, string) string { return operationFailed }

// bypassMedia is "uuid_media", by which the switch takes the audio of a call, or
// leaves it to the phones. It says so, too, of a call whose audio it has.
func (a *API) bypassMedia(_ context.Context, arguments string) string {
	if arguments == "" {
		return usage("[off] <uuid>") + operationFailed
	}
	return operationFailed
}
