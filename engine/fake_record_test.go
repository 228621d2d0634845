package engine

import "time"

func (b *stage) Record(op OpID, t Tape) {
	b.mu.Lock()
	err := b.noDisk
	if err == nil {
		if b.tapes == nil {
			b.tapes = map[OpID]Tape{}
		}
		b.tapes[op] = t
		b.taped = append(b.taped, t.File)
	}
	b.mu.Unlock()
	if err != nil {
		b.post(RecordingEnded{Op: op, Err: err})
		return
	}
	b.post(RecordingBegan{Op: op, File: "/rec/" + t.File, Rate: max(t.Rate, 8000)})
}

func (b *stage) PauseRecord(op OpID, on bool) { b.post(RecordingPaused{Op: op, On: on}) }

func (b *stage) StopRecord(op OpID) {
	b.mu.Lock()
	_, runs := b.tapes[op]
	if !runs {
		b.t.Errorf("recording %d is stopped, which does not run", op)
	}
	jammed := b.jammed
	delete(b.tapes, op)
	b.mu.Unlock()
	if !jammed {
		b.post(RecordingEnded{Op: op, Duration: time.Second, Bytes: 16044})
	}
}

// lose ends what is recorded, with an error.
func (b *stage) lose(err error) {
	b.mu.Lock()
	tapes := b.tapes
	b.tapes = nil
	b.mu.Unlock()
	for op := range tapes {
		b.post(RecordingEnded{Op: op, Err: err})
	}
}

// recorded is what there was to record to, in order.
func (b *stage) recorded() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.taped...)
}
