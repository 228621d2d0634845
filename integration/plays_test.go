//go:build integration

package integration

import "testing"

// TestPlaysAreRecorded does the script of what plays at a real switch.
func TestPlaysAreRecorded(t *testing.T) { isRecorded(t, plays) }

// TestPlaysConform does it at Parley.
func TestPlaysConform(t *testing.T) { conforms(t, plays) }
