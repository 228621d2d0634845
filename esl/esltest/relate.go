package esltest

import (
	"fmt"
	"strconv"
)

// relate takes "FROM TO nospeak" or "FROM TO clear".
func (k *Core) relate(r *conference, args []string) string {
	if len(args) != 3 || args[2] != "nospeak" && args[2] != "clear" {
		k.tb.Errorf("conference %s relate %q", r.name, args)
		return "relate <syntax>"
	}
	from, to := r.member(args[0]), r.member(args[1])
	if from == nil || to == nil && args[2] != "clear" {
		return fmt.Sprintf("-ERR relationship %s->%s not found.\n", args[0], args[1])
	}
	other, _ := strconv.Atoi(args[1])
	key := [2]int{from.id, other}
	if args[2] == "clear" {
		delete(r.apart, key)
		return fmt.Sprintf("+OK relationship %d->%d cleared.\n", from.id, other)
	}
	if r.apart == nil {
		r.apart = map[[2]int]bool{}
	}
	r.apart[key] = true
	return fmt.Sprintf("+OK %d->%d nospeak set\n", from.id, other)
}

// Apart says whether a member of a conference is not heard by another one.
func (k *Core) Apart(room string, from, to int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	r := k.room(room)
	return r != nil && r.apart[[2]int{from, to}]
}
