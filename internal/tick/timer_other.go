//go:build !linux

package tick

func newTimer(bool) timer { return newPlainTimer() }
