package audiotest

import "testing"

// Long marks a test that computes for seconds in one goroutine: with -short,
// which is how make test looks for races, it is skipped; make test runs it
// afterwards without the race detector, which would make it ten times slower.
func Long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("computes long in one goroutine: runs without -short")
	}
}
