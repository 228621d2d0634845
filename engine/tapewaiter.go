package engine

import "fmt"

// tapeWaiter is a command that waits for one or more recordings.
type tapeWaiter struct {
	open  int
	err   error
	reply chan error
}

func (w *tapeWaiter) settle(err error) {
	w.open--
	if w.err == nil {
		w.err = err
	}
	if w.open == 0 {
		w.reply <- w.err
	}
}

// mute has silence recorded, or what is heard again.
func (t *taping) mute(w *tapeWaiter, on bool) {
	b, ok := t.at.bridge.(RecordMuter)
	if !ok {
		w.settle(fmt.Errorf("%w: %s records no silence in place of what is heard", ErrCannot, t.at.place))
		return
	}
	t.muting = append(t.muting, w)
	b.MuteRecord(t.op, on)
}

func settleAll(waiting *[]*tapeWaiter, err error) {
	for _, w := range *waiting {
		w.settle(err)
	}
	*waiting = nil
}
