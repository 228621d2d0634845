package rtp

import "time"

// Take copies the payload of the packet that is due to dst. n = 0 with lost
// means that a packet is missing: conceal one of the usual duration. n = 0
// without lost means that there is nothing to hear. now is unix time in ns.
func (j *Jitter) Take(dst []byte, now int64) (n int, lost bool) {
	if !j.begin(now) {
		return 0, false
	}
	for int32(j.newest-j.next) >= 0 {
		s := &j.ring[j.next%slots]
		if j.old(s, now) || j.gone(s) {
			j.drop()
			continue
		}
		if !s.used || s.seq != j.next {
			j.next++
			j.due += j.step
			j.silent = false
			return 0, true
		}
		if s.gap {
			j.take(s)
			j.silent = true
			j.comfort = append(j.comfort[:0], j.box.get(s.data)...)
			continue
		}
		if off := s.pos - j.due; off >= j.step || off <= -j.step {
			j.playing = false // the sender made a pause, or its clock jumped
			if !j.begin(now) {
				return 0, false
			}
		}
		j.silent, j.comfort = false, j.comfort[:0]
		j.note(now - j.come.nanos(s.pos) - j.come.least)
		j.due = s.pos + j.step
		j.said = s.said
		j.take(s)
		return copy(dst, j.box.get(s.data)), false
	}
	return j.dry(now)
}

// Said is what the packet that was taken last says of its level, in -dBov; ok is
// false where it says nothing.
func (j *Jitter) Said() (level uint8, ok bool) { return j.said - 1, j.said != 0 }

// Back copies the payload that was k packets before the one taken last to dst, if
// nothing has taken its place.
func (j *Jitter) Back(dst []byte, k int) (n int) {
	want := j.next - 1 - uint32(k)
	if s := &j.ring[want%slots]; s.seq == want && !s.gap && !s.used {
		return copy(dst, j.box.get(s.data))
	}
	return 0
}

// Peek copies the packet after one that Take has just called lost to dst, if it
// is here: it may say what the lost one had to say. It stays due.
func (j *Jitter) Peek(dst []byte) (n int) {
	s := &j.ring[j.next%slots]
	if !j.playing || !s.used || s.gap || s.seq != j.next {
		return 0
	}
	return copy(dst, j.box.get(s.data))
}

// old says whether a packet has been waiting for longer than any delay may be.
func (j *Jitter) old(s *slot, now int64) bool {
	return s.used && !s.gap && s.seq == j.next && j.come.lateness(s.pos, now) > int64(j.opt.MaxDelay+2*tickTime)
}

// gone says whether a packet's payload has made room for newer ones: more came at
// once than any delay holds back.
func (j *Jitter) gone(s *slot) bool { return s.used && s.seq == j.next && !j.box.has(s.data) }

// take uses a packet up.
func (j *Jitter) take(s *slot) {
	s.used = false
	j.Lost += uint64(s.seq - j.after)
	j.next = s.seq + 1
	j.after = j.next
	j.missed = 0
}

// begin says whether playing has begun: it does when the first packet has been
// held back for as long as it was earlier than others may be.
func (j *Jitter) begin(now int64) bool {
	if j.playing {
		return true
	}
	if !j.started || int32(j.newest-j.next) < 0 {
		return false
	}
	s := &j.ring[j.next%slots]
	if s.used && s.seq == j.next && !s.gap {
		if now-s.arrival < j.target()-j.come.lateness(s.pos, s.arrival) {
			return false
		}
		j.due = s.pos
		for i := range j.early {
			j.early[i] = now - j.come.nanos(s.pos) - j.come.least
		}
	}
	if j.fresh {
		j.fresh, j.after = false, j.next
	}
	j.playing, j.missed = true, 0
	return true
}

// dry is Take with nothing in hand: a late packet at first, then a pause. The
// packet may have been asked for before it can have come: its lead is less than
// nothing then.
func (j *Jitter) dry(now int64) (n int, lost bool) {
	if j.missed++; j.silent || j.missed > maxConceal {
		j.playing = false
		return 0, false
	}
	j.note(now - j.come.nanos(j.due) - j.come.least)
	j.next++
	j.due += j.step
	return 0, true
}

// note remembers how early a packet was at its turn.
func (j *Jitter) note(lead int64) {
	j.early[j.turn%leads] = lead
	j.turn++
}

// lead is how early the last packets were, at least, ns.
func (j *Jitter) lead() int64 {
	least := j.early[0]
	for _, e := range j.early[1:] {
		least = min(least, e)
	}
	return least
}

// Comfort is the last comfort noise packet, if nothing has been said since.
func (j *Jitter) Comfort() []byte { return j.comfort }

// Surplus is by how much more audio is held back than the arrivals ask for;
// less than zero: by how much less. Ahead is what the caller still had when it took
// a packet, at the least of the last times. The caller should use more or less,
// by little or at once; Surplus then comes closer to zero.
//
// Only whole packets help against lateness: in a frame that takes one, all the
// samples that are left over from the last one are delay and nothing else. So
// it aims at the least number of packets that is enough, with nothing ahead.
func (j *Jitter) Surplus(ahead time.Duration) time.Duration {
	if !j.playing {
		return 0
	}
	step := int64(min(j.duration(), tickTime))
	if int64(j.duration())%int64(tickTime) != 0 {
		step = min(step, int64(tickTime)/2)
	}
	spare := j.lead() - j.target()
	switch {
	case spare > -slack/2 && spare < 0:
		return time.Duration(-little)
	case spare < 0:
		return time.Duration(-(-spare+step-1)/step*step) + ahead
	case j.missed > 0:
		return 0
	case j.inHand() == 0:
		return ahead
	default:
		return time.Duration((spare-slack-j.target()/8)/step*step) + ahead
	}
}

func (j *Jitter) drop() {
	if s := &j.ring[j.next%slots]; s.used {
		s.used = false
		j.Skipped++
	}
	j.next++
	j.due += j.step
}
