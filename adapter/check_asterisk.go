package adapter

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"parley/adapter/asterisk"
	"parley/adapter/config"
	"parley/engine"
)

// checkAsterisk looks at what an Asterisk must do for us.
func checkAsterisk(ctx context.Context, c *config.Config, s config.Switch) []Finding {
	o := asterisk.Options{
		Name: s.Name, URL: s.ARI, User: s.User, Password: s.Password.Reveal(), App: s.App, DialString: c.Asterisk.DialString,
		AMI: asterisk.AMI{Address: s.AMI, User: s.AMIUser, Password: s.AMIPassword.Reveal()},
	}
	is, err := asterisk.Probe(ctx, o)
	if err != nil {
		return []Finding{Found(s.Name, false, err.Error())}
	}
	app := "will be registered at start"
	if is.Taken {
		app = "is registered now"
	}
	version := is.Version
	if i := strings.IndexAny(version, "+~"); i > 0 { // what a distribution adds
		version = version[:i]
	}
	found := []Finding{Found(s.Name, true, fmt.Sprintf("Asterisk %s, ARI user may write, app %q %s", version, s.App, app))}
	if is.NoSpool {
		found = append(found, unrecordable(c, s.Name)...)
	}
	found = append(found, checkPaths(ctx, c, o)...)
	return append(found, checkManager(ctx, o)...)
}

// unrecordable is what an Asterisk that has nowhere to record to cannot do: a
// problem where rooms are to be recorded there, else a warning where they may be.
func unrecordable(c *config.Config, name string) []Finding {
	records := func(p *engine.Profile) bool { return p.Record != engine.RecordOff }
	there := func(p *engine.Profile) bool { return p.Mixer == engine.MixerSwitch }
	text := asterisk.NoSpool(name) + ". Rooms that it mixes, or that are handed back to it, are not recorded. [record_dir]"
	switch {
	case anyProfile(c, func(p *engine.Profile) bool { return records(p) && there(p) }):
		return []Finding{Found(name, false, text)}
	case anyProfile(c, func(p *engine.Profile) bool { return records(p) || there(p) }):
		return []Finding{Found("warning", true, text)}
	}
	return nil
}

// checkPaths looks whether the audio can come by the ways that profiles name.
func checkPaths(ctx context.Context, c *config.Config, o asterisk.Options) (found []Finding) {
	var good []string
	for _, w := range mediaWays(c) {
		if trouble := asterisk.ProbePath(ctx, o, w.path); trouble != "" {
			found = append(found, Found(o.Name, false, fmt.Sprintf("media %s (%s) cannot be had: %s. [media_path]", w.path, w.user, trouble)))
		} else {
			good = append(good, string(w.path))
		}
	}
	if good != nil {
		found = append(found, Found(o.Name, true, "media "+strings.Join(good, ", ")+": the switch has what it takes"))
	}
	return found
}

// mediaWay is a way for the audio of an Asterisk, and who wants it.
type mediaWay struct {
	path engine.MediaPath
	user string
}

// mediaWays are those that calls may come by, each once. AudioSocket is what
// the others give way to.
func mediaWays(c *config.Config) []mediaWay {
	var all []mediaWay
	add := func(p engine.MediaPath, user string) {
		if !slices.ContainsFunc(all, func(w mediaWay) bool { return w.path == p }) {
			all = append(all, mediaWay{p, user})
		}
	}
	for i := range c.Profiles {
		add(c.Profiles[i].Media, "profile "+c.Profiles[i].Name)
	}
	d := c.Directory()
	for i := range c.Rooms {
		p, _, _ := d.Lookup(c.Rooms[i].Name, "")
		add(p.Media, "room "+string(c.Rooms[i].Name))
	}
	add(engine.MediaAudioSocket, "what others give way to")
	return all
}

// checkManager looks at the manager interface, where it is configured.
func checkManager(ctx context.Context, o asterisk.Options) []Finding {
	if o.AMI.Address == "" {
		return nil
	}
	warnings, err := asterisk.ProbeManager(ctx, o)
	if err != nil {
		return []Finding{Found(o.Name, false, err.Error())}
	}
	found := []Finding{Found(o.Name, true, fmt.Sprintf("ami %s, user %s may take ConfBridge rooms over", o.AMI.Address, o.AMI.User))}
	for _, w := range warnings {
		found = append(found, Found("warning", true, "switch "+o.Name+": "+w))
	}
	return found
}
