package esltest

import "strconv"

// Talk is a member who begins or stops to talk.
func (k *Core) Talk(uuid string, on bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	action := "stop-talking"
	if on {
		action = "start-talking"
	}
	if c := k.find(uuid); c != nil && c.member != nil {
		k.tellOf(c.member, action)
	}
}

// Floor gives the floor to a member; "" is nobody.
func (k *Core) Floor(room, uuid string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c := k.find(uuid); c != nil && c.member != nil {
		k.tellOf(c.member, "floor-change", "Old-ID", "none", "New-ID", strconv.Itoa(c.member.id))
	} else if r := k.room(room); r != nil {
		k.tell(r, "floor-change", "Old-ID", "none", "New-ID", "none")
	}
}
