package rtp

import "github.com/pion/rtp"

// Batch has packets on shared ports wait in o from now on, until it is flushed;
// nil sends each by itself. It belongs to the tick, as Send does.
func (s *Session) Batch(o *Outbox) { s.box = o }

// buffers are the worker's, where it has an outbox.
func (s *Session) buffers() *buffers {
	if s.box != nil {
		return s.box.buffers()
	}
	if s.own == nil {
		s.own = newBuffers(batch)
	}
	return s.own
}

// Send sends one 20 ms payload. ts counts RTP clock units; the session adds
// its random base. While a key is sent, its event goes out instead.
func (s *Session) Send(payload []byte, ts uint32, marker bool) {
	if s.held.Load() || !s.gate.enter() {
		return
	}
	if s.boxed { // in a tick that lasts, nobody has flushed yet
		s.box.Flush()
	}
	s.send(payload, ts, marker)
	if !s.boxed { // else it is flushed before the ports are closed
		s.gate.leave(s.closeSockets)
	}
}

func (s *Session) send(payload []byte, ts uint32, marker bool) {
	ts += s.out.base
	s.takeKeys()
	buf := s.out.buf
	if event, first, ok := s.writer.next(buf[minHeader:minHeader+eventBytes], ts, s.frame); ok {
		s.out.head, s.out.voices = minHeader, 0 // nobody is heard in a key
		s.transmit(s.opt.EventPayload, event, first, eventBytes)
		return
	}
	if len(payload) > len(buf)-minHeader-voicesMost {
		s.count.dropped[DropSend].Add(1)
		return
	}
	n := copy(buf[s.out.head:], payload)
	s.transmit(s.opt.Payload, ts, marker || !s.out.started, n)
	s.out.head, s.out.voices = minHeader, 0
}

// takeKeys moves queued keys to the tick's side.
func (s *Session) takeKeys() {
	if s.keys.Load() == 0 || !s.keyMu.TryLock() {
		return
	}
	defer s.keyMu.Unlock()
	for d, ok := s.keyIn.pop(); ok; d, ok = s.keyIn.pop() {
		s.writer.queue.push(d)
	}
	s.writer.frames = keyFrames
	s.keys.Store(0)
}

// transmit sends n payload bytes that stand in the buffer already.
func (s *Session) transmit(pt uint8, ts uint32, marker bool, n int) {
	o := &s.out
	h := rtp.Header{Version: 2, Marker: marker, PayloadType: pt, SequenceNumber: o.seq, Timestamp: ts, SSRC: o.ssrc}
	if _, err := h.MarshalTo(o.buf[:minHeader]); err != nil {
		return
	}
	if o.voices > 0 {
		o.buf[0] |= extensionBit | o.voices
	}
	o.seq++
	o.started = true
	o.ts, o.size = ts, n
	b := o.buf[:o.head+n]
	switch {
	case s.berth == nil:
		s.left(s.media.send(b))
	case !s.berth.mine.Load() || !s.media.toOK: // another call was there first
		s.left(false)
	case s.box == nil:
		s.left(s.media.send(b))
	default:
		s.boxed = true
		s.box.add(s, b)
	}
}

// left counts the packet that was sent last; ok is false where the kernel would
// not take it.
func (s *Session) left(ok bool) {
	if !ok {
		s.count.dropped[DropSend].Add(1)
		return
	}
	o := &s.out
	o.lastTS = o.ts
	o.packets++
	o.octets += uint32(o.size)
	s.count.packetsOut.Add(1)
	s.count.bytesOut.Add(uint64(o.size))
}
