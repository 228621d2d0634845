//go:build unix && !linux

package rtp

// Outbox gathers packets on Linux; here each leaves by itself.
type Outbox struct{ in *buffers }

func (o *Outbox) buffers() *buffers {
	if o.in == nil {
		o.in = newBuffers(hubBatch)
	}
	return o.in
}

func (o *Outbox) add(s *Session, b []byte) {
	s.left(s.media.send(b))
	s.boxed = false
}

// Flush has nothing to do.
func (o *Outbox) Flush() {}
