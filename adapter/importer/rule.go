package importer

import (
	"slices"
	"strings"
)

// rule is what becomes of a parameter of a T: a profile, a section.
type rule[T any] struct {
	to     func(of T, at param) error // maps it; nil = it has no effect here
	secret bool                       // to fails on a value that it cannot map

	kind Kind   // without to: what the report says, and "" = nothing
	text string // and why
	off  string // values parted by blanks with which it does nothing there either
}

// harmless says that with this value the parameter does nothing.
func (r rule[T]) harmless(value string) bool {
	return slices.Contains(strings.Fields(r.off), strings.ToLower(value))
}

// Reasons that several parameters have.
const (
	noVideo  = "Parley mixes no video."
	gateKey  = "No key changes the level from which on a caller is heard; conference NAME energy does, on Parley's event socket."
	gateAuto = "The level from which on a caller is heard follows his own noise, not a number; see gate."
	noDial   = "Who is called from a room sees what the order says: parley room NAME dial --caller-name and --caller-number."
	ownEvent = "Parley's events are its own."
)
