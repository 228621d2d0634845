package engine

import (
	"fmt"
	"reflect"
	"time"
)

// reload takes over a new configuration. Rules for calls to come apply at
// once; members keep the settings of their role and their menu, and what the
// opening call's variables set stays. It returns what there is to report, ""
// when nothing of this room has changed.
func (r *room) reload(now time.Time, d *Directory) []string {
	old := r.profile
	r.settle(d)
	if reflect.DeepEqual(withoutRoles(old), withoutRoles(r.profile)) &&
		reflect.DeepEqual(roles(old), roles(r.profile)) {
		r.profile = old
		return nil
	}
	r.reconcile(now)
	r.tune()
	lines := []string{fmt.Sprintf("room %s live: applies now; %d present, nobody removed", r.name, r.present())}
	for _, set := range r.own {
		lines = append(lines, fmt.Sprintf("room %s live: keeps %s %s of the call that opened it", r.name, set.name, clip(set.value)))
	}
	if r.present() > 0 && !reflect.DeepEqual(roles(old), roles(r.profile)) {
		lines = append(lines, fmt.Sprintf("room %s live: %d members keep their menus and join settings", r.name, r.present()))
	}
	r.tell(now, EventRoomModified, nil, ReasonNone)
	return lines
}

func withoutRoles(p *Profile) Profile {
	c := *p
	c.Member, c.Moderator = RoleSettings{}, RoleSettings{}
	return c
}

func roles(p *Profile) [2]RoleSettings { return [2]RoleSettings{p.Member, p.Moderator} }
