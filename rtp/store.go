package rtp

// store keeps the latest payloads of one stream in one piece of memory, in the
// order they came: the oldest make room for the newest. So what a stream takes is
// a matter of time, not of how many packets there are to a second.
type store struct {
	data []byte
	at   int    // where the next payload goes
	sum  uint32 // bytes since the beginning, left-out ends included
	kept uint32 // how many of the last of them are whole
}

// piece is a payload in a store.
type piece struct {
	from uint32 // bytes that were put before it
	at   uint32
	n    uint16
}

// leastPieces is how many payloads of the longest kind a store holds.
const leastPieces = 4

// put copies a payload in. A stream of longer ones than were expected gets more
// memory once.
func (s *store) put(payload []byte) piece {
	n := len(payload)
	if n*leastPieces > len(s.data) {
		s.grow(n * leastPieces)
	}
	if rest := len(s.data) - s.at; rest < n {
		s.pass(rest)
		s.at = 0
	}
	p := piece{from: s.sum, at: uint32(s.at), n: uint16(n)}
	copy(s.data[s.at:], payload)
	s.at += n
	s.pass(n)
	return p
}

// pass counts n bytes as written or left out: as many of the oldest are gone.
func (s *store) pass(n int) {
	s.sum += uint32(n)
	s.kept = min(s.kept+uint32(n), uint32(len(s.data)))
}

// grow makes room for at least need bytes. What is in it stays where it is; the next
// payload goes behind the old memory, whose end is left out.
func (s *store) grow(need int) {
	old := len(s.data)
	data := make([]byte, max(need, 2*old))
	copy(data, s.data)
	s.data = data
	s.pass(old - s.at)
	s.at = old
}

// has says whether a payload is still there. What had made room before the memory
// grew has not come back with it.
func (s *store) has(p piece) bool { return s.sum-p.from <= s.kept }

// get is the payload, until the next one is put; nil when it has made room.
func (s *store) get(p piece) []byte {
	if !s.has(p) {
		return nil
	}
	return s.data[p.at:][:p.n:p.n]
}
