package fsapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"parley/engine"
	"parley/esl/conference"
)

// call is one use of the command "conference NAME …".
type call struct {
	a     *API
	ctx   context.Context //nolint:containedctx // it lives as long as the command
	name  string          // of the room, as it was given
	view  engine.RoomView
	words []string // behind the sub-command
	line  string   // the whole argument, as it was given
	out   strings.Builder
}

// printf adds to what the command prints.
func (c *call) printf(format string, values ...any) { fmt.Fprintf(&c.out, format, values...) }

// sub is a sub-command. One of the two is set: target runs once for each of the
// members that the first word means, whole for the room. Both say false where
// the switch prints the syntax.
type sub struct {
	name, syntax string
	target       func(c *call, m *engine.MemberView, data string)
	whole        func(c *call) bool
	shown        string // what the switch calls it in its syntax; "" = name
}

// usage is what the switch prints after, or for, wrong arguments.
func (s *sub) usage() string {
	name := s.shown
	if name == "" {
		name = s.name
	}
	return name + " " + s.syntax
}

// conference is the api command.
func (a *API) conference(ctx context.Context, arguments string) string {
	words := split(arguments)
	if len(words) == 0 {
		return overview()
	}
	ctx, cancel := brief(ctx)
	defer cancel()
	c := &call{a: a, ctx: ctx, name: words[0], line: arguments}
	view, err := a.opts.Exchange.Room(ctx, engine.RoomName(words[0]))
	switch {
	case errors.Is(err, engine.ErrNoRoom):
		c.words = words[1:]
		return c.global()
	case err != nil:
		return refusal(err)
	case len(words) == 1:
		return "Conference command, not specified.\nTry 'help'\n"
	}
	c.view, c.words = view, words[2:]
	for _, s := range a.subs {
		if strings.EqualFold(s.name, words[1]) {
			c.run(&s)
			return c.out.String()
		}
	}
	return "-ERR Conference command '" + words[1] + "' not found.\n"
}

// help lists the sub-commands that do something. Those about pictures and places
// are answered, but not advertised.
func help() string {
	var lines []string
	for _, s := range soundingSubs() {
		lines = append(lines, "\t\t"+strings.TrimRight(s.usage(), " "))
	}
	return strings.Join(lines, "\n") + "\n"
}

// overview is what "conference" alone shows: the same, with a name's place.
func overview() string {
	var b strings.Builder
	for _, s := range soundingSubs() {
		b.WriteString("<conf name> " + s.usage() + "\n")
	}
	return b.String()
}

// global is a command without a room of that name: of all rooms, or one that
// begins a room.
func (c *call) global() string {
	switch strings.ToLower(c.name) {
	case "list":
		c.list()
	case "count":
		c.printf("%d", len(c.sheets()))
	case "xml_list":
		c.printf("%s", conference.PrintXML(c.sheets()))
	case "json_list":
		c.printf("%s", conference.PrintJSON(c.sheets(), slices.ContainsFunc(c.words, isCompact)))
	case "help", "commands":
		return help()
	default:
		return c.unborn()
	}
	return c.out.String()
}

// unborn is a command to a room that does not run: a call out begins it.
func (c *call) unborn() string {
	if len(c.words) == 0 {
		return "-ERR Conference " + c.name + " not found\n"
	}
	verb := strings.ToLower(c.words[0])
	c.words = c.words[1:]
	switch {
	case verb == "dial" && !c.dial():
		c.printf("moh <file_path>|toggle|[on|off]") // the switch shows another command's
	case verb == "bgdial" && !c.dialInBackground():
		c.printf("pause [<member_id>]")
	case verb != "dial" && verb != "bgdial":
		return "-ERR Conference " + c.name + " not found\n"
	}
	return c.out.String()
}

func isCompact(w string) bool { return strings.EqualFold(w, "compact") }

// run does one sub-command.
func (c *call) run(s *sub) {
	if s.whole != nil {
		if !s.whole(c) {
			c.printf("%s", s.usage())
		}
		return
	}
	if len(c.words) == 0 {
		c.printf("%s", s.usage())
		return
	}
	data := ""
	if len(c.words) > 1 {
		data = c.words[1]
	}
	members, known := c.targets(c.words[0])
	if !known {
		c.printf("%s", s.usage())
	}
	for _, m := range members {
		if m.Role == moderator && strings.EqualFold(c.words[0], others) {
			c.printf("Skipping moderator (member id %d).\n", m.ID)
			continue
		}
		s.target(c, m, data)
	}
}

// members are those the switch would have, newest first.
func (c *call) members() []*engine.MemberView { return present(&c.view) }

// others is the word for all who are no moderators.
const others = "non_moderator"

// targets are the members that a word means; known is false for a word that
// means nobody. It prints what the switch does where there is none.
func (c *call) targets(who string) (list []*engine.MemberView, known bool) {
	all := c.members()
	id := memberIn(who)
	switch {
	case id != 0:
		if m := find(all, id); m != nil {
			return []*engine.MemberView{m}, true
		}
		c.printf("-ERR Non-Existant ID %d\n", id)
	case strings.EqualFold(who, "all"), strings.EqualFold(who, others):
		return all, true
	case strings.EqualFold(who, "last"):
		return all[:min(1, len(all))], true
	case strings.Contains(who, "="):
		if m := c.having(who); m != nil {
			return []*engine.MemberView{m}, true
		}
		c.printf("-ERR Non-Existant member\n")
	default:
		return nil, false
	}
	return nil, true
}

// having is the member with a channel variable of a value, "name=value".
func (c *call) having(condition string) *engine.MemberView {
	name, value, _ := strings.Cut(condition, "=")
	for _, m := range c.members() {
		vars := c.a.variablesOf(&c.view, m)
		if v, ok := vars[keyOf(vars, name)]; ok && v == value {
			return m
		}
	}
	return nil
}

// one is the member that a word means, where a command takes an optional one: a
// number or a variable's value. It prints the refusal.
func (c *call) one(who string) *engine.MemberView {
	m := c.meant(who)
	if m == nil {
		c.printf("-ERR Member: %s not found.\n", who)
	}
	return m
}

// meant is the member that a number or a variable's value means, or nil.
func (c *call) meant(who string) *engine.MemberView {
	if strings.Contains(who, "=") {
		return c.having(who)
	}
	return find(c.members(), memberIn(who))
}

func find(list []*engine.MemberView, id engine.MemberID) *engine.MemberView {
	for _, m := range list {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// do asks the engine, and prints why not.
func (c *call) do(command engine.Command) bool {
	err := c.a.opts.Exchange.Do(c.ctx, c.view.Name, command)
	if err != nil {
		c.printf("%s", refusal(err))
	}
	return err == nil
}

// refusal is an error's class in the words of the switch, or else its detail in
// ours. No client reads the names of our packages.
func refusal(err error) string {
	busy, isRefusal := errors.AsType[*engine.RefusalError](err)
	switch {
	case errors.Is(err, engine.ErrNoMember):
		return "-ERR Non-Existant member\n"
	case errors.Is(err, engine.ErrNoRoom), errors.Is(err, engine.ErrClosed):
		return "-ERR Conference not found\n"
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("-ERR not confirmed within %v\n", commandTime)
	case isRefusal:
		return "-ERR Refused: " + string(busy.Reason) + "\n"
	default:
		return "-ERR " + engine.Detail(err) + "\n"
	}
}
