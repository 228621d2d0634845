// Package recording writes what a room sounds like to WAV files in one folder,
// by a goroutine for each file: whoever puts audio in never waits for a disk.
package recording
