package audiosocket

import "sync/atomic"

// keys is a ring of digits between one producer and one consumer, lock-free.
type keys struct {
	ring [32]byte
	head atomic.Uint32 // written so far
	tail atomic.Uint32 // taken so far
}

// push returns false when the consumer is 32 keys behind.
func (k *keys) push(d byte) bool {
	h := k.head.Load()
	if h-k.tail.Load() == uint32(len(k.ring)) {
		return false
	}
	k.ring[h%uint32(len(k.ring))] = d
	k.head.Store(h + 1) // publishes the digit
	return true
}

func (k *keys) pop() (byte, bool) {
	t := k.tail.Load()
	if t == k.head.Load() {
		return 0, false
	}
	d := k.ring[t%uint32(len(k.ring))]
	k.tail.Store(t + 1) // gives the slot back
	return d, true
}
