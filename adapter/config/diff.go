package config

import (
	"fmt"
	"slices"
	"strings"

	"parley/engine"
)

// Change is one record of the configuration that a reload makes different.
type Change struct {
	Kind    string      `json:"kind"`           // "setting", "user", "trunk", "token", "ARI user", "switch", "controls", "profile", "room"
	Name    string      `json:"name,omitempty"` // of the record; a setting has none
	What    string      `json:"what"`           // "changed", "added", "removed"
	Keys    []KeyChange `json:"keys,omitempty"` // of "changed"
	Restart bool        `json:"restart"`        // waits for a restart of Parley
}

// KeyChange is one key of a record. Secrets and PINs are ***; a key that is
// not set reads "unset".
type KeyChange struct {
	Key string `json:"key"`
	Old string `json:"old"`
	New string `json:"new"`
}

// String is the line of the reload report, e.g.
// "profile default changed: max_participants 20→2".
func (c Change) String() string {
	var b strings.Builder
	b.WriteString(c.Kind)
	if c.Name != "" {
		b.WriteString(" " + c.Name)
	}
	b.WriteString(" " + c.What)
	for i, k := range c.Keys {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		b.WriteString(sep + k.String())
	}
	if c.Restart {
		b.WriteString("; needs a restart")
	}
	return b.String()
}

func (k KeyChange) String() string {
	if k.Old == k.New {
		return k.Key
	}
	return k.Key + " " + k.Old + "→" + k.New
}

// Diff lists what is different in a new configuration, in its order.
func Diff(old, now *Config) []Change {
	var all []Change
	changed := diffFields(settings(old), settings(now))
	for _, f := range settings(now) {
		if i := slices.IndexFunc(changed, func(k KeyChange) bool { return k.Key == f.name }); i >= 0 {
			all = append(all, Change{Kind: "setting", What: "changed", Keys: changed[i : i+1], Restart: f.flags&restart != 0})
		}
	}
	return slices.Concat(all,
		diff("user", old.SIP.Users, now.SIP.Users, userFields, func(u *User) string { return u.Name }),
		diff("trunk", old.SIP.Trunks, now.SIP.Trunks, trunkFields, func(t *Trunk) string { return t.Name }),
		diff("token", old.Auth.Tokens, now.Auth.Tokens, tokenFields, func(t *Token) string { return t.Name }),
		diff("ARI user", old.ARIServer.Users, now.ARIServer.Users, ariUserFields, func(u *ARIUser) string { return u.Name }),
		diff("ESL user", old.ESLServer.Users, now.ESLServer.Users, eslUserFields, func(u *ESLUser) string { return u.Name }),
		diff("switch", old.Switches, now.Switches, switchFields, func(s *Switch) string { return s.Name }),
		diff("controls", old.Controls, now.Controls, controlsFields, func(c *engine.Controls) string { return c.Name }),
		diff("profile", old.Profiles, now.Profiles, namedProfileFields, func(p *engine.Profile) string { return p.Name }),
		diff("room", old.Rooms, now.Rooms, roomFields, func(r *Room) string { return string(r.Name) }),
	)
}

// diff compares two lists of records by their names.
func diff[T any](kind string, old, now []T, fields func(*T) []field, name func(*T) string) []Change {
	before := make(map[string]*T, len(old))
	for i := range old {
		before[name(&old[i])] = &old[i]
	}
	var all []Change
	for i := range now {
		is := printed(&now[i], fields)
		c := Change{Kind: kind, Name: name(&now[i]), What: "added", Restart: is[0].flags&restart != 0}
		if was, ok := before[c.Name]; ok {
			c.What, c.Keys = "changed", diffFields(printed(was, fields), is)
			delete(before, c.Name)
		}
		if c.What == "added" || c.Keys != nil {
			all = append(all, c)
		}
	}
	for i := range old {
		if _, gone := before[name(&old[i])]; gone {
			restarts := printed(&old[i], fields)[0].flags&restart != 0
			all = append(all, Change{Kind: kind, Name: name(&old[i]), What: "removed", Restart: restarts})
		}
	}
	return all
}

// diffFields compares the fields of one record, which may have different ones
// before and now.
func diffFields(before, now []field) []KeyChange {
	was := make(map[string]field, len(before))
	for _, f := range before {
		was[f.name] = f
	}
	var all []KeyChange
	for _, f := range now {
		o, ok := was[f.name]
		delete(was, f.name)
		switch {
		case !ok:
			all = append(all, KeyChange{f.name, "unset", shown(f)})
		case !f.same(o.value):
			all = append(all, KeyChange{f.name, shown(o), shown(f)})
		}
	}
	for _, f := range before {
		if _, gone := was[f.name]; gone {
			all = append(all, KeyChange{f.name, shown(f), "unset"})
		}
	}
	return all
}

// shown is a value on one line of a report.
func shown(f field) string {
	text := inline(f.node())
	if text == "" {
		return `""`
	}
	return fmt.Sprintf("%.200s", strings.ToValidUTF8(text, "?"))
}
