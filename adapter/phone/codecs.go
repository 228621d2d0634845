package phone

import (
	"slices"

	"parley/codec"
	"parley/engine"
	"parley/sip"
)

// codecs are those that a call may have, in our order: out of Options.Codecs,
// as the profile of its room says. A call is answered before its caller has
// said anything, so a caller who names no room gets what the profile default
// has. nil is whatever the endpoint has.
func (p *Phones) codecs(info sip.Info) []codec.Format {
	in := p.invite(info)
	profile := p.opt.Exchange.Profile(engine.RoomName(in.Room), in.Variables["profile"])
	if profile == nil || p.opt.Codecs == nil {
		return nil
	}
	return allowed(p.opt.Codecs, profile)
}

// allowed is what a profile leaves of some formats, in its order.
func allowed(list []codec.Format, profile *engine.Profile) []codec.Format {
	out := []codec.Format{} // nil would be all
	for _, f := range list {
		if f.Name == "opus" {
			f.Rate = min(f.Rate, codec.Rate(profile.MaxRate))
		}
		if int(f.Rate) <= profile.MaxRate && (profile.Codecs == nil || slices.Contains(profile.Codecs, f.Name)) {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b codec.Format) int {
		return slices.Index(profile.Codecs, a.Name) - slices.Index(profile.Codecs, b.Name)
	})
	return out
}
