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
		out = l.s.Run(ctx, command, arguments)
	}
	l.write(fmt.Sprintf("Content-Type: api/response\nContent-Length: %d\n\n%s", len(out), out))
	return true
}

// cut takes an api line apart.
func cut(line string) (command, arguments string) {
	command, arguments, _ = strings.Cut(strings.TrimLeft(line, " "), " ")
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
			out, ok := l.s.opts.API(ctx, command, arguments)
			if !ok {
				out = "-ERR " + part + " Command not found!\n"
			}
			b.WriteString(out)
		}
	}
	if b.Len() == 0 {
		return "-ERR no reply\n"
	}
	return b.String()
}

// Run is an api command as a client would run it: what it prints, or the
// switch's words for none, and for no such command. The event API tells of it.
func (s *Server) Run(ctx context.Context, command, arguments string) string {
	headers := esl.Headers{{Name: "API-Command", Value: command}}
	if arguments != "" {
		headers = append(headers, esl.Header{Name: "API-Command-Argument", Value: arguments})
	}
	s.Fire("API", "", headers, nil)
	out, ok := s.opts.API(ctx, command, arguments)
	switch {
	case !ok:
		return "-ERR " + command + " Command not found!\n"
	case out == "":
		return "-ERR no reply\n"
	default:
		return out
	}
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
	l.mu.Lock()
	full := l.running >= maxJobs
	if !full {
		l.running++
	}
	l.mu.Unlock()
	if full {
		l.reply(fmt.Sprintf("-ERR %d jobs are running", maxJobs))
		return true
	}
	l.s.jobs.Go(func() {
		out := l.s.Run(ctx, command, arguments)
		l.mu.Lock()
		l.running--
		l.mu.Unlock()
		headers := esl.Headers{
			{Name: "Job-UUID", Value: job}, {Name: "Job-Owner-UUID"}, {Name: "Job-Command", Value: command},
		}
		if arguments != "" {
			headers = append(headers, esl.Header{Name: "Job-Command-Arg", Value: arguments})
		}
		l.s.Fire("BACKGROUND_JOB", "", headers, []byte(out))
	})
	l.reply("+OK Job-UUID: "+job, "Job-UUID: "+job)
	return true
}
