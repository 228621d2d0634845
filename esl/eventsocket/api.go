package eventsocket

import (
	"context"
	"fmt"
	"strings"

	"parley/esl"
)

// api runs a command and answers with what it prints; until then nothing else
// is written to this client, as at the switch.
func (l *listener) api(ctx context.Context, q *esl.Request, rest string) bool {
	var out string
	if equal(q.Value("console_execute"), "true") {
		out = l.console(ctx, rest)
	} else {
		command, arguments := cut(rest)
		if !l.who().mayRun(command, arguments) {
			l.reply("-ERR permission denied")
			return true
		}
		out = l.runHere(ctx, command, arguments)
	}
	l.write(fmt.Sprintf("Content-Type: api/response\nContent-Length: %d\n\n%s", len(out), out))
	return true
}

// cut takes an api line apart at its first blank, whatever is before that.
func cut(line string) (command, arguments string) {
	command, arguments, _ = strings.Cut(line, " ")
	return command, strings.TrimRight(arguments, " ")
}

// console runs a line as somebody typed it at the switch's console: several
// commands with ";;" between them.
func (l *listener) console(ctx context.Context, line string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(line, ";;") {
		part = strings.TrimSpace(part)
		command, arguments := cut(part)
		switch {
		case command == "":
		case !l.who().mayRun(command, arguments):
			b.WriteString("-ERR permission denied\n")
		default:
			b.WriteString(l.typed(ctx, part))
		}
	}
	if b.Len() == 0 {
		return "-ERR no reply\n"
	}
	return b.String()
}

// Run is an api command as a client would run it: what it prints, or the
// switch's words for none, and for no such command. The event API tells of it, after what it has
// caused.
func (s *Server) Run(ctx context.Context, command, arguments string) string {
	headers := esl.Headers{{Name: "API-Command", Value: command}}
	if arguments != "" {
		headers = append(headers, esl.Header{Name: "API-Command-Argument", Value: arguments})
	}
	out, ok := s.opts.API(ctx, command, arguments)
	s.Fire("API", "", headers, nil)
	switch {
	case !ok:
		return "-ERR " + command + " Command not found!\n"
	case out == "":
		return "-ERR no reply\n"
	default:
		return out
	}
}

// typed is one command of the console.
func (l *listener) typed(ctx context.Context, line string) string {
	command, arguments := cut(line)
	if equal(command, BackgroundCommand) {
		return l.backgroundAPI(ctx, arguments)
	}
	out, ok := l.s.opts.API(ctx, command, arguments)
	if !ok {
		return "-ERR " + line + " Command not found!\n"
	}
	return out
}

// BackgroundCommand is the api command that runs another as a job.
const BackgroundCommand = "bgapi"

// runHere is Run, and bgapi, whose job counts as the client's.
func (l *listener) runHere(ctx context.Context, command, arguments string) string {
	if equal(command, BackgroundCommand) {
		return l.backgroundAPI(ctx, arguments)
	}
	return l.s.Run(ctx, command, arguments)
}

// backgroundAPI is "api bgapi [uuid:JOB] COMMAND …", as fs_cli -x has it.
func (l *listener) backgroundAPI(ctx context.Context, arguments string) string {
	job, line := jobAndCommand(arguments)
	command, arguments := cut(line)
	switch {
	case command == "":
		return "-ERR Invalid syntax\n"
	case !l.start(ctx, job, command, arguments):
		return fmt.Sprintf("-ERR %d jobs are running\n", maxJobs)
	}
	return "+OK Job-UUID: " + job + "\n"
}

// jobAndCommand takes the id of a job off a command, or makes one.
func jobAndCommand(arguments string) (job, line string) {
	if rest, ok := begins(arguments, "uuid:"); ok {
		job, line, _ = strings.Cut(rest, " ")
		arguments = line
	}
	if job == "" {
		job = esl.NewUUID()
	}
	return oneLine(job), arguments
}

// background runs a command as a job; BACKGROUND_JOB tells what it printed.
func (l *listener) background(ctx context.Context, q *esl.Request, rest string) bool {
	command, arguments := cut(rest)
	if !l.who().mayRun(command, arguments) {
		l.reply("-ERR permission denied")
		return true
	}
	job := q.Value("Job-UUID")
	if job == "" {
		job = esl.NewUUID()
	}
	if !l.start(ctx, job, command, arguments) {
		l.reply(fmt.Sprintf("-ERR %d jobs are running", maxJobs))
		return true
	}
	l.reply("+OK Job-UUID: "+job, "Job-UUID: "+job)
	return true
}

// start starts a job, unless the client has too many.
func (l *listener) start(ctx context.Context, job, command, arguments string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running >= maxJobs {
		return false
	}
	l.running++
	l.s.jobs.Go(func() {
		out := l.runHere(ctx, command, arguments)
		l.mu.Lock()
		l.running--
		l.mu.Unlock()
		headers := esl.Headers{{Name: "Job-UUID", Value: job}, {Name: "Job-Command", Value: command}}
		if arguments != "" {
			headers = append(headers, esl.Header{Name: "Job-Command-Arg", Value: arguments})
		}
		l.s.Fire("BACKGROUND_JOB", "", headers, []byte(out))
	})
	return true
}
