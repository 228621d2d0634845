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
	noGate   = "Parley has no talk gate; what a caller says is always mixed."
	noGain   = "Parley does not adjust the level of a caller by itself."
	noDial   = "Parley calls nobody from a room."
	noCDR    = "Parley writes no records of conferences; see the variables parley_* of each call."
	ownEvent = "Parley's events are its own."
)
