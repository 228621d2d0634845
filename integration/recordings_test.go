//go:build integration

package integration

import "testing"

// The suite of recordings: what a FreeSWITCH says and tells of them, in a room of
// two. See conformance_test.go.

func TestRecordingsAreRecorded(t *testing.T) { isRecorded(t, recordings) }

func TestRecordingsConform(t *testing.T) { conforms(t, recordings) }
