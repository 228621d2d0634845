//go:build !linux

package priority

import "errors"

// errNot says that the system is another.
var errNot = errors.New("priority: only on Linux")

// Read says nothing.
func Read() (text, warning string) { return "", "" }

// ShortSlices does nothing.
func ShortSlices() error { return errNot }

// Background does nothing.
func Background() error { return errNot }
