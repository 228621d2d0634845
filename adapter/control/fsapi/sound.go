package fsapi

import (
	"strconv"
	"strings"

	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
)

// play plays a file to the room, or to one member.
func (c *call) play() bool {
	words, async := c.words, ""
	if n := len(words); (n == 2 || n == 3) && strings.EqualFold(words[n-1], "async") {
		words, async = words[:n-1], " async"
	}
	if len(words) == 0 {
		return false
	}
	file, sound := words[0], c.prefixed(words[0])
	command := engine.Play{ID: esl.NewUUID() + async, What: engine.Media{Items: []string{sound}}, Beside: async != ""}
	if len(words) > 1 {
		m := c.one(words[1])
		if m == nil {
			return false
		}
		command.Member = m.ID
	}
	if !c.playable(sound) && command.Member == 0 {
		c.a.put(again{instance: c.view.Instance, action: conference.PlayFile, more: esl.Headers{
			{Name: "File", Value: sound}, {Name: "Async", Value: strconv.FormatBool(async != "")}, {Name: "Error", Value: "File could not be played"},
		}})
	}
	c.a.put(typed{c.view.Instance, command.ID, file})
	if !c.playable(sound) || c.a.opts.Exchange.Do(c.ctx, c.view.Name, command) != nil {
		c.a.put(typed{c.view.Instance, command.ID, ""})
		c.printf("-ERR (play) File: %s not found.\n", file)
		return true
	}
	c.printf("+OK (play) Playing file %s", file)
	if command.Member != 0 {
		c.printf(" to member %d", command.Member)
	}
	c.printf("\n")
	return true
}

func (c *call) playable(spec string) bool {
	return c.a.opts.Playable == nil || c.a.opts.Playable(spec) == nil
}

// textAfter is what stands behind the first place of a word in the whole line,
// which may be the room's name: so it is at the switch.
func (c *call) textAfter(word string) string {
	i := strings.Index(c.line, word)
	if i < 0 {
		return c.line
	}
	return strings.TrimLeft(c.line[i+len(word):], " \t")
}

// say speaks to the room.
func (c *call) say() bool {
	text := c.textAfter("say")
	if text == "" {
		c.printf("-ERR (say) Error! No text.\n")
		return false
	}
	if !c.speak(0, text) {
		c.printf("-ERR (say) Error!\n")
		return false
	}
	c.printf("+OK (say) OK\n")
	return true
}

// sayToMember speaks to one member.
func (c *call) sayToMember() bool {
	who, text, _ := strings.Cut(c.textAfter("saymember"), " ")
	if who == "" {
		c.printf("-ERR (saymember) No Text!\n")
		return false
	}
	m := find(c.members(), memberIn(who))
	switch {
	case m == nil:
		c.printf("-ERR (saymember) Unknown Member %s!\n", who)
		return false
	case text != "" && !c.speak(m.ID, text): // the switch speaks nothing, and is content
		c.printf("-ERR (saymember) Error!\n")
		return false
	}
	c.printf("+OK (saymember) OK\n")
	return true
}

// speak has a text spoken by the command for say:TEXT, and tells of it.
func (c *call) speak(to engine.MemberID, text string) bool {
	spec := "say:" + text
	if !c.playable(spec) {
		return false
	}
	command := engine.Play{Member: to, ID: esl.NewUUID(), What: engine.Media{Items: []string{spec}}}
	if c.a.opts.Exchange.Do(c.ctx, c.view.Name, command) != nil {
		return false
	}
	action := conference.Action("speak-text")
	if to != 0 {
		action = "speak-text-member"
	}
	c.a.put(again{instance: c.view.Instance, member: to, action: action, more: esl.Headers{{Name: "Text", Value: text}}})
	return true
}

// silent is the setting that says whether nothing is heard at a door.
func silent(door string) string { return door + "_sound off" }

// doorSound changes what the room hears when somebody comes or goes.
func (c *call) doorSound(door string) bool {
	if len(c.words) == 0 {
		c.printf("-ERR Not enough args\n")
		return false
	}
	configured := c.configuredAt(door)
	tell := func(what string) {
		c.a.put(again{instance: c.view.Instance, action: conference.Action(door + what)})
	}
	rule := func(sound string) bool { return c.do(engine.Rule{Name: door + "_sound", Value: sound}) }
	switch word := strings.ToLower(c.words[0]); word {
	case "on":
		if rule(configured) {
			c.a.put(setting{c.view.Instance, silent(door), ""})
			tell("-sounds-on")
			c.printf("+OK %s %s sounds on (%s)\n", c.name, door, configured)
		}
	case "off", "none":
		if rule("") {
			c.a.put(setting{c.view.Instance, silent(door), "yes"})
			tell("-sounds-off")
			c.printf("+OK %s %s sounds off (%s)\n", c.name, door, configured)
		}
	case "file":
		if len(c.words) < 2 {
			c.printf("-ERR No filename specified\n")
		} else if rule(c.words[1]) {
			c.a.put(doorFile{c.view.Instance, door, c.words[1]})
			tell("-sound-file-changed")
			if door == "exit" {
				c.printf("+OK Old exit sound: [%s]\n", configured)
			}
			c.printf("+OK %s %s sound file set to %s\n", c.name, door, c.words[1])
		}
	default:
		c.printf("-ERR Bad args\n")
		return false
	}
	return true
}

// configuredAt is the sound that is heard at a door when it is on.
func (c *call) configuredAt(door string) string {
	if set := c.a.runOf(c.view.Instance).door[door]; set != "" {
		return set
	}
	p := c.a.opts.Exchange.Profile(c.view.Name, c.view.Profile)
	switch {
	case p == nil:
		return ""
	case door == "exit":
		return firstOf(p.ExitSound, p.ExitTone)
	default:
		return firstOf(p.EnterSound, p.EntryTone)
	}
}

func firstOf(sounds ...string) string {
	for _, s := range sounds {
		if s != "" {
			return s
		}
	}
	return ""
}
