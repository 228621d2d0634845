//go:build libopus && !cgo

package codec

// Who asks for libopus shall not get something else unnoticed: this does not
// compile, and the compiler's message says what is missing.
var _ = libopus_needs_CGO_ENABLED_1_and_a_C_compiler
