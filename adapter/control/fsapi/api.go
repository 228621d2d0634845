// Package fsapi makes Parley answer as a FreeSWITCH does: the api commands that
// an event socket takes are carried out on our rooms, and what happens in them
// is told as events of mod_conference. What it prints is mod_conference's, to
// the letter; docs/as-freeswitch.md lists what differs, and why.
package fsapi

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/engine"
	"parley/esl"
)

// Compatible is the release of FreeSWITCH that we answer as.
const Compatible = "1.11.1"

// commandTime is how long a command may wait for the fact that confirms it.
const commandTime = 5 * time.Second

// Options sets up an API.
type Options struct {
	Exchange *engine.Exchange
	// Fire sends an event to those who want it; of a subclass, "" = none.
	Fire func(name, subclass string, headers esl.Headers, body []byte) uint64
	// Playable says why a sound could not be played; nil = anything can.
	Playable func(spec string) error
	// Reload reads the configuration again; nil = it cannot be.
	Reload   func(context.Context) error
	SIP      string // HOST:PORT where calls come to us
	Sessions int    // calls there may be at once, 0 = any number
	// Head are the headers that the switch puts first into every event of a name;
	// nil = the name alone.
	Head     func(name string) esl.Headers
	Hostname string
	Version  string // Parley's
	Log      *slog.Logger
}

// API is our rooms, seen as a switch's. Observe and Do may be called from any
// goroutine; Run fires the events, and Do those that it causes.
type API struct {
	opts  Options
	words []word // the commands, and below, those of "conference NAME"
	subs  []sub
	since time.Time
	wake  chan struct{} // capacity 1

	telling sync.Mutex // held over "take what has happened, fire it": keeps events in order

	mu    sync.Mutex
	items []any                      // guarded by mu: what has happened and was not looked at, oldest first
	told  []telling                  // guarded by mu: what is to be fired, oldest first
	rooms map[engine.InstanceID]*run // guarded by mu, as below
	calls map[engine.LegID]*guest    // that CHANNEL_CREATE has been told of, while they are there
	born  int                        // calls since start
	peak  int

	presences int // PRESENCE_IN since start
}

// New makes an API; its Run is to be called once.
func New(o Options) *API {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &API{
		opts: o, words: commandTable(), subs: subs(), since: time.Now(), wake: make(chan struct{}, 1), rooms: map[engine.InstanceID]*run{},
		calls: map[engine.LegID]*guest{},
	}
}

// Observe is an engine.Observer.
func (a *API) Observe(e engine.Event) { a.put(e) }

// put hands something to Run, without waiting.
func (a *API) put(item any) {
	a.mu.Lock()
	a.items = append(a.items, item)
	a.mu.Unlock()
	a.rouse()
}

// judge puts what follows on how a run of a room is now, unless that is nil.
func (a *API) judge(id engine.InstanceID, follows func(*run) any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.catchUp()
	if r := a.rooms[id]; r != nil {
		if item := follows(r); item != nil {
			a.items = append(a.items, item)
			a.rouse()
		}
	}
}

// rouse has Run look at what has happened.
func (a *API) rouse() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// heartbeat is how often HEARTBEAT is fired.
const heartbeat = 20 * time.Second

// Run tells what has happened, until ctx ends. What the engine still did then is
// told by one Tell more.
func (a *API) Run(ctx context.Context) error {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			a.opts.Fire("HEARTBEAT", "", a.pulse(time.Now()), nil)
		case <-a.wake:
			a.Tell()
		}
	}
}

// Stopping tells that we stop, before the calls end, as the switch does.
func (a *API) Stopping() {
	a.opts.Fire("SHUTDOWN", "", esl.Headers{{Name: "Event-Info", Value: "System Shutting Down"}}, nil)
}

// Tell fires what has happened.
func (a *API) Tell() {
	a.telling.Lock()
	defer a.telling.Unlock()
	for _, t := range a.take() {
		a.opts.Fire(t.name, t.subclass, t.headers, t.body)
	}
}

// telling is an event of the switch.
type telling struct {
	name, subclass string
	headers        esl.Headers
	body           []byte
}

// take is what is to be fired.
func (a *API) take() []telling {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.catchUp()
	told := a.told
	a.told = nil
	return told
}

// catchUp takes over what has happened. The caller holds mu.
func (a *API) catchUp() {
	for _, item := range a.items {
		a.told = append(a.told, a.note(item)...)
	}
	a.items = nil
}

// word is a command with what comes after it.
type word struct {
	name   string
	syntax string // what "-USAGE" shows
	needs  int    // words, or that is the answer
	do     func(a *API, ctx context.Context, arguments string) string
}

// commandTable are the api commands, beside conference those that are about
// calls or the whole switch.
func commandTable() []word {
	return slices.Concat([]word{
		{"commands", "", 0, (*API).help},
		{"conference", "", 0, (*API).conference},
		{"console_complete", "", 0, func(*API, context.Context, string) string { return "\n" }},
		{"create_uuid", "", 0, func(*API, context.Context, string) string { return esl.NewUUID() }},
		{"echo", "", 0, func(_ *API, _ context.Context, arguments string) string { return arguments }},
		{"eval", "[uuid:<uuid> ]<expression>", 0, (*API).eval},
		{"expand", "[uuid:<uuid> ]<cmd> <args>", 0, (*API).expand},
		{"global_getvar", "", 0, (*API).globalVariable},
		{"help", "", 0, (*API).help},
		{"hostname", "", 0, func(a *API, _ context.Context, _ string) string { return a.opts.Hostname }},
		{"module_exists", "<module>", 0, (*API).moduleExists},
		{"originate", originateSyntax, 0, (*API).originate},
		{"reloadxml", "", 0, (*API).reload},
		{"show", "", 0, (*API).show},
		{"sofia", "<cmd> <args>", 0, (*API).sofia},
		{"status", "", 0, (*API).status},
		{"strftime", "<format_string>", 0, func(_ *API, _ context.Context, format string) string { return clock(time.Now(), format) }},
		{"switchname", "", 0, func(a *API, _ context.Context, _ string) string { return a.opts.Hostname }},
		{"uptime", "", 0, (*API).uptime},
		{"uuid_dump", "<uuid> [format]", 1, (*API).dump},
		{"uuid_exists", "<uuid>", 0, (*API).exists},
		{"uuid_getvar", "<uuid> <var>", 2, (*API).variable},
		{"uuid_setvar", "<uuid> <var> [value]", 2, (*API).setVariable},
		{"uuid_setvar_multi", setSyntax, 1, (*API).setVariables},
		{"version", "", 0, (*API).version},
	}, driveCommands())
}

// Commands are the names of the api commands there are.
func Commands() (names []string) {
	for _, w := range commandTable() {
		names = append(names, w.name)
	}
	return names
}

// Subclasses are those of the CUSTOM events that an API fires.
func Subclasses() []string { return []string{subclass, cdrSubclass} }

// Do runs an api command, as eventsocket.Options.API. What it has changed is
// told when it returns.
func (a *API) Do(ctx context.Context, command, arguments string) (printed string, ok bool) {
	for _, w := range a.words {
		if strings.EqualFold(w.name, command) {
			if len(split(arguments)) < w.needs {
				return usage(w.syntax), true
			}
			printed = w.do(a, ctx, strings.TrimSpace(arguments))
			a.Tell() // before the event API does
			return printed, true
		}
	}
	return "", false
}

// help lists the commands there are.
func (a *API) help(context.Context, string) string {
	var b strings.Builder
	b.WriteString("\nValid Commands:\n\n")
	words := slices.Clone(a.words)
	slices.SortFunc(words, func(x, y word) int { return strings.Compare(x.name, y.name) })
	for _, w := range words {
		fmt.Fprintf(&b, "%s,%s,,parley\n", w.name, w.syntax)
	}
	fmt.Fprintf(&b, "\n%d total.\n", len(words))
	return b.String()
}

// maxWords is how many words of an argument the switch looks at.
const maxWords = 25

// split takes an argument apart as the switch does.
func split(arguments string) []string {
	words := slices.DeleteFunc(esl.SplitItems(arguments, ' '), func(w string) bool { return w == "" })
	return words[:min(len(words), maxWords)]
}

// brief bounds a command to an engine that confirms by facts.
func brief(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, commandTime)
}
