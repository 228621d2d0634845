package engine

import "time"

// Invite is what a call says about itself when it arrives.
type Invite struct {
	Room   string // as dialled; "" = the attendant asks for the number
	Caller Caller
	Switch string // name of the switch it came by; "" = plain SIP
	Kind   string // freeswitch, asterisk or sip: for logs and lists

	// Source is whose wrong PINs are counted together: an address, or a
	// switch and a number.
	Source string

	// Variables are the parley_* variables of the call, names in lower case
	// without the prefix. Unknown and malformed ones become warnings.
	Variables map[string]string

	// Origins says, for those of Variables that the dialplan set by another
	// name, by which: conference_member_flags, parley_conference …
	Origins map[string]string

	// Restore is what the call was when we or its switch lost it: it is that
	// again, without being asked, told or judged. The adapter vouches for it.
	// Lost is when; zero = unknown.
	Restore *Rights
	Lost    time.Time

	// Job is the order that the call was made by: it is one of ours, and came
	// about by Exchange.Dial. Only what a Way was given may set it.
	Job JobID

	// Media is the way by which the call's audio comes, where a profile chooses
	// that; "" = it does not. MediaWhy says why it is another than the profile's.
	Media    MediaPath
	MediaWhy string

	// Warnings that the adapter already has about this call.
	Warnings []string

	// Untold says that nobody listens at its end who is to be greeted, asked, told that
	// he is alone or entertained: who hears it hears it with something else.
	Untold bool

	// Dialplan says that a script goes on after the room, so that a refused
	// call need not be ended.
	Dialplan bool
}

// Caller is who calls, as shown in lists.
type Caller struct{ Number, Name string }
