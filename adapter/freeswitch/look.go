package freeswitch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/adapter/trouble"
	"parley/esl"
	"parley/esl/conference"
)

// Difference is something that the switch and we do not see alike.
type Difference = trouble.Difference

// settleTime is how long a difference must last to be one: what the switch has
// told may still be on its way to us.
const settleTime = 300 * time.Millisecond

// look measures how fast the switch answers, and compares what it has with what
// we have. What differs twice is told, and mended.
func (l *Link) look(ctx context.Context, c *esl.Client, version string) error {
	began := time.Now()
	if _, err := c.API(ctx, "switchname", ""); err != nil {
		return err
	}
	took := time.Since(began).Round(100 * time.Microsecond)
	err := l.audit(ctx, c)
	text := fmt.Sprintf("FreeSWITCH %s at %s, answers in %v", version, l.opt.Address, took)
	if n := len(l.Foreign()); n > 0 {
		text += fmt.Sprintf(", %d conferences not ours", n)
	}
	if err == nil {
		l.set(true, text)
	}
	return err
}

func (l *Link) audit(ctx context.Context, c *esl.Client) error {
	first, err := l.compare(ctx, c, nil)
	if err != nil {
		return err
	}
	if len(first) == 0 {
		l.note(nil)
		return nil
	}
	if err := l.settle(ctx, c); err != nil {
		return err
	}
	again, err := l.compare(ctx, c, first)
	if err == nil {
		l.note(again)
	}
	return err
}

// settle lets a while pass, in which the rooms go on to hear what happens.
func (l *Link) settle(ctx context.Context, c *esl.Client) error {
	over := time.NewTimer(settleTime)
	defer over.Stop()
	for {
		select {
		case e := <-c.Events():
			if e == nil {
				return c.Err()
			}
			l.event(e)
		case <-over.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// compare asks the switch for everything. before are the differences of the
// comparison before, nil if there was none: those that still stand are mended
// and returned, others are new and only returned the first time.
func (l *Link) compare(ctx context.Context, c *esl.Client, before map[Difference]bool) (map[Difference]bool, error) {
	rooms, err := listed(ctx, c)
	if err != nil {
		return nil, err
	}
	text, err := c.API(ctx, "show", "channels as json")
	if err != nil {
		return nil, err
	}
	channels, err := conference.ParseChannels([]byte(text))
	if err != nil {
		return nil, err
	}
	found := map[Difference]bool{}
	mend := func(d Difference) bool {
		d.Switch = l.opt.Name
		if before == nil || before[d] {
			found[d] = true
		}
		return before[d]
	}
	l.compareRooms(rooms, mend)
	l.compareCalls(channels, mend)
	return found, nil
}

// listed are the conferences of a switch.
func listed(ctx context.Context, c *esl.Client) ([]conference.Room, error) {
	text, err := c.API(ctx, "conference", "json_list")
	if err != nil {
		return nil, err
	}
	return conference.ParseJSON([]byte(text))
}

// compareRooms looks at every conference, and at every room of ours in one.
func (l *Link) compareRooms(rooms []conference.Room, mend func(Difference) bool) {
	var foreign []conference.Room
	seen := map[string]bool{}
	for i := range rooms {
		r := &rooms[i]
		seen[r.Name] = true
		switch b := l.host(r.Name); {
		case b != nil:
			b.compare(r, mend)
		case l.adapter.stands(l, r.Name):
			l.strangers(r, mend)
		case !l.readopt(r):
			foreign = append(foreign, *r)
		}
	}
	for _, b := range l.hosted() {
		if !seen[b.room] {
			b.compare(nil, mend)
		}
	}
	l.mu.Lock()
	l.foreign, l.running = foreign, seen
	l.mu.Unlock()
}

// began keeps count of the conferences between two looks.
func (l *Link) began(name string, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if on {
		l.running[name] = true
	} else {
		delete(l.running, name)
	}
}

// occupied says whether the switch runs a conference of that name which is no
// room of ours.
func (l *Link) occupied(name string) bool {
	l.mu.Lock()
	there := l.running[name] && l.hosts[name] == nil
	l.mu.Unlock()
	return there && !l.adapter.stands(l, name)
}

// known says whether a conference has been looked at before, and notes it.
func (l *Link) known(uuid string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.judged[uuid]
	l.judged[uuid] = true
	return was
}

// strangers finds those who are in the conference of a room that we have taken
// over, and not in the room, and what the conference has told nobody.
func (l *Link) strangers(r *conference.Room, mend func(Difference) bool) {
	for i := range r.Members {
		m := &r.Members[i]
		c := l.adapter.find(m.UUID)
		if c != nil {
			c.compareBeside(r.Name, m, mend)
		} else if mend(Difference{Room: r.Name, Call: m.UUID, Text: "in the conference, not on the roster"}) {
			l.adopt(r, m)
		}
	}
}

// compareCalls finds calls of ours that the switch does not have.
func (l *Link) compareCalls(channels []conference.Channel, mend func(Difference) bool) {
	have := map[string]bool{}
	for _, ch := range channels {
		have[ch.UUID] = true
		l.endOrphan(ch.UUID)
	}
	for _, c := range l.adapter.of(l) {
		if !have[c.uuid] && !l.exists(c.uuid) && mend(Difference{Call: c.uuid, Text: "on the roster, not at the switch"}) {
			c.tasks.Put(c.vanish)
		}
	}
}

// endOrphan ends a leg of the switch to a Parley that was here before us and
// has died: its caller would hear nothing, beside the mix of his conference.
func (l *Link) endOrphan(uuid string) {
	if !strings.HasPrefix(uuid, l.adapter.legs) || l.adapter.awaits(uuid) {
		return
	}
	l.log.Warn("freeswitch: a leg to a Parley that is gone is ended", "leg", uuid)
	if _, err := l.api("uuid_kill", uuid+" NORMAL_CLEARING"); err != nil {
		l.log.Warn("freeswitch: the leg is not ended", "leg", uuid, "error", err)
	}
}

// exists asks the switch for a channel: its list comes out of a database, and a
// little late.
func (l *Link) exists(uuid string) bool {
	text, err := l.api("uuid_exists", uuid)
	return err != nil || strings.TrimSpace(text) != "false"
}

// note keeps the differences of a look, and tells of those that are new.
func (l *Link) note(now map[Difference]bool) {
	l.mu.Lock()
	var fresh []Difference
	for d := range now {
		if !l.drift[d] {
			fresh = append(fresh, d)
		}
	}
	l.drift = now
	l.count += uint64(len(fresh))
	l.mu.Unlock()
	slices.SortFunc(fresh, func(a, b Difference) int { return strings.Compare(a.Room+a.Call, b.Room+b.Call) })
	for _, d := range fresh {
		l.log.Warn("audit.mismatch", "room", d.Room, "call", d.Call, "what", d.Text)
	}
}

// Differences are those of the last look, and how many there ever were.
func (l *Link) Differences() (now []Difference, ever uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for d := range l.drift {
		now = append(now, d)
	}
	return now, l.count
}

// Mismatches is how many differences there ever were between the switches and us.
func (a *Adapter) Mismatches() (n uint64) {
	a.mu.Lock()
	links := slices.Clone(a.links)
	a.mu.Unlock()
	for _, l := range links {
		_, ever := l.Differences()
		n += ever
	}
	return n
}

// Audit looks now, whatever the clock says.
func (l *Link) Audit(ctx context.Context) ([]Difference, error) {
	c := l.connection()
	if c == nil {
		return nil, errLink
	}
	found, err := l.compare(ctx, c, nil)
	list := make([]Difference, 0, len(found))
	for d := range found {
		list = append(list, d)
	}
	return list, err
}

// Foreign are the conferences that are no rooms of ours, as of the last look.
func (l *Link) Foreign() []conference.Room {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.foreign)
}

// event takes one from the switch.
func (l *Link) event(e *esl.Event) {
	ev, ok := conference.Parse(e)
	if !ok {
		l.pass(e)
		return
	}
	if ev.Action == conference.Created || ev.Action == conference.Destroyed {
		l.began(ev.Room, ev.Action == conference.Created)
		l.stale = true
	}
	if l.order.overtaken(ev) {
		l.overtaken.Add(1)
		l.stale = true
	}
	if b := l.host(ev.Room); b != nil {
		b.do(func() { b.event(ev) })
		return
	}
	l.offstage(ev)
}

func (l *Link) host(name string) *Bridge {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hosts[name]
}

func (l *Link) hosted() []*Bridge {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]*Bridge, 0, len(l.hosts))
	for _, b := range l.hosts {
		list = append(list, b)
	}
	return list
}

func (l *Link) unhost(b *Bridge) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hosts[b.room] == b {
		delete(l.hosts, b.room)
	}
}
