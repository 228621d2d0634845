package adapter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"parley/adapter/config"
	"parley/adapter/freeswitch"
	"parley/engine"
	"parley/recording"
	"parley/rtp"
)

// checkTime is how long a switch may take to tell what `parley check` asks.
const checkTime = 1500 * time.Millisecond

// Finding is a line of `parley check`.
type Finding struct {
	Part string `json:"part"`           // "config", "sounds", a switch …; "warning" is of no part
	OK   bool   `json:"ok"`             // false is a problem
	Text string `json:"text"`           // for people
	Code string `json:"code,omitempty"` // of what is wrong, or odd
}

// Found makes a finding; its code is the one that ends the text.
func Found(part string, ok bool, text string) Finding { return Finding{part, ok, text, codeOf(text)} }

// CheckSwitches looks at all switches of a configuration at the same time. What
// is missing of ours, which may be nil, is not told of each switch, but noted.
func CheckSwitches(ctx context.Context, c *config.Config, ours *Missing) []Finding {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	found := make([][]Finding, len(c.Switches))
	var asking sync.WaitGroup
	for i, s := range c.Switches {
		asking.Go(func() {
			if s.Kind == config.KindFreeSWITCH {
				found[i] = checkFreeSWITCH(ctx, c, s, ours)
			} else {
				found[i] = checkAsterisk(ctx, c, s)
			}
		})
	}
	asking.Wait()
	return slices.Concat(found...)
}

func checkFreeSWITCH(ctx context.Context, c *config.Config, s config.Switch, ours *Missing) []Finding {
	o := freeswitch.LinkOptions{Name: s.Name, Address: s.ESL, Password: s.Password.Reveal()}
	wishes := switchSounds(c)
	is, err := freeswitch.Probe(ctx, o, sharedSounds(c), wishes.specs)
	if err != nil {
		return []Finding{Found(s.Name, false, err.Error())}
	}
	text := fmt.Sprintf("FreeSWITCH %s at %s, %s, mod_conference ", is.Version, s.ESL, counted(is.Profiles, "sip profile"))
	var found []Finding
	switch {
	case is.Conference:
		found = append(found, Found(s.Name, true, text+"loaded"))
	case drivesSwitches(c):
		found = append(found, Found(s.Name, false, text+"not loaded. Load it: a profile says mixer: switch. [no_conference]"))
	default:
		found = append(found, Found(s.Name, true, text+"not loaded"))
	}
	if is.Profiles == 0 {
		found = append(found, Found(s.Name, false, "no sip profile runs, so no audio can come to us. Load mod_sofia and start a profile. [no_sofia]"))
	}
	if is.Conference && wishes.specs != nil {
		found = append(found, wishes.judge(s.Name, sharedSounds(c), is, ours)...)
	}
	if is.Remote {
		found = append(found, outOfReach(c, s.Name)...)
	}
	return found
}

// outOfReach are our addresses that no other machine can reach.
func outOfReach(c *config.Config, name string) (found []Finding) {
	for _, at := range []struct{ key, address, what string }{
		{"freeswitch.listen", c.FreeSWITCH.Listen, "the socket of its dialplan"}, {"sip.listen", sipAddress(c), "the audio of its calls"},
	} {
		if host, err := netip.ParseAddr(hostOf(at.address)); err == nil && host.IsLoopback() {
			found = append(found, Found("warning", true, fmt.Sprintf("switch %s is on another machine: %s cannot reach us at %s. Set %s. [unreachable]",
				name, at.what, at.address, at.key)))
		}
	}
	return found
}

// drivesSwitches says whether any room may be mixed by a switch.
func drivesSwitches(c *config.Config) bool {
	return anyProfile(c, func(p *engine.Profile) bool { return p.Mixer == engine.MixerSwitch })
}

// anyProfile says whether a room of the configuration, or one that a caller may
// open, is so.
func anyProfile(c *config.Config, is func(*engine.Profile) bool) bool {
	d := c.Directory()
	for _, p := range d.Profiles {
		if is(p) {
			return true
		}
	}
	return slices.ContainsFunc(c.Rooms, func(r config.Room) bool {
		p, _, _ := d.Lookup(r.Name, "")
		return is(p)
	})
}

// CheckRTP tries every port of audio.
func CheckRTP(c *config.Config) Finding {
	bind := c.RTP.Bind
	if bind == "" {
		bind = hostOf(c.SIP.Listen)
	}
	local, err := localIP(bind)
	if err != nil {
		return Found("rtp", false, err.Error())
	}
	at, err := netip.ParseAddr(bind)
	if err != nil {
		at = local
	}
	ports, err := rtp.NewPorts(at, uint16(c.RTP.Ports.First), uint16(c.RTP.Ports.Last))
	if err != nil {
		return Found("rtp", false, fmt.Sprintf("rtp.ports: %v. [bad_value]", err))
	}
	free, of, err := ports.Free()
	advertised := c.Media.Advertise
	if advertised == "" {
		advertised = local.String()
	}
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return Found("rtp", false, explainBind("rtp.bind", bind, err).Error())
	case err != nil:
		return Found("rtp", false, fmt.Sprintf("rtp %s: %v. [bad_address]", bind, err))
	case free == 0:
		return Found("rtp", false, fmt.Sprintf("%s/udp: none of these ports is free. Set rtp.ports. [port_in_use]", ports))
	case free < of:
		return Found("rtp", true, fmt.Sprintf("%s/udp, free for %d calls of %d, advertised address %s", ports, free, of, advertised))
	}
	return Found("rtp", true, fmt.Sprintf("%s/udp free, advertised address %s", ports, advertised))
}

// CheckRecordings looks for names that recordings cannot have, and tries to
// write to their folder, where any are to be made.
func CheckRecordings(c *config.Config) []Finding {
	if wrong := misnamed(c, recording.NewDir(c.Recordings())); len(wrong) > 0 {
		return wrong
	}
	if c.RecordDir == "" && !anyProfile(c, func(p *engine.Profile) bool { return p.Record != engine.RecordOff && p.Mixer == engine.MixerNative }) {
		return nil
	}
	d := recording.NewDir(c.Recordings())
	if err := d.Check(); err != nil {
		return []Finding{Found("recording", false, fmt.Sprintf("record_dir: %v (uid %d). Rooms run, and are not recorded. [record_dir]", err, os.Getuid()))}
	}
	return []Finding{Found("recording", true, d.Path()+" writable")}
}

// misnamed are the profiles, and rooms with settings of their own, whose
// recordings would have a name that the folder cannot have.
func misnamed(c *config.Config, d *recording.Dir) (found []Finding) {
	judge := func(what string, p *engine.Profile) {
		if p.RecordFile == engine.DefaultRecordFile || p.Mixer != engine.MixerNative {
			return
		}
		name, err := engine.RecordFile(p.RecordFile, "room", "instance", time.Now())
		if err == nil {
			_, err = d.Name(name)
		}
		if err != nil {
			found = append(found, Found("recording", false, fmt.Sprintf("%s: record_file: %v. Nothing is recorded by it. [record_file]", what, err)))
		}
	}
	dir := c.Directory()
	for _, name := range slices.Sorted(maps.Keys(dir.Profiles)) {
		judge("profile "+name, dir.Profiles[name])
	}
	for _, r := range c.Rooms {
		p, _, _ := dir.Lookup(r.Name, "")
		if named := dir.Profiles[p.Name]; named == nil || named.RecordFile != p.RecordFile {
			judge("room "+string(r.Name), p)
		}
	}
	return found
}

// counted is "1 room", "2 rooms".
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
