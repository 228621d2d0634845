package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"parley/adapter/config"
	"parley/adapter/control"
	"parley/engine"
)

// client talks to the process that runs on the same configuration.
func client(f *flags) (*control.Client, error) {
	api, err := config.LoadAPI(config.Source{File: f.config})
	if err != nil {
		return nil, fmt.Errorf("nothing was sent to Parley, whose address and token cannot be read:\n%w", err)
	}
	host, port, err := net.SplitHostPort(api.Listen)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return &control.Client{
		Base: "http://" + net.JoinHostPort(host, port), Token: api.Token.Reveal(), HTTP: &http.Client{Timeout: control.ClientTimeout},
	}, nil
}

func reloadCommand(f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "reload", Short: "Make the running Parley read its configuration again", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := client(f)
			if err != nil {
				return err
			}
			lines, err := c.Reload(cmd.Context())
			if err != nil {
				return err
			}
			if f.json {
				return printJSON(cmd, lines)
			}
			for _, l := range lines {
				fmt.Fprintln(cmd.OutOrStdout(), "reload:", l)
			}
			return nil
		},
	}
}

func statusCommand(f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show how the running Parley and its switches are", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := client(f)
			if err != nil {
				return err
			}
			s, err := c.Status(cmd.Context())
			if err != nil {
				return err
			}
			if f.json {
				err = printJSON(cmd, s)
			} else {
				printStatus(cmd.OutOrStdout(), s)
			}
			if err == nil && slices.ContainsFunc(s.Checks, func(k control.Check) bool { return !k.Ready }) {
				return errSaid
			}
			return err
		},
	}
}

func printStatus(w io.Writer, s control.Status) {
	fmt.Fprintf(w, "parley %s, up %s, %s, %s, %s throttled", s.Version, clock(time.Duration(s.Uptime)*time.Second),
		counted(s.Rooms, "room"), counted(s.Legs, "leg"), counted(s.Throttled, "source"))
	if s.Priority != "" {
		fmt.Fprint(w, ", "+s.Priority)
	}
	fmt.Fprintln(w)
	for _, k := range s.Checks {
		word := "up"
		if !k.Ready {
			word = "DOWN"
		}
		fmt.Fprintf(w, "%-12s %-5s %s\n", k.Name, word, k.Text)
	}
	for _, n := range s.Recent {
		if slices.ContainsFunc(s.Checks, func(k control.Check) bool { return !k.Ready && n.SameAs(k) }) {
			continue
		}
		times := ""
		if n.Times > 1 {
			times = fmt.Sprintf(" (%d times)", n.Times)
		}
		fmt.Fprintf(w, "%-12s %s%s\n", n.Time.Local().Format(time.TimeOnly), n.Text, times)
	}
}

// counted is "1 room", "2 rooms".
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func roomsCommand(f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "rooms", Short: "List the running rooms", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := client(f)
			if err != nil {
				return err
			}
			rooms, err := c.Rooms(cmd.Context())
			if err != nil {
				return err
			}
			if f.json {
				return printJSON(cmd, rooms)
			}
			if len(rooms) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "no rooms are running")
			}
			for _, r := range rooms {
				fmt.Fprintln(cmd.OutOrStdout(), headline(r))
			}
			return nil
		},
	}
}

func roomCommand(f *flags) *cobra.Command {
	var d dialFlags
	var replace bool
	cmd := &cobra.Command{
		Use:   "room NAME [" + memberVerbs + " MEMBER|all] [dial ADDRESS] [record " + tapeVerbs + " [FILE]] [" + roomVerbs + "] [" + soundVerbs + "]",
		Short: "Show a room, or do something in it",
		Long: "MEMBER is the number that `parley room NAME` shows, or all. A command says it is done when it has come true.\n" +
			"dial calls sip:USER@HOST, TRUNK/NUMBER, SWITCH/ENDPOINT or, by dial.number, NUMBER into the room, and waits for the answer.\n" +
			"record writes what the room hears to a WAV file below record_dir: to FILE, or as record_file says; stop, pause and resume are for all without FILE.\n" +
			"takeover moves a live conference of a switch, or a room that is mixed there, into the native mixer; handback returns it.\n" +
			"noisy says who echoes, howls or never pauses, why-silent why nobody is heard, delay how late everybody is.",
		Args: cobra.RangeArgs(1, 4),
		RunE: func(cmd *cobra.Command, args []string) error {
			do, err := verb(f, &d, &replace, args)
			if err != nil {
				return err
			}
			c, err := client(f)
			if err != nil {
				return err
			}
			if do != nil {
				return named("room", args[0], do(cmd, c))
			}
			r, err := c.Room(cmd.Context(), args[0])
			if err != nil {
				return named("room", args[0], err)
			}
			if f.json {
				return printJSON(cmd, r)
			}
			printRoom(cmd.OutOrStdout(), r)
			return nil
		},
	}
	d.add(cmd)
	cmd.Flags().BoolVar(&replace, "replace", false, "record start: replace a file that is there already")
	return cmd
}

// named makes an error that of the command line where the room's name can be
// none of ours, unless Parley knows a conference of a switch by it.
func named(command, name string, err error) error {
	p, answered := errors.AsType[*control.Problem](err)
	_, bad := engine.ParseRoomName(name)
	if err == nil || bad == nil || errors.Is(err, errSaid) || answered && p.Code == "not_ours" {
		return err
	}
	return usageError{fmt.Errorf("parley %s %.20q: %w", command, name, bad)}
}

// What can be done in a room, as its usage shows it.
const (
	memberVerbs = "mute|unmute|deaf|undeaf|kick"
	tapeVerbs   = "start|stop|pause|resume|list"
	roomVerbs   = "lock|unlock|end|takeover|handback"
	soundVerbs  = "noisy|why-silent|delay"
)

// oneOf lists verbs for who has named another.
func oneOf(verbs ...string) string {
	return "one of " + strings.ReplaceAll(strings.Join(verbs, "|"), "|", ", ")
}

// action is what a verb does.
type action = func(*cobra.Command, *control.Client) error

// verb reads what is to be done; nil means show.
func verb(f *flags, d *dialFlags, replace *bool, args []string) (action, error) {
	if len(args) == 1 {
		return nil, nil
	}
	room, what := args[0], args[1]
	if what == "record" {
		return record(f, replace, room, args[2:])
	}
	if len(args) > 3 {
		return nil, usageError{fmt.Errorf("parley room %s %s: too many arguments", room, what)}
	}
	whom := append(args, "")[2]
	if what == "dial" {
		if whom == "" {
			return nil, usageError{fmt.Errorf("parley room %s dial: whom? sip:USER@HOST, TRUNK/NUMBER, SWITCH/ENDPOINT or NUMBER", room)}
		}
		return dial(f, d, room, whom), nil
	}
	ofMember, ofRoom := memberActions(room, whom)[what], roomActions(f, room)[what]
	switch {
	case ofMember != nil && whom == "":
		return nil, usageError{fmt.Errorf("parley room %s %s: which member? a number or all", room, what)}
	case ofMember != nil:
		return ofMember, nil
	case ofRoom != nil && whom != "":
		return nil, usageError{fmt.Errorf("parley room %s %s: that is for the whole room, without a member", room, what)}
	case ofRoom != nil:
		return ofRoom, nil
	}
	return nil, usageError{fmt.Errorf("parley room: unknown command %q; %s", what, oneOf(memberVerbs, "dial", "record", roomVerbs, soundVerbs))}
}

// memberActions are those of memberVerbs.
func memberActions(room, member string) map[string]action {
	set := func(key string, on bool) action {
		return func(cmd *cobra.Command, c *control.Client) error { return c.Set(cmd.Context(), room, member, key, on) }
	}
	return map[string]action{
		"mute": set("muted", true), "unmute": set("muted", false), "deaf": set("deaf", true), "undeaf": set("deaf", false),
		"kick": func(cmd *cobra.Command, c *control.Client) error { return c.Kick(cmd.Context(), room, member) },
	}
}

// roomActions are those of roomVerbs and soundVerbs.
func roomActions(f *flags, room string) map[string]action {
	return map[string]action{
		"lock":   func(cmd *cobra.Command, c *control.Client) error { return c.Lock(cmd.Context(), room, true) },
		"unlock": func(cmd *cobra.Command, c *control.Client) error { return c.Lock(cmd.Context(), room, false) },
		"end":    func(cmd *cobra.Command, c *control.Client) error { return c.End(cmd.Context(), room) },

		"noisy": listen(f, room, noisy), "why-silent": listen(f, room, whySilent), "delay": listen(f, room, delays),

		"takeover": move(f, func(cmd *cobra.Command, c *control.Client) (control.Move, error) {
			return c.TakeOver(cmd.Context(), room)
		}),
		"handback": move(f, func(cmd *cobra.Command, c *control.Client) (control.Move, error) {
			return c.HandBack(cmd.Context(), room)
		}),
	}
}

// headline is a room in one line.
func headline(r engine.RoomView) string {
	title, limit, lock := "", "", "no"
	if r.Title != "" {
		title = " (" + r.Title + ")"
	}
	if r.MaxParticipants > 0 {
		limit = fmt.Sprintf("/%d", r.MaxParticipants)
	}
	if r.Locked {
		lock = "yes"
	}
	age := "-"
	if !r.StartedAt.IsZero() {
		age = clock(time.Since(r.StartedAt))
	}
	recorded := "no"
	if len(r.Recordings) > 0 {
		recorded = "yes"
	}
	return fmt.Sprintf("room %s%s  %s %s  %d%s  locked %s  recording %s  mixer %s%s", r.Name, title, r.State, age,
		len(r.Members), limit, lock, recorded, r.Mixer, beside(r))
}

// beside says who stands in conferences of the room's name that are not it.
func beside(r engine.RoomView) string {
	var text strings.Builder
	for _, b := range r.Beside {
		fmt.Fprintf(&text, "  %d more in %s %s at %s, not ours", len(b.Members), ownName(b.Kind), r.Name, b.Switch)
	}
	return text.String()
}

// ownName is what a switch calls its conferences.
func ownName(kind string) string {
	if kind == "asterisk" {
		return "ConfBridge"
	}
	return "conference"
}

func clock(d time.Duration) string {
	s := int(d / time.Second)
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}

func printRoom(w io.Writer, r engine.RoomView) {
	fmt.Fprintln(w, headline(r))
	fmt.Fprintf(w, "%3s  %-11s %-14s %-16s %-10s %-12s %5s %4s %4s %4s %8s %6s %5s %7s\n",
		"#", "role", "number", "name", "switch", "codec", "floor", "talk", "mute", "deaf", "level", "loss", "late", "delay")
	for _, m := range r.Members {
		from := m.Switch
		if from == "" {
			from = m.Kind
		}
		role := m.Role
		if m.State == "waiting" {
			role = "(" + role + ")"
		}
		fmt.Fprintf(w, "%3d  %-11s %-14s %-16s %-10s %-12s %5s %4s %4s %4s %s\n", m.ID, fit(role, 11), fit(m.Number, 14), fit(m.Name, 16),
			fit(from, 10), fit(m.Codec, 12), star(m.Floor), star(m.Talking), star(m.Muted), star(m.Deaf), audio(m))
	}
	for _, t := range r.Recordings {
		printRecording(w, t)
	}
	for _, j := range r.Dialing {
		fmt.Fprintf(w, "%s %s, job %s\n", j.State, j.Address, j.ID)
	}
	for _, b := range r.Beside {
		for _, m := range b.Members {
			fmt.Fprintf(w, "in %s %s at %s, not ours: %s %s\n", ownName(b.Kind), r.Name, b.Switch, m.Number, m.Name)
		}
	}
	if len(r.Beside) > 0 {
		fmt.Fprintf(w, "parley room %s takeover brings them here\n", r.Name)
	}
	if r.Prompting > 0 {
		fmt.Fprintf(w, "%d more at the attendant\n", r.Prompting)
	}
}

// fit cuts a text that is longer than its column; --json has the whole.
func fit(text string, width int) string {
	if r := []rune(text); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return text
}

// audio is what the place that mixes a member tells of his audio.
func audio(m engine.MemberView) string {
	if m.Level == nil {
		return fmt.Sprintf("%8s %6s %5s %7s", "-", "-", "-", "-")
	}
	return fmt.Sprintf("%5.0f dB %5.1f%% %5d %4d ms", *m.Level, 100*m.Lost, m.Late, m.DelayMS)
}

func star(on bool) string {
	if on {
		return "*"
	}
	return "-"
}
