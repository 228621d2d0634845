package sip

import (
	"fmt"
	"slices"
	"strings"
)

// offeredMost is how many names of an offer are logged.
const offeredMost = 16

// noCodec logs a call that is refused because we have none of its codecs.
func (e *Endpoint) noCodec(info Info, offer media) {
	var have []string
	for _, f := range e.opt.Codecs {
		have = append(have, f.Name)
	}
	e.log.Warn(fmt.Sprintf("call %s: 488, offered %s; we have %s. [no_codec]",
		info.CallID, offer.names(have), strings.Join(unique(have), ",")), "source", info.Source)
}

// names are the codecs of an offer, in its order, without digits and comfort
// noise. One that we have too is shown with the clock in which it differs.
func (m media) names(ours []string) string {
	var all []string
	for _, e := range m.encodings {
		name := strings.Map(func(r rune) rune {
			if r > ' ' && r < 0x7f && r != ',' && r != ';' {
				return r
			}
			return -1
		}, e.name)
		if e.events() || strings.EqualFold(name, "CN") {
			continue
		}
		if slices.ContainsFunc(ours, func(n string) bool { return strings.EqualFold(n, name) }) {
			name = fmt.Sprintf("%s/%d", name, e.clock)
			if e.stereo {
				name += "/2"
			}
		}
		all = append(all, fmt.Sprintf("%.32s", name))
	}
	all = unique(all)
	switch {
	case len(all) == 0:
		return "nothing known"
	case len(all) > offeredMost:
		all = append(all[:offeredMost], "…")
	}
	return strings.Join(all, ",")
}

// unique keeps the first of each.
func unique(names []string) []string {
	var all []string
	for _, n := range names {
		if !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}
