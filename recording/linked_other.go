//go:build !unix

package recording

import "io/fs"

// linked cannot be told from what os.Stat says here.
func linked(fs.FileInfo) bool { return false }
