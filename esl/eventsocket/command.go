package eventsocket

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"parley/esl"
)

// maxJobs is how many bgapi commands of one client may run at once.
const maxJobs = 100

// verb is a command, known by how its line begins. do answers it; on is false
// when the connection is to end.
type verb struct {
	begin string
	do    func(l *listener, ctx context.Context, q *esl.Request, rest string) (on bool)
}

// verbs are compared in this order, in any case. Those of a socket that
// controls a call are missing, as they are on this kind at the switch.
func verbs() []verb {
	return []verb{
		{"filter ", (*listener).filter},
		{"myevents ", (*listener).myEvents},
		{"divert_events", says("-ERR not controlling a session.")},
		{"sendmsg", (*listener).sendMessage},
		{"sendevent", (*listener).sendEvent},
		{"api ", (*listener).api},
		{"bgapi ", (*listener).background},
		{"log", (*listener).log},
		{"linger", says("-ERR not controlling a session")},
		{"nolinger", says("-ERR not controlling a session")},
		{"nolog", (*listener).noLog},
		{"event", (*listener).event},
		{"nixevent", (*listener).nixEvent},
		{"noevents", (*listener).noEvents},
	}
}

// says is a command with one answer.
func says(text string) func(*listener, context.Context, *esl.Request, string) bool {
	return func(l *listener, _ context.Context, _ *esl.Request, _ string) bool {
		l.reply(text)
		return true
	}
}

// begins cuts a word off the front, whatever its case.
func begins(line, word string) (rest string, ok bool) {
	if len(line) < len(word) || !equal(line[:len(word)], word) {
		return "", false
	}
	return line[len(word):], true
}

func equal(a, b string) bool { return strings.EqualFold(a, b) }

// obey answers one command. The caller has the turn.
func (l *listener) obey(ctx context.Context, q *esl.Request) (on bool) {
	for _, word := range []string{"exit", "..."} {
		if _, ok := begins(q.Line, word); ok {
			l.reply("+OK bye")
			return false
		}
	}
	if l.who() == nil {
		return l.logIn(ctx, q.Line)
	}
	for _, v := range verbs() {
		if rest, ok := begins(q.Line, v.begin); ok {
			return v.do(l, ctx, q, rest)
		}
	}
	l.reply("-ERR command not found")
	return true
}

func (l *listener) who() *User {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.user
}

// reply answers with a text and headers of its own, "Name: value".
func (l *listener) reply(text string, more ...string) {
	var b strings.Builder
	b.WriteString("Content-Type: command/reply\nReply-Text: " + oneLine(text) + "\n")
	for _, h := range more {
		b.WriteString(oneLine(h) + "\n")
	}
	b.WriteString("\n")
	l.write(b.String())
}

// oneLine keeps what a client sent from beginning a header of its own.
func oneLine(text string) string {
	return strings.NewReplacer("\r", "", "\n", " ").Replace(text)
}

func allowance(list []string) string {
	if len(list) == 0 {
		return "all"
	}
	return strings.Join(list, " ")
}

// mayRun says whether a user may run a command, and what it may wrap.
func (u *User) mayRun(command, arguments string) bool {
	if len(u.API) == 0 {
		return true
	}
	if !slices.ContainsFunc(u.API, func(c string) bool { return equal(c, command) }) {
		return false
	}
	if !slices.Contains([]string{BackgroundCommand, "eval", "expand", "xml_wrap"}, strings.ToLower(command)) {
		return true
	}
	if equal(command, BackgroundCommand) {
		_, arguments = jobAndCommand(arguments)
	}
	inner, arguments := cut(arguments)
	return inner == "" || u.mayRun(inner, arguments)
}

func (l *listener) filter(_ context.Context, _ *esl.Request, rest string) bool {
	if gone, ok := begins(rest, "delete "); ok {
		header, value, _ := strings.Cut(strings.TrimLeft(gone, " "), " ")
		l.mu.Lock()
		l.wants.unfilter(header, value)
		l.mu.Unlock()
		l.reply("+OK filter deleted. [" + header + "][" + value + "]")
		return true
	}
	if added, ok := begins(rest, "add "); ok {
		rest = added
	}
	header, value, ok := strings.Cut(strings.TrimLeft(rest, " "), " ")
	if !ok || header == "" || value == "" {
		l.reply("-ERR invalid syntax")
		return true
	}
	l.mu.Lock()
	refusal := l.wants.filter(header, value)
	l.mu.Unlock()
	l.reply(cmp.Or(refusal, "+OK filter added. ["+header+"]=["+value+"]"))
	return true
}

// lastOfCall is the event after which the switch sends away who has asked for
// those of the call.
const lastOfCall = "CHANNEL_HANGUP_COMPLETE"

// ofOneCall are the events that "myevents" is about.
const ofOneCall = "CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_ANSWER CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE " +
	"CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA " +
	"CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK CHANNEL_APPLICATION CHANNEL_ORIGINATE CHANNEL_UUID DETECTED_SPEECH DTMF TALK NOTALK"

// myEvents subscribes to the events of one call, which need not be there (yet).
func (l *listener) myEvents(_ context.Context, _ *esl.Request, rest string) bool {
	f := strings.Fields(rest)
	if len(f) == 0 {
		l.reply("-ERR invalid uuid")
		return true
	}
	if !l.who().mayHear(strings.Fields(ofOneCall)) {
		l.reply("-ERR permission denied")
		return true
	}
	l.mu.Lock()
	if len(f) > 1 {
		if chosen, ok := parseFormat(f[1]); ok {
			l.format = chosen
		}
	}
	refusal := l.wants.filter("Unique-ID", f[0])
	if refusal == "" {
		l.call = f[0]
		l.wants.add(strings.Fields(ofOneCall))
	}
	l.mu.Unlock()
	l.reply(cmp.Or(refusal, "+OK Events Enabled"))
	return true
}

// sendMessage ends a call. What else the switch's does, run an application on a
// channel, there is no dialplan of ours for.
func (l *listener) sendMessage(ctx context.Context, q *esl.Request, rest string) bool {
	uuid := strings.TrimSpace(rest)
	if uuid == "" {
		uuid = q.Value("session-id")
	}
	if found, ok := l.s.opts.API(ctx, "uuid_exists", uuid); uuid == "" || !ok || found != "true" {
		l.reply("-ERR invalid session id [" + uuid + "]")
		return true
	}
	switch {
	case !equal(q.Value("call-command"), "hangup"):
		l.reply("-ERR only hangup is supported")
		return true
	case !l.who().mayRun("uuid_kill", ""):
		l.reply("-ERR permission denied")
		return true
	}
	l.s.opts.API(ctx, "uuid_kill", uuid+" "+q.Value("hangup-cause"))
	l.reply("+OK")
	return true
}

// sendEvent passes an event of the client's own on to all, with the values as they
// are. One without a name, or with one that no event has, is CUSTOM, which alone
// has a subclass.
func (l *listener) sendEvent(_ context.Context, q *esl.Request, rest string) bool {
	name, ok := eventName(strings.TrimSpace(rest))
	if !ok {
		name = "CUSTOM"
	}
	if len(l.who().Events) > 0 { // who does not hear all does not speak for the switch
		l.reply("-ERR permission denied")
		return true
	}
	id := esl.NewUUID()
	headers := esl.Headers{{Name: "Command", Value: q.Line}}
	subclass := ""
	for _, h := range q.Headers {
		switch {
		case name == "CUSTOM" && equal(h.Name, "Event-Subclass"):
			subclass = h.Value
		case h.Value == "", equal(h.Name, "Content-Length"), equal(h.Name, "Event-Name"): // the switch has no empty ones
		default:
			headers = append(headers, h)
		}
	}
	l.s.pass(name, subclass, append(headers, esl.Header{Name: "Event-UUID", Value: id}), q.Body)
	l.reply("+OK " + id)
	return true
}

func (l *listener) event(_ context.Context, _ *esl.Request, rest string) bool {
	list := keywords(rest)
	l.mu.Lock()
	if len(list) > 0 {
		if f, ok := parseFormat(list[0]); ok {
			l.format = f
			list = list[1:]
		}
	}
	f, text := l.format, "-ERR no keywords supplied"
	if !l.user.mayHear(list) {
		text = "-ERR permission denied"
	} else if l.wants.add(list) {
		text = "+OK event listener enabled " + f.String()
	}
	l.mu.Unlock()
	l.reply(text)
	return true
}

// keywords are the words behind the first blank: "events plain all" has them
// as well as "event plain all".
func keywords(rest string) []string {
	_, list, _ := strings.Cut(rest, " ")
	return strings.Fields(list)
}

// mayHear says whether a user may subscribe to all of a list.
func (u *User) mayHear(list []string) bool {
	if len(u.Events) == 0 {
		return true
	}
	for _, w := range list {
		if !equal(w, "CUSTOM") && !slices.ContainsFunc(u.Events, func(e string) bool { return equal(e, w) }) {
			return false
		}
	}
	return true
}

func (l *listener) nixEvent(_ context.Context, _ *esl.Request, rest string) bool {
	l.mu.Lock()
	ok := l.wants.remove(keywords(rest))
	l.mu.Unlock()
	if !ok {
		l.reply("-ERR no keywords supplied")
		return true
	}
	l.reply("+OK events nixed")
	return true
}

func (l *listener) noEvents(context.Context, *esl.Request, string) bool {
	l.mu.Lock()
	had := l.wants.leave()
	l.queue.flush()
	l.mu.Unlock()
	if !had {
		l.reply("-ERR not listening for events")
		return true
	}
	l.reply("+OK no longer listening for events")
	return true
}

// notLogging is no level, not even the one called "disable".
const notLogging = -2

// levels are the names of log levels, from -1.
const levels = "disable console alert crit err warning notice info debug"

func (l *listener) log(_ context.Context, _ *esl.Request, rest string) bool {
	if l.who().NoLog {
		l.reply("-ERR permission denied")
		return true
	}
	word, _, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	level := 7
	if word != "" {
		i := slices.IndexFunc(strings.Fields(levels), func(name string) bool { return equal(name, word) })
		n, err := strconv.Atoi(word)
		switch {
		case i >= 0:
			level = i - 1
		case err == nil:
			level = max(0, n)
		default:
			l.reply("-ERR invalid log level")
			return true
		}
	}
	l.mu.Lock()
	l.logs = level
	l.mu.Unlock()
	l.reply(fmt.Sprintf("+OK log level %s [%d]", word, level))
	return true
}

func (l *listener) noLog(context.Context, *esl.Request, string) bool {
	l.mu.Lock()
	had := l.logs != notLogging
	l.logs = notLogging
	l.mu.Unlock()
	if !had {
		l.reply("-ERR not loging")
		return true
	}
	l.reply("+OK no longer logging")
	return true
}
